"""The loss that ``compile`` was given, for one output or many: weighted, summed, with errors that say what to do."""

from minidl.keras import losses
from minidl.keras.engine.loss_checks import checked
from minidl.keras.engine.loss_tracker import LossTracker
from minidl.keras.engine.nest import flatten
from minidl.keras.engine.output_structure import leaves_like, paths, spread

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
        self.order, self.trackers = (
            [],
            {},
        )  # places of outputs that have a loss; a tracker for each, if several

    @property
    def metrics(self):
        """Trackers of the outputs' own losses, where there are several."""
        return list(self.trackers.values())

    # --- resolving ------------------------------------------------------------------------------------------------

    def build(self, truths, y_pred):
        """Finds each output's loss, now that the shapes are known; ``truths`` is a list, one an output."""
        outputs = flatten(y_pred)
        given = spread(self.user_loss, y_pred, self.output_names, "loss")
        weights = spread(self.user_weights, y_pred, self.output_names, "loss_weights")
        self.terms = [(None, None, None)] * len(outputs)
        for place, loss in given.items():
            truth = truths[place] if place < len(truths) else None
            function = None if loss is None else resolved(loss, truth, outputs[place])
            self.terms[place] = (function, _number(weights.get(place)), logits_twin(function))
        self.order = [place for place in given if given[place] is not None]
        if len(self.order) > 1:
            at = paths(y_pred)
            self.trackers = {
                p: LossTracker(name=f"{self._name(p, at[p], given[p])}_loss") for p in self.order
            }

    def _name(self, place, path, loss):
        """An output's name in the logs: the keys that lead to it, and the layer's name where the last is a place."""
        if path and not isinstance(path[-1], int):
            return "/".join(map(str, path))
        own = self.output_names[place] if self.output_names else None
        if own is None:
            own = loss if isinstance(loss, str) else self.terms[place][0].name
        return "/".join(map(str, (*path[:-1], own)))

    # --- the value ------------------------------------------------------------------------------------------------

    def __call__(self, y_true, y_pred, sample_weight=None):
        if y_pred.__class__ not in (list, tuple, dict) and y_true.__class__ not in (list, tuple, dict):
            if self.terms is None:
                self.build([y_true], y_pred)
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
        truths = self._aligned(y_true, y_pred, "y")
        if self.terms is None:
            self.build(truths, y_pred)
        weights = self._aligned(sample_weight, y_pred, "sample_weight")
        total = None
        for place in self.order:
            value = self._term(place, truths[place], outputs[place], weights[place], self.trackers.get(place))
            total = value if total is None else total + value
        return total

    def _aligned(self, data, y_pred, what):
        """``data`` as a list, one entry an output: as the outputs are nested, by name, or skipping outputs that
        have no loss; one array of weights is for all."""
        found = leaves_like(y_pred, data, self.output_names, what)
        if found is not None:
            return found
        flat, count = flatten(data), len(flatten(y_pred))
        if what == "sample_weight" and len(flat) == 1:
            return flat * count
        given = spread(self.user_loss, y_pred, self.output_names, "loss")
        wanted = sorted(place for place, loss in given.items() if loss is not None)
        if len(flat) == len(wanted):
            found = [None] * count
            for place, value in zip(wanted, flat):
                found[place] = value
            return found
        raise ValueError(
            f"The model has {count} outputs {self.output_names or paths(y_pred)}, but `{what}` has {len(flat)}: give "
            "one for each, as a list in that order or a dict by name."
        )


def _only(sample_weight):
    return flatten(sample_weight)[0] if isinstance(sample_weight, (list, tuple, dict)) else sample_weight


def _number(weight):
    if weight is None or isinstance(weight, (int, float)) or hasattr(weight, "__float__"):
        return weight
    raise ValueError(f"`loss_weights` are numbers, one for each loss. Received: {weight!r}")


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
