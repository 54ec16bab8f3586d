"""``Loss``: from a value a sample to a number, with weights, a mask and a reduction."""

import inspect

from minidl import where
from minidl.keras.tensors import to_float, to_tensor

__all__ = ["FunctionLoss", "Loss"]

REDUCTIONS = ("sum_over_batch_size", "sum", None, "none", "mean", "mean_with_sample_weight")


def same_rank(a, b, expand=True):
    """Two tensors whose ranks differ by a trailing dimension of 1, at one rank: (N,) meets (N, 1) as (N, 1)."""
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, b.unsqueeze(-1)) if b.ndim == 1 and expand else (a.squeeze(-1), b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        return (a.unsqueeze(-1), b) if a.ndim == 1 and expand else (a, b.squeeze(-1))
    return a, b


def pair(y_true, y_pred):
    """Targets and predictions as tensors of one floating-point dtype, device and rank."""
    y_pred = to_float(y_pred)
    y_true = to_float(y_true, like=y_pred)
    return same_rank(y_true, y_pred)


def check_reduction(reduction):
    """The reduction itself; ``ValueError`` for one that is none."""
    if reduction not in REDUCTIONS:
        raise ValueError(
            "Invalid value for argument `reduction`. Expected one of "
            f"{REDUCTIONS}. Received: reduction={reduction}"
        )
    return reduction


def _masked_weights(sample_weight, mask, reduction, like):
    """The mask as weights, times the weights: under a mean the valid entries make up for the others."""
    if mask is None:
        return sample_weight
    mask = to_tensor(mask, like=like).to(like.dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        valid = mask.sum()
        mask = mask * where(valid == 0, valid * 0, mask.numel() / valid.clamp(min=1e-30))
    if sample_weight is None:
        return mask
    mask, sample_weight = same_rank(mask, sample_weight)
    return mask * _for_each_step(sample_weight, mask)


def _for_each_step(sample_weight, values):
    """Weights (N,) for values (N, steps, ...): a weight a sample, which counts for each of its steps."""
    missing = values.ndim - sample_weight.ndim
    if 0 < sample_weight.ndim < values.ndim:
        return sample_weight.reshape(*sample_weight.shape, *(1,) * missing).expand(values.shape)
    return sample_weight


def reduce_weighted(values, sample_weight=None, mask=None, reduction="sum_over_batch_size"):
    """Values (N, ...) times their weights, reduced: summed over the batch size, summed, or left as they are."""
    values = to_float(values)
    if sample_weight is not None:
        sample_weight = to_float(sample_weight, like=values)
    sample_weight = _masked_weights(sample_weight, mask, reduction, values)
    if sample_weight is not None:
        values, sample_weight = same_rank(values, sample_weight)
        sample_weight = _for_each_step(sample_weight, values)
        values = values * sample_weight
    if reduction is None or reduction == "none" or values.ndim == 0 or tuple(values.shape) == (0,):
        return values
    if reduction == "sum":
        return values.sum()
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        total = sample_weight.sum()
        return where(total == 0, total * 0, values.sum() / where(total == 0, total + 1, total))
    return values.mean() if values.numel() else values.sum()


def _holds_arrays(value):
    if isinstance(value, dict):
        return True
    return isinstance(value, (list, tuple)) and any(getattr(item, "ndim", 0) for item in value)


class Loss:
    """Base of the losses: ``loss(y_true, y_pred, sample_weight=None)`` gives a scalar tensor with its gradient.

    Subclasses define ``call(y_true, y_pred)``, which gives a value a sample. ``reduction`` is
    ``sum_over_batch_size`` (their sum over their number; ``mean`` is the same), ``mean_with_sample_weight`` (over
    the weights' sum), ``sum``, or None: the values themselves. A mask on ``y_pred`` (``_keras_mask``) leaves
    steps out. Source: Keras' ``Loss``.

    >>> from minidl import keras
    >>> class Cubed(keras.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return ((y_pred - y_true).abs() ** 3).mean(-1)
    >>> Cubed()([[0.0], [1.0]], [[2.0], [1.0]])
    tensor(4.)
    """

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        self.name = name or type(self).__name__.lower()
        self.reduction = check_reduction(reduction)
        self.dtype = dtype

    def __call__(self, y_true, y_pred, sample_weight=None):
        mask = getattr(y_pred, "_keras_mask", None)
        if _holds_arrays(y_pred):  # a loss of its own may take several outputs
            values = self.call(y_true, y_pred)
        else:
            y_pred = to_float(to_tensor(y_pred))
            values = self.call(to_tensor(y_true, like=y_pred), y_pred)
        own = getattr(values, "_keras_mask", None)
        if own is not None:
            mask = own if mask is None else to_tensor(mask, like=own).to(own.dtype) & own
        return reduce_weighted(values, sample_weight, mask, self.reduction)

    def call(self, y_true, y_pred):
        """A value a sample, (N, ...)."""
        raise NotImplementedError(f"{type(self).__name__} defines no call(y_true, y_pred)")

    def get_config(self):
        """``name``, ``reduction``."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config):
        """The loss that ``get_config`` describes; Keras 2's ``fn`` and ``auto`` reduction are understood."""
        config = {key: value for key, value in config.items() if key != "fn"}
        if config.get("reduction") == "auto":
            config["reduction"] = "sum_over_batch_size"
        return cls(**config)


class FunctionLoss(Loss):
    """A loss made of a function ``fn(y_true, y_pred, **options)`` that gives a value a sample."""

    def __init__(self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **options):
        super().__init__(name=name or getattr(fn, "__name__", "loss"), reduction=reduction, dtype=dtype)
        self.fn, self.options = fn, options

    def __call__(self, y_true, y_pred, sample_weight=None):
        whole = getattr(self.fn, "mean_form", None)
        if whole is not None and sample_weight is None and self.reduction in ("sum_over_batch_size", "mean"):
            plain = getattr(y_pred, "_keras_mask", None) is None
            mean = whole(y_true, y_pred, **self.options) if plain else None
            if mean is not None:
                return mean
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, y_true, y_pred):
        """The function's values; targets (N,) meet predictions (N, 1) as (N, 1)."""
        return self.fn(*same_rank(y_true, y_pred), **self.options)

    def on_logits(self):
        """The same loss of logits, where it is one of probabilities that can be: for a model that fuses its last
        activation. None where there is none."""
        if self.options.get("from_logits") is not False:
            return None
        return type(self).from_config({**self.get_config(), "from_logits": True})

    def get_config(self):
        """The constructor's arguments."""
        config = {**super().get_config(), **self.options}
        return config if type(self) is not FunctionLoss else {"fn": self.fn.__name__, **config}

    def __repr__(self):
        return f"<{type(self).__name__}({self.fn.__name__}, {self.options})>"


def mean_form(whole):
    """Gives a loss function the fused form of its mean: called without weights; None from it means 'not here'."""

    def attach(function):
        function.mean_form = whole
        return function

    return attach


def accepts(function, name):
    """Whether a function has a parameter of this name."""
    return name in inspect.signature(function).parameters
