"""What a timer found: times of runs of one statement."""

import dataclasses
import math

import numpy as np

__all__ = ["Measurement", "TaskSpec", "select_unit", "trimmed"]

_UNITS = {-3: "ns", -2: "us", -1: "ms"}
_NAMES = {"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds"}
_CONFIDENCE = 1.645  # of the normal distribution: 90 %
_WIDE_FOR = 0.1  # an interquartile range of this part of the median is worth a word


def select_unit(t):
    """The unit in which a time of ``t`` seconds reads well, and how many seconds it is.

    >>> select_unit(2e-5)
    ('us', 1e-06)
    """
    power = int(math.log10(t) // 3) if t > 0 else 0
    unit = _UNITS.get(max(power, -3), "s")
    return unit, {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}[unit]


def unit_name(unit):
    """The word for a unit: microseconds for us."""
    return _NAMES[unit]


def trimmed(value, digits):
    """``value`` rounded to so many significant figures.

    >>> trimmed(1234.0, 2)
    1200.0
    """
    return float(f"{value:.{digits - 1}e}") if value else 0.0


@dataclasses.dataclass(init=True, repr=False, eq=True, frozen=True)
class TaskSpec:
    """What is measured: the statement, its setup and how it is called in tables."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self):
        """``label: sub_label``, or the statement."""
        if self.label is not None:
            return self.label + (f": {self.sub_label}" if self.sub_label else "")
        return self.stmt if "\n" not in self.stmt else f"stmt:\n{self.stmt}"

    def setup_str(self):
        """The setup as it is shown."""
        return "" if self.setup in ("", "pass") or not self.setup else f"setup: {self.setup}"

    def summarize(self):
        """The lines that say what it is."""
        return "\n".join(part for part in (self.title, self.description or "", self.setup_str()) if part)


class Measurement:
    """Times of a statement: ``raw_times``, seconds of ``number_per_run`` runs each.

    ``times`` are those of one run; ``median``, ``mean`` and ``iqr`` (interquartile range) say what they are like.
    Source: ``torch.utils.benchmark.Measurement``.

    >>> import minidl
    >>> found = minidl.utils.benchmark.Timer("1 + 1").timeit(10)
    >>> found.number_per_run, len(found.times)
    (10, 1)
    """

    def __init__(self, number_per_run, raw_times, task_spec, metadata=None):
        self.number_per_run, self.raw_times = number_per_run, list(raw_times)
        self.task_spec, self.metadata = task_spec, metadata

    def __getattr__(self, name):
        if name in TaskSpec.__dataclass_fields__:
            return getattr(self.task_spec, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _quantile(self, q):
        return float(np.quantile(np.array(self.times or [math.nan]), q))

    @property
    def times(self):
        """Seconds of one run, for each measurement."""
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def median(self):
        """The median of the times."""
        return self._quantile(0.5)

    @property
    def mean(self):
        """The mean of the times."""
        return float(np.mean(self.times)) if self.raw_times else math.nan

    @property
    def iqr(self):
        """The width of the middle half of the times."""
        return self._quantile(0.75) - self._quantile(0.25)

    @property
    def significant_figures(self):
        """How many figures of the median mean something, from the spread of the times: at most 4."""
        count = len(self.raw_times)
        if count < 2 or not self.median:
            return 2 if count else 1
        deviation = self.iqr / 1.349
        error = max(_CONFIDENCE * deviation / math.sqrt(count), 1e-12 * self.median)
        return min(4, max(1, -math.floor(math.log10(error / self.median))))

    @property
    def has_warnings(self):
        """Whether the times are spread so far that they say little."""
        return self.iqr > _WIDE_FOR * self.median

    @property
    def title(self):
        """What was measured, in a few words."""
        return self.task_spec.title

    @property
    def as_row_name(self):
        """The name of its row in a table."""
        return self.sub_label or self.stmt or "[Unknown]"

    @staticmethod
    def merge(measurements):
        """Measurements of one task as one, for each task."""
        groups = {}
        for each in measurements:
            groups.setdefault((each.task_spec, each.number_per_run), []).extend(each.raw_times)
        return [Measurement(number, times, task) for (task, number), times in groups.items()]

    def __repr__(self):
        unit, scale = select_unit(self.median)
        lines = [super().__repr__(), self.task_spec.summarize()]
        if len(self.raw_times) == 1:
            lines.append(f"  {self.median / scale:.2f} {unit}")
        else:
            low, high = self._quantile(0.25) / scale, self._quantile(0.75) / scale
            lines.append(f"  Median: {self.median / scale:.2f} {unit}")
            lines.append(f"  IQR:    {self.iqr / scale:.2f} {unit} ({low:.2f} to {high:.2f})")
        several = len(self.raw_times) != 1
        threads = f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}"
        runs = f"{self.number_per_run} runs {'per measurement' if several else ''}, {threads}"
        lines.append(f"  {len(self.raw_times)} measurement{'s' if several else ''}, {runs}")
        if self.has_warnings and several:
            lines.append(
                f"  WARNING: Interquartile range is {self.iqr / self.median * 100:.1f}% of the median."
            )
        return "\n".join(lines)
