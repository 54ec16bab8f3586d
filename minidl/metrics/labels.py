"""Labels and predictions as two lists of labels, whatever they came as."""

import numpy as np

__all__ = ["as_labels", "host"]


def host(values):
    """An array on the host, of NumPy, pandas, lists or tensors."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.asarray(values)


def _is_probability(array):
    """Floats that are no labels: a table of them, or a fraction among them."""
    if array.dtype.kind != "f":
        return False
    return array.ndim == 2 or bool((array != np.floor(array)).any())


def _picked(array, true):
    """Labels of probabilities: the larger of two by 0.5, the largest of several; among the labels of ``true``."""
    if array.ndim == 2 and array.shape[1] > 1:
        best, count = array.argmax(1), array.shape[1]
    else:
        best, count = (array.reshape(len(array)) > 0.5).astype(int), 2
    known = np.unique(true)
    numbers = known.dtype.kind in "iubf" and np.isin(known, np.arange(count)).all()
    if numbers:
        return best
    if len(known) != count:
        raise ValueError(
            f"y_pred has probabilities of {count} classes, but y_true has {len(known)} labels, {known.tolist()}: which "
            "is which is not known. Hint: encode the labels with minidl.preprocessing.LabelEncoder."
        )
    return known[best]


def _flat(array, name):
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and np.isin(array, (0, 1)).all() and (array.sum(1) == 1).all():
        return array.argmax(1)  # one-hot
    if array.ndim != 1:
        raise ValueError(
            f"{name} of shape {array.shape} is not supported: labels (N,) or (N, 1), one-hot rows, or probabilities"
        )
    return array


def as_labels(y_true, y_pred):
    """Both as labels (N,). Predictions may be probabilities (N,), (N, 1) or (N, C); labels may be one-hot.

    ``ValueError`` for lengths that differ and shapes that are none of these.
    """
    true, pred = host(y_true), host(y_pred)
    if true.ndim == 0 or pred.ndim == 0:
        raise ValueError("y_true and y_pred are lists of labels, not single values")
    if len(true) != len(pred):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: [{len(true)}, {len(pred)}]"
        )
    true = _flat(true, "y_true")
    pred = _picked(pred, true) if _is_probability(pred) else _flat(pred, "y_pred")
    if (true.dtype.kind in "OSU") != (pred.dtype.kind in "OSU"):
        raise ValueError(
            f"Labels in y_true and y_pred should be of the same type. Got y_true={np.unique(true)} and "
            f"y_pred={np.unique(pred)}."
        )
    return true, pred
