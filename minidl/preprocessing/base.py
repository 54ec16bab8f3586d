"""What the transformers share: parameters by name, ``fit_transform``, the checks of a table."""

import inspect

import numpy as np


class Transformer:
    """Base: ``fit``, ``transform``, ``fit_transform``; ``get_params`` and ``set_params`` as scikit-learn asks."""

    def fit_transform(self, X, y=None):
        """``fit(X)``, then ``transform(X)``."""
        return self.fit(X, y).transform(X)

    def get_params(self, deep=True):
        """The constructor's arguments."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params):
        """Sets arguments; ``ValueError`` for one that is none."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(
                    f"Invalid parameter {name!r} for {type(self).__name__}. Valid: {list(known)}."
                )
            setattr(self, name, value)
        return self

    def _fitted(self, attribute):
        if not hasattr(self, attribute):
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments before "
                "using this estimator."
            )

    def __repr__(self):
        defaults = inspect.signature(type(self)).parameters
        changed = {k: v for k, v in self.get_params().items() if not _equal(v, defaults[k].default)}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in changed.items())})"


class NotFittedError(ValueError, AttributeError):
    """``transform`` came before ``fit``."""


def _equal(a, b):
    return a is b or (isinstance(a, (str, int, float, bool, tuple)) and a == b)


def host(values):
    """An array on the host, of NumPy, pandas, lists or tensors."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.asarray(values)


def table(X, owner, features=None):
    """A float table (N, F): float32 stays, other numbers become float64.

    ``ValueError`` for another rank, no rows, what is not finite or no number, or another number of columns.
    """
    array = host(X)
    name = type(owner).__name__
    if array.dtype.kind not in "fiub":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                f"{name} takes numbers, but got {array.dtype}: encode text first, with OneHotEncoder"
            ) from (None)
    if array.ndim != 2:
        hint = (
            " Reshape your data using array.reshape(-1, 1) if it is one feature." if array.ndim == 1 else ""
        )
        raise ValueError(f"Expected 2D array, got {array.ndim}D array instead: shape={array.shape}.{hint}")
    if not array.shape[0]:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={array.shape}) while a minimum of 1 is required by {name}."
        )
    if array.dtype != np.float32:
        array = array.astype(np.float64)
    if np.isinf(array).any():
        raise ValueError(f"Input X contains infinity or a value too large for {array.dtype}.")
    if features is not None and array.shape[1] != features:
        raise ValueError(
            f"X has {array.shape[1]} features, but {name} is expecting {features} features as input."
        )
    return array
