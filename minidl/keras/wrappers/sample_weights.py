"""Weights of samples: 0 is the same as a missing sample, k the same as k equal samples."""

import numpy as np


def as_weights(sample_weight, count):
    """(N,) float64 of numbers, one each or one for all; None stays. ``ValueError`` for another shape, or only zeros."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(count, float(weights))
    if weights.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got {weights.ndim}D array.")
    if len(weights) != count:
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(count,)}!")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("Sample weights must be finite numbers and none of them negative.")
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


def merged(X, y, weights, batch_size):
    """X, y and weights of mean 1 (None where all are equal), without the samples of weight 0.

    Where all fits into one batch, equal samples become one with the sum of their weights, in an order that does not
    depend on how they came: k equal samples then train exactly as one of weight k.

    >>> X = np.array([[1.0], [2.0], [1.0]])
    >>> merged(X, np.array([0, 1, 0]), None, 32)[2]
    array([1.33333333, 0.66666667])
    """
    if weights is not None:
        kept = weights != 0
        X, y, weights = X[kept], y[kept], weights[kept]
        if (weights == weights[0]).all():
            weights = None
    if 1 < len(X) <= batch_size:
        X, y, weights = _without_repeats(X, y, weights)
    if weights is None:
        return X, y, None
    return X, y, weights / weights.mean()


def _without_repeats(X, y, weights):
    labels = np.unique(y, return_inverse=True)[1].reshape(len(y), -1)
    rows = np.hstack([X.reshape(len(X), -1).astype(np.float64), labels])
    _, first, group = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    if weights is None and len(first) == len(X):
        return X, y, None
    sums = np.bincount(group.reshape(-1), weights=weights)
    return X[first], y[first], None if (sums == sums[0]).all() else sums
