"""``Metric``: sums that grow batch by batch, and the number made of them."""

import contextlib

from minidl import where
from minidl.autograd.modes import no_grad
from minidl.keras.engine.naming import auto_name, to_snake_case
from minidl.keras.losses.base import same_rank
from minidl.keras.settings import floatx, named_dtype
from minidl.keras.state import make_state
from minidl.keras.tensors import to_float, to_tensor

__all__ = ["Mean", "MeanMetricWrapper", "Metric", "Sum"]


class Metric:
    """Base of the metrics: ``update_state(y_true, y_pred, sample_weight=None)``, ``result()``, ``reset_state()``.

    A subclass makes its sums with ``add_variable`` (``add_weight``) and calls ``super().__init__``. Calling the
    metric updates it and gives the result, a scalar tensor. Source: Keras' ``Metric``.

    >>> from minidl import keras
    >>> m = keras.metrics.MeanSquaredError()
    >>> m.update_state([[0.0], [1.0]], [[1.0], [1.0]])
    >>> float(m.result())
    0.5
    """

    _direction = None  # "up" where more is better, "down" where less is

    def __init__(self, dtype=None, name=None):
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self._dtype = dtype
        self._states = []

    @property
    def dtype(self):
        """The name of the dtype of the result."""
        return floatx() if self._dtype is None else named_dtype(self._dtype).name

    def add_variable(self, shape=(), initializer=None, dtype=None, name=None, **_):
        """A sum: a tensor of zeros (or of an initializer's values) that ``reset_state`` sets to zero."""
        if not hasattr(self, "_states"):
            raise RuntimeError(
                "You forgot to call `super().__init__()` in the `__init__()` method. Go add it!"
            )
        state = make_state(shape, initializer, dtype, name, f"{self.name}/{name or 'variable'}")
        self._states.append(state)
        return state

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None, **_):
        """``add_variable``; a first argument that is a string is the name, as in Keras 2."""
        if isinstance(shape, str):
            shape, name = (), shape
        return self.add_variable(shape, None if isinstance(initializer, str) else initializer, dtype, name)

    @property
    def variables(self):
        """The tensors of the state, those of metrics held by this one too."""
        held = [m for m in vars(self).values() if isinstance(m, Metric)]
        return [*self._states, *(state for metric in held for state in metric.variables)]

    weights = non_trainable_variables = variables

    def reset_state(self):
        """Starts anew."""
        for state in self.variables:
            with no_grad():
                state.zero_()

    def update_state(self, *args, **kwargs):
        """Adds a batch."""
        raise NotImplementedError(f"{type(self).__name__} defines no update_state()")

    def result(self):
        """The number so far, as a tensor."""
        raise NotImplementedError(f"{type(self).__name__} defines no result()")

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()

    # --- the same without a state of its own ----------------------------------------------------------------------

    def stateless_update_state(self, metric_variables, *args, **kwargs):
        """The values of ``variables`` after a batch that came to ``metric_variables``; the metric's own stay."""
        with self._holding(metric_variables):
            self.update_state(*args, **kwargs)
            return [state.clone() for state in self.variables]

    def stateless_result(self, metric_variables):
        """The result that ``metric_variables`` give; the metric's own stay."""
        with self._holding(metric_variables):
            return self.result()

    def stateless_reset_state(self):
        """The values of ``variables`` at the start; the metric's own stay."""
        with self._holding(self.variables):
            self.reset_state()
            return [state.clone() for state in self.variables]

    @contextlib.contextmanager
    def _holding(self, values):
        states = self.variables
        if len(values) != len(states):
            raise ValueError(
                f"Argument `metric_variables` must be a list of tensors corresponding 1:1 to "
                f"{type(self).__name__}().variables. Received list with length {len(values)}, but expected "
                f"{len(states)} variables."
            )
        with no_grad():
            kept = [state.clone() for state in states]
            try:
                for state, value in zip(states, values):
                    state.assign(value)
                yield
            finally:
                for state, value in zip(states, kept):
                    state.assign(value)

    def get_config(self):
        """The constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config):
        """The metric that ``get_config`` describes."""
        return cls(**config)

    def _out(self, value):
        with no_grad():
            out = value.to(named_dtype(self.dtype))
            return out.clone() if out is value else out  # the state itself goes on growing

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"


def ratio(above, below):
    """above / below, 0 where the divisor is 0."""
    return where(below == 0, below * 0, above / where(below == 0, below * 0 + 1, below))


def _inner(values, first, total):
    dims = tuple(range(first, values.ndim))
    if not dims:
        return values
    return values.sum(dims) if total else values.mean(dims)


def samplewise(values, sample_weight, total=False):
    """A value a sample and a weight a sample: inner dimensions averaged (or summed), weights multiplied in."""
    mask = getattr(values, "_keras_mask", None)
    values = to_float(values)
    if sample_weight is not None:
        weight = to_float(sample_weight, like=values)
        if mask is not None:
            masked, weight = same_rank(to_tensor(mask, like=values).to(values.dtype), weight)
            weight = weight * masked
        values, weight = same_rank(values, weight)
        values = _inner(values, weight.ndim, total) if values.ndim > weight.ndim else values
        weight = weight.expand(values.shape) if weight.shape != values.shape else weight
        values = values * weight
        sample_weight = _inner(weight, 1, total)
    return _inner(values, 1, total), sample_weight


class Sum(Metric):
    """The sum of what it is given, weighted.

    >>> from minidl import keras
    >>> float(keras.metrics.Sum()([1, 3, 5, 7]))
    16.0
    """

    def __init__(self, name="sum", dtype=None):
        super().__init__(dtype, name)
        self.total = self.add_variable(name="total")

    def update_state(self, values, sample_weight=None):
        """Adds values."""
        with no_grad():
            self.total.assign_add(samplewise(values, sample_weight, total=True)[0].sum())

    def result(self):
        """The sum."""
        return self._out(self.total)


class Mean(Metric):
    """The weighted mean of what it is given.

    >>> from minidl import keras
    >>> m = keras.metrics.Mean()
    >>> m.update_state([1, 3, 5, 7])
    >>> float(m.result())
    4.0
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(dtype, name)
        self.total = self.add_variable(name="total")
        self.count = self.add_variable(name="count")

    def update_state(self, values, sample_weight=None):
        """Adds values (N, ...), with weights (N, ...)."""
        with no_grad():
            if sample_weight is None and getattr(values, "_keras_mask", None) is None:
                values = to_float(values)
                rows = values.shape[0] if values.ndim else 1
                total, count = values.sum(), values.numel()
                if count != rows:  # the mean of the samples' means is the mean of all: one reduction
                    total = total * (rows / max(count, 1))
                self.total.assign_add(total)
                self.count.assign_add(float(rows))
                return
            values, weight = samplewise(values, sample_weight)
            self.total.assign_add(values.sum())
            if weight is None:
                self.count.assign_add(float(values.shape[0]) if values.ndim else 1.0)
            else:
                self.count.assign_add(weight.sum())

    def result(self):
        """The mean; 0 before anything was added."""
        with no_grad():
            self.count.follow(self.total)
            return self._out(ratio(self.total, self.count))


