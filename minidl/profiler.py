"""Times of named parts of a program: ``record_function`` names them, ``profile`` collects them.

Single ops are not recorded: ``python -m minidl bench`` and the tools of the system see those.
Source: ``torch.profiler``.
"""

import enum
import functools
import json
import threading
import time

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "tensorboard_trace_handler",
]

_open = []  # the profiles under way


class ProfilerActivity(enum.Enum):
    """What is asked to be recorded; accepted, the parts that ``record_function`` names are recorded."""

    CPU, XPU, MTIA, CUDA, HPU, PrivateUse1 = range(6)


class ProfilerAction(enum.Enum):
    """What a profile does in a step."""

    NONE, WARMUP, RECORD, RECORD_AND_SAVE = range(4)


_RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class record_function:
    """Names what runs within, as a context manager or a decorator. Costs nothing to speak of where no one profiles.

    Args:
        name: what the time is shown under.

    >>> import minidl
    >>> with minidl.profiler.profile() as prof, minidl.profiler.record_function("step"):
    ...     _ = minidl.ones(2) + 1
    >>> [(part.key, part.count) for part in prof.key_averages()]
    [('step', 1)]
    """

    def __init__(self, name, args=None):
        self.name, self.args, self._starts = name, args, []

    def __enter__(self):
        self._starts.append(time.perf_counter())
        return self

    def __exit__(self, *exc):
        start = self._starts.pop()
        for collecting in _open:
            collecting._add(self.name, start, time.perf_counter())

    def __call__(self, fn):
        @functools.wraps(fn)
        def within(*args, **kwargs):
            with record_function(self.name):
                return fn(*args, **kwargs)

        return within


class _Part:
    """The times of one name: ``key``, ``count``, ``cpu_time_total`` in microseconds."""

    def __init__(self, key, spans):
        self.key, self.count = key, len(spans)
        self.cpu_time_total = sum(stop - start for start, stop, _ in spans) * 1e6
        self.cpu_time = self.cpu_time_total / self.count if self.count else 0.0
        self.self_cpu_time_total = self.cpu_time_total  # parts within parts are not told apart


class _Parts(list):
    """The parts of a profile; ``table`` shows them."""

    def table(self, sort_by=None, row_limit=100, **kwargs):
        """Name, calls, total and mean time, the longest first, as text."""
        rows = [f"{'Name':<40} {'# of Calls':>10} {'CPU total':>12} {'CPU time avg':>14}"]
        for part in sorted(self, key=lambda part: -part.cpu_time_total)[:row_limit]:
            total, mean = part.cpu_time_total / 1e3, part.cpu_time / 1e3
            rows.append(f"{part.key:<40.40} {part.count:>10} {total:>10.3f}ms {mean:>12.3f}ms")
        return "\n".join(rows)

    @property
    def self_cpu_time_total(self):
        """Microseconds of all parts together."""
        return sum(part.self_cpu_time_total for part in self)

    def total_average(self):
        """All parts as one."""
        total = _Part("Total", [])
        total.count = sum(part.count for part in self)
        total.cpu_time_total = total.self_cpu_time_total = self.self_cpu_time_total
        total.cpu_time = total.cpu_time_total / total.count if total.count else 0.0
        return total

    def __str__(self):
        return self.table()


class profile:
    """Collects what ``record_function`` names within, of all threads.

    Args:
        on_trace_ready: called with the profile at its end, and at the end of each cycle of ``schedule``.
        schedule: what ``schedule(...)`` gives, or a function of the step's number: which steps are collected.
        activities, record_shapes, profile_memory, with_stack, with_flops, with_modules: accepted.
    """

    def __init__(
        self, *, activities=None, schedule=None, on_trace_ready=None, record_shapes=False, profile_memory=False,
        with_stack=False, with_flops=False, with_modules=False, **kwargs,
    ):  # fmt: skip
        self.step_num, self._spans, self._ready = 0, {}, on_trace_ready
        self._schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self._action = ProfilerAction.NONE
        self._began = time.perf_counter()

    def _add(self, name, start, stop):
        if self._action not in _RECORDING:
            return
        self._spans.setdefault(name, []).append((start, stop, threading.get_ident()))

    def start(self):
        """Begins to collect."""
        self._began = time.perf_counter()
        self._action = self._schedule(self.step_num)
        _open.append(self)

    def stop(self):
        """Ends it."""
        _open.remove(self)
        if self._ready is not None and self._action in _RECORDING:
            self._ready(self)
        self._action = ProfilerAction.NONE

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def step(self):
        """Counts a step; at the end of a cycle of the schedule what was collected is handed over, and begun anew."""
        before = self._action
        self.step_num += 1
        self._action = self._schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE and self._ready is not None:
            self._ready(self)
        if before is not ProfilerAction.RECORD and self._action in _RECORDING:
            self._spans = {}

    @property
    def self_cpu_time_total(self):
        """Microseconds of all parts together."""
        return self.key_averages().self_cpu_time_total

    def total_average(self):
        """All parts as one."""
        return self.key_averages().total_average()

    def table(self, sort_by=None, row_limit=100, **kwargs):
        """``key_averages().table(...)``."""
        return self.key_averages().table(sort_by, row_limit, **kwargs)

    def key_averages(self, group_by_input_shape=False, group_by_stack_n=0):
        """The times by name; ``.table()`` shows them."""
        return _Parts(_Part(name, spans) for name, spans in self._spans.items())

    def export_chrome_trace(self, path):
        """Writes the times as a file that chrome://tracing and Perfetto show."""
        events = [
            {"name": name, "ph": "X", "pid": 0, "tid": thread, "ts": (start - self._began) * 1e6,
             "dur": (stop - start) * 1e6}
            for name, spans in self._spans.items()
            for start, stop, thread in spans
        ]  # fmt: skip
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": events}, file)


def schedule(*, wait=0, warmup=0, active=1, repeat=0, skip_first=0):
    """A function of the step's number for ``profile``: after ``skip_first`` steps, cycles of ``wait`` and ``warmup``
    steps that are not collected and ``active`` ones that are; ``repeat`` cycles, or without end for 0.

    >>> import minidl
    >>> plan = minidl.profiler.schedule(wait=1, warmup=1, active=2, repeat=1)
    >>> [plan(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    cycle = wait + warmup + active

    def plan(step):
        if step < skip_first:
            return ProfilerAction.NONE
        done, place = divmod(step - skip_first, cycle)
        if (repeat and done >= repeat) or place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if place < cycle - 1 else ProfilerAction.RECORD_AND_SAVE

    return plan


def tensorboard_trace_handler(dir_name, worker_name=None, use_gzip=False):
    """Raises ``NotImplementedError``: use ``export_chrome_trace``."""
    raise NotImplementedError(
        "TensorBoard's files are not written: use on_trace_ready=lambda profile: profile.export_chrome_trace(path)"
    )
