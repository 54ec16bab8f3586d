"""Pooling over one, two or three spatial dimensions of (N, C, *size), tap by tap.

A tap is one position of the window; the values that it meets in all windows are one strided slice of the
padded input, so a window of k taps costs k array operations and no unrolled copy. A maximum remembers the tap
that won as a flat offset inside the window (uint8 where 256 taps suffice): all that the gradient needs.
"""

import itertools
from math import prod

from minidl.backends.geometry import adaptive_bounds, overhang, pool_output


def _padded(xp, input, out, kernel, stride, padding, dilation, value):
    """The input with ``value`` around it, as far as the last window reaches."""
    size = input.shape[2:]
    right = overhang(size, out, kernel, stride, padding, dilation)
    shape = tuple(n + p + r for n, p, r in zip(size, padding, right, strict=True))
    if shape == size:
        return input
    padded = xp.full((*input.shape[:2], *shape), value, input.dtype)
    padded[_inside(size, padding)] = input
    return padded


def _inside(size, padding):
    return (..., *(slice(p, p + n) for n, p in zip(size, padding, strict=True)))


def _taps(out, kernel, stride, dilation):
    """For every tap in order: where it lies in the padded input for all windows at once."""
    for tap in itertools.product(*map(range, kernel)):
        starts = [t * d for t, d in zip(tap, dilation, strict=True)]
        ends = [a + (o - 1) * s + 1 for a, o, s in zip(starts, out, stride, strict=True)]
        yield (..., *(slice(a, b, s) for a, b, s in zip(starts, ends, stride, strict=True)))


def _grid(xp, parts):
    """One list a dimension as arrays that broadcast against each other to the grid of all windows."""
    rank = len(parts)
    return [
        xp.asarray(part).reshape([-1 if i == j else 1 for j in range(rank)]) for i, part in enumerate(parts)
    ]


