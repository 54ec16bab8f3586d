"""Times of named parts of a program: ``record_function`` names them, ``profile`` collects them.

Single ops are not recorded: ``python -m minidl bench`` and the tools of the system see those.
Source: ``torch.profiler``.
"""

import enum
import functools
import json
import threading
import time

__all__ = ["ProfilerActivity", "profile", "record_function", "schedule", "tensorboard_trace_handler"]

_open = []  # the profiles under way


class ProfilerActivity(enum.Enum):
    """What is asked to be recorded; accepted, the parts that ``record_function`` names are recorded."""

    CPU, XPU, MTIA, CUDA, HPU, PrivateUse1 = range(6)


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
        self.cpu_time = self.cpu_time_total / self.count


class _Parts(list):
    """The parts of a profile; ``table`` shows them."""

    def table(self, sort_by=None, row_limit=100, **kwargs):
        """Name, calls, total and mean time, the longest first, as text."""
        rows = [f"{'Name':<40} {'Calls':>8} {'CPU total':>12} {'CPU time avg':>14}"]
        for part in sorted(self, key=lambda part: -part.cpu_time_total)[:row_limit]:
            total, mean = part.cpu_time_total / 1e3, part.cpu_time / 1e3
            rows.append(f"{part.key:<40.40} {part.count:>8} {total:>10.3f}ms {mean:>12.3f}ms")
        return "\n".join(rows)


class profile:
    """Collects what ``record_function`` names within, of all threads.

    Args:
        on_trace_ready: called with the profile at its end.
        activities, schedule, record_shapes, profile_memory, with_stack, with_flops, with_modules: accepted.
    """

    def __init__(
        self, *, activities=None, schedule=None, on_trace_ready=None, record_shapes=False, profile_memory=False,
        with_stack=False, with_flops=False, with_modules=False, **kwargs,
    ):  # fmt: skip
        self.step_num, self._spans, self._ready = 0, {}, on_trace_ready
        self._began = time.perf_counter()

    def _add(self, name, start, stop):
        self._spans.setdefault(name, []).append((start, stop, threading.get_ident()))

    def start(self):
        """Begins to collect."""
        self._began = time.perf_counter()
        _open.append(self)

    def stop(self):
        """Ends it."""
        _open.remove(self)
        if self._ready is not None:
            self._ready(self)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def step(self):
        """Counts a step."""
        self.step_num += 1

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
    """Accepted by ``profile``, which collects from its start to its end."""
    return {"wait": wait, "warmup": warmup, "active": active, "repeat": repeat, "skip_first": skip_first}


def tensorboard_trace_handler(dir_name, worker_name=None, use_gzip=False):
    """Raises ``NotImplementedError``: use ``export_chrome_trace``."""
    raise NotImplementedError(
        "TensorBoard's files are not written: use on_trace_ready=lambda profile: profile.export_chrome_trace(path)"
    )
