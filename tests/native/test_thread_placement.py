"""Workers keep off the caller's processor, within what the process may use."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("minidl._native", exc_type=ImportError)

_PROGRAM = """
import os
import sys

import minidl

allowed = set(map(int, sys.argv[1].split(",")))
os.sched_setaffinity(0, allowed)
minidl.set_num_threads(int(sys.argv[2]))
known = set(os.listdir("/proc/self/task"))  # NumPy's BLAS has its threads from here on; ours come with the first work
x = minidl.ones(600, 600)
assert float((x @ x).sum()) == 600**3
workers = [int(task) for task in os.listdir("/proc/self/task") if task not in known]
print(*(len(allowed - os.sched_getaffinity(task)) for task in workers))
assert all(os.sched_getaffinity(task) <= allowed for task in workers)
"""


def _processors_left_out(allowed, threads):
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM, ",".join(map(str, allowed)), str(threads)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return [int(word) for word in run.stdout.split()]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs Linux")
def test_workers_keep_off_the_callers_processor():
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        pytest.skip("needs two processors")
    assert _processors_left_out(allowed[:2], 2) == [1]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs Linux")
def test_more_threads_than_processors_share_them():
    allowed = sorted(os.sched_getaffinity(0))
    assert _processors_left_out(allowed[:1], 3) == [0, 0]
