"""Batches of whatever data ``fit`` is given: arrays, structures of arrays, loaders, generators, sequences."""

import inspect
import math

import numpy as np

from minidl.autograd.tensor import Tensor
from minidl.keras.engine.arrays import as_arrays, count_rows, take_rows, to_batch
from minidl.keras.engine.class_weights import weights_of_classes


class Batches:
    """One pass after another over the data: ``epoch()`` yields (x,), (x, y) or (x, y, sample_weight) of tensors.

    ``steps`` is the number of batches of a pass, None where it is unknown; ``rows`` the number of samples, or None;
    ``runs_out`` tells that there is one pass only.
    """

    steps = rows = None
    runs_out = False

    def epoch(self):
        """The batches of one pass."""
        raise NotImplementedError

    def on_epoch_begin(self):
        """Called before each epoch."""

    def on_epoch_end(self):
        """Called after each epoch."""


class ArrayBatches(Batches):
    """Batches of arrays in memory, in a new order each epoch where ``shuffle``; ``shuffle='batch'`` moves
    whole ones.

    ``batch_size`` None: 32, or what makes ``steps`` batches of all rows where ``steps`` is given, as in Keras.
    """

    def __init__(
        self, x, y=None, sample_weight=None, batch_size=None, shuffle=False, class_weight=None, where=None,
        steps=None,
    ):  # fmt: skip
        self.data = (as_arrays(x, "x"), as_arrays(y, "y"), as_arrays(sample_weight, "sample_weight"))
        self.rows = count_rows(*self.data)
        if class_weight is not None:
            self.data = (*self.data[:2], weights_of_classes(self.data[1], self.data[2], class_weight))
        if batch_size is None:
            batch_size = 32 if not steps else max(1, math.ceil(self.rows / steps))
        self.batch_size = _positive("batch_size", batch_size)
        self.shuffle, self.where = shuffle, where
        self.steps = math.ceil(self.rows / self.batch_size)

    def epoch(self):
        size, rows = self.batch_size, self.rows
        order = np.random.permutation(rows) if self.shuffle is True else None
        starts = np.arange(0, rows, size)
        if self.shuffle == "batch":
            np.random.shuffle(starts)
        for start in starts:
            part = slice(start, start + size) if order is None else order[start : start + size]
            yield packed(*(to_batch(take_rows(data, part), self.where) for data in self.data))


class IterableBatches(Batches):
    """Batches as an iterable yields them: ``x``, ``(x, y)`` or ``(x, y, sample_weight)`` each.

    What can be iterated again (a DataLoader, a list of batches) is; a generator goes on where it stopped.
    """

    def __init__(self, source, class_weight=None, where=None, steps=None):
        self.source, self.class_weight, self.where = source, class_weight, where
        try:
            self.steps = len(source)
        except TypeError:
            self.steps = None
        self.steps = steps if steps is not None else self.steps
        self.runs_out = _runs_out(source)
        self._running = iter(source) if self.runs_out else None

    def epoch(self):
        for data in self._running if self._running is not None else self.source:
            x, y, weight = unpack_x_y_sample_weight(data)
            if self.class_weight is not None:
                weight = weights_of_classes(
                    as_arrays(y, "y"), as_arrays(weight, "sample_weight"), self.class_weight
                )
            yield packed(to_batch(x, self.where), to_batch(y, self.where), to_batch(weight, self.where))


class SequenceBatches(IterableBatches):
    """Batches of an object with ``__getitem__`` and ``__len__``: Keras' ``PyDataset`` and ``Sequence``."""

    def __init__(self, source, shuffle=False, class_weight=None, where=None):
        self.sequence, self.shuffle = source, shuffle
        super().__init__((), class_weight, where)
        self.steps = len(source)
        self._running = None

    def epoch(self):
        order = np.random.permutation(len(self.sequence)) if self.shuffle else range(len(self.sequence))
        self.source = (self.sequence[int(index)] for index in order)
        return super().epoch()

    def on_epoch_begin(self):
        if hasattr(self.sequence, "on_epoch_begin"):
            self.sequence.on_epoch_begin()

    def on_epoch_end(self):
        if hasattr(self.sequence, "on_epoch_end"):
            self.sequence.on_epoch_end()


def _runs_out(source):
    return inspect.isgenerator(source) or (hasattr(source, "__next__") and not hasattr(source, "__len__"))


def _positive(name, value):
    if isinstance(value, bool) or int(value) != value or value < 1:
        raise ValueError(f"Expected {name} to be a positive integer. Received: {name}={value}")
    return int(value)


def is_sequence(x):
    """Whether ``x`` gives whole batches by index: a ``Sequence`` or ``PyDataset``, not an array, a dataset
    or a list."""
    if isinstance(x, (list, tuple, dict, np.ndarray, Tensor)) or hasattr(x, "__array__"):
        return False
    names = {base.__name__ for base in type(x).__mro__}
    if names & {"PyDataset", "Sequence"}:
        return True
    return hasattr(x, "__getitem__") and hasattr(x, "__len__") and hasattr(x, "on_epoch_end")


def is_iterable_data(x):
    """Whether ``x`` yields batches itself, targets and all."""
    if x is None or isinstance(x, (list, tuple, dict, str, np.ndarray, Tensor)) or hasattr(x, "__array__"):
        return False
    if hasattr(x, "toarray"):  # a sparse matrix of SciPy's
        return False
    return is_sequence(x) or hasattr(x, "__iter__") or hasattr(x, "__next__") or is_dataset(x)


def is_dataset(x):
    """Whether ``x`` is a map-style dataset of single samples: ``minidl.utils.data.Dataset`` and its kind."""
    names = {base.__name__ for base in type(x).__mro__}
    return "Dataset" in names and hasattr(x, "__getitem__") and hasattr(x, "__len__")


def packed(x, y=None, sample_weight=None):
    """A batch as steps get it: as short a tuple as holds what there is.

    >>> packed(1, 2), packed(1)
    ((1, 2), (1,))
    """
    if sample_weight is not None:
        return x, y, sample_weight
    return (x,) if y is None else (x, y)


def unpack_x_y_sample_weight(data):
    """(x, y, sample_weight) of what a batch is: ``x`` alone, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if 1 <= len(data) <= 3:
        return (*data, *(None,) * (3 - len(data)))
    raise ValueError(
        "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, found: a tuple of "
        f"{len(data)}."
    )
