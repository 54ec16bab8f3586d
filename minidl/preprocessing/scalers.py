"""Scaling of columns and rows."""

import numpy as np

from minidl.preprocessing.base import Transformer, table

__all__ = ["MaxAbsScaler", "MinMaxScaler", "Normalizer", "StandardScaler"]


def _nonzero(scale):
    """Scales that are 0, of columns that do not vary, as 1."""
    tiny = 10 * np.finfo(scale.dtype).eps
    return np.where(np.abs(scale) < tiny, 1.0, scale).astype(scale.dtype)


class StandardScaler(Transformer):
    """(x - mean) / deviation of each column; the deviation divides by N, and is 1 where a column does not vary.

    NaN is left out of the statistics and stays. ``partial_fit`` adds rows. Raises ``ValueError`` for another rank or
    number of columns. Source: scikit-learn's ``StandardScaler``.

    >>> from minidl.preprocessing import StandardScaler
    >>> scaler = StandardScaler().fit([[0.0, 5.0], [4.0, 5.0]])
    >>> scaler.transform([[2.0, 6.0]]).tolist()
    [[0.0, 1.0]]
    >>> scaler.mean_.tolist(), scaler.scale_.tolist()
    ([2.0, 5.0], [2.0, 1.0])
    """

    def __init__(self, *, copy=True, with_mean=True, with_std=True):
        self.copy, self.with_mean, self.with_std = copy, with_mean, with_std

    def fit(self, X, y=None, sample_weight=None):
        """Takes mean and variance of each column."""
        for name in ("mean_", "var_", "scale_", "n_samples_seen_", "n_features_in_"):
            vars(self).pop(name, None)
        return self.partial_fit(X, y, sample_weight)

    def partial_fit(self, X, y=None, sample_weight=None):
        """Adds rows to what was seen: means and squared distances of both parts are joined."""
        X = table(X, self, getattr(self, "n_features_in_", None)).astype(np.float64)
        weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        here = np.where(np.isnan(X), 0.0, weight[:, None])
        count = here.sum(0)
        filled = np.nan_to_num(X)
        mean = (filled * here).sum(0) / np.maximum(count, 1e-300)
        distance = (((filled - mean) ** 2) * here).sum(0)
        if hasattr(self, "n_features_in_"):
            total = self._count + count
            gap = mean - self._mean
            distance = self._distance + distance + gap**2 * self._count * count / np.maximum(total, 1e-300)
            mean, count = self._mean + gap * count / np.maximum(total, 1e-300), total
        self._count, self._mean, self._distance = count, mean, distance
        self.n_features_in_ = X.shape[1]
        same = np.ptp(count) == 0
        self.n_samples_seen_ = (int(count[0]) if sample_weight is None else count[0]) if same else count
        variance = distance / np.maximum(count, 1e-300)
        noise = count * np.finfo(np.float64).eps * variance + (count * mean * np.finfo(np.float64).eps) ** 2
        flat = variance <= noise
        self.mean_ = mean if self.with_mean or self.with_std else None
        self.var_ = variance if self.with_std else None
        self.scale_ = np.where(flat, 1.0, np.sqrt(np.where(flat, 1.0, variance))) if self.with_std else None
        return self

    def transform(self, X, copy=None):
        """The scaled columns."""
        self._fitted("n_features_in_")
        out = np.array(table(X, self, self.n_features_in_))
        if self.with_mean:
            out -= self.mean_.astype(out.dtype)
        if self.with_std:
            out /= self.scale_.astype(out.dtype)
        return out

    def inverse_transform(self, X, copy=None):
        """The columns as they were."""
        self._fitted("n_features_in_")
        out = np.array(table(X, self, self.n_features_in_))
        if self.with_std:
            out *= self.scale_.astype(out.dtype)
        if self.with_mean:
            out += self.mean_.astype(out.dtype)
        return out


