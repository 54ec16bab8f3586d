"""``Monitor``: a value in the logs to watch, and which of two values of it is better."""

import math
import warnings

from minidl.keras.callbacks.callback import Callback
from minidl.keras.callbacks.history import larger_is_better


class Monitor(Callback):
    """Base of the callbacks that watch ``monitor``; ``mode`` is ``'min'``, ``'max'`` or ``'auto'`` (by the name)."""

    def __init__(self, monitor="val_loss", mode="auto", min_delta=0.0):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__} mode '{mode}' is unknown, fallback to auto mode.", stacklevel=3
            )
            mode = "auto"
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        self._warned = False

    def is_maximised(self):
        """Whether more is better: said by ``mode``, by the metric, or by its name."""
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        for metric in getattr(self.model, "metrics", None) or ():
            direction = getattr(metric, "_direction", None)
            if metric.name == name and direction in ("up", "down"):
                return direction == "up"
        return larger_is_better(name)

    def worst(self):
        """What every value is better than."""
        return -math.inf if self.is_maximised() else math.inf

    def is_better(self, value, reference):
        """Whether ``value`` is better than ``reference`` by more than ``min_delta``."""
        if self.is_maximised():
            return value - self.min_delta > reference
        return value + self.min_delta < reference

    def watched(self, logs):
        """The monitored value; None, with one warning that lists what there is, where the logs have none."""
        logs = logs or {}
        if self.monitor not in logs:
            if not self._warned:
                self._warned = True
                warnings.warn(
                    f"{type(self).__name__}: `{self.monitor}` is not among the logs. Available: "
                    f"{', '.join(sorted(logs))}."
                    + (
                        " Hint: fit with validation_data= or validation_split=."
                        if self._needs_validation()
                        else ""
                    ),
                    stacklevel=2,
                )
            return None
        return float(logs[self.monitor])

    def _needs_validation(self):
        return self.monitor.startswith("val_")


def say(text):
    """Prints a line of a callback's."""
    print(text)
