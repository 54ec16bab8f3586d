"""Initializers: objects that make a tensor of a shape. An object with a seed gives the same values every time.

>>> from minidl import keras
>>> keras.initializers.get("zeros")((2, 2))
tensor([[0., 0.],
        [0., 0.]])
"""

import math

import numpy as np

from minidl import diag, dtypes, eye, full, qr, rand, randn, sign
from minidl.keras.draws import TRUNCATED_STDDEV, compute_fans, drawn, sizes, truncated
from minidl.keras.identifiers import Identifiers
from minidl.keras.settings import make_default_seed, named_dtype
from minidl.keras.tensors import to_tensor
from minidl.ops.generator import Generator

__all__ = [
    "STFT", "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "Initializer",
    "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal",
    "VarianceScaling", "Zeros", "deserialize", "get", "serialize",
]  # fmt: skip


class Initializer:
    """Base of the initializers: ``__call__(shape, dtype=None)`` gives a tensor, ``get_config`` what makes it again."""

    def __call__(self, shape, dtype=None):
        raise NotImplementedError("Initializer subclasses must implement the `__call__()` method.")

    def get_config(self):
        """The arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config):
        """The object that ``get_config`` describes; the key ``dtype`` of Keras 2 is left out."""
        return cls(**{name: value for name, value in config.items() if name != "dtype"})

    def clone(self):
        """Another one, of the same config."""
        return type(self).from_config(self.get_config())


class Zeros(Initializer):
    """All 0."""

    def __call__(self, shape, dtype=None):
        return full(sizes(shape), 0, dtype=named_dtype(dtype))


class Ones(Initializer):
    """All 1."""

    def __call__(self, shape, dtype=None):
        return full(sizes(shape), 1, dtype=named_dtype(dtype))


class Constant(Initializer):
    """All ``value``: a number, or an array that broadcasts to the shape."""

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        value = to_tensor(self.value, named_dtype(dtype))
        return value.expand(sizes(shape)).clone()

    def get_config(self):
        """``value``."""
        value = self.value
        return {"value": np.asarray(value).tolist() if hasattr(value, "__array__") else value}


class Identity(Initializer):
    """``gain`` times the identity matrix; two dimensions, else ``ValueError``."""

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        shape = sizes(shape)
        if len(shape) != 2:
            raise ValueError(
                "Identity matrix initializer can only be used for 2D matrices. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        return self.gain * eye(*shape, dtype=named_dtype(dtype))

    def get_config(self):
        """``gain``."""
        return {"gain": self.gain}


class RandomInitializer(Initializer):
    """Base of those that draw: every call of one object draws from its seed anew, so gives the same values."""

    def __init__(self, seed=None):
        if seed is not None and not isinstance(seed, (int, np.integer, Generator)):
            raise ValueError(
                f"`seed` argument should be an integer or a `minidl.Generator`. Received: seed={seed}"
            )
        self.seed = seed
        self._seed = make_default_seed() if seed is None else seed

    def _generator(self):
        if isinstance(self._seed, Generator):
            return self._seed
        return Generator().manual_seed(int(self._seed))

    def get_config(self):
        """``seed``."""
        return {"seed": None if isinstance(self.seed, Generator) else self.seed}


class RandomNormal(RandomInitializer):
    """N(``mean``, ``stddev``^2)."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape, dtype=None):
        return drawn(randn, shape, dtype, self._generator(), lambda x: x * self.stddev + self.mean)

    def get_config(self):
        """``mean``, ``stddev``, ``seed``."""
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomNormal):
    """N(``mean``, ``stddev``^2) without the values beyond two standard deviations, by the inverse distribution."""

    def __call__(self, shape, dtype=None):
        return drawn(rand, shape, dtype, self._generator(), lambda u: truncated(u) * self.stddev + self.mean)


class RandomUniform(RandomInitializer):
    """U[``minval``, ``maxval``); an integer dtype draws integers."""

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape, dtype=None):
        low, high = self.minval, self.maxval
        if dtype is not None and not named_dtype(dtype).is_floating_point:
            values = rand(*sizes(shape), dtype=dtypes.float64, generator=self._generator())
            return (values * (high - low) + low).floor().to(named_dtype(dtype))
        return drawn(rand, shape, dtype, self._generator(), lambda u: u * (high - low) + low)

    def get_config(self):
        """``minval``, ``maxval``, ``seed``."""
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