class MinMaxScaler(Transformer):
    """Columns moved and scaled from their own range to ``feature_range``; ``clip`` holds new data inside.

    Source: scikit-learn's ``MinMaxScaler``.

    >>> from minidl.preprocessing import MinMaxScaler
    >>> MinMaxScaler().fit_transform([[1.0], [3.0], [5.0]]).ravel().tolist()
    [0.0, 0.5, 1.0]
    """

    def __init__(self, feature_range=(0, 1), *, copy=True, clip=False):
        self.feature_range, self.copy, self.clip = feature_range, copy, clip

    def fit(self, X, y=None):
        """Takes the range of each column."""
        vars(self).pop("n_features_in_", None)
        return self.partial_fit(X, y)

    def partial_fit(self, X, y=None):
        """Widens the ranges by further rows."""
        low, high = self.feature_range
        if low >= high:
            raise ValueError(
                f"Minimum of desired feature range must be smaller than maximum. Got {self.feature_range}."
            )
        again = hasattr(self, "n_features_in_")
        X = table(X, self, getattr(self, "n_features_in_", None))
        least, most = np.nanmin(X, axis=0), np.nanmax(X, axis=0)
        if again:
            least, most = np.minimum(self.data_min_, least), np.maximum(self.data_max_, most)
        self.n_samples_seen_ = len(X) + (self.n_samples_seen_ if again else 0)
        self.data_min_, self.data_max_, self.data_range_ = least, most, most - least
        self.n_features_in_ = X.shape[1]
        self.scale_ = (high - low) / _nonzero(self.data_range_)
        self.min_ = low - least * self.scale_
        return self

    def transform(self, X):
        """The scaled columns."""
        self._fitted("n_features_in_")
        X = table(X, self, self.n_features_in_)
        out = X * self.scale_.astype(X.dtype) + self.min_.astype(X.dtype)
        return np.clip(out, *self.feature_range) if self.clip else out

    def inverse_transform(self, X):
        """The columns as they were."""
        self._fitted("n_features_in_")
        X = table(X, self, self.n_features_in_)
        return (X - self.min_.astype(X.dtype)) / self.scale_.astype(X.dtype)


class MaxAbsScaler(Transformer):
    """Columns over their largest absolute value. Source: scikit-learn's ``MaxAbsScaler``."""

    def __init__(self, *, copy=True):
        self.copy = copy

    def fit(self, X, y=None):
        """Takes the largest absolute value of each column."""
        X = table(X, self)
        self.max_abs_, self.n_features_in_ = np.nanmax(np.abs(X), axis=0), X.shape[1]
        self.scale_ = _nonzero(self.max_abs_)
        return self

    def transform(self, X):
        """The scaled columns."""
        self._fitted("n_features_in_")
        X = table(X, self, self.n_features_in_)
        return X / self.scale_.astype(X.dtype)

    def inverse_transform(self, X):
        """The columns as they were."""
        self._fitted("n_features_in_")
        X = table(X, self, self.n_features_in_)
        return X * self.scale_.astype(X.dtype)


class Normalizer(Transformer):
    """Rows over their norm: ``l1``, ``l2`` or ``max``. Rows of zeros stay. Source: scikit-learn's ``Normalizer``."""

    def __init__(self, norm="l2", *, copy=True):
        self.norm, self.copy = norm, copy

    def fit(self, X, y=None):
        """Takes nothing but the number of columns."""
        self.n_features_in_ = table(X, self).shape[1]
        return self

    def transform(self, X, copy=None):
        """The scaled rows."""
        X = table(X, self)
        if self.norm not in ("l1", "l2", "max"):
            raise ValueError(f"norm must be 'l1', 'l2' or 'max', got {self.norm!r}")
        size = np.abs(X)
        norms = {"l1": size.sum(1), "l2": np.sqrt((X * X).sum(1)), "max": size.max(1)}[self.norm]
        return X / _nonzero(norms)[:, None]
