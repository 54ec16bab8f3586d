"""Cross-entropies: of probabilities, or of logits in the fused form."""

import warnings

from minidl import log, where
from minidl.keras.losses.base import mean_form, pair
from minidl.keras.settings import epsilon
from minidl.keras.tensors import to_float, to_tensor
from minidl.nn import functional as F

__all__ = [
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy", "sparse_categorical_crossentropy",
]  # fmt: skip


def _checked_axis(axis):
    if isinstance(axis, bool):
        raise ValueError(f"`axis` must be of type `int`. Received: axis={axis} of type {type(axis)}")
    return axis


def _same_shape(y_true, y_pred, hint=""):
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. Received: "
            f"target.shape={tuple(y_true.shape)}, output.shape={tuple(y_pred.shape)}{hint}"
        )


def _last(x, axis):
    """The class dimension moved to the end."""
    return x if axis in (-1, x.ndim - 1) else x.movedim(axis, -1)


def _smooth(y_true, label_smoothing, classes):
    return y_true * (1.0 - label_smoothing) + label_smoothing / classes if label_smoothing else y_true


# --- two classes ------------------------------------------------------------------------------------------------


def _binary(y_true, y_pred, from_logits, reduction):
    _same_shape(y_true, y_pred)
    if from_logits:
        return F.binary_cross_entropy_with_logits(y_pred, y_true, reduction=reduction)
    y_pred = y_pred.clamp(epsilon(), 1 - epsilon())
    try:
        return F.binary_cross_entropy(y_pred, y_true, reduction=reduction)
    except RuntimeError:
        if not bool(((y_true > -0.5) & (y_true < 1.5)).all()):
            raise
    # Labels with noise on them, as GANs are taught with: the formula holds all the same.
    loss = -(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))
    return loss.mean() if reduction == "mean" else loss


