"""Makes a gradient fit its input: sums out what was broadcast, casts to the input's dtype, checks both."""

from minidl import backends, dtypes
from minidl.autograd.op import op


@op(input=lambda g, input_shape: broadcast_shape_to(g, input_shape), method=False, faces=())
def sum_to_shape(input, shape):
    """Sums ``input`` over the dimensions that broadcasting from ``shape`` added or stretched."""
    added = input.ndim - len(shape)
    stretched = tuple(i + added for i, n in enumerate(shape) if n == 1 and input.shape[i + added] != 1)
    space = backends.of(input)
    out = space.sum(input, (*range(added), *stretched), True)
    return space.reshape(out, tuple(shape))


@op(input=lambda g, input_shape: sum_to_shape(g, input_shape), method=False, faces=())
def broadcast_shape_to(input, shape):
    """Broadcasts ``input`` to ``shape``."""
    return backends.of(input).broadcast_to(input, tuple(shape))


@op(input=lambda g, input_dtype: cast_to_dtype(g, input_dtype), method=False, faces=())
def cast_to_dtype(input, dtype):
    """``input`` in a NumPy dtype."""
    return backends.of(input).astype(input, dtype)


@op(input=lambda g: g, other=lambda g: g, method=False, faces=())
def accumulate(input, other):
    """The sum of two gradients of one tensor."""
    return backends.of(input).add(input, other)


def conform(g, target, slot, boxed):
    """``g`` in the shape and dtype of output ``slot`` of ``target``. Raises ``RuntimeError`` where it
    cannot have come from it.
    """
    shape, dtype = target.shape, target.dtype
    if shape.__class__ is list:
        shape, dtype = shape[slot], dtype[slot]
    have = g.shape if not boxed else tuple(g._array.shape)
    if have != shape:
        if not broadcasts(shape, have):
            raise RuntimeError(
                f"a gradient of shape {list(have)} reached {target.name()}, whose output has shape {list(shape)}: "
                "the rule that made it is wrong"
            )
        g = sum_to_shape(g, shape) if boxed else sum_to_shape.op.forward(g, shape)
    if (g._array if boxed else g).dtype != dtype:
        if not dtypes.is_floating((g._array if boxed else g).dtype):
            raise RuntimeError(
                f"a gradient of dtype {g.dtype} reached {target.name()}: the rule that made it is wrong"
            )
        g = cast_to_dtype(g, dtype) if boxed else cast_to_dtype.op.forward(g, dtype)
    return g


def broadcasts(small, large):
    """Whether broadcasting ``small`` gives ``large``."""
    if len(small) > len(large):
        return False
    return all(s in (1, n) for s, n in zip(reversed(small), reversed(large), strict=False))
