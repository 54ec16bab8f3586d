"""One pass over a loader: in the caller, or through workers."""

import collections
import importlib
import itertools
import os
import weakref

from minidl.utils.data.fetch import Exhausted
from minidl.utils.data.threads import start_threads
from minidl.utils.data.worker import END, Failure


class SerialIterator:
    """Batches made by the caller."""

    def __init__(self, job, batches):
        self._fetch, self._batches = job.fetcher(), iter(batches)

    def __iter__(self):
        return self

    def __next__(self):
        indices = next(self._batches)
        try:
            return self._fetch(indices)
        except Exhausted:
            raise StopIteration from None


def _processes():
    """Imported when first used: multiprocessing costs a twentieth of the time that `import minidl` may take."""
    return importlib.import_module("minidl.utils.data.processes")


def check_context(multiprocessing_context):
    """Raises ``ValueError`` or ``TypeError`` where a loader's argument means no way to start processes."""
    _processes().context_of(multiprocessing_context)


class Pool:
    """The workers of a loader, for one pass or, persistent, for several."""

    def __init__(self, job, worker_type, multiprocessing_context):
        if worker_type == "thread":
            self.workers = start_threads(job)
        else:
            self.workers = _processes().start_processes(job, multiprocessing_context)
        self.epoch = 0
        self.close = weakref.finalize(self, _end, self.workers, os.getpid())

    @property
    def closed(self):
        """Whether the workers have ended."""
        return not self.close.alive


def _end(workers, owner):
    if os.getpid() != owner:  # a fork holds a copy of the pool, whose workers are not its own
        return
    for worker in workers:
        worker.stop()
    for worker in workers:
        worker.join()


class WorkerIterator:
    """Batches made by workers, in the order of the sampler whatever their number.

    Task k goes to worker k mod n and its batch is read from that worker when its turn comes; ``prefetch_factor`` tasks
    are open a worker. A worker whose stream has ended is passed over.
    """

    def __init__(self, pool, batches, prefetch_factor, timeout, persistent):
        pool.epoch += 1
        self._pool, self._epoch, self._batches = pool, pool.epoch, iter(batches)
        self._timeout, self._persistent = timeout or None, persistent
        self._active = set(range(len(pool.workers)))
        self._turns = itertools.cycle(range(len(pool.workers)))
        self._open = collections.deque()  # workers that owe a batch, the next one first
        for _ in range(prefetch_factor * len(pool.workers)):
            self._hand_out()

    def _hand_out(self):
        """Gives the next task to the next worker."""
        if not self._active:
            return
        try:
            indices = next(self._batches)
        except StopIteration:
            return
        worker = next(w for w in self._turns if w in self._active)
        self._pool.workers[worker].send((self._epoch, indices))
        self._open.append(worker)

    def __iter__(self):
        return self

    def __next__(self):
        if self._epoch != self._pool.epoch:
            raise RuntimeError(
                "this pass was ended by a later iter() of the same DataLoader: "
                "persistent workers serve one pass at a time"
            )
        while self._open:
            worker = self._open.popleft()
            batch = self._receive(worker)
            if batch is END:
                self._active.discard(worker)
                self._hand_out()
                continue
            self._hand_out()
            if isinstance(batch, Failure):
                batch.reraise()
            return batch
        if not self._persistent:
            self._pool.close()
        raise StopIteration

    def _receive(self, worker):
        """The batch that a worker owes; what it still sends for an earlier pass is dropped."""
        workers = self._pool.workers
        try:
            while True:
                epoch, batch = workers[worker].receive(self._timeout, workers)
                if epoch == self._epoch:
                    return END if isinstance(batch, str) and batch == END else batch
        except (
            BaseException
        ):  # a death, a timeout, Ctrl-C in the middle of a message: the pipes are of no use any more
            self._open.clear()
            self._pool.close()
            raise
