"""``DataLoader``: batches of a data set."""

import itertools
import warnings

from minidl.utils.data.collate import default_collate, default_convert
from minidl.utils.data.dataset import IterableDataset
from minidl.utils.data.iterators import Pool, SerialIterator, WorkerIterator, check_context
from minidl.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler, draw_seed
from minidl.utils.data.worker import Job

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader:
    """Iterates over a data set in batches, in order or shuffled, in the caller or through workers.

    Args:
        dataset: a ``Dataset``, anything with ``__getitem__`` and ``__len__``, or an ``IterableDataset``.
        batch_size: samples a batch; None gives samples one by one.
        shuffle: a fresh order each pass.
        sampler: gives indices; batch_sampler: gives lists of them. Each excludes the arguments that it replaces.
        num_workers: 0 loads in the caller. The batches and their order are the same for any number of workers.
        collate_fn: from a list of samples to a batch, ``default_collate`` by default.
        pin_memory: accepted; batches stay in ordinary memory, and a warning says so.
        drop_last: leaves out a last, smaller batch.
        timeout: seconds to wait for a batch of a worker, 0 for ever.
        worker_init_fn: called with the worker's id in each worker.
        multiprocessing_context: how processes start: fork (the default on Linux), spawn, forkserver, or a context.
        generator: of the random order and of the workers' seeds; by default the CPU's default one.
        prefetch_factor: batches that a worker prepares ahead, 2 by default.
        persistent_workers: keeps the workers after a pass.
        in_order: batches come in order; False permits another, and is given the same.
        worker_type: 'process', or 'thread' for data sets that release Python's lock or are small.

    Raises ``ValueError`` for arguments that contradict each other. An exception of a worker is raised again with its
    traceback; ``RuntimeError`` for a worker that dies or takes longer than ``timeout``.
    Workers that are processes seed random, numpy.random and minidl with ``get_worker_info().seed``; threads share the
    program's generators. Source: PyTorch's ``torch.utils.data.DataLoader``.

    >>> import minidl
    >>> from minidl.utils.data import DataLoader, TensorDataset
    >>> [x.tolist() for (x,) in DataLoader(TensorDataset(minidl.arange(5)), batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self, dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None, num_workers=0, collate_fn=None,
        pin_memory=False, drop_last=False, timeout=0, worker_init_fn=None, multiprocessing_context=None,
        generator=None, *, prefetch_factor=None, persistent_workers=False, pin_memory_device="", in_order=True,
        worker_type="process",
    ):  # fmt: skip
        self.dataset, self.num_workers, self.timeout, self.generator = (
            dataset,
            num_workers,
            timeout,
            generator,
        )
        self.pin_memory, self.pin_memory_device, self.in_order = pin_memory, pin_memory_device, in_order
        self.worker_init_fn, self.multiprocessing_context = worker_init_fn, multiprocessing_context
        self.worker_type, self.persistent_workers = worker_type, persistent_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self._check_workers()
        self._check_sampling(batch_size, shuffle, sampler, batch_sampler, drop_last)
        if batch_sampler is not None:
            batch_size = None
        if sampler is None and not self._streams:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None and not self._streams:
            batch_sampler = BatchSampler(sampler, batch_size, bool(drop_last))
        self.batch_size, self.drop_last = batch_size, bool(drop_last)
        self.sampler, self.batch_sampler = sampler, batch_sampler
        self._batched = batch_size is not None or batch_sampler is not None
        self.collate_fn = collate_fn or (default_collate if self._batched else default_convert)
        self._pool = None
        self._initialized = True

    def _check_workers(self):
        if self.num_workers < 0:
            raise ValueError(
                "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing. "
                f"Got {self.num_workers}."
            )
        if self.timeout < 0:
            raise ValueError(f"timeout option should be non-negative, got {self.timeout}")
        if self.worker_type not in ("process", "thread"):
            raise ValueError(f"worker_type option should be 'process' or 'thread', got {self.worker_type!r}")
        if self.num_workers == 0:
            if self.prefetch_factor is not None:
                raise ValueError(
                    "prefetch_factor option could only be specified in multiprocessing. Let num_workers > 0 to enable "
                    "multiprocessing, otherwise set prefetch_factor to None."
                )
            if self.persistent_workers:
                raise ValueError("persistent_workers option needs num_workers > 0")
            if self.multiprocessing_context is not None:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
                    "num_workers=0"
                )
        elif self.prefetch_factor < 1:
            raise ValueError(f"prefetch_factor option should be positive, got {self.prefetch_factor}")
        if self.worker_type == "thread" and self.multiprocessing_context is not None:
            raise ValueError(
                "multiprocessing_context is for worker_type='process', but worker_type is 'thread'"
            )

        if self.multiprocessing_context is not None:
            check_context(self.multiprocessing_context)

    @property
    def _streams(self):
        return isinstance(self.dataset, IterableDataset)

    def _check_sampling(self, batch_size, shuffle, sampler, batch_sampler, drop_last):
        if self._streams:
            for name, value in (("shuffle", shuffle), ("sampler", sampler), ("batch_sampler", batch_sampler)):
                if value is not None and value is not False:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError(
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
            )
        if batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
            )
        whole = isinstance(batch_size, int) and not isinstance(batch_size, bool)
        if batch_size is not None and (not whole or batch_size <= 0):
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )

    def __setattr__(self, name, value):
        if name in _FIXED and self.__dict__.get("_initialized"):
            raise ValueError(f"{name} attribute should not be set after DataLoader is initialized")
        super().__setattr__(name, value)

    def __getstate__(self):
        return {**self.__dict__, "_pool": None}  # workers stay with the program that started them

    def _batches(self):
        """What a pass asks for: lists of indices, or indices; for a stream, places to be filled, without end."""
        if self._streams:
            return itertools.repeat([None] * self.batch_size if self._batched else None)
        return self.batch_sampler if self._batched else self.sampler

    def __iter__(self):
        # Drawn for any number of workers, so that their number does not change what is drawn after it.
        base_seed = draw_seed(self.generator)
        if self.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but batches stay in ordinary memory: "
                "copies to a GPU are right but wait for the host",
                stacklevel=2,
            )
        job = Job(
            self.dataset,
            self._batched,
            self.collate_fn,
            self.drop_last,
            self.num_workers,
            base_seed,
            self.worker_init_fn,
        )
        if self.num_workers == 0:
            return self._counted(SerialIterator(job, self._batches()))
        pool = self._pool
        if pool is None or pool.closed:
            pool = Pool(job, self.worker_type, self.multiprocessing_context)
            self._pool = pool if self.persistent_workers else None
        return self._counted(
            WorkerIterator(pool, self._batches(), self.prefetch_factor, self.timeout, self.persistent_workers)
        )

    def _counted(self, iterator):
        """``iterator``; for a stream that says its length, with a warning where it gives more."""
        return (
            iterator if not (self._streams and hasattr(self.dataset, "__len__")) else _warning(iterator, self)
        )

    def __len__(self):
        """Batches of a pass. Raises ``TypeError`` where the data set or sampler has no length."""
        if not self._streams:
            return len(self.batch_sampler if self._batched else self.sampler)
        samples = len(self.dataset)
        if not self._batched:
            return samples
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)


def _warning(iterator, loader):
    reported, warned = len(loader), False
    for count, batch in enumerate(iterator, 1):
        if count > reported and not warned:
            warned = True
            hint = " Each worker iterates a copy of the stream: get_worker_info() tells it its share."
            warnings.warn(
                f"Length of IterableDataset {type(loader.dataset).__name__} was reported to be {reported} batches, "
                f"but more have been fetched.{hint if loader.num_workers else ''}",
                stacklevel=2,
            )
        yield batch
