"""The part of ``Layer`` that adds to the loss and to the metrics: penalties of weights and outputs, added terms."""

from minidl.autograd.modes import no_grad
from minidl.keras.dropped import warn
from minidl.keras.engine.context import CONTEXT
from minidl.keras.engine.nest import flatten
from minidl.keras.metrics import Mean, Metric

# Whether any layer of the program ever added a term: until then nothing is to be cleared.
_ANY_ADDED = [False]


class Losses:
    """Terms that a layer adds to the loss of the model that it is in."""

    _any_added = _ANY_ADDED

    def _init_losses(self):
        put = object.__setattr__
        put(self, "_added_losses", [])
        put(self, "_added_metrics", {})

    def add_loss(self, loss, inputs=None):
        """Adds a term (or a list of them) to the loss; call it in ``call``: it counts until the next call."""
        if inputs is not None:
            warn("add_loss(loss, inputs=...) is a name that Keras dropped: use add_loss(loss)")
        if CONTEXT.tracing:
            return
        _ANY_ADDED[0] = True
        for term in flatten(loss):
            value = term() if callable(term) and not hasattr(term, "shape") else term
            self._added_losses.append(value)

    def _punish_activity(self, outputs):
        if CONTEXT.tracing:
            return
        _ANY_ADDED[0] = True
        for output in flatten(outputs):
            self._added_losses.append(self.activity_regularizer(output) / output.shape[0])

    def _clear_losses(self):
        self._added_losses.clear()
        for layer in self._flat_layers():
            layer._clear_losses()

    @property
    def losses(self):
        """All terms: added ones and activity penalties of the last call, then penalties of trained weights."""
        found = self._call_losses()
        for weight in self.trainable_weights:
            if weight.regularizer is not None:
                found.append(weight.regularizer(weight.tensor()))
        return found

    def _call_losses(self):
        found = list(self._added_losses)
        for layer in self._flat_layers():
            found.extend(layer._call_losses())
        return found

    def add_metric(self, value, aggregation="mean", name=None):
        """Shows ``value``'s mean over the batches under ``name`` in the logs; call it in ``call``. Keras 2's method."""
        if name is None:
            raise ValueError("add_metric() needs a name: add_metric(value, name='...')")
        if CONTEXT.tracing:
            return
        if name not in self._added_metrics:
            self._added_metrics[name] = Mean(name=name)
        with no_grad():
            self._added_metrics[name].update_state(value)

    @property
    def metrics(self):
        """The metrics that the layer, and those inside it, hold as attributes or added."""
        found = {}
        for layer in (self, *self._flat_layers()):
            values = (
                layer.metrics
                if layer is not self
                else [*self.__dict__.values(), *self._added_metrics.values()]
            )
            for leaf in flatten([v for v in values if isinstance(v, (Metric, list, tuple, dict))]):
                if isinstance(leaf, Metric):
                    found.setdefault(id(leaf), leaf)
        return list(found.values())