def _binary_mean(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    y_true, y_pred = pair(y_true, y_pred)
    return _binary(_smooth(y_true, label_smoothing, 2), y_pred, from_logits, "mean")


@mean_form(_binary_mean)
def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """mean -(y log p + (1 - y) log(1 - p)) over ``axis``; p is held off 0 and 1 by epsilon, or logits are given.

    Labels may stray from [0, 1] by noise of less than 0.5; ``RuntimeError`` for those beyond, ``ValueError``
    where the shapes differ (a trailing 1 is added or taken off).

    >>> from minidl import keras
    >>> keras.losses.binary_crossentropy([[1.0], [0.0]], [[0.5], [0.5]])
    tensor([0.6931, 0.6931])
    """
    y_true, y_pred = pair(y_true, y_pred)
    return _binary(_smooth(y_true, label_smoothing, 2), y_pred, from_logits, "none").mean(axis)


def binary_focal_crossentropy(
    y_true, y_pred, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):  # fmt: skip
    """Binary cross-entropy times (1 - p_t)^gamma, p_t the probability of what is true; balanced by ``alpha``.

    Source: T.-Y. Lin et al., "Focal loss for dense object detection", ICCV 2017.
    """
    y_true, y_pred = pair(y_true, y_pred)
    y_true = _smooth(y_true, label_smoothing, 2)
    if from_logits:
        y_pred = F.sigmoid(y_pred)
    entropy = _binary(y_true, y_pred, False, "none")
    right = y_true * y_pred + (1 - y_true) * (1 - y_pred)
    loss = (1.0 - right) ** gamma * entropy
    if apply_class_balancing:
        loss = (y_true * alpha + (1 - y_true) * (1 - alpha)) * loss
    return loss.mean(axis)


# --- several classes --------------------------------------------------------------------------------------------


def _one_hot_pair(name, y_true, y_pred, axis):
    _checked_axis(axis)
    y_pred = to_float(y_pred)
    y_true = to_float(y_true, like=y_pred)
    if y_pred.ndim and y_pred.shape[-1] == 1:
        warnings.warn(
            f"In loss {name}, expected y_pred.shape to be (batch_size, num_classes) with num_classes > 1. "
            f"Received: y_pred.shape={tuple(y_pred.shape)}. Consider using 'binary_crossentropy' if you only have 2 "
            "classes.",
            SyntaxWarning,
            stacklevel=3,
        )
    if y_pred.ndim < 1:
        raise ValueError("Arguments `target` and `output` must be at least rank 1.")
    labels = y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1 < y_pred.shape[-1]
    hint = (
        ". Hint: the targets look like class numbers: use 'sparse_categorical_crossentropy', or one-hot encode "
        "them with minidl.keras.utils.to_categorical."
    )
    _same_shape(y_true, y_pred, hint if labels else "")
    return y_true, y_pred


def _shares(y_pred, axis):
    """Predictions over their sum, held off 0 and 1."""
    return (y_pred / y_pred.sum(axis, keepdim=True)).clamp(epsilon(), 1 - epsilon())


def _soft_logits(y_true, y_pred, axis, reduction):
    y_true, y_pred = _last(y_true, axis), _last(y_pred, axis)
    classes = y_pred.shape[-1]
    values = F.cross_entropy(y_pred.reshape(-1, classes), y_true.reshape(-1, classes), reduction=reduction)
    return values if reduction == "mean" else values.reshape(y_pred.shape[:-1])


def _categorical_mean(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    if not from_logits:
        return None
    y_true, y_pred = _one_hot_pair("categorical_crossentropy", y_true, y_pred, axis)
    y_true = _smooth(y_true, label_smoothing, y_true.shape[-1])
    return _soft_logits(y_true, y_pred, axis, "mean") if y_pred.numel() else None


@mean_form(_categorical_mean)
def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """- sum y log p over ``axis``, for one-hot (or any) distributions y; p is rescaled to add up to 1.

    ``ValueError`` where the shapes differ; for class numbers it says to use the sparse form.

    >>> from minidl import keras
    >>> keras.losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    tensor([0.6931])
    """
    y_true, y_pred = _one_hot_pair("categorical_crossentropy", y_true, y_pred, axis)
    y_true = _smooth(y_true, label_smoothing, y_true.shape[-1])
    if from_logits:
        return _soft_logits(y_true, y_pred, axis, "none")
    return -(y_true * log(_shares(y_pred, axis))).sum(axis)


def categorical_focal_crossentropy(
    y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):  # fmt: skip
    """- sum alpha (1 - p)^gamma y log p over ``axis``; ``alpha`` is a number or one a class.

    Source: T.-Y. Lin et al., "Focal loss for dense object detection", ICCV 2017.
    """
    y_true, y_pred = _one_hot_pair("categorical_focal_crossentropy", y_true, y_pred, axis)
    y_true = _smooth(y_true, label_smoothing, y_true.shape[-1])
    if from_logits:
        y_pred = F.softmax(y_pred, axis)
    shares = _shares(y_pred, axis)
    weight = alpha if isinstance(alpha, (int, float)) else to_float(alpha, like=y_pred)
    return (weight * (1.0 - shares) ** gamma * -y_true * log(shares)).sum(axis)


def _class_numbers(y_true, y_pred, axis):
    y_pred = to_float(y_pred)
    y_true = to_tensor(y_true, like=y_pred)
    _checked_axis(axis)
    if y_true.ndim == y_pred.ndim and y_true.shape[axis] == 1:
        y_true = y_true.squeeze(axis)
    y_pred = _last(y_pred, axis)
    if tuple(y_true.shape) != tuple(y_pred.shape[:-1]):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape up until the last dimension: "
            f"target.shape={tuple(y_true.shape)}, output.shape={tuple(y_pred.shape)}. Hint: targets are class "
            "numbers; for one-hot ones use 'categorical_crossentropy'."
        )
    return y_true.long(), y_pred


def _sparse(y_true, y_pred, from_logits, reduction):
    classes = y_pred.shape[-1]
    target, output = y_true.reshape(-1), y_pred.reshape(-1, classes)
    if from_logits:
        return F.cross_entropy(output, target, ignore_index=_NO_CLASS, reduction=reduction)
    return F.nll_loss(log(_shares(output, -1)), target, ignore_index=_NO_CLASS, reduction=reduction)


_NO_CLASS = -(2**31)  # no label is this: Keras ignores nothing unless it is told to


def _sparse_mean(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    if ignore_class is not None:
        return None
    y_true, y_pred = _class_numbers(y_true, y_pred, axis)
    return _sparse(y_true, y_pred, from_logits, "mean") if y_pred.numel() else None


@mean_form(_sparse_mean)
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """- log p[y] for class numbers y, (N, ...) or (N, ..., 1); those equal to ``ignore_class`` give 0 and no weight.

    ``IndexError`` for a label that is no class, ``ValueError`` where the shapes do not fit.

    >>> from minidl import keras
    >>> keras.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    tensor([0.6931])
    """
    y_true, y_pred = _class_numbers(y_true, y_pred, axis)
    valid = None
    if ignore_class is not None:
        valid = y_true != ignore_class
        y_true = where(valid, y_true, y_true * 0)
        y_pred = where(valid.unsqueeze(-1), y_pred, y_pred * 0 + (0.0 if from_logits else 1.0))
    values = _sparse(y_true, y_pred, from_logits, "none").reshape(y_pred.shape[:-1])
    if valid is not None:
        values = where(valid, values, values * 0)
        values._keras_mask = valid
    return values


def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """(1 - p[y]^q) / q for class numbers y: between the mean absolute error (q = 1) and cross-entropy (q to 0).

    Source: Z. Zhang, M. Sabuncu, "Generalized cross entropy loss", NeurIPS 2018.
    """
    y_pred = to_float(y_pred)
    y_true = to_tensor(y_true, like=y_pred).long()
    hot = F.one_hot(y_true, y_pred.shape[-1]).to(y_pred.dtype)
    return (1 - (y_pred * hot).sum(-1) ** q) / q
