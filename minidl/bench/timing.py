"""Times calls in turns in one process, so that a busy machine slows all of them alike."""

import contextlib
import dataclasses
import gc
import math
import time

from minidl import backends

REST = 0.01  # seconds without work of any thread that show that the threads of the last candidate sleep
SETTLE = 1e-3  # seconds a candidate runs untimed after that, so that its data are in the caches and its threads awake
SAMPLE = 2e-3  # seconds that a sample lasts at least, where calls are shorter than that


class HostTimer:
    """Seconds a call by the host's clock. ``clock`` is replaced in tests."""

    name = "host clock"

    def __init__(self, clock=time.perf_counter):
        self._clock = clock

    def seconds(self, call, count):
        """Mean seconds of ``count`` calls in a row."""
        clock, turns = self._clock, range(count)
        start = clock()
        for _ in turns:
            call()
        return (clock() - start) / count


class EventTimer:
    """Seconds a call between two events on the GPU's current stream, which do not count what the host adds.

    ``cuda`` is ``cupy.cuda``: it has ``Event`` and ``get_elapsed_time``. All libraries share the default stream.
    """

    name = "CUDA events"

    def __init__(self, cuda):
        self._cuda = cuda
        self._start, self._stop = cuda.Event(), cuda.Event()

    def seconds(self, call, count):
        """Mean seconds of ``count`` calls in a row, after what was queued before has ended."""
        self._start.synchronize()
        self._start.record()
        for _ in range(count):
            call()
        self._stop.record()
        self._stop.synchronize()
        return self._cuda.get_elapsed_time(self._start, self._stop) / 1e3 / count


def timer_of(device):
    """The timer of a device: events on ``cuda``, else the host's clock."""
    return EventTimer(backends.on("cuda").xp.cuda) if device.startswith("cuda") else HostTimer()


@dataclasses.dataclass(frozen=True)
class Budget:
    """How long to measure: ``seconds`` of one workload altogether, but at least and at most so many samples of each."""

    seconds: float = 2.0
    least: int = 15
    most: int = 101


@contextlib.contextmanager
def no_garbage_collection():
    """The garbage collector runs once before and rests within."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def calibrate(call, timer):
    """How many calls make a sample of ``SAMPLE`` seconds, after two calls that warm up."""
    call()
    call()
    once = timer.seconds(call, 1)
    count = max(1, min(100_000, math.ceil(SAMPLE / max(once, 1e-9))))
    if count > 1:  # a single short call is mostly the timer
        count = max(1, min(100_000, math.ceil(SAMPLE / max(timer.seconds(call, count), 1e-9))))
    return count


def threads_rest(sleep=time.sleep, clock=time.process_time, most=50):
    """Waits until this process's other threads do nothing, and gives up after ``most`` times ``REST``.

    A library's threads wait for more work in a loop (OpenBLAS's for 0.12 s) and take a core from the next candidate.
    """
    for _ in range(most):
        start = clock()
        sleep(REST)
        if clock() - start < REST / 20:
            break


def interleaved(calls, timer, budget, before=None, progress=None, rest=None):
    """Samples (seconds a call) of each of ``calls`` (name to function), one of each a round: equally many.

    Candidates do not disturb each other: each waits with ``rest`` first. The order turns round by round and is reversed
    every other time. ``before`` runs untimed before every sample and
    makes it one call (a cold start); without it a sample is as many calls as ``calibrate`` says, after ``SETTLE``.
    """
    counts = {name: calibrate(call, timer) if before is None else 1 for name, call in calls.items()}
    samples = {name: [] for name in calls}
    names, start, rounds = list(calls), time.perf_counter(), 0
    with no_garbage_collection():
        while rounds < budget.most:
            if rounds >= budget.least and time.perf_counter() - start > budget.seconds:
                break
            for name in _order(names, rounds):
                call = calls[name]
                (rest or threads_rest)()
                if before is not None:
                    before()
                else:
                    timer.seconds(call, max(1, math.ceil(counts[name] * SETTLE / SAMPLE)))
                samples[name].append(timer.seconds(call, counts[name]))
            rounds += 1
            if progress is not None:
                progress(rounds)
    return samples


def _order(names, turn):
    shift = (turn // 2) % len(names)
    turned = names[shift:] + names[:shift]
    return turned[::-1] if turn % 2 else turned
