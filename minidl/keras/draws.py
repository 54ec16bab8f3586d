"""How initializers draw: the sizes, the fans of a kernel, the cut normal distribution."""

import math

from minidl import dtypes, erfinv
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
