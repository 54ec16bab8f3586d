"""The loss that ``compile`` was given, for one output or many: weighted, summed, with errors that say what to do."""

from minidl.keras import losses
from minidl.keras.engine.loss_checks import checked
from minidl.keras.engine.loss_tracker import LossTracker
from minidl.keras.engine.nest import flatten

_GENERIC = ("crossentropy", "ce")


class CompileLoss:
    """``loss`` is a name, an object or a function, or a list or dict of them, one an output.

    Called with (y_true, y_pred, sample_weight) it gives the total: the weighted sum of the outputs' losses.
    """

    def __init__(self, loss, loss_weights=None, output_names=None):
        if loss_weights is not None and not isinstance(loss_weights, (list, tuple, dict, float, int)):
            raise ValueError(
                "Expected `loss_weights` argument to be a float (single output case) or a list, tuple, or dict "
                f"(multiple output case). Received instead: loss_weights={loss_weights} of type {type(loss_weights)}"
            )
        self.user_loss, self.user_weights, self.output_names = loss, loss_weights, output_names
        self.terms = None  # (function, weight, twin that takes logits), one an output
        self.trackers = {}

    @property
    def metrics(self):
        """Trackers of the outputs' own losses, where there are several."""
        return list(self.trackers.values())

    # --- resolving ------------------------------------------------------------------------------------------------

    def build(self, y_true, y_pred):
        """Finds each output's loss, now that the shapes are known."""
        truths, outputs = flatten(y_true), flatten(y_pred)
        names = self._names(y_pred, len(outputs))
        given = spread(self.user_loss, names, "loss", len(outputs))
        weights = spread(self.user_weights, names, "loss_weights", len(outputs), one_for_all=False)
        self.terms = []
        for place, loss in enumerate(given):
            truth = truths[place] if place < len(truths) else None
            function = None if loss is None else resolved(loss, truth, outputs[place])
            self.terms.append((function, weights[place], logits_twin(function)))
        kept = [name for name, (function, _, _) in zip(names, self.terms) if function is not None]
        self.trackers = {name: LossTracker(name=f"{name}_loss") for name in kept} if len(kept) > 1 else {}

    def _names(self, y_pred, count):
        if isinstance(y_pred, dict):
            return sorted(y_pred)
        if self.output_names and len(self.output_names) == count:
            return list(self.output_names)
        return [f"output_{i}" for i in range(count)]

    # --- the value ------------------------------------------------------------------------------------------------

    def __call__(self, y_true, y_pred, sample_weight=None):
        if y_pred.__class__ not in (list, tuple, dict) and y_true.__class__ not in (list, tuple, dict):
            if self.terms is None:
                self.build(y_true, y_pred)
            return self._term(0, y_true, y_pred, _only(sample_weight))
        return self._total(y_true, y_pred, sample_weight)

    def _term(self, place, y_true, y_pred, sample_weight, tracker=None):
        function, weight, twin = self.terms[place]
        if function is None:
            return None
        logits = y_pred.__dict__.get("_keras_logits") if twin is not None else None
        if logits is not None:
            value = checked(twin, y_true, logits, sample_weight)
        else:
            value = checked(function, y_true, y_pred, sample_weight)
        if tracker is not None:
            tracker.update_state(value, sample_weight=y_pred.shape[0])
        return value if weight is None else value * weight

    def _total(self, y_true, y_pred, sample_weight):
        outputs = flatten(y_pred)
        names = self._names(y_pred, len(outputs))
        if self.terms is None:
            truths = self._aligned(y_true, names, len(outputs), "y")
            self.build(truths, y_pred)
        truths = self._aligned(y_true, names, len(outputs), "y")
        weights = self._aligned(sample_weight, names, len(outputs), "sample_weight", repeat=True)
        total = None
        for place, (truth, output, weight) in enumerate(zip(truths, outputs, weights)):
            value = self._term(place, truth, output, weight, self.trackers.get(names[place]))
            if value is not None:
                total = value if total is None else total + value
        return total

    def _aligned(self, data, names, count, what, repeat=False):
        """``data`` as a list, one entry an output: by name, by place, or skipping outputs that have no loss."""
        if data is None:
            return [None] * count
        if isinstance(data, dict):
            unknown = [name for name in data if name not in names]
            if unknown:
                raise ValueError(f"`{what}` names the outputs {unknown}, but the model's are {list(names)}.")
            return [data.get(name) for name in names]
        flat = flatten(data)
        if len(flat) == count:
            return flat
        if repeat and len(flat) == 1:
            return flat * count
        losses_given = spread(self.user_loss, names, "loss", count)
        wanted = [place for place, loss in enumerate(losses_given) if loss is not None]
        if len(flat) == len(wanted):
            found = [None] * count
            for place, value in zip(wanted, flat):
                found[place] = value
            return found
        raise ValueError(
            f"The model has {count} outputs {list(names)}, but `{what}` has {len(flat)}: give one for "
            "each, as a list in "
            "that order or a dict by name."
        )


def _only(sample_weight):
    return flatten(sample_weight)[0] if isinstance(sample_weight, (list, tuple, dict)) else sample_weight


def spread(given, names, what, count, one_for_all=True):
    """``given`` as a list, one entry an output: a single one for all, a list by place, a dict by name."""
    if given is None:
        return [None] * count
    if isinstance(given, dict) and "class_name" not in given:
        unknown = [name for name in given if name not in names]
        if unknown and count > 1:
            raise ValueError(
                f"In the dict argument `{what}`, key '{unknown[0]}' does not correspond to any model "
                "output. Outputs are: "
                f"{list(names)}. Received: {what}={given}"
            )
        return [given.get(name) for name in names] if not unknown else list(given.values())
    if isinstance(given, (list, tuple)):
        if len(given) != count:
            raise ValueError(
                f"For a model with multiple outputs, when providing the `{what}` argument as a list, it should have as "
                f"many entries as the model has outputs. Received: {what}={given} of length "
                f"{len(given)} whereas the model "
                f"has {count} outputs."
            )
        return list(given)
    return [given] * count


def resolved(loss, y_true, y_pred):
    """The loss of an identifier; ``'crossentropy'`` is chosen by the shapes."""
    if isinstance(loss, str) and loss.lower() in _GENERIC:
        loss = crossentropy_for(y_true, y_pred)
    found = losses.get(loss)
    if isinstance(found, losses.Loss):
        return found
    name = getattr(found, "__name__", type(found).__name__)
    known = getattr(losses, "".join(part.capitalize() for part in name.split("_")), None)
    if known is not None and getattr(losses, name, None) is found:
        return known()  # the class of 'categorical_crossentropy' knows its form on logits
    return losses.FunctionLoss(found, name=name)


def crossentropy_for(y_true, y_pred):
    """``binary_``, ``sparse_categorical_`` or ``categorical_crossentropy``, by the shapes."""
    if y_pred.shape[-1] == 1:
        return "binary_crossentropy"
    if y_true is not None and (len(y_true.shape) < len(y_pred.shape) or y_true.shape[-1] == 1):
        return "sparse_categorical_crossentropy"
    return "categorical_crossentropy"


def logits_twin(loss):
    """The same cross entropy for logits: used where the output's softmax is known, as one fused operation."""
    if type(loss) not in (losses.CategoricalCrossentropy, losses.SparseCategoricalCrossentropy):
        return None
    return loss.on_logits() if loss.get_config().get("axis", -1) == -1 else None