class VarianceScaling(RandomInitializer):
    """Draws with variance ``scale`` / n, where n is ``fan_in``, ``fan_out`` or their mean, ``fan_avg``.

    ``distribution`` is ``truncated_normal`` (whose cut is made up for), ``untruncated_normal`` or ``uniform``.
    A kernel's fans are its last two sizes times the product of the others; ``input_axes`` and ``output_axes``
    say otherwise. Raises ``ValueError`` for arguments that are none of these.

    >>> from minidl import keras
    >>> tuple(keras.initializers.VarianceScaling(seed=1)((3, 4)).shape)
    (3, 4)
    """

    def __init__(
        self, scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None, input_axes=None, output_axes=None
    ):  # fmt: skip
        if scale <= 0.0:
            raise ValueError(f"Argument `scale` must be positive float. Received: scale={scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(
                "Invalid `mode` argument: {!r}. Please use one of {}".format(
                    mode, {"fan_in", "fan_out", "fan_avg"}
                )
            )
        distribution = {"normal": "truncated_normal"}.get(
            str(distribution).lower(), str(distribution).lower()
        )
        allowed = ("uniform", "truncated_normal", "untruncated_normal")
        if distribution not in allowed:
            raise ValueError(f"Invalid `distribution` argument:{distribution}. Please use one of {allowed}")
        super().__init__(seed)
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def __call__(self, shape, dtype=None):
        shape = sizes(shape)
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        variance = self.scale / max(1.0, count)
        generator = self._generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return drawn(rand, shape, dtype, generator, lambda u: u * (2 * limit) - limit)
        if self.distribution == "untruncated_normal":
            return drawn(randn, shape, dtype, generator, lambda x: x * math.sqrt(variance))
        stddev = math.sqrt(variance) / TRUNCATED_STDDEV
        return drawn(rand, shape, dtype, generator, lambda u: truncated(u) * stddev)

    def get_config(self):
        """The constructor's arguments."""
        return {
            "scale": self.scale, "mode": self.mode, "distribution": self.distribution, **super().get_config(),
            "input_axes": self.input_axes, "output_axes": self.output_axes,
        }  # fmt: skip


class _Fixed(VarianceScaling):
    """A VarianceScaling whose scale, mode and distribution are its class's."""

    scaling = (1.0, "fan_in", "truncated_normal")

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(*self.scaling, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self):
        """``seed``; the axes only where they were given, for older readers."""
        config = {"seed": None if isinstance(self.seed, Generator) else self.seed}
        if self.input_axes is not None or self.output_axes is not None:
            config.update(input_axes=self.input_axes, output_axes=self.output_axes)
        return config


class GlorotUniform(_Fixed):
    """U(-l, l), l = sqrt(6 / (fan_in + fan_out)). Source: X. Glorot, Y. Bengio, AISTATS 2010."""

    scaling = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Fixed):
    """Truncated normal of variance 2 / (fan_in + fan_out). Source: X. Glorot, Y. Bengio, AISTATS 2010."""

    scaling = (1.0, "fan_avg", "truncated_normal")


class LecunNormal(_Fixed):
    """Truncated normal of variance 1 / fan_in. Source: Y. LeCun et al., "Efficient BackProp", 1998."""


class LecunUniform(_Fixed):
    """U(-l, l), l = sqrt(3 / fan_in). Source: Y. LeCun et al., "Efficient BackProp", 1998."""

    scaling = (1.0, "fan_in", "uniform")


class HeNormal(_Fixed):
    """Truncated normal of variance 2 / fan_in. Source: K. He et al., ICCV 2015."""

    scaling = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Fixed):
    """U(-l, l), l = sqrt(6 / fan_in). Source: K. He et al., ICCV 2015."""

    scaling = (2.0, "fan_in", "uniform")


