"""``torch.multiprocessing``: Python's ``multiprocessing`` under PyTorch's name, and ``spawn``.

A tensor that is sent to another process is copied; ``share_memory_`` lets forked processes see one memory.

>>> import minidl.multiprocessing as mp
>>> mp.get_sharing_strategy(), mp.Process.__name__
('file_system', 'Process')
"""

import multiprocessing as _python
import multiprocessing.connection as _connection
import traceback
from multiprocessing import *  # noqa: F403

_STRATEGIES = frozenset({"file_descriptor", "file_system"})
_state = {"strategy": "file_system"}

__all__ = [
    *_python.__all__, "ProcessContext", "ProcessExitedException", "ProcessRaisedException",
    "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn", "start_processes",
]  # fmt: skip


class ProcessExitedException(Exception):
    """A process that ``spawn`` started has ended by itself, with an exit status that is no 0."""


class ProcessRaisedException(Exception):
    """A function that ``spawn`` started has raised; the text is its traceback's."""


def get_all_sharing_strategies():
    """The names that ``set_sharing_strategy`` takes."""
    return set(_STRATEGIES)


def get_sharing_strategy():
    """What ``set_sharing_strategy`` was given."""
    return _state["strategy"]


def set_sharing_strategy(new_strategy):
    """Remembered, and without effect: memory is shared by inheritance."""
    if new_strategy not in _STRATEGIES:
        raise AssertionError(f"unknown sharing strategy {new_strategy!r}; there are {sorted(_STRATEGIES)}")
    _state["strategy"] = new_strategy


def _call(fn, index, args, errors):
    try:
        fn(index, *args)
    except KeyboardInterrupt:
        pass  # the parent's to tell
    except Exception:
        errors.put(traceback.format_exc())
        raise SystemExit(1) from None


class ProcessContext:
    """The processes of a ``spawn``."""

    def __init__(self, processes, errors):
        self.processes, self._errors = processes, errors

    def pids(self):
        """The numbers of the processes."""
        return [process.pid for process in self.processes]

    def join(self, timeout=None, grace_period=None):
        """Waits for the processes; True when all have ended. Where one has failed the others are ended, and
        ``ProcessRaisedException`` or ``ProcessExitedException`` says which and why.
        """
        waiting = {process.sentinel for process in self.processes if process.exitcode is None}
        if waiting:
            _connection.wait(waiting, timeout)
        failed = [index for index, process in enumerate(self.processes) if process.exitcode]
        if not failed:
            return all(process.exitcode == 0 for process in self.processes)
        for process in self.processes:
            if process.is_alive():
                process.terminate()
            process.join(grace_period)
        index, code = failed[0], self.processes[failed[0]].exitcode
        if self._errors[index].empty():
            raise ProcessExitedException(f"process {index} terminated with exit code {code}")
        raise ProcessRaisedException(
            f"\n\n-- Process {index} terminated with the following error:\n{self._errors[index].get()}"
        )


def start_processes(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Calls ``fn(i, *args)`` in ``nprocs`` processes, i from 0 on. With ``join`` it waits for them and returns None;
    without, it returns a ``ProcessContext``. Raises what that one's ``join`` does.
    """
    context = _python.get_context(start_method)
    processes, errors = [], []
    for index in range(nprocs):
        errors.append(context.SimpleQueue())
        processes.append(context.Process(target=_call, args=(fn, index, args, errors[-1]), daemon=daemon))
        processes[-1].start()
    made = ProcessContext(processes, errors)
    if not join:
        return made
    while not made.join():
        pass
    return None


def spawn(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """``start_processes`` by new interpreters: ``fn`` must be importable. Source: ``torch.multiprocessing.spawn``."""
    return start_processes(fn, args, nprocs, join, daemon, start_method)
