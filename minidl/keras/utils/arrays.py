"""Labels as rows of zeros and a one, rows at length 1, batches unpacked."""

import numpy as np

from minidl.autograd.tensor import Tensor
from minidl.keras.tensors import to_tensor

__all__ = ["normalize", "pack_x_y_sample_weight", "to_categorical", "unpack_x_y_sample_weight"]


def to_categorical(x, num_classes=None, dtype="float64"):
    """Class numbers (...) or (..., 1) as one-hot rows (..., num_classes); a tensor gives a tensor.

    ``num_classes`` is the largest number and one unless it is given. ``ValueError`` for a label outside it.

    >>> from minidl import keras
    >>> keras.utils.to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    given = x
    labels = np.asarray(x.detach().cpu().numpy() if isinstance(x, Tensor) else x)
    if labels.dtype.kind in "OSU":
        raise ValueError(
            f"to_categorical takes class numbers, but got values like {labels.ravel()[0]!r}. Hint: number them first "
            "with minidl.preprocessing.LabelEncoder."
        )
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.floor(labels)):
        raise ValueError("to_categorical takes class numbers, but got fractions.")
    labels = labels.astype(np.int64)
    shape = labels.shape
    if shape and shape[-1] == 1 and len(shape) > 1:
        shape = shape[:-1]
    labels = labels.reshape(-1)
    count = num_classes or (int(labels.max()) + 1 if labels.size else 0)
    if labels.size and (labels.min() < 0 or labels.max() >= count):
        raise ValueError(
            f"to_categorical got labels from {labels.min()} to {labels.max()}, but num_classes is {count}: labels "
            f"must be from 0 to {count - 1}"
        )
    hot = np.zeros((labels.size, count), dtype)
    hot[np.arange(labels.size), labels] = 1
    hot = hot.reshape((*shape, count))
    return to_tensor(hot.astype("float32"), like=given) if isinstance(given, Tensor) else hot


def normalize(x, axis=-1, order=2):
    """``x`` over its norm of an order along an axis; rows of zeros stay. One row (C,) becomes (1, C).

    >>> from minidl import keras
    >>> keras.utils.normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1. Received: order={order}")
    if isinstance(x, Tensor):
        norm = (x.abs() ** order).sum(axis, keepdim=True) ** (1.0 / order)
        return x / norm.clamp(min=1e-12)
    x = np.asarray(x)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis) if x.ndim else np.abs(x))
    return x / np.expand_dims(
        np.where(norm == 0, 1, norm), axis
    )  # a row of its own gains a dimension, as Keras' does


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """``x``, ``(x, y)`` or ``(x, y, sample_weight)``; ``x`` alone is a tuple where it is a list or tuple itself."""
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data):
    """``(x, y, sample_weight)`` of what a batch is, None for what it lacks; ``ValueError`` for more than three."""
    data = tuple(data) if isinstance(data, list) else data
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, found: "
            f"{len(data)} parts"
        )
    return (*data, *(None,) * (3 - len(data)))
