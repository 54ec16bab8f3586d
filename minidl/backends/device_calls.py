"""Handing device arrays to the kernels of ``minidl._cuda``: what the families of ``backends/cuda`` share."""

from math import prod

from minidl.backends import determinism


def view(array):
    """The array as the extension takes it: pointer, dtype character, shape, strides in bytes. None stays None.

    It does not keep the array alive: one that is made for the call alone needs a name until the call returns.
    """
    return None if array is None else (array.data.ptr, array.dtype.char, array.shape, array.strides)


def stream(xp):
    """The current stream as an integer."""
    return xp.cuda.get_current_stream().ptr


# What the user allowed: float32 products may round their operands to tf32.
matmul_rounding = {"tf32": False, "precision": "highest"}

_ACCUMULATOR = {"e": "f", "E": "f", "f": "f", "d": "d"}


def floats_alike(array, *others):
    """Whether arrays (None among the others is skipped) share a dtype that the kernels compute in."""
    dtype = array.dtype
    return dtype.char in "fd" and all(other is None or other.dtype == dtype for other in others)


def channels_last(array):
    """Whether neighbours in memory are channels, and not pixels as well."""
    strides = array.strides
    return array.shape[1] > 1 and strides[1] == array.itemsize and strides[-1] > strides[1]


def empty_images(xp, shape, like, dtype=None):
    """An array (N, C, *size) in the format of ``like``, and of its dtype where none is named."""
    dtype = dtype or like.dtype
    if not channels_last(like):
        return xp.empty(shape, dtype)
    rank = len(shape)
    return xp.empty((shape[0], *shape[2:], shape[1]), dtype).transpose(0, rank - 1, *range(1, rank - 1))


def broadcast_shape(first, second):
    """The shape that two shapes broadcast to, or None."""
    if first == second:
        return first
    short, long = sorted((first, second), key=len)
    short = (1,) * (len(long) - len(short)) + short
    if any(m != n and m != 1 and n != 1 for m, n in zip(short, long, strict=True)):
        return None
    return tuple(m if n == 1 else n for m, n in zip(short, long, strict=True))


def product(xp, ext, input, other):
    """The matrix product [..., M, K] x [..., K, N] by the extension, or NotImplemented."""
    a, b, dtype = input.shape, other.shape, input.dtype
    if dtype.char not in _ACCUMULATOR or other.dtype != dtype or len(a) < 2 or len(b) < 2 or a[-1] != b[-2]:
        return NotImplemented
    batch = broadcast_shape(a[:-2], b[:-2])
    if batch is None:
        return NotImplemented
    out = xp.empty((*batch, a[-2], b[-1]), dtype)
    multiply(xp, ext, view(input), view(other), out)
    return out


def multiply(xp, ext, input, other, out, bias=None, addend=None, alpha=1.0, beta=1.0, activation=""):
    """out = activation(alpha input other + beta addend + bias), with all but ``out`` given as views."""
    target = view(out)
    parts = split_sums(xp, ext, input, other, target)
    epilogue = bias, addend, alpha, beta, activation
    ext.matmul(input, other, target, *epilogue, matmul_rounding["tf32"], view(parts), stream(xp))


def split_sums(xp, ext, input, other, out):
    """Memory where a product of few outputs computes parts of long sums beside each other, or None. Takes views."""
    if input[2][-1] < 256 or prod(out[2]) > 1 << 20:
        return None
    count = ext.matmul_workspace(input, other, out, matmul_rounding["tf32"])
    return xp.empty((count,), _ACCUMULATOR[out[1]]) if count else None


def reduced(xp, ext, function, input, dims, keepdim, dtype):
    """``input`` reduced over ``dims`` by a function of the extension."""
    shape = [1 if d in dims else n for d, n in enumerate(input.shape) if keepdim or d not in dims]
    out = xp.empty(shape, dtype)
    source, workspace = view(input), None
    if input.size >= _SMALLEST_SPLIT:
        count = ext.reduce_workspace(source, dims)
        workspace = xp.empty((count,), "float64") if count else None
    function(source, dims, view(out), view(workspace), stream(xp))
    return out


_SMALLEST_SPLIT = 512  # elements: below it no reduction is cut into parts


def sum_over(xp, ext, input, dims):
    """The sum of a float array over ``dims``, without them."""
    return reduced(xp, ext, ext.sum, input, dims, False, input.dtype)


def index_array(index):
    """The index in a dtype that the kernels read."""
    return index if index.dtype.char in "liq" else index.astype("int64")


def add_at(xp, ext, out, target, axes, source, rules):
    """Adds ``source`` where ``axes`` point in ``target``, a view of the dense array ``out``."""
    if determinism.any_order and out.dtype.char in "fd":
        ext.index_add_unordered(target, axes, source, rules, stream(xp))
        return
    count = ext.index_add_workspace(target, out.size, axes, source)
    workspace = xp.empty((count,), "int64")
    ext.index_add(target, out.size, axes, source, view(workspace), rules, stream(xp))
