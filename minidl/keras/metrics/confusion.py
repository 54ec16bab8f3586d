"""Metrics of the confusion at one or more thresholds: counts, precision, recall, what one is where another is held."""

from minidl import where
from minidl.autograd.modes import no_grad
from minidl.keras.metrics.base import Metric, ratio
from minidl.keras.metrics.counting import BELOW_ALL, checked_thresholds, counts

__all__ = [
    "FalseNegatives", "FalsePositives", "Precision", "PrecisionAtRecall", "Recall", "RecallAtPrecision",
    "SensitivityAtSpecificity", "SpecificityAtSensitivity", "TrueNegatives", "TruePositives",
]  # fmt: skip

PARTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


class Confusion(Metric):
    """Base: keeps those of the four counts that ``parts`` names, each (T,) or (T, L), as attributes."""

    parts = PARTS
    _direction = "up"

    def _keep(self, *shape):
        for part in self.parts:
            setattr(self, part, self.add_variable(shape, name=part))

    def _add(self, y_true, y_pred, sample_weight=None, **options):
        with no_grad():
            found = counts(y_true, y_pred, self.thresholds, sample_weight, **options)
            for part, value in zip(PARTS, found, strict=True):
                if part in self.parts:
                    getattr(self, part).assign_add(value)

    def _shown(self, values):
        return self._out(values[0] if len(self.thresholds) == 1 else values)


class _Count(Confusion):
    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(dtype, name)
        self.init_thresholds = thresholds
        self.thresholds = checked_thresholds(thresholds, 0.5)
        self.accumulator = self.add_variable((len(self.thresholds),), name="accumulator")
        setattr(self, self.parts[0], self.accumulator)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch."""
        self._add(y_true, y_pred, sample_weight)

    def result(self):
        """The count, one a threshold."""
        return self._shown(self.accumulator)

    def get_config(self):
        """``thresholds``, ``name``, ``dtype``."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """How many (or what weight of) labels 1 have a score above the threshold.

    >>> from minidl import keras
    >>> float(keras.metrics.TruePositives()([0, 1, 1, 1], [1, 0, 1, 1]))
    2.0
    """

    parts = ("true_positives",)


class FalsePositives(_Count):
    """How many labels 0 have a score above the threshold."""

    parts = ("false_positives",)
    _direction = "down"


class TrueNegatives(_Count):
    """How many labels 0 have a score at most the threshold."""

    parts = ("true_negatives",)


class FalseNegatives(_Count):
    """How many labels 1 have a score at most the threshold."""

    parts = ("false_negatives",)
    _direction = "down"


class _Share(Confusion):
    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(dtype, name)
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        self.thresholds = checked_thresholds(thresholds, 0.5 if top_k is None else BELOW_ALL)
        self._keep(len(self.thresholds))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch."""
        self._add(y_true, y_pred, sample_weight, top_k=self.top_k, class_id=self.class_id)

    def result(self):
        """The share, one a threshold; 0 where nothing was counted."""
        right, other = (getattr(self, part) for part in self.parts)
        with no_grad():
            return self._shown(ratio(right, right + other))

    def get_config(self):
        """The constructor's arguments."""
        mine = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **mine}


class Precision(_Share):
    """True positives over all positives: of what was found, the share that is right.

    ``top_k`` counts a sample's k best scores as positives, ``class_id`` looks at one class.

    >>> from minidl import keras
    >>> round(float(keras.metrics.Precision()([0, 1, 1, 1], [1, 0, 1, 1])), 4)
    0.6667
    """

    parts = ("true_positives", "false_positives")


class Recall(_Share):
    """True positives over all labels 1: of what is there, the share that was found."""

    parts = ("true_positives", "false_negatives")


class _Held(Confusion):
    """Base: the best ``wanted`` among the thresholds at which ``held`` is at least a value."""

    held = wanted = None
    argument = ""

    def _start(self, value, num_thresholds, class_id, name, dtype):
        super().__init__(dtype, name)
        if not 0 <= value <= 1:
            raise ValueError(
                f"Argument `{self.argument}` must be in the range [0, 1]. Received: {self.argument}={value}"
            )
        if num_thresholds <= 0:
            raise ValueError(
                f"Argument `num_thresholds` must be an integer > 0. Received: num_thresholds={num_thresholds}"
            )
        setattr(self, self.argument, value)
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        steps = range(num_thresholds)
        self.thresholds = [0.5] if num_thresholds == 1 else [i / (num_thresholds - 1) for i in steps]
        self._keep(len(self.thresholds))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch."""
        self._add(y_true, y_pred, sample_weight, class_id=self.class_id)

    def _share(self, name):
        above, other = {
            "recall": ("true_positives", "false_negatives"),
            "precision": ("true_positives", "false_positives"),
            "specificity": ("true_negatives", "false_positives"),
        }[name]
        above, other = getattr(self, above), getattr(self, other)
        return ratio(above, above + other)

    def result(self):
        """The best share; 0 where no threshold holds the other."""
        with no_grad():
            held, wanted = self._share(self.held), self._share(self.wanted)
            return self._out(where(held >= self.value, wanted, wanted * 0).max())

    def get_config(self):
        """The constructor's arguments."""
        mine = {"num_thresholds": self.num_thresholds, self.argument: self.value, "class_id": self.class_id}
        return {**super().get_config(), **mine}


class SensitivityAtSpecificity(_Held):
    """The best sensitivity (recall) where specificity is at least ``specificity``."""

    held, wanted, argument = "specificity", "recall", "specificity"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        self._start(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_Held):
    """The best specificity where sensitivity (recall) is at least ``sensitivity``."""

    held, wanted, argument = "recall", "specificity", "sensitivity"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        self._start(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_Held):
    """The best precision where recall is at least ``recall``."""

    held, wanted, argument = "recall", "precision", "recall"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        self._start(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_Held):
    """The best recall where precision is at least ``precision``."""

    held, wanted, argument = "precision", "recall", "precision"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        self._start(precision, num_thresholds, class_id, name, dtype)
