"""From the arguments of ``fit`` to batches: which kind of data it is, the part for validation, what is refused."""

import warnings

from minidl.keras.engine.arrays import as_arrays, count_rows, take_rows
from minidl.keras.engine.data import (
    ArrayBatches,
    IterableBatches,
    SequenceBatches,
    is_dataset,
    is_iterable_data,
    is_sequence,
)
from minidl.utils.data import DataLoader


class _Unasked(int):
    """True as a default: an argument that nobody passed need not be warned of."""

    def __repr__(self):
        return "True"


SHUFFLED = _Unasked(True)


def batches_of(
    x, y=None, sample_weight=None, batch_size=None, shuffle=False, class_weight=None, where=None, steps=None
):
    """The ``Batches`` of ``x`` (and ``y``), by its kind."""
    asked, shuffle = shuffle is not SHUFFLED, True if shuffle is SHUFFLED else shuffle
    if not is_iterable_data(x):
        if x is None:
            raise ValueError("fit(), evaluate() and predict() need data: `x` is None.")
        batches = ArrayBatches(x, y, sample_weight, batch_size, shuffle, class_weight, where, steps)
        if batches.rows == 0:
            raise ValueError("The data have no samples: the arrays are of length 0.")
        return batches
    kind = type(x).__name__
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"When providing `x` as a {kind}, `{name}` should not be passed. Instead, the {name} "
                "should be included as "
                f"part of the {kind}: it yields (x, y) or (x, y, sample_weight)."
            )
    if is_sequence(x):
        return SequenceBatches(x, bool(shuffle), class_weight, where)
    if is_dataset(x):
        return IterableBatches(
            DataLoader(x, batch_size=batch_size or 32, shuffle=bool(shuffle)), class_weight, where
        )
    if shuffle and asked:
        warnings.warn(
            f"`shuffle={shuffle}` was passed, but will be ignored since the data `x` was provided as a {kind}: "
            "it decides the order itself.",
            stacklevel=4,
        )
    return IterableBatches(x, class_weight, where)


def split_for_validation(x, y, sample_weight, fraction):
    """(training part, validation part), each (x, y, sample_weight): the last ``fraction`` of the rows validates."""
    if is_iterable_data(x):
        raise ValueError(
            "Argument `validation_split` is only supported for tensors or NumPy arrays. Found incompatible type in the "
            f"input: {type(x)}. Hint: pass validation_data=."
        )
    if not 0 < fraction < 1 and fraction != 1:
        raise ValueError(f"`validation_split` must be between 0 and 1, received: {fraction}")
    data = (as_arrays(x, "x"), as_arrays(y, "y"), as_arrays(sample_weight, "sample_weight"))
    rows = count_rows(*data)
    kept = int(rows * (1.0 - fraction))
    if kept in (0, rows):
        raise ValueError(
            f"Training data contains {rows} samples, which is not sufficient to split it into a "
            "validation and training "
            f"set as specified by `validation_split={fraction}`. Either provide more data, or a "
            "different value for the "
            "`validation_split` argument."
        )
    parts = (slice(None, kept), slice(kept, None))
    return tuple(tuple(take_rows(array, part) for array in data) for part in parts)
