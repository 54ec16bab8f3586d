"""Shapes: views where strides allow, copies where not."""

QUIET = True  # no floating-point warnings and no scalar results here: bound without the guard against them


def reshape(xp, input, shape):
    """View where the strides allow it."""
    return input.reshape(shape)


def permute(xp, input, dims):
    """View."""
    return xp.transpose(input, dims)


def broadcast_to(xp, input, shape):
    """View; rows that do not share memory may be written."""
    out = xp.broadcast_to(input, shape)
    if getattr(input.flags, "writeable", False):
        out.flags.writeable = True
    return out


def squeeze(xp, input, dims):
    """View."""
    return xp.squeeze(input, axis=dims)


def unsqueeze(xp, input, dim):
    """View."""
    return input[(slice(None),) * dim + (None,)]


def getitem(xp, input, index):
    """Basic (view) or advanced (copy) indexing with slices, ints, None, Ellipsis, integer and boolean arrays.

    Where every dimension gets an int, an Ellipsis added to the index keeps the result a 0-d view.
    """
    if index.__class__ is int:
        return input[index, ...]
    out = input[index]
    return out if out.__class__ is input.__class__ else input[(*index, ...)]


def flip(xp, input, dims):
    return xp.flip(input, axis=dims).copy()


def roll(xp, input, shifts, dims):
    return xp.roll(input, shifts, axis=dims)


def tile(xp, input, repeats):
    return xp.tile(input, repeats)


def repeat_interleave(xp, input, repeats, dim):
    return xp.repeat(input, repeats, axis=dim)


def concatenate(xp, arrays, dim):
    return xp.concatenate(arrays, axis=dim)


def stack(xp, arrays, dim):
    return xp.stack(arrays, axis=dim)


def pad(xp, input, widths, value):
    """Constant padding; ``widths`` is (before, after) for each dimension, negative ones crop."""
    crop = tuple(slice(max(-b, 0), n - max(-a, 0)) for n, (b, a) in zip(input.shape, widths, strict=True))
    grow = tuple((max(b, 0), max(a, 0)) for b, a in widths)
    return xp.pad(input[crop], grow, mode="constant", constant_values=value)


def tril(xp, input, diagonal):
    return xp.tril(input, diagonal)


def triu(xp, input, diagonal):
    return xp.triu(input, diagonal)


def diagonal(xp, input, offset, dim1, dim2):
    """View."""
    out = xp.diagonal(input, offset, dim1, dim2)
    if getattr(input.flags, "writeable", False):
        out.flags.writeable = True
    return out


def diagonal_zeros(xp, g, shape, offset, dim1, dim2):
    """Zeros of ``shape`` with ``g`` on a diagonal."""
    out = xp.zeros(shape, g.dtype)
    diagonal(xp, out, offset, dim1, dim2)[...] = g
    return out


def copy(xp, input):
    """Contiguous copy."""
    return xp.array(input, order="C", copy=True)


def contiguous(xp, input):
    """The array itself where it is contiguous, else a copy."""
    return xp.ascontiguousarray(input).reshape(input.shape)


def address(xp, input):
    return input.ctypes.data if hasattr(input, "ctypes") else input.data.ptr
