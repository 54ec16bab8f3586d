"""Normalisation of each sample by itself: Layer-, Group-, RMS- and UnitNormalization."""

from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.layers.arguments import Described
from minidl.nn import functional as F

__all__ = ["GroupNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization"]


class SampleNormalization(Described):
    """What they share: output like the input, ``gamma`` and ``beta`` where they are asked for."""

    takes_integers = True
    supports_masking = True

    def make_affine(self, shape):
        """Adds ``gamma`` and ``beta`` of ``shape``."""
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape=shape, name="gamma", initializer=self.gamma_initializer, regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                shape=shape, name="beta", initializer=self.beta_initializer, regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )  # fmt: skip

    def compute_output_shape(self, input_shape):
        return input_shape


def _axes(axis, ndim):
    return [a % ndim for a in (axis if isinstance(axis, (list, tuple)) else [axis])]


def _over_last(normalized, x, axes):
    """``normalized`` of x with ``axes`` moved to the end, and moved back."""
    last = list(range(x.ndim - len(axes), x.ndim))
    if axes == last:
        return normalized(x)
    return normalized(x.movedim(tuple(axes), tuple(last))).movedim(tuple(last), tuple(axes))


class LayerNormalization(SampleNormalization):
    """gamma (x - mean) / sqrt(variance + epsilon) + beta, over ``axis`` (one, or a list) of each sample.

    ``gamma`` and ``beta`` have the sizes of the axes. Source: J. Ba et al., 2016; Keras' ``LayerNormalization``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.LayerNormalization()(np.array([[1.0, 3.0]])).tolist()
    [[-0.9995003938674927, 0.9995003938674927]]
    """

    def __init__(
        self, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros", gamma_initializer="ones",
        beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None,
        rms_scaling=False, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if rms_scaling:
            raise NotImplementedError("LayerNormalization(rms_scaling=True): use RMSNormalization()")
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(
                f"Expected an int or a list/tuple of ints for the argument 'axis', but received instead: {axis}"
            )
        self.keep(
            axis=list(axis) if isinstance(axis, tuple) else axis, epsilon=float(epsilon), center=center, scale=scale,
            rms_scaling=False, beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer, gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
        )  # fmt: skip

    def build(self, input_shape):
        self.axes = sorted(_axes(self.axis, len(input_shape)))
        self.sizes = tuple(input_shape[a] for a in self.axes)
        self.make_affine(self.sizes)

    def call(self, inputs):
        return _over_last(
            lambda x: F.layer_norm(x, self.sizes, self.gamma, self.beta, self.epsilon), inputs, self.axes
        )


class GroupNormalization(SampleNormalization):
    """Normalises ``groups`` groups of the features of ``axis``, each over itself and all positions.

    ``groups=-1`` makes each feature its own group. Source: Y. Wu, K. He, 2018; Keras' ``GroupNormalization``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.GroupNormalization(groups=2)(np.ones((1, 3, 4))).shape
    torch.Size([1, 3, 4])
    """

    def __init__(
        self, groups=32, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
        gamma_initializer="ones", beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
        gamma_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.keep(
            groups=groups, axis=axis, epsilon=float(epsilon), center=center, scale=scale,
            beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer, gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
        )  # fmt: skip

    def build(self, input_shape):
        size = input_shape[self.axis]
        if size is None:
            raise ValueError(
                f"Axis {self.axis} of input tensor should have a defined dimension but the layer received an "
                f"input with shape {tuple(input_shape)}."
            )
        if self.groups == -1:
            self.groups = size
        if size < self.groups or size % self.groups:
            raise ValueError(
                f"Number of groups ({self.groups}) must be a divisor of the number of channels ({size})."
            )
        self.make_affine((size,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs):
        axis = self.axis % inputs.ndim
        x = inputs.movedim(axis, 1)
        return F.group_norm(x, self.groups, self.gamma, self.beta, self.epsilon).movedim(1, axis)


class RMSNormalization(Described):
    """scale x / sqrt(mean(x^2) + epsilon) over ``axis``. Source: B. Zhang, R. Sennrich, 2019.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RMSNormalization()(np.array([[3.0, 4.0]])).detach()
    tensor([[0.8485, 1.1314]])
    """

    takes_integers = True

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.keep(axis=axis, epsilon=epsilon)

    def build(self, input_shape):
        self.axes = _axes(self.axis, len(input_shape))
        self.sizes = tuple(input_shape[a] for a in self.axes)
        self.scale = self.add_weight(shape=self.sizes, name="scale", initializer="ones")

    def call(self, x):
        return _over_last(lambda y: F.rms_norm(y, self.sizes, self.scale, self.epsilon), x, self.axes)

    def compute_output_shape(self, input_shape):
        return input_shape


class UnitNormalization(Described):
    """x / |x|, the Euclidean length over ``axis`` (one, or a list).

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.UnitNormalization()(np.array([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """

    takes_integers = True
    supports_masking = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(
                f"Invalid value for `axis` argument: expected an int or a list/tuple of ints. Received: axis={axis}"
            )
        self.keep(axis=list(axis) if isinstance(axis, tuple) else axis)
        self.built = True

    def call(self, inputs):
        axes = tuple(_axes(self.axis, inputs.ndim))
        return inputs / inputs.square().sum(axes, True).clamp(min=1e-12).sqrt()

    def compute_output_shape(self, input_shape):
        return input_shape
