"""What a worker does, be it a process or a thread: it turns tasks into batches, and exceptions into messages."""

import dataclasses
import random
import threading
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.ops.generator import manual_seed
from minidl.utils.data.fetch import Exhausted, fetcher

END = "end of the stream"  # a worker's answer when its share of an IterableDataset is exhausted

_of_thread = threading.local()
_of_process = None


@dataclasses.dataclass(frozen=True)
class WorkerInfo:
    """Which worker this is: ``id`` in 0 .. ``num_workers`` - 1, its ``seed``, and its (copy of the) ``dataset``."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


def get_worker_info():
    """The ``WorkerInfo`` of the worker that calls, None outside of workers.

    >>> from minidl.utils.data import get_worker_info
    >>> get_worker_info() is None
    True
    """
    return getattr(_of_thread, "info", _of_process)


def become_process(info):
    """Makes the whole process worker ``info``: every thread of it, and its own random numbers.

    Python's, NumPy's and minidl's generators start from the worker's seed: a fork begins as a copy of its parent,
    and all workers would else draw the same.
    """
    global _of_process
    _of_process = info
    random.seed(info.seed)
    np.random.seed(np.random.SeedSequence(info.seed).generate_state(4))
    manual_seed(info.seed)


def become_thread(info):
    """Makes the calling thread worker ``info``; threads share the generators, which so keep their state."""
    _of_thread.info = info


@dataclasses.dataclass(frozen=True)
class Job:
    """What all workers of a loader do."""

    dataset: Any
    batched: bool
    collate_fn: Callable
    drop_last: bool
    num_workers: int
    base_seed: int
    worker_init_fn: Callable | None

    def info(self, worker_id):
        """The ``WorkerInfo`` of a worker."""
        return WorkerInfo(worker_id, self.num_workers, self.base_seed + worker_id, self.dataset)

    def fetcher(self):
        """A fresh function from indices to a batch; a fresh pass over an IterableDataset."""
        return fetcher(self.dataset, self.batched, self.collate_fn, self.drop_last)


def work(job, worker_id, tasks, send, name):
    """Answers each of ``tasks``, pairs of (epoch, indices), by ``send((epoch, batch))``, in order.

    The batch is ``END`` after the end of a stream and a ``Failure`` where an exception was raised.
    """
    problem, epoch, fetch = None, None, None
    try:
        if job.worker_init_fn is not None:
            job.worker_init_fn(worker_id)
    except BaseException as error:  # a worker reports everything, even SystemExit: nobody sees it die
        problem = Failure(error, name)
    for wanted, indices in tasks:
        answer = problem
        if problem is None:
            try:
                if wanted != epoch:
                    epoch, fetch = wanted, job.fetcher()
                answer = END if fetch is None else fetch(indices)
            except Exhausted:
                answer, fetch = END, None
            except BaseException as error:
                answer = Failure(error, name)
        send((wanted, answer))


class _Verbatim(str):
    """A message that KeyError, which prints its argument's repr, prints as it is."""

    def __repr__(self):
        return str(self)


class Failure:
    """An exception on its way out of a worker: its class, and its text with the traceback."""

    def __init__(self, error, name):
        kind = type(error)
        # Raised in the loader, SystemExit or StopIteration would end the program or the loop without a word.
        ordinary = isinstance(error, Exception) and not isinstance(error, StopIteration)
        self.kind = kind if ordinary else RuntimeError
        trace = "".join(traceback.format_exception(error))
        self.message = f"Caught {kind.__name__} in DataLoader {name}.\nOriginal {trace}"

    def reraise(self):
        """Raises the exception again, as ``RuntimeError`` where its class wants more than a message."""
        message = _Verbatim(self.message) if issubclass(self.kind, KeyError) else self.message
        try:
            error = self.kind(message)
        except Exception:
            error = RuntimeError(message)
        try:
            raise error
        finally:
            del (
                error
            )  # in this frame, which its traceback holds, it would keep the loader and its workers alive
