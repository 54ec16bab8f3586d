"""Data sets in parts, and windows over time."""

import math

import numpy as np

from minidl.keras.utils.batched import Batched

__all__ = ["TimeseriesWindows", "split_dataset", "timeseries_dataset_from_array"]


def _sizes(left, right, count):
    for name, size in (("left_size", left), ("right_size", right)):
        if size is not None and (isinstance(size, bool) or not isinstance(size, (int, float, np.number))):
            raise TypeError(f"Invalid `{name}` type: {type(size)}: it is a fraction or a number of rows")
        if (isinstance(size, float) and not 0 < size < 1) or (isinstance(size, int) and not 0 < size < count):
            raise ValueError(
                f"`{name}` should be either a positive integer smaller than {count}, or a float within (0, 1). "
                f"Received: {name}={size}"
            )
    if left is None and right is None:
        raise ValueError("At least one of the `left_size` or `right_size` must be specified.")
    left = round(left * count) if isinstance(left, float) else left
    right = round(right * count) if isinstance(right, float) else right
    left = count - right if left is None else left
    right = count - left if right is None else right
    if left + right > count or not left or not right:
        raise ValueError(
            f"The sum of `left_size` and `right_size` is {left + right} for {count} rows: parts need at least a row "
            "each, and no more than there are."
        )
    return left, right


def split_dataset(dataset, left_size=None, right_size=None, shuffle=False, seed=None, preferred_backend=None):
    """The first and the last rows of a data set, as two: of arrays (or tuples and lists of them), or of rows.

    Sizes are fractions or numbers; ``shuffle`` permutes first. Arrays give arrays, other data lists of rows.

    >>> import numpy as np
    >>> from minidl import keras
    >>> left, right = keras.utils.split_dataset(np.arange(10), left_size=0.8)
    >>> right.tolist()
    [8, 9]
    """
    arrays = isinstance(dataset, np.ndarray) or hasattr(dataset, "_array")
    several = isinstance(dataset, (tuple, list)) and all(getattr(part, "ndim", 0) for part in dataset)
    parts = list(dataset) if several else [dataset if arrays else list(dataset)]
    count = len(parts[0])
    if any(len(part) != count for part in parts):
        raise ValueError(f"Parts of a data set need one length; got {[len(part) for part in parts]}")
    left, right = _sizes(left_size, right_size, count)
    order = np.random.default_rng(seed).permutation(count) if shuffle else np.arange(count)

    def rows(part, chosen):
        return [part[i] for i in chosen] if isinstance(part, list) else part[chosen]

    halves = [[rows(part, chosen) for part in parts] for chosen in (order[:left], order[left : left + right])]
    if not several:
        return halves[0][0], halves[1][0]
    return type(dataset)(halves[0]), type(dataset)(halves[1])


class TimeseriesWindows(Batched):
    """Windows of rows as batches; see ``timeseries_dataset_from_array``."""

    def __init__(self, data, targets, starts, offsets, batch_size, shuffle, seed):
        super().__init__()
        self.data, self.targets, self.offsets = data, targets, offsets
        self.batch_size, self.shuffle = batch_size, shuffle
        self._first = starts[0] if len(starts) else 0
        self._generator = np.random.default_rng(seed)
        self.starts = self._generator.permutation(starts) if shuffle else starts

    def __len__(self):
        return math.ceil(len(self.starts) / self.batch_size)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        starts = self.starts[index * self.batch_size : (index + 1) * self.batch_size]
        windows = self.data[starts[:, None] + self.offsets]
        return windows if self.targets is None else (windows, self.targets[starts])

    def on_epoch_end(self):
        """Shuffles anew, where it shuffles."""
        if self.shuffle:
            self.starts = self._generator.permutation(self.starts)


def timeseries_dataset_from_array(
    data, targets, sequence_length, sequence_stride=1, sampling_rate=1, batch_size=128, shuffle=False, seed=None,
    start_index=None, end_index=None, format="numpy",
):  # fmt: skip
    """Batches of windows (N, sequence_length, ...) of the rows of ``data``, every ``sampling_rate``-th row, windows
    ``sequence_stride`` apart; the target of a window is that at its first row. For ``fit``, or to iterate over.

    >>> import numpy as np
    >>> from minidl import keras
    >>> windows = keras.utils.timeseries_dataset_from_array(np.arange(6), None, sequence_length=3)
    >>> windows[0].tolist()
    [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]
    """
    data = np.asarray(data)
    for name, value in (
        ("sequence_length", sequence_length), ("sequence_stride", sequence_stride), ("sampling_rate", sampling_rate),
    ):  # fmt: skip
        if value <= 0 or (value >= len(data) and name != "sequence_length"):
            raise ValueError(
                f"`{name}` must be higher than 0 and lower than the length of the data. Received: {value}"
            )
    if sequence_length > len(data):
        raise ValueError(f"`sequence_length` must be lower than {len(data)}. Received: {sequence_length}")
    start, end = start_index or 0, len(data) if end_index is None else end_index
    if not 0 <= start < end <= len(data):
        raise ValueError(
            f"`start_index` and `end_index` must be within the data and in order. Received: {start_index}, {end_index}"
        )
    span = end - start
    count = span - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = np.asarray(targets)[start:end]
        count = min(count, len(targets))
    starts = np.arange(0, max(count, 0), sequence_stride)
    offsets = np.arange(sequence_length) * sampling_rate
    size = batch_size or max(len(starts), 1)
    return TimeseriesWindows(data[start:end], targets, starts, offsets, size, shuffle, seed)
