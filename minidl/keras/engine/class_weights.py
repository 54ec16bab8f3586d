"""Weights of classes as weights of samples."""

import numpy as np

from minidl.keras.engine.tensors import as_numpy


def weights_of_classes(y, sample_weight, class_weight):
    """A weight for each sample: ``class_weight`` of its class (1 where it names none), times ``sample_weight``.

    ``y`` is (N,) or (N, 1) of class numbers, or (N, classes) one-hot. ``ValueError`` for several outputs.

    >>> weights_of_classes(np.array([0, 1, 1]), None, {1: 3.0})
    array([1., 3., 3.], dtype=float32)
    """
    if not hasattr(y, "shape"):
        raise ValueError("`class_weight` is only supported for Models with a single output.")
    if not isinstance(class_weight, dict):
        raise ValueError(
            f"Expected `class_weight` to be a dict such as {{0: 1.0, 1: 5.0}}, but got {class_weight!r}. Hint: "
            "scikit-learn's compute_class_weight('balanced', ...) gives its values."
        )
    labels = as_numpy(y)
    if labels.ndim > 2:
        raise ValueError("`class_weight` not supported for 3+ dimensional targets.")
    if labels.ndim == 2:
        labels = labels.argmax(axis=1) if labels.shape[1] > 1 else labels[:, 0]
    labels = np.round(labels).astype(np.int64)
    known = {int(label): float(weight) for label, weight in class_weight.items()}
    low, high = min(0, int(labels.min(initial=0))), max([int(labels.max(initial=0)), *known])
    table = np.ones(high - low + 1, np.float32)
    for label, weight in known.items():
        if label >= low:
            table[label - low] = weight
    weights = table[labels - low]
    return weights if sample_weight is None else weights * as_numpy(sample_weight).reshape(weights.shape)
