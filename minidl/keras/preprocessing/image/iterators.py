"""Endless batches of images: in order or shuffled anew each round, by number or one after another."""

import itertools
import os
import threading
import warnings

import numpy as np

from minidl.keras.config import floatx, standardize_data_format
from minidl.keras.utils.images import array_to_img
from minidl.keras.utils.py_dataset import PyDataset

__all__ = ["Iterator", "NumpyArrayIterator"]


class Iterator(PyDataset):
    """Base: ``next()`` gives batch after batch without end, ``[i]`` the i-th of a round, ``len`` a round's number.

    The last batch of a round is short. With a seed, NumPy's generator is set to seed + the batches so far before
    each batch, as Keras does.
    """

    def __init__(self, n, batch_size, shuffle, seed, **kwargs):
        super().__init__(**kwargs)
        self.n, self.batch_size, self.seed, self.shuffle = n, batch_size, seed, shuffle
        self.batch_index = self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_array = None

    def _set_index_array(self):
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _seed(self):
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)

    def __len__(self):
        return (self.n + self.batch_size - 1) // self.batch_size

    def __getitem__(self, idx):
        if idx >= len(self):
            raise ValueError(f"Asked to retrieve element {idx}, but the Sequence has length {len(self)}")
        self._seed()
        self.total_batches_seen += 1
        if self.index_array is None:
            self._set_index_array()
        rows = self.index_array[self.batch_size * idx : self.batch_size * (idx + 1)]
        return self._get_batches_of_transformed_samples(rows)

    def on_epoch_end(self):
        """Shuffles anew."""
        self._set_index_array()

    def reset(self):
        """The next batch is the first of a round."""
        self.batch_index = 0

    def _next_rows(self):
        self._seed()
        if self.batch_index == 0 or self.index_array is None:
            self._set_index_array()
        start = (self.batch_index * self.batch_size) % self.n if self.n else 0
        self.batch_index = self.batch_index + 1 if self.n > start + self.batch_size else 0
        self.total_batches_seen += 1
        return self.index_array[start : start + self.batch_size]

    @property
    def index_generator(self):
        """The rows of batch after batch without end, for classes of one's own."""
        return (self._next_rows() for _ in itertools.count())

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:
            return self._get_batches_of_transformed_samples(self._next_rows())

    def next(self):
        """The next batch."""
        return next(self)

    def _get_batches_of_transformed_samples(self, index_array):
        raise NotImplementedError(f"{type(self).__name__} gives no batches")

    def _save(self, batch, rows, limit):
        """Writes a batch's images to ``save_to_dir``, where one is named."""
        if not self.save_to_dir:
            return
        for image, row in zip(batch, rows, strict=True):
            name = f"{self.save_prefix}_{row}_{np.random.randint(limit)}.{self.save_format}"
            array_to_img(image, self.data_format, scale=True).save(os.path.join(self.save_to_dir, name))


def _check_lengths(x, y, what):
    if y is not None and len(x) != len(y):
        raise ValueError(
            f"`x` (images tensor) and {what} should have the same length. Found: x.shape = {np.asarray(x).shape}, "
            f"shape of {what} = {np.asarray(y).shape}"
        )


class NumpyArrayIterator(Iterator):
    """Batches of arrays through an ``ImageDataGenerator``: what ``flow`` gives.

    ``ValueError`` for lengths that differ, another rank, a subset that is none or has other classes.
    """

    def __init__(
        self, x, y, image_data_generator, batch_size=32, shuffle=False, sample_weight=None, seed=None,
        data_format=None, save_to_dir=None, save_prefix="", save_format="png", subset=None, ignore_class_split=False,
        dtype=None,
    ):  # fmt: skip
        self.dtype, self.data_format = dtype or floatx(), standardize_data_format(data_format)
        further = []
        if isinstance(x, (tuple, list)) and len(x) == 2 and np.ndim(x[0]) == 4:
            further = [np.asarray(item) for item in (x[1] if isinstance(x[1], list) else [x[1]])]
            x = x[0]
            for item in further:
                if len(item) != len(x):
                    raise ValueError(
                        "All of the arrays in `x` should have the same length. Found a pair with: "
                        f"len(x[0]) = {len(x)}, len(x[?]) = {len(item)}"
                    )
        _check_lengths(x, y, "`y` (labels)")
        _check_lengths(x, sample_weight, "`sample_weight`")
        rows = slice(None)
        if subset is not None:
            rows = _subset_rows(subset, len(x), image_data_generator._validation_split)
            if y is not None and not ignore_class_split:
                _check_classes(np.asarray(y), int(len(x) * image_data_generator._validation_split))
        self.x = np.asarray(x, dtype=self.dtype)[rows]
        self.x_misc = [item[rows] for item in further]
        self.y = None if y is None else np.asarray(y)[rows]
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)[rows]
        if self.x.ndim != 4:
            raise ValueError(
                "Input data in `NumpyArrayIterator` should have rank 4. You passed an array with shape "
                f"{self.x.shape}"
            )
        axis = 3 if self.data_format == "channels_last" else 1
        if self.x.shape[axis] not in (1, 3, 4):
            warnings.warn(
                f'NumpyArrayIterator is set to use the data format convention "{self.data_format}" (channels on axis '
                f"{axis}), i.e. expected either 1, 3, or 4 channels on axis {axis}. However, it was passed an array "
                f"with shape {self.x.shape} ({self.x.shape[axis]} channels).",
                stacklevel=3,
            )
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array):
        batch = self.image_data_generator.augmented(self.x[index_array]).astype(self.dtype, copy=False)
        self._save(batch, index_array, 10000)
        inputs = [batch, *(item[index_array] for item in self.x_misc)] if self.x_misc else batch
        if self.y is None:
            return inputs
        rest = [self.y[index_array]]
        if self.sample_weight is not None:
            rest.append(self.sample_weight[index_array])
        return (inputs, *rest)


def _subset_rows(subset, count, fraction):
    """The rows of a subset: validation comes first."""
    at = int(count * fraction)
    if subset == "validation":
        return slice(0, at)
    if subset == "training":
        return slice(at, None)
    raise ValueError(f'Invalid subset name: {subset}; expected "training" or "validation".')


def _check_classes(y, at):
    if not np.array_equal(np.unique(y[:at]), np.unique(y[at:])):
        raise ValueError(
            "Training and validation subsets have different number of classes after the split. If your numpy arrays "
            "are sorted by the label, you might want to shuffle them."
        )
