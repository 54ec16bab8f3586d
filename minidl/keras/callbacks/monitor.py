"""``Monitor``: a value in the logs to watch, and which of two values of it is better."""

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
        """Whether more is better: by ``mode``, the metric, or its name; ``ValueError`` where nothing says."""
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        direction = self._directions().get(name)
        if direction is None and not name.endswith("loss") and not larger_is_better(name):
            raise ValueError(
                f"{type(self).__name__} callback received monitor={self.monitor}, but Keras isn't able to "
                "automatically determine whether that metric should be maximized or minimized. Pass `mode='max'` in "
                "order to monitor based on the highest metric value, or pass `mode='min'` in order to use the lowest "
                "value."
            )
        return larger_is_better(name) if direction is None else direction == "up"

    def _directions(self):
        """``"up"`` or ``"down"`` by the metrics' names, those of outputs too: ``head_mae``."""
        named = [(metric.name, metric) for metric in getattr(self.model, "metrics", None) or ()]
        compiled = getattr(self.model, "_compile_metrics", None)
        named += [entry[:2] for entry in getattr(compiled, "entries", None) or ()]
        return {name: getattr(metric, "_direction", None) for name, metric in named}

    def is_better(self, value, reference):
        """Whether ``value`` is better than ``reference`` by more than ``min_delta``; than None it is."""
        if self.is_maximised():
            return reference is None or value - self.min_delta > reference
        return reference is None or value + self.min_delta < reference

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
