"""``SpectralNormalization``: a layer whose kernel's largest singular value is held at one."""

from minidl.autograd.modes import no_grad
from minidl.keras import initializers
from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.layers.wrapping import Wrapper
from minidl.keras.settings import epsilon
from minidl.ops.matmul import matmul

__all__ = ["SpectralNormalization"]


class SpectralNormalization(Wrapper):
    """Runs ``layer``; each training step first divides its kernel by an estimate of the largest singular value.

    The estimate takes ``power_iterations`` steps of the power method on the kernel as a matrix (..., units), from the
    vector ``vector_u`` (1, units), which is kept. Weights: the kernel, ``vector_u``, then the layer's others.
    Source: T. Miyato et al., 2018; Keras' ``SpectralNormalization``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> layer = keras.layers.SpectralNormalization(keras.layers.Dense(3), power_iterations=50)
    >>> _ = layer(np.ones((2, 4)), training=True)
    >>> round(float(np.linalg.norm(layer.layer.kernel.numpy(), 2)), 3)
    1.0
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                "`power_iterations` should be greater than zero. Received: "
                f"`power_iterations={power_iterations}`"
            )
        self.keep(power_iterations=power_iterations)

    def build(self, input_shape):
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        names = [name for name in ("kernel", "embeddings") if hasattr(self.layer, name)]
        if not names:
            raise ValueError(f"{type(self.layer).__name__} object has no attribute 'kernel' nor 'embeddings'")
        kernel = getattr(self.layer, names[0])
        object.__setattr__(
            self, "kernel", kernel
        )  # the layer's, which comes first among the weights of this one
        self._own_weights.append(kernel)
        self.vector_u = self.add_weight(
            shape=(1, kernel.shape[-1]), initializer=initializers.TruncatedNormal(stddev=0.02), trainable=False,
            name="vector_u",
        )  # fmt: skip

    def call(self, inputs, training=False):
        if training:
            self._divide()
        return self.layer(inputs).to(inputs.dtype)

    def _divide(self):
        with no_grad():
            kernel = self.kernel.tensor()
            matrix = kernel.reshape(-1, kernel.shape[-1])
            if not bool(matrix.any()):
                return
            u = self.vector_u.tensor()
            for _ in range(self.power_iterations):
                v = _unit(matmul(u, matrix.transpose(0, 1)))
                u = _unit(matmul(v, matrix))
            self.vector_u._write_tensor(u)
            self.kernel._write_tensor(kernel / matmul(matmul(v, matrix), u.transpose(0, 1)))

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)


def _unit(x):
    return x * x.square().sum().rsqrt().clamp(max=1 / epsilon())
