"""DataLoader: exceptions, deaths and interruptions of workers; none of them hangs or leaves anything behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from loading import Numbers, nothing_leaks

from minidl.utils.data import DataLoader

__all__ = ["nothing_leaks"]  # a fixture of all tests here

ROOT = Path(__file__).resolve().parent.parent


# --- accidents ------------------------------------------------------------------------------------------------


class Picky(Exception):
    def __init__(self, one, two):
        super().__init__(one, two)


def _raise(error):
    def accident(index):
        if index == 5:
            raise error

    return accident


@pytest.mark.parametrize("worker_type", ["process", "thread"])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("five"), ValueError),
        (KeyError("five"), KeyError),
        (Picky(1, 2), RuntimeError),
        (StopIteration(), RuntimeError),
        (SystemExit(3), RuntimeError),
    ],
)
def test_an_exception_comes_back_with_its_traceback(worker_type, error, kind):
    iterator = iter(DataLoader(Numbers(8, _raise(error)), 2, num_workers=2, worker_type=worker_type))
    next(iterator), next(iterator)
    with pytest.raises(
        kind, match=rf"(?s)Caught .* in DataLoader worker {worker_type} 0.*Original Traceback.*accident"
    ):
        next(iterator)
    assert next(iterator)[0].tolist() == [6, 7]  # as PyTorch's, the pass goes on


def test_an_exception_in_the_caller_is_itself():
    with pytest.raises(ValueError, match=r"^five$"):
        list(DataLoader(Numbers(8, _raise(ValueError("five")))))
    with pytest.raises(RuntimeError, match="StopIteration"):
        list(DataLoader(Numbers(8, _raise(StopIteration()))))


def test_what_cannot_be_pickled_is_reported():
    class Local(Exception):
        pass

    with pytest.raises(RuntimeError, match="Caught Local"):
        list(DataLoader(Numbers(8, _raise(Local("x"))), num_workers=1))
    with pytest.raises(Exception, match=r"(?s)pickle.*lambda|lambda.*pickle"):
        list(DataLoader(Numbers(2), num_workers=1, collate_fn=lambda samples: lambda: samples))


def test_init_fn_that_fails():
    def init(worker_id):
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        list(DataLoader(Numbers(2), num_workers=1, worker_init_fn=init))


@pytest.mark.parametrize(
    ("accident", "text"),
    [
        (lambda i: os._exit(7), "exit code 7"),
        (lambda i: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL"),
        (lambda i: os.kill(os.getpid(), signal.SIGTERM), "SIGTERM"),
    ],
)
def test_a_dead_worker_is_an_error_and_no_hang(accident, text):
    loader = DataLoader(Numbers(40, lambda i: accident(i) if i == 21 else None), 2, num_workers=2)
    start = time.monotonic()
    with pytest.raises(
        RuntimeError, match=rf"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly.*{text}"
    ):
        list(loader)
    assert time.monotonic() - start < 5


def test_a_worker_that_is_too_slow():
    for worker_type in ("process", "thread"):
        loader = DataLoader(
            Numbers(2, lambda i: time.sleep(1)), num_workers=1, timeout=0.1, worker_type=worker_type
        )
        with pytest.raises(RuntimeError, match=r"timed out after 0\.1 seconds"):
            next(iter(loader))


def test_breaking_off_ends_the_workers():
    for worker_type in ("process", "thread"):
        for _ in DataLoader(Numbers(100), num_workers=2, worker_type=worker_type):
            break  # the fixture sees to it that nothing is left


SLOW = """
import os, signal, time
from minidl.utils.data import DataLoader
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may have it ignored
class Slow(list):
    def __getitem__(self, i):
        os.write(1, f"{os.getpid()}\\n".encode())  # one write: lines of two workers do not mix
        time.sleep(0.2)
        return i
for _ in DataLoader(Slow(range(1000)), num_workers=2): pass
"""


def slow_loader():
    """A program in a session of its own, in the middle of loading, and the pids of its workers."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    return process, {int(process.stdout.readline()) for _ in range(4)}


def test_ctrl_c_leaves_no_process():
    process, pids = slow_loader()
    with process:
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in errors
    assert errors.count(b"Traceback") == 1
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_end_with_a_killed_parent():
    process, _ = slow_loader()
    with process:
        process.kill()
        process.communicate(timeout=10)  # returns when the last worker has closed its copy of the pipe
