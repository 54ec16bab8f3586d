"""``PyDataset``: batches by number, for ``fit``."""

__all__ = ["PyDataset", "Sequence"]


class PyDataset:
    """Base of what gives whole batches by number: define ``__getitem__(index)`` and ``__len__``.

    ``on_epoch_end`` (and ``on_epoch_begin``) run between epochs. ``workers``, ``use_multiprocessing`` and
    ``max_queue_size`` are kept for programs that pass them. Source: Keras' ``PyDataset``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> class Halves(keras.utils.PyDataset):
    ...     def __len__(self):
    ...         return 2
    ...
    ...     def __getitem__(self, index):
    ...         return np.full((4, 1), index), np.zeros(4)
    >>> len(list(Halves()))
    2
    """

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self.workers, self.use_multiprocessing = workers, use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__} defines no __getitem__(index)")

    def __len__(self):
        if self.num_batches is not None:
            return self.num_batches
        raise NotImplementedError(f"{type(self).__name__} defines no __len__()")

    @property
    def num_batches(self):
        """How many batches there are, where a subclass says so instead of defining ``__len__``."""
        return None

    def on_epoch_begin(self):
        """Called before an epoch."""

    def on_epoch_end(self):
        """Called after an epoch."""

    def __iter__(self):
        for index in range(len(self)):
            yield self[index]


Sequence = PyDataset
