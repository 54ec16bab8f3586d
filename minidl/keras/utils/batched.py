"""Batches by number that can be mapped and cut: what functions that read folders and series give."""

from minidl.autograd.modes import no_grad
from minidl.keras.utils.py_dataset import PyDataset

__all__ = ["Batched"]


class Batched(PyDataset):
    """A ``PyDataset`` with the methods of ``tf.data`` that programs of image and text folders use.

    Each gives new batches and leaves these as they are; nothing is read before it is asked for.

    >>> import numpy as np
    >>> from minidl import keras
    >>> windows = keras.utils.timeseries_dataset_from_array(
    ...     np.arange(8), None, sequence_length=2, batch_size=2
    ... )
    >>> [batch.tolist() for batch in windows.map(lambda x: x * 10).take(1)]
    [[[0, 10], [10, 20]]]
    >>> len(windows), len(windows.skip(1))
    (4, 3)
    """

    def map(self, function, num_parallel_calls=None):
        """The batches with ``function(x)`` or ``function(x, y)`` in their place, computed off the tape each time."""
        return _Part(self, range(len(self)), function)

    def take(self, count):
        """The first ``count`` batches; all for -1."""
        return _Part(self, range(len(self))[: None if count == -1 else count])

    def skip(self, count):
        """All batches but the first ``count``."""
        return _Part(self, range(len(self))[count:])

    def cache(self):
        """The batches, each kept after it was read first. They come in that order then, unshuffled inside."""
        return _Kept(self)

    def prefetch(self, buffer_size=None):
        """The same batches: they are read when asked for."""
        return self


class _Part(Batched):
    """Batches of another dataset, by the numbers of ``places``, through ``function`` where there is one."""

    def __init__(self, source, places, function=None):
        super().__init__()
        self.source, self.places, self.function = source, places, function
        self.class_names = getattr(source, "class_names", None)

    def __len__(self):
        return len(self.places)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        batch = self.source[self.places[index]]
        if self.function is None:
            return batch
        with no_grad():
            return self.function(*batch) if isinstance(batch, tuple) else self.function(batch)

    def on_epoch_begin(self):
        self.source.on_epoch_begin()

    def on_epoch_end(self):
        self.source.on_epoch_end()


class _Kept(_Part):
    def __init__(self, source):
        super().__init__(source, range(len(source)))
        self._kept = {}

    def __getitem__(self, index):
        if index not in self._kept:
            self._kept[index] = super().__getitem__(index)
        return self._kept[index]

    def on_epoch_end(self):
        """The source is not shuffled anew: its batches are kept."""
