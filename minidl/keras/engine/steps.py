"""The part of ``Model`` that does one batch: ``train_step``, ``test_step``, ``predict_step`` and the loss."""

import warnings

from minidl.autograd.modes import no_grad
from minidl.autograd.tensor import TENSORS, Tensor
from minidl.keras.engine.data import unpack_x_y_sample_weight
from minidl.keras.engine.layer_losses import Losses
from minidl.keras.engine.nest import flatten, map_structure
from minidl.keras.engine.outputs import to_numpy

_FAST = {"train_step": "_train_on", "test_step": "_test_on"}


class Steps:
    """What happens to a batch. Subclasses of ``Model`` override the public ones."""

    # --- the public, overridable steps ----------------------------------------------------------------------------

    def train_step(self, data):
        """Learns from a batch, ``(x, y)`` or ``(x, y, sample_weight)`` of tensors; returns the logs, a dict by name.

        An own one computes the loss, calls ``loss.backward()``, and lets ``self.optimizer.apply(gradients,
        self.trainable_variables)`` update, where ``gradients = [v.value.grad for v in self.trainable_variables]``.
        """
        logs = self._train_on(data)
        return self.get_metrics_result() if logs is None else logs

    def test_step(self, data):
        """Evaluates a batch; returns the logs."""
        logs = self._test_on(data)
        return self.get_metrics_result() if logs is None else logs

    def predict_step(self, data):
        """The outputs for a batch, as tensors."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self._called(x, False)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The total loss, a scalar: the compiled one and what layers add. ``ValueError`` where there is none."""
        total = None
        if self._compile_loss is not None:
            total = self._compile_loss(y, y_pred, sample_weight)
        for term in self._terms():
            term = term if not isinstance(term, Tensor) or term.ndim == 0 else term.sum()
            total = term if total is None else total + term
        if total is None:
            raise ValueError("No loss to compute. Provide a `loss` argument in `compile()`.")
        return total

    def _terms(self):
        """``losses``; in a pass over the data the list of weights that may have penalties is made once."""
        kept = self.__dict__.get("_epoch_weights")
        if kept is None or type(self).losses is not Losses.losses:
            return self.losses
        found = self._call_losses() if self._any_added[0] else []
        return found + [
            weight.regularizer(weight.tensor()) for weight in kept if weight.regularizer is not None
        ]

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Shows the compiled metrics a batch; returns all metrics' values by name."""
        self._update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    # --- the same without looking at the results ------------------------------------------------------------------

    def _train_on(self, data):
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = for_loss(self._called(x, True))
        loss = self.compute_loss(x, y, y_pred, sample_weight, True)
        self._loss_tracker.update_state(loss, sample_weight=_rows(x))
        self._learn(loss)
        return self._after_step(x, y, y_pred, sample_weight)

    def _learn(self, loss):
        """Gradients of the loss, and the optimizer's step."""
        variables = self.__dict__.get("_epoch_weights")
        if variables is None:
            variables = self.trainable_variables
            if self.__dict__.get("_in_epoch"):
                self.__dict__["_epoch_weights"] = variables
        if not variables:
            warnings.warn("The model does not have any trainable weights.", stacklevel=2)
            return
        optimizer = self.optimizer
        for variable in variables:
            for parameter in variable.parameters:
                parameter.grad = None
        (optimizer.scale_loss(loss) if hasattr(optimizer, "scale_loss") else loss).backward()
        with no_grad():
            optimizer.apply([variable.grad for variable in variables], variables)

    def _test_on(self, data):
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with no_grad():
            y_pred = for_loss(self._called(x, False))
            loss = self.compute_loss(x, y, y_pred, sample_weight, False)
            self._loss_tracker.update_state(loss, sample_weight=_rows(x))
            return self._after_step(x, y, y_pred, sample_weight)

    def _after_step(self, x, y, y_pred, sample_weight):
        """Shows the metrics the batch; an own ``compute_metrics`` gives the logs."""
        with no_grad():
            if type(self).compute_metrics is not Steps.compute_metrics:
                return self.compute_metrics(x, y, y_pred, sample_weight)
            self._update_metrics(y, y_pred, sample_weight)
            return None

    def _update_metrics(self, y, y_pred, sample_weight):
        if y is not None and self._compile_metrics.entries != []:
            self._compile_metrics.update_state(y, y_pred, sample_weight)

    def _predict_on(self, data):
        with no_grad():
            return to_numpy(for_loss(self.predict_step(data)))

    def _called(self, x, training):
        return self(x, training=training)

    # --- which one to run, and what it says -----------------------------------------------------------------------

    def _step_function(self, name):
        """The step that ``fit`` or ``evaluate`` runs: the fast one, unless the public one is overridden."""
        own = getattr(type(self), name) is not getattr(Steps, name) or name in self.__dict__
        if not own:
            return getattr(self, _FAST[name])
        step = getattr(self, name)
        if name == "train_step":
            return step

        def quiet(data):
            with no_grad():
                return step(data)

        return quiet

    def _logs(self, logs=None):
        """Python floats of a step's logs, by name from a to z; of the metrics where it gave none, or gave the
        metrics' own names."""
        if logs is None or set(logs) == set(self._ordered_results()):
            found = self.get_metrics_result()
            if logs is not None and self._loss_tracker is not None and self._loss_tracker.is_empty:
                found = {
                    **found,
                    **{name: logs[name] for name in logs if name == "loss" and not self._holds("loss")},
                }
            logs = found
        return {name: _number(logs[name]) for name in sorted(logs)}

    def _holds(self, name):
        """Whether the model or a layer holds a metric of this name: an own step's tracker."""
        return any(metric.name == name for metric in self._held_metrics())

    def _in_order(self, logs):
        """The values as ``evaluate`` returns them: the metrics' order, then what else there is."""
        names = [name for name in self._ordered_results() if name in logs]
        names += [name for name in logs if name not in names]
        return [logs[name] for name in names]


def for_loss(y_pred):
    """Outputs in half precision as float32: losses and metrics are computed in it."""
    if y_pred.__class__ in TENSORS:
        return _single(y_pred)
    return map_structure(_single, y_pred)


def _single(leaf):
    if leaf.__class__ not in TENSORS or leaf._array.dtype.itemsize != 2 or not leaf.is_floating_point():
        return leaf
    out = leaf.float()
    for name in ("_keras_mask", "_keras_logits"):
        kept = leaf.__dict__.get(name)
        if kept is not None:
            setattr(out, name, kept.float() if name == "_keras_logits" else kept)
    return out


def _number(value):
    if isinstance(value, Tensor):
        value = value.detach()
        return value.item() if value.numel() == 1 else value.cpu().numpy()
    return float(value) if hasattr(value, "__float__") and getattr(value, "ndim", 0) == 0 else value


def _rows(x):
    return next(leaf.shape[0] for leaf in flatten(x) if leaf is not None)
