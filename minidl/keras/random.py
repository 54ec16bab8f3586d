"""``keras.random``: draws, from a seed, from a ``SeedGenerator``, or from the program's generator.

>>> from minidl import keras
>>> a, b = (keras.random.normal((2,), seed=3) for _ in range(2))
>>> bool((a == b).all())
True
"""

import minidl
from minidl.keras.draws import beta_draw, drawn, gamma_draw, truncated
from minidl.keras.ops.operation import floating, operation, tensor
from minidl.keras.settings import make_default_seed, named_dtype
from minidl.ops.generator import Generator

__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "shuffle",
    "truncated_normal", "uniform",
]  # fmt: skip


class SeedGenerator:
    """A row of seeds from a first one: every draw that is given it takes the next.

    >>> from minidl import keras
    >>> seeds = keras.random.SeedGenerator(1)
    >>> a, b = (keras.random.uniform((2,), seed=seeds) for _ in range(2))
    >>> bool((a == b).all())
    False
    """

    def __init__(self, seed=None, name=None, **kwargs):
        if seed is not None and (not isinstance(seed, int) or seed < 0):
            raise ValueError(f"Argument `seed` must be a non-negative integer. Received: seed={seed}")
        self._initial_seed = make_default_seed() if seed is None else seed
        self.name = name or "seed_generator"
        self.generator = Generator().manual_seed(self._initial_seed)

    def next(self, ordered=True):
        """The next seed."""
        return int(minidl.randint(0, 2**31 - 1, (1,), generator=self.generator))

    def get_config(self):
        """The first seed."""
        return {"seed": self._initial_seed}

    @classmethod
    def from_config(cls, config):
        """One that starts again."""
        return cls(**config)


def _generator(seed):
    """A generator for a draw; None is the program's."""
    if isinstance(seed, SeedGenerator):
        return seed.generator
    return None if seed is None else Generator().manual_seed(int(seed))


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Of the normal distribution."""
    return drawn(minidl.randn, shape, dtype, _generator(seed), lambda x: x * stddev + mean)


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Between ``minval`` and, without it, ``maxval``; whole numbers where the dtype is of those."""
    if dtype is not None and "int" in named_dtype(dtype).name:
        return randint(shape, minval, maxval, dtype, seed)
    return drawn(minidl.rand, shape, dtype, _generator(seed), lambda x: x * (maxval - minval) + minval)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Of the normal distribution, cut at two standard deviations."""
    return drawn(minidl.rand, shape, dtype, _generator(seed), lambda x: truncated(x) * stddev + mean)


def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Whole numbers from ``minval`` up to, but without, ``maxval``."""
    found = minidl.randint(int(minval), int(maxval), tuple(shape), generator=_generator(seed))
    return found.to(named_dtype(dtype))


def categorical(logits, num_samples, dtype="int32", seed=None):
    """``num_samples`` classes of each row of (N, classes) logits."""
    odds = minidl.softmax(floating(logits), -1)
    found = minidl.multinomial(odds, num_samples, replacement=True, generator=_generator(seed))
    return found.to(named_dtype(dtype))


@operation(name="random_dropout")
def dropout(inputs, rate, noise_shape=None, seed=None):
    """0 with probability ``rate``, else x / (1 - rate)."""
    x = floating(inputs)
    shape = tuple(x.shape if noise_shape is None else (n or s for n, s in zip(noise_shape, x.shape)))
    keep = minidl.rand(*shape, generator=_generator(seed), device=x.device) >= rate
    return minidl.where(keep, x / (1 - rate), x.new_zeros(()))


@operation(name="random_shuffle")
def shuffle(x, axis=0, seed=None):
    """The slices along ``axis`` in a random order."""
    x = tensor(x)
    order = minidl.randperm(x.shape[axis], generator=_generator(seed))
    return minidl.index_select(x, axis, order)


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """How many of ``counts`` trials succeed with the given probabilities."""
    counts, odds = (floating(v).expand(tuple(shape)).contiguous() for v in (counts, probabilities))
    return minidl.binomial(counts, odds, generator=_generator(seed)).to(named_dtype(dtype))


def gamma(shape, alpha, dtype=None, seed=None):
    """Of the gamma distribution of shape ``alpha`` and scale 1."""
    return gamma_draw(shape, floating(alpha), _generator(seed)).to(named_dtype(dtype))


def beta(shape, alpha, beta, dtype=None, seed=None):
    """Of the beta distribution."""
    return beta_draw(shape, floating(alpha), floating(beta), _generator(seed)).to(named_dtype(dtype))
