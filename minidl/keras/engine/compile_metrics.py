"""The metrics that ``compile`` was given: found by name and shape, named as the user typed them."""

import warnings

from minidl.keras import losses, metrics
from minidl.keras.engine.compile_loss import crossentropy_for
from minidl.keras.engine.nest import flatten, is_nested
from minidl.keras.engine.output_structure import leaves_like, spread
from minidl.keras.metrics import Metric

_CHOSEN_BY_SHAPE = {
    "accuracy": ("BinaryAccuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy"),
    "crossentropy": ("BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
}
_SHORT = {"acc": "accuracy", "ce": "crossentropy"}


class ShapedMetric(Metric):
    """``'accuracy'`` and ``'crossentropy'``: which of three it is, is known when the first batch is seen.

    ``logits`` tells that the loss takes logits: the binary accuracy, which rounds at 0.5 all the same, warns then.
    """

    def __init__(self, kind, name, logits=False):
        self.kind, self.inner, self.logits = kind, None, logits
        self._direction = "up" if kind == "accuracy" else "down"
        super().__init__(name=name)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Chooses by the shapes, the first time, and updates."""
        if self.inner is None:
            binary, sparse, categorical = _CHOSEN_BY_SHAPE[self.kind]
            chosen = {"b": binary, "s": sparse, "c": categorical}[crossentropy_for(y_true, y_pred)[0]]
            self.inner = getattr(metrics, chosen)(name=self.name)
            if self.logits and chosen == "BinaryAccuracy":
                warnings.warn(
                    f"`{self.name}` takes outputs above 0.5 for class 1, but the loss has from_logits=True: logits "
                    "change sides at 0. Hint: metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)].",
                    stacklevel=2,
                )
        self.inner.update_state(y_true, y_pred, sample_weight)

    def result(self):
        """The metric's value; 0 before the first update."""
        return 0.0 if self.inner is None else self.inner.result()

    @property
    def variables(self):
        """The state of the chosen metric."""
        return [] if self.inner is None else self.inner.variables

    def reset_state(self):
        """Forgets everything but the choice."""
        if self.inner is not None:
            self.inner.reset_state()


class FunctionMetric(Metric):
    """The mean of a function ``f(y_true, y_pred)``; of a loss object, whose value is one number, over the batches."""

    def __init__(self, function, name):
        self.function, self.mean = function, metrics.Mean(name=name)
        if isinstance(function, losses.Loss) or getattr(losses, name, None) is function:
            self._direction = "down"
        super().__init__(name=name)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds the function's values."""
        self.mean.update_state(self.function(y_true, y_pred), sample_weight)

    def result(self):
        """The mean so far."""
        return self.mean.result()

    def reset_state(self):
        """Forgets everything."""
        self.mean.reset_state()


def metric_of(identifier, logits=False):
    """The metric of a name, an object, a config or a function; its name is what the user typed."""
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        kind = _SHORT.get(identifier.lower(), identifier.lower())
        if kind in _CHOSEN_BY_SHAPE:
            return ShapedMetric(kind, identifier, logits)
    found = metrics.get(identifier)
    if isinstance(found, Metric):
        if isinstance(identifier, str):
            found.name = identifier
        return found
    name = identifier if isinstance(identifier, str) else getattr(found, "__name__", "").strip("<>")
    return FunctionMetric(found, name or getattr(found, "name", type(found).__name__))


class CompileMetrics:
    """``metrics`` (and ``weighted_metrics``, which the sample weights count in) of all outputs.

    ``logits``: the loss was made with ``from_logits=True``.
    """

    def __init__(self, given, weighted, output_names=None, logits=False):
        for what, value in (("metrics", given), ("weighted_metrics", weighted)):
            if value is not None and not isinstance(value, (list, tuple, dict)):
                raise ValueError(
                    f"Expected `{what}` argument to be a list, tuple, or dict. Received instead: "
                    f"{what}={value} of type "
                    f"{type(value)}. Hint: put it into a list, {what}=[{value!r}]."
                )
        self.given, self.weighted, self.logits = given, weighted, logits
        self.names = list(output_names or ())
        self.entries = None  # (name in the logs, metric, output's place, weighted)
        self.prefixed = False
        if not given and not weighted:
            self.entries = []
        elif len(self.names) > 1:
            self._check_length()
        elif self.names and not _nested(given) and not _nested(weighted):
            self._build(None)

    def _check_length(self):
        """A flat list for several outputs has one entry for each: said before there is data."""
        for given in (self.given, self.weighted):
            if given and not isinstance(given, dict) and not _nested(given) and len(given) != len(self.names):
                raise ValueError(
                    f"The model has {len(self.names)} outputs {self.names}, but `metrics` is a flat list of "
                    f"{len(given)}: give a list with one entry (or list) for each output, or a dict by output name."
                )

    def _build(self, y_pred):
        """Finds the metrics of each output, and their names in the logs."""
        self.entries, taken = [], {}
        names = self._names(y_pred)
        self.prefixed = names[0] is not None
        for weighted, given in ((False, self.given), (True, self.weighted)):
            for place, found in sorted(self._given(given, y_pred).items()):
                output = f"{names[place]}_" if names[place] is not None else ""
                for identifier in flatten(found) if found is not None else ():
                    metric = metric_of(identifier, self.logits)
                    name = f"{output}{metric.name}"
                    if weighted and name in taken:
                        name = f"{output}weighted_{metric.name}"
                    taken[name] = taken.get(name, -1) + 1
                    name = f"{name}_{taken[name]}" if taken[name] else name
                    self.entries.append((name, metric, place, weighted))

    def _given(self, given, y_pred):
        if not given:
            return {}
        return spread(given, y_pred, self.names, "metrics") if is_nested(y_pred) else {0: given}

    def _names(self, y_pred):
        """The outputs' names: a flat dict's keys, else the layers'; None for one output, or where they have none."""
        count = len(flatten(y_pred))
        if count == 1:
            return [None]
        if isinstance(y_pred, dict) and len(y_pred) == count and set(y_pred) != set(self.names):
            return sorted(y_pred)
        return (
            sorted(self.names)
            if isinstance(y_pred, dict) and len(y_pred) == count
            else self.names or [None] * count
        )

    @property
    def metrics(self):
        """The metric objects, in order."""
        return [metric for _, metric, _, _ in self.entries or ()]

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Shows the metrics a batch."""
        if self.entries is None:
            self._build(y_pred)
        if not self.entries:
            return
        outputs = flatten(y_pred)
        truths = self._aligned(y_true, y_pred, "y")
        weights = self._aligned(sample_weight, y_pred, "sample_weight")
        for _, metric, place, weighted in self.entries:
            if truths[place] is None:
                continue
            if weighted:
                metric.update_state(truths[place], outputs[place], weights[place])
            else:
                metric.update_state(truths[place], outputs[place])

    def _aligned(self, data, y_pred, what):
        found = leaves_like(y_pred, data, self.names, what)
        if found is not None:
            return found
        flat, count = flatten(data), len(flatten(y_pred))
        return (
            flat * count
            if len(flat) == 1 and what == "sample_weight"
            else flat + [None] * (count - len(flat))
        )

    def result(self):
        """The values by their names in the logs; a metric whose result is a dict gives the names itself."""
        found = {}
        for name, metric, _, _ in self.entries or ():
            value = metric.result()
            found.update(value if isinstance(value, dict) else {name: value})
        return dict(sorted(found.items())) if self.prefixed else found

    def reset_state(self):
        """Forgets everything."""
        for metric in self.metrics:
            metric.reset_state()


def _nested(given):
    return isinstance(given, dict) or any(isinstance(entry, (list, tuple, dict)) for entry in given or ())