class MeanMetricWrapper(Mean):
    """The mean of ``fn(y_true, y_pred, **kwargs)``, a value a sample.

    >>> from minidl import keras
    >>> m = keras.metrics.MeanMetricWrapper(lambda y, p: (y - p).abs(), name="off")
    >>> float(m([1.0, 2.0], [1.0, 4.0]))
    1.0
    """

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self._fn, self._fn_kwargs = fn, kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch; a mask on ``y_pred`` leaves steps out."""
        with no_grad():
            mask = getattr(y_pred, "_keras_mask", None)
            y_pred = to_tensor(y_pred)
            values = self._fn(to_tensor(y_true, like=y_pred), y_pred, **self._fn_kwargs)
            if mask is not None:
                mask = to_float(to_tensor(mask, like=values))
                if sample_weight is None:
                    sample_weight = mask
                else:
                    mask, sample_weight = same_rank(mask, to_float(sample_weight, like=mask))
                    if sample_weight.ndim < mask.ndim:
                        sample_weight = sample_weight.reshape(*sample_weight.shape, *(1,) * (mask.ndim - 1))
                    sample_weight = sample_weight * mask
            super().update_state(values, sample_weight)

    def get_config(self):
        """The constructor's arguments; a wrapped function goes by its name."""
        config = {"name": self.name, "dtype": self.dtype, **self._fn_kwargs}
        return config if type(self) is not MeanMetricWrapper else {"fn": self._fn.__name__, **config}
