"""Activations as layers: ReLU, LeakyReLU, PReLU, ELU, ThresholdedReLU, Softmax; Identity, ActivityRegularization."""

from minidl.keras import activations, regularizers
from minidl.keras.dropped import warn
from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.layers.arguments import Described
from minidl.nn import functional as F
from minidl.ops.selection import where

__all__ = [
    "ELU",
    "ActivityRegularization",
    "Identity",
    "LeakyReLU",
    "PReLU",
    "ReLU",
    "Softmax",
    "ThresholdedReLU",
]  # fmt: skip


class Elementwise(Described):
    """A layer whose output has its input's shape."""

    takes_integers = True
    supports_masking = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True

    def compute_output_shape(self, input_shape):
        return input_shape


def _demand(name, value):
    if value is not None and value < 0:
        raise ValueError(
            f"{name} of a layer cannot be a negative value or None. Expected a non-negative float. "
            f"Received: {name}={value}"
        )


class ReLU(Elementwise):
    """max(x, 0); with ``max_value`` at most that, and below ``threshold`` negative_slope (x - threshold).

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.ReLU(max_value=1.0)(np.array([[-1.0, 0.5, 3.0]]))
    tensor([[0.0000, 0.5000, 1.0000]])
    """

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        _demand("max_value", max_value)
        for name, value in (("negative_slope", negative_slope), ("threshold", threshold)):
            _demand(name, -1 if value is None else value)
        self.keep(max_value=max_value, negative_slope=negative_slope, threshold=threshold)

    def call(self, inputs):
        if self.max_value is not None and not self.negative_slope and not self.threshold:
            return inputs.clamp(0.0, self.max_value)
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Elementwise):
    """x where x > 0, negative_slope x elsewhere; the slope is 0.3 unless given (``alpha`` is Keras 2's name).

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.LeakyReLU()(np.array([[-1.0, 2.0]]))
    tensor([[-0.3000,  2.0000]])
    """

    def __init__(self, negative_slope=0.3, **kwargs):
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warn("Argument `alpha` is deprecated. Use `negative_slope` instead.")
        super().__init__(**kwargs)
        _demand("negative_slope", -1 if negative_slope is None else negative_slope)
        self.keep(negative_slope=float(negative_slope))

    def call(self, inputs):
        return F.leaky_relu(inputs, self.negative_slope)


class ELU(Elementwise):
    """x where x > 0, alpha (exp(x) - 1) elsewhere. Source: D.-A. Clevert et al., 2015."""

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.keep(alpha=alpha)

    def call(self, inputs):
        return F.elu(inputs, self.alpha)


class ThresholdedReLU(Elementwise):
    """x where x > theta, 0 elsewhere. Keras 2's layer.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.ThresholdedReLU(theta=1.0)(np.array([[0.5, 2.0]]))
    tensor([[0., 2.]])
    """

    def __init__(self, theta=1.0, **kwargs):
        super().__init__(**kwargs)
        _demand("theta", -1 if theta is None else theta)
        self.keep(theta=float(theta))

    def call(self, inputs):
        return F.threshold(inputs, self.theta, 0.0)


class Softmax(Elementwise):
    """exp(x) / sum exp(x) over ``axis``; masked positions (mask False) get next to nothing.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Softmax()(np.zeros((1, 4)))
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.keep(axis=axis)

    def call(self, inputs, mask=None):
        if mask is not None:
            low = -3e4 if inputs.dtype.itemsize == 2 else -1e9
            inputs = inputs + (1.0 - mask.to(inputs.dtype)) * low
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        if isinstance(axis, int) and axis in (-1, inputs.ndim - 1):
            return self.activated(activations.softmax, inputs)
        return activations.softmax(inputs, axis)


class PReLU(Described):
    """x where x > 0, alpha x elsewhere, with a trained alpha for every feature.

    ``alpha`` has the input's shape without the batch, 1 on the ``shared_axes``; it starts at 0.
    Source: K. He et al., "Delving deep into rectifiers", 2015; Keras' ``PReLU``.

    >>> from minidl import keras
    >>> layer = keras.layers.PReLU(shared_axes=[1, 2])
    >>> layer.build((None, 8, 8, 3))
    >>> layer.alpha.shape
    torch.Size([1, 1, 3])
    """

    takes_integers = True
    supports_masking = True

    def __init__(
        self, alpha_initializer="Zeros", alpha_regularizer=None, alpha_constraint=None, shared_axes=None, **kwargs
    ):  # fmt: skip
        super().__init__(**kwargs)
        if isinstance(shared_axes, int):
            shared_axes = [shared_axes]
        self.keep(
            alpha_initializer=alpha_initializer, alpha_regularizer=alpha_regularizer,
            alpha_constraint=alpha_constraint, shared_axes=None if shared_axes is None else list(shared_axes),
        )  # fmt: skip

    def build(self, input_shape):
        shared = self.shared_axes or ()
        shape = tuple(1 if i in shared else n for i, n in enumerate(input_shape) if i > 0)
        self.alpha = self.add_weight(
            shape=shape, name="alpha", initializer=self.alpha_initializer, regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )  # fmt: skip
        axes = {i: n for i, n in enumerate(input_shape) if i > 0 and i not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def call(self, inputs):
        return where(inputs > 0, inputs, self.alpha * inputs)

    def compute_output_shape(self, input_shape):
        return input_shape


class Identity(Elementwise):
    """The inputs as they are."""

    takes_integers = False

    def call(self, inputs):
        return inputs


class ActivityRegularization(Elementwise):
    """Adds l1 sum |x| + l2 sum x^2, a sample, to the loss, and passes its inputs on."""

    takes_integers = False

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(**kwargs)
        self.activity_regularizer = regularizers.L1L2(l1=l1, l2=l2)
        self.keep(l1=l1, l2=l2)

    def call(self, inputs):
        return inputs

    def get_config(self):
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return config