class Orthogonal(RandomInitializer):
    """``gain`` times a matrix with orthonormal rows or columns (whichever are fewer), uniform among those.

    More than two dimensions are folded into rows. Source: A. Saxe et al., ICLR 2014.
    """

    def __init__(self, gain=1.0, seed=None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape, dtype=None):
        shape = sizes(shape)
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        wide = max(rows, columns), min(rows, columns)
        q, r = qr(randn(*wide, generator=self._generator()))
        q = q * sign(diag(r))
        q = q.t() if rows < columns else q
        return (self.gain * q).reshape(shape).to(named_dtype(dtype))

    def get_config(self):
        """``gain``, ``seed``."""
        return {"gain": self.gain, **super().get_config()}


class STFT(Initializer):
    """The kernel of a convolution that is the short-time Fourier transform: (length, 1, bins).

    ``side`` is ``real`` or ``imag``; ``window`` a name (hann, hamming, tukey or any of SciPy's where that is
    there), an array or None; ``scaling`` is ``density``, ``spectrum`` or None.
    """

    def __init__(self, side="real", window="hann", scaling="density", periodic=False):
        if side not in ("real", "imag"):
            raise ValueError(f"side should be 'real' or 'imag', not {side}")
        if scaling not in ("density", "spectrum", None):
            raise ValueError(
                f"Scaling is invalid, must be `density`, `spectrum` or None. Received scaling={scaling}"
            )
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def __call__(self, shape, dtype=None):
        length, _, bins = sizes(shape)
        size = (bins - 1) * 2
        angle = np.arange(length)[:, None] * np.arange(bins)[None] * (2 * np.pi / size)
        window = self._samples(length)
        norm = {
            "density": math.sqrt(np.sum(window**2)), "spectrum": math.fabs(np.sum(window)), None: 1.0
        }[self.scaling]  # fmt: skip
        wave = np.cos(angle) if self.side == "real" else -np.sin(angle)
        return to_tensor((wave * (window / norm)[:, None])[:, None, :], named_dtype(dtype))

    def _samples(self, length):
        if self.window is None:
            return np.ones(length)
        if not isinstance(self.window, str):
            return np.asarray(self.window, dtype=np.float64)
        cosine = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46)}.get(self.window)
        if cosine is None:
            raise NotImplementedError(
                f"window {self.window!r} is not supported: pass its samples as an array, or 'hann' or 'hamming'"
            )
        period = length if self.periodic else max(length - 1, 1)
        return cosine[0] - cosine[1] * np.cos(2 * np.pi * np.arange(length) / period)

    def get_config(self):
        """The constructor's arguments."""
        return {"side": self.side, "window": self.window, "scaling": self.scaling, "periodic": self.periodic}


_CLASSES = (
    Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform, Ones, Orthogonal,
    RandomNormal, RandomUniform, STFT, TruncatedNormal, VarianceScaling, Zeros,
)  # fmt: skip
_ALIASES = {"uniform": "RandomUniform", "normal": "RandomNormal", "one": "Ones", "zero": "Zeros"}
_ALIASES.update({f"{name}Initializer": name for name in ("Identity", "Orthogonal", "STFT")})
_KNOWN = Identifiers("initializer", "keras.initializers", _CLASSES, aliases=_ALIASES)


def get(identifier):
    """The initializer of a name, a config, a class, a callable or (Keras 3) an array, which becomes a Constant."""
    if hasattr(identifier, "__array__") and not callable(identifier):
        return Constant(identifier)
    return _KNOWN.get(identifier)


def serialize(initializer):
    """A dict from which ``deserialize`` makes the initializer again."""
    return _KNOWN.serialize(initializer)


def deserialize(config, custom_objects=None):
    """The initializer of a dict of Keras 2 or 3."""
    return _KNOWN.deserialize(config, custom_objects)


# The snake-case names that Keras keeps beside the classes.
IdentityInitializer, OrthogonalInitializer, STFTInitializer = Identity, Orthogonal, STFT
constant, identity, ones, orthogonal, stft, zeros = Constant, Identity, Ones, Orthogonal, STFT, Zeros
glorot_normal, glorot_uniform, he_normal, he_uniform = GlorotNormal, GlorotUniform, HeNormal, HeUniform
lecun_normal, lecun_uniform, variance_scaling = LecunNormal, LecunUniform, VarianceScaling
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
