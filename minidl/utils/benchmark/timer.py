"""``Timer``: runs a statement and measures it."""

import contextlib
import timeit

from minidl import cuda
from minidl.backends.threads import get_num_threads, set_num_threads
from minidl.utils.benchmark.measurement import Measurement, TaskSpec

__all__ = ["Timer", "timer"]


def timer():
    """Seconds, after all kernels that were launched are done.

    >>> timer() <= timer()
    True
    """
    if cuda.is_available():
        cuda.synchronize()
    return timeit.default_timer()


class Timer:
    """Measures a statement, as ``timeit.Timer`` does, with a warm-up, a number of threads, and devices that are waited
    for.

    ``globals`` are the names that ``stmt`` and ``setup`` see; ``label``, ``sub_label``, ``description`` and ``env`` say
    where ``Compare`` shows it. Source: ``torch.utils.benchmark.Timer``.

    >>> import minidl
    >>> found = minidl.utils.benchmark.Timer("x + x", globals={"x": minidl.ones(2)}).timeit(3)
    >>> found.median > 0
    True
    """

    def __init__(
        self, stmt="pass", setup="pass", global_setup="", timer=timer, globals=None, label=None, sub_label=None,
        description=None, env=None, num_threads=1, language="python",
    ):  # fmt: skip
        if str(language).lower() not in ("python", "py", "language.python"):
            raise NotImplementedError("Timer measures statements of Python alone")
        if global_setup:
            raise ValueError("global_setup is C++ only")
        stmt, setup = _dedented(stmt), _dedented(setup)
        self._task_spec = TaskSpec(stmt, setup, "", label, sub_label, description, env, num_threads)
        self._timer = timeit.Timer(stmt, setup, timer, dict(globals or {}))

    @contextlib.contextmanager
    def _threads(self):
        before = get_num_threads()
        set_num_threads(self._task_spec.num_threads)
        try:
            yield
        finally:
            set_num_threads(before)

    def timeit(self, number=1000000):
        """A measurement of ``number`` runs, after a hundredth of them (two at least)."""
        with self._threads():
            self._timer.timeit(max(number // 100, 2))
            return Measurement(number, [self._timer.timeit(number)], self._task_spec)

    def repeat(self, repeat=-1, number=-1):
        """Raises ``NotImplementedError``, as PyTorch's does: use ``timeit`` or ``blocked_autorange``."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def autorange(self, callback=None):
        """Raises ``NotImplementedError``, as PyTorch's does: use ``blocked_autorange``."""
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def collect_callgrind(self, *args, **kwargs):
        """Raises ``NotImplementedError``: instructions are not counted."""
        raise NotImplementedError(
            "collect_callgrind: instructions are not counted; use blocked_autorange for times"
        )

    def _block_size(self, min_run_time):
        """So many runs in a row that reading the clock does not count."""
        overhead = sorted(self._clock_cost() for _ in range(5))[2]
        number = 1
        while True:
            taken = self._timer.timeit(number)
            if number > 1 and (overhead <= taken * 1e-4 or taken >= min_run_time / 1000):
                return number
            if taken > min_run_time:
                return number
            number *= 10

    def _clock_cost(self):
        begun = self._timer.timer()
        return self._timer.timer() - begun

    def blocked_autorange(self, callback=None, min_run_time=0.2):
        """Measurements for ``min_run_time`` seconds in all, each of as many runs as make the clock's cost small.
        ``callback(number, seconds)`` hears of each.
        """
        with self._threads():
            number = self._block_size(min_run_time)
            return self._measured(number, callback, lambda times: sum(times) >= min_run_time)

    def adaptive_autorange(self, threshold=0.1, *, min_run_time=0.01, max_run_time=10.0, callback=None):
        """Measurements until the interquartile range is less than ``threshold`` of the median, for ``max_run_time``
        seconds at most.
        """

        def steady(times):
            if len(times) < 3 or sum(times) < min_run_time:
                return False
            found = Measurement(1, times, self._task_spec)
            return found.iqr < threshold * found.median or sum(times) >= max_run_time

        with self._threads():
            return self._measured(self._block_size(0.05), callback, steady)

    def _measured(self, number, callback, enough):
        times = []
        while not times or not enough(times):
            times.append(self._timer.timeit(number))
            if callback is not None:
                callback(number, times[-1])
        return Measurement(number, times, self._task_spec)


def _dedented(code):
    """Code without the indentation that all of its lines have."""
    lines = [line for line in code.rstrip().splitlines() if line.strip() or line == ""]
    while lines and not lines[0].strip():
        lines.pop(0)
    least = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[least:] for line in lines)