def _first_taps(xp, out, kernel, stride, padding, dilation):
    """The flat offset of every window's first tap inside the input: the winner while nothing is larger."""
    flat = 0
    firsts = [
        [min(k - 1, max(0, -((i * s - p) // d))) for i in range(o)]
        for o, k, s, p, d in zip(out, kernel, stride, padding, dilation, strict=True)
    ]
    for k, first in zip(kernel, _grid(xp, firsts), strict=True):
        flat = flat * k + first
    return flat


def _lowest(xp, dtype):
    return xp.iinfo(dtype).min if dtype.kind in "iu" else -float("inf")


def max_pool(xp, input, kernel_size, stride, padding, dilation, ceil_mode):
    """The largest value of every window and its offset inside: the first of equal ones, or the last NaN."""
    out = pool_output(input.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    low = _lowest(xp, input.dtype)
    padded = _padded(xp, input, out, kernel_size, stride, padding, dilation, low)
    best = xp.full((*input.shape[:2], *out), low, input.dtype)
    offsets = xp.empty(best.shape, "uint8" if prod(kernel_size) <= 256 else "int32")
    offsets[...] = _first_taps(xp, out, kernel_size, stride, padding, dilation)
    for offset, where in enumerate(_taps(out, kernel_size, stride, dilation)):
        values = padded[where]
        wins = (values > best) | xp.isnan(values)  # a NaN wins, and only a later NaN beats it
        xp.copyto(best, values, where=wins)
        xp.copyto(offsets, offset, where=wins)
    return best, offsets


def max_pool_grad(xp, g, offsets, input_shape, kernel_size, stride, padding, dilation):
    """The gradient of ``max_pool`` by its input: every window's g goes to the tap that won."""
    size, out = input_shape[2:], g.shape[2:]
    right = overhang(size, out, kernel_size, stride, padding, dilation)
    shape = tuple(n + p + r for n, p, r in zip(size, padding, right, strict=True))
    padded = xp.zeros((*input_shape[:2], *shape), _sum_dtype(g))
    zero = xp.zeros((), g.dtype)
    for offset, where in enumerate(_taps(out, kernel_size, stride, dilation)):
        padded[where] += xp.where(offsets == offset, g, zero)
    return padded[_inside(size, padding)].astype(g.dtype)


def max_pool_gather(xp, input, offsets, kernel_size, stride, padding, dilation):
    """The values of ``input`` at the taps that won: the adjoint of ``max_pool_grad``."""
    out = offsets.shape[2:]
    padded = _padded(xp, input, out, kernel_size, stride, padding, dilation, 0)
    result = xp.zeros(offsets.shape, input.dtype)
    for offset, where in enumerate(_taps(out, kernel_size, stride, dilation)):
        xp.copyto(result, padded[where], where=offsets == offset)
    return result


def max_pool_indices(xp, offsets, input_shape, kernel_size, stride, padding, dilation):
    """Offsets inside the windows as flat positions (int64) in the input's spatial dimensions."""
    size, out = input_shape[2:], offsets.shape[2:]
    rest, taps = offsets.astype("int64"), []
    for k in reversed(kernel_size):
        taps.append(rest % k)
        rest = rest // k
    starts = [[i * s - p for i in range(o)] for o, s, p in zip(out, stride, padding, strict=True)]
    flat = 0
    for n, start, tap, d in zip(size, _grid(xp, starts), reversed(taps), dilation, strict=True):
        flat = flat * n + start + tap * d
    return flat


def _sum_dtype(array):
    """The dtype that sums are kept in: float32 for float16 and bfloat16."""
    return "float32" if array.dtype.itemsize == 2 and array.dtype.kind not in "iu" else array.dtype


def _divisors(xp, size, out, kernel_size, stride, padding, count_include_pad, divisor_override, dtype):
    """What the sum of every window is divided by."""
    if divisor_override is not None:
        return xp.asarray(divisor_override, dtype)
    counts = []
    for n, o, k, s, p in zip(size, out, kernel_size, stride, padding, strict=True):
        low, high = (-p, n + p) if count_include_pad else (0, n)
        counts.append([min(i * s - p + k, high) - max(i * s - p, low) for i in range(o)])
    return prod(_grid(xp, counts)).astype(dtype)


def avg_pool(xp, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """The mean of every window; padding counts as zeros, or not at all without ``count_include_pad``."""
    size, ones = input.shape[2:], (1,) * len(kernel_size)
    out = pool_output(size, kernel_size, stride, padding, ones, ceil_mode)
    padded = _padded(xp, input, out, kernel_size, stride, padding, ones, 0)
    total = xp.zeros((*input.shape[:2], *out), _sum_dtype(input))
    for where in _taps(out, kernel_size, stride, ones):
        total += padded[where]
    total /= _divisors(
        xp, size, out, kernel_size, stride, padding, count_include_pad, divisor_override, total.dtype
    )
    return total.astype(input.dtype, copy=False)


def avg_pool_grad(xp, g, input_shape, kernel_size, stride, padding, count_include_pad, divisor_override):
    """The gradient of ``avg_pool`` by its input: every window spreads its g evenly over its taps."""
    size, out, ones = input_shape[2:], g.shape[2:], (1,) * len(kernel_size)
    right = overhang(size, out, kernel_size, stride, padding, ones)
    shape = tuple(n + p + r for n, p, r in zip(size, padding, right, strict=True))
    padded = xp.zeros((*input_shape[:2], *shape), _sum_dtype(g))
    share = g / _divisors(
        xp, size, out, kernel_size, stride, padding, count_include_pad, divisor_override, padded.dtype
    )
    for where in _taps(out, kernel_size, stride, ones):
        padded[where] += share
    return padded[_inside(size, padding)].astype(g.dtype)


def adaptive_avg_pool(xp, input, output_size):
    """The mean of each of ``output_size`` bins, the i-th from floor(i n / out) to ceil((i + 1) n / out)."""
    total = input.astype(_sum_dtype(input))
    for dim, o in enumerate(output_size, 2):
        bounds = adaptive_bounds(input.shape[dim], o)
        means = xp.empty((*total.shape[:dim], o, *total.shape[dim + 1 :]), total.dtype)
        for i, (start, end) in enumerate(bounds):
            part = total[(slice(None),) * dim + (slice(start, end),)]
            means[(slice(None),) * dim + (i,)] = part.sum(axis=dim) / (end - start)
        total = means
    return total.astype(input.dtype, copy=False)


def adaptive_avg_pool_grad(xp, g, input_shape):
    """The gradient of ``adaptive_avg_pool`` by its input: every bin spreads its g evenly."""
    total = g.astype(_sum_dtype(g))
    for dim in range(2, len(input_shape)):
        bounds = adaptive_bounds(input_shape[dim], g.shape[dim])
        spread = xp.zeros((*total.shape[:dim], input_shape[dim], *total.shape[dim + 1 :]), total.dtype)
        for i, (start, end) in enumerate(bounds):
            here = total[(slice(None),) * dim + (slice(i, i + 1),)]
            spread[(slice(None),) * dim + (slice(start, end),)] += here / (end - start)
        total = spread
    return total.astype(g.dtype, copy=False)


def adaptive_max_pool(xp, input, output_size):
    """The largest value of each bin and its flat position in the spatial dimensions (int64): the first of equal
    ones, or the last NaN.
    """
    size = input.shape[2:]
    best = xp.empty((*input.shape[:2], *output_size), input.dtype)
    indices = xp.empty(best.shape, "int64")
    bins = [list(enumerate(adaptive_bounds(n, o))) for n, o in zip(size, output_size, strict=True)]
    flat = input.reshape(*input.shape[:2], prod(size))
    positions = xp.arange(prod(size)).reshape(size)
    for cell in itertools.product(*bins):
        here = (..., *(i for i, _ in cell))
        inside = positions[tuple(slice(start, end) for _, (start, end) in cell)].reshape(-1)
        values = flat[:, :, inside]
        nan = xp.isnan(values)
        last_nan = values.shape[2] - 1 - nan[:, :, ::-1].argmax(axis=2)
        winner = xp.where(nan.any(axis=2), last_nan, values.argmax(axis=2))
        best[here] = xp.take_along_axis(values, winner[..., None], axis=2)[..., 0]
        indices[here] = inside[winner]
    return best, indices
