"""Times of statements: ``Timer`` measures, ``Compare`` shows several measurements side by side.

Source: ``torch.utils.benchmark``.
"""

from minidl.utils.benchmark.compare import Compare
from minidl.utils.benchmark.measurement import Measurement, TaskSpec, select_unit
from minidl.utils.benchmark.timer import Timer, timer

__all__ = ["Compare", "Measurement", "TaskSpec", "Timer", "select_unit", "timer"]
