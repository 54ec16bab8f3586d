"""``BatchNormalization``."""

from minidl.autograd.modes import no_grad
from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.layers.arguments import Described
from minidl.nn import functional as F

__all__ = ["BatchNormalization"]


class BatchNormalization(Described):
    """gamma (x - mean) / sqrt(variance + epsilon) + beta, for every feature of ``axis``.

    In training, mean and (biased) variance are the batch's, and the moving ones go to momentum moving + (1 - momentum)
    batch; otherwise, and where the layer is not trainable, the moving ones are used. A mask leaves steps out.

    Weights: ``gamma``, ``beta``, ``moving_mean``, ``moving_variance``, each (features,).
    Source: S. Ioffe, C. Szegedy, "Batch normalization", 2015; Keras' ``BatchNormalization``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> layer = keras.layers.BatchNormalization()
    >>> layer(np.array([[1.0], [3.0]]), training=True)
    tensor([[-0.9995],
            [ 0.9995]], grad_fn=<NativeBatchNormBackward0>)
    >>> layer.moving_mean.numpy()
    array([0.02], dtype=float32)
    """

    takes_integers = True
    supports_masking = True

    def __init__(
        self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
        gamma_initializer="ones", moving_mean_initializer="zeros", moving_variance_initializer="ones",
        beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, renorm=False,
        renorm_clipping=None, renorm_momentum=0.99, synchronized=False, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if renorm or synchronized:
            raise NotImplementedError(
                "BatchNormalization(renorm=True) and synchronized=True are not supported. Hint: leave them out, or use "
                "LayerNormalization or GroupNormalization, which need no statistics of the batch."
            )
        axis = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
        self.keep(
            axis=axis, momentum=float(momentum), epsilon=float(epsilon), center=center, scale=scale,
            beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer, beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
            renorm=renorm, renorm_clipping=renorm_clipping, renorm_momentum=renorm_momentum,
            synchronized=synchronized,
        )  # fmt: skip

    def build(self, input_shape):
        size = input_shape[self.axis]
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape=(size,), name="gamma", initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                shape=(size,), name="beta", initializer=self.beta_initializer, regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )  # fmt: skip
        for name in ("moving_mean", "moving_variance"):
            initializer = getattr(self, f"{name}_initializer")
            weight = self.add_weight(shape=(size,), name=name, initializer=initializer, trainable=False)
            setattr(self, name, weight)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs, training=None, mask=None):
        mean, variance = self._own_weights[-2:]  # themselves, not what mixed precision reads in their place
        low = inputs.dtype.itemsize < mean.dtype.itemsize
        x = inputs.to(mean.dtype) if low else inputs
        moved = x if self.axis in (1, 1 - x.ndim) else x.movedim(self.axis, 1)
        gamma, beta = self._affine(mean.dtype)
        count = moved.numel() // max(moved.shape[1], 1)
        if not (training and self._trainable):
            out = F.batch_norm(moved, mean, variance, gamma, beta, False, 0.0, self.epsilon)
        elif mask is None and count > 1:
            out = self._by_batch(moved, mean, variance, gamma, beta, count)
        else:
            out = self._by_moments(moved, mean, variance, gamma, beta, mask)
        out = out if moved is x else out.movedim(1, self.axis)
        return out.to(inputs.dtype) if low else out

    def _affine(self, dtype):
        found = (self.gamma, self.beta)
        return [w if w is None or w.dtype == dtype else w.to(dtype) for w in found]

    def _by_batch(self, x, mean, variance, gamma, beta, count):
        """The fused op, whose moving variance is of the unbiased one: scaled before, so that it is of the biased."""
        unbias = count / (count - 1)
        with no_grad():
            variance.mul_(unbias)
        out = F.batch_norm(x, mean, variance, gamma, beta, True, 1 - self.momentum, self.epsilon)
        with no_grad():
            variance.mul_(1 / unbias)
        return out

    def _by_moments(self, x, mean, variance, gamma, beta, mask):
        """The definition, for steps with a mask, or a single value a feature."""
        dims = (0, *range(2, x.ndim))
        if mask is None:
            center, spread = x.mean(dims), x.var(dims, correction=0)
        else:
            weight = mask.to(x.dtype).reshape(mask.shape[0], 1, *mask.shape[1:])
            weight = weight.reshape(*weight.shape, *[1] * (x.ndim - weight.ndim)).expand(*x.shape)
            total = weight.sum(dims) + 1e-7
            center = (x * weight).sum(dims) / total
            spread = ((x - center.reshape(-1, *[1] * (x.ndim - 2))).square() * weight).sum(dims) / total
        with no_grad():
            for moving, batch in ((mean, center), (variance, spread)):
                moving.mul_(self.momentum).add_(batch.detach(), alpha=1 - self.momentum)
        ones = [1] * (x.ndim - 2)
        out = (x - center.reshape(-1, *ones)) * (spread + self.epsilon).rsqrt().reshape(-1, *ones)
        if gamma is not None:
            out = out * gamma.reshape(-1, *ones)
        return out if beta is None else out + beta.reshape(-1, *ones)

    def compute_output_shape(self, input_shape):
        return input_shape
