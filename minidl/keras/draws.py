"""How initializers and random layers draw: sizes, fans of a kernel, the cut normal, gamma and beta distributions."""

import math

from minidl import as_tensor, dtypes, erfinv, ones, rand, randn, where, zeros
from minidl.keras.settings import named_dtype

TRUNCATED_STDDEV = 0.87962566103423978  # of a standard normal that is cut at -2 and 2


def sizes(shape):
    """A shape as a tuple of ints."""
    return (shape,) if isinstance(shape, int) else tuple(int(size) for size in shape)


def drawn(draw, shape, dtype, generator, scaled):
    """Values drawn and scaled in float32 (float64 where that is asked for), then in the dtype."""
    wanted = named_dtype(dtype)
    work = dtypes.float64 if wanted.itemsize == 8 else dtypes.float32
    return scaled(draw(*sizes(shape), dtype=work, generator=generator)).to(wanted)


def truncated(uniform):
    """The standard normal cut at -2 and 2, from U[0, 1)."""
    inside = math.erf(math.sqrt(2.0))  # the mass between -2 and 2
    return (math.sqrt(2.0) * erfinv((2 * uniform - 1) * inside)).clamp(-2.0, 2.0)


def compute_fans(shape, input_axes=None, output_axes=None):
    """``(fan_in, fan_out)`` of a kernel in Keras' layout: (spatial..., in, out)."""
    shape = tuple(shape)
    if input_axes is not None or output_axes is not None:
        inputs = [a % len(shape) for a in input_axes or ()]
        outputs = [a % len(shape) for a in output_axes or ()]
        field = math.prod(size for axis, size in enumerate(shape) if axis not in (*inputs, *outputs))
        return math.prod(shape[a] for a in inputs) * field, math.prod(shape[a] for a in outputs) * field
    if len(shape) < 1:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def _log_gamma_draw(shape, alpha, generator):
    """Logarithms of draws of the gamma distribution: those of a small ``alpha`` are below every number.

    Source: G. Marsaglia, W. Tsang, "A simple method for generating gamma variables", 2000.
    """
    alpha = as_tensor(alpha).to(dtypes.float64).cpu().expand(shape)
    d = where(alpha < 1, alpha + 1, alpha) - 1 / 3
    c = 1 / (9 * d).sqrt()
    found, waiting = zeros(shape, dtype=d.dtype), ones(shape, dtype=dtypes.bool_)
    while bool(waiting.any()):
        x, u = (draw(*shape, dtype=d.dtype, generator=generator) for draw in (randn, rand))
        log_v = 3 * (1 + c * x).clamp(min=1e-300).log()
        fits = (1 + c * x > 0) & (u.clamp(min=1e-300).log() < 0.5 * x * x + d * (1 - log_v.exp() + log_v))
        found, waiting = where(waiting & fits, d.log() + log_v, found), waiting & ~fits
    u = rand(*shape, dtype=d.dtype, generator=generator).clamp(min=1e-300)
    return where(alpha < 1, found + u.log() / alpha, found)


def gamma_draw(shape, alpha, generator):
    """Of the gamma distribution of shape ``alpha`` and scale 1, float64."""
    return _log_gamma_draw(sizes(shape), alpha, generator).exp()


def beta_draw(shape, alpha, beta, generator):
    """Of the beta distribution, float64."""
    a, b = (_log_gamma_draw(sizes(shape), v, generator) for v in (alpha, beta))
    return (a - b).sigmoid()
