"""Convolution and pooling by the definition, one output element at a time, in float64: slow, short, and independent."""

import itertools

import numpy as np


def _each(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value) * (rank if len(value) == 1 else 1)


def _positions(shape):
    return itertools.product(*map(range, shape))


def convolve(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The sum over channels and taps that lie inside the input, for batched input of any rank."""
    rank = input.ndim - 2
    stride, dilation = _each(stride, rank), _each(dilation, rank)
    size, kernel = input.shape[2:], weight.shape[2:]
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if padding == "same":
        left, both = [t // 2 for t in total], total
    else:
        left = (0,) * rank if padding == "valid" else _each(padding, rank)
        both = [2 * p for p in left]
    out = [(n + b - t - 1) // s + 1 for n, b, t, s in zip(size, both, total, stride, strict=True)]
    result = np.zeros((input.shape[0], weight.shape[0], *out))
    per_group = weight.shape[0] // groups
    for n, o, *at in _positions(result.shape):
        first = o // per_group * weight.shape[1]
        for c, *tap in _positions(weight.shape[1:]):
            where = [a * s + t * d - p for a, s, t, d, p in zip(at, stride, tap, dilation, left, strict=True)]
            if all(0 <= w < m for w, m in zip(where, size, strict=True)):
                result[(n, o, *at)] += weight[(o, c, *tap)] * input[(n, first + c, *where)]
        result[(n, o, *at)] += 0 if bias is None else bias[o]
    return result


def convolve_transposed(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """Every input element adds its weighted kernel to the output, for batched input of any rank."""
    rank = input.ndim - 2
    stride, padding, dilation, more = (_each(v, rank) for v in (stride, padding, dilation, output_padding))
    kernel, per_group = weight.shape[2:], weight.shape[1]
    steps = zip(input.shape[2:], kernel, stride, padding, dilation, more, strict=True)
    out = [(n - 1) * s - 2 * p + d * (k - 1) + m + 1 for n, k, s, p, d, m in steps]
    result = np.zeros((input.shape[0], per_group * groups, *out))
    for n, c, *at in _positions(input.shape):
        first = c // (input.shape[1] // groups) * per_group
        for o, *tap in _positions(weight.shape[1:]):
            where = [
                a * s + t * d - p for a, s, t, d, p in zip(at, stride, tap, dilation, padding, strict=True)
            ]
            if all(0 <= w < m for w, m in zip(where, out, strict=True)):
                result[(n, first + o, *where)] += weight[(c, o, *tap)] * input[(n, c, *at)]
    return result if bias is None else result + bias.reshape(-1, *[1] * rank)


def adjoint(function, shape, g):
    """The adjoint of a linear function of arrays of ``shape``, applied to g: element i is <g, function(e_i)>."""
    result = np.zeros(shape)
    for at in np.ndindex(*shape):
        unit = np.zeros(shape)
        unit[at] = 1.0
        result[at] = (g * function(unit)).sum()
    return result


def windows(size, kernel, stride, padding, dilation, ceil_mode):
    """The output's shape, and for each of its positions the (tap, element) pairs of the window inside the input."""
    out = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
        span = d * (k - 1) + 1
        whole = [a for a in range(-p, n + p, s) if a + span <= n + p]
        # ceil_mode: one window more where padded elements are left over, if it starts inside.
        left_over = not whole or whole[-1] + span < n + p
        following = whole[-1] + s if whole else -p
        out.append(len(whole) + int(ceil_mode and left_over and following < n))
    cells = {}
    for at in _positions(out):
        pairs = []
        for tap in _positions(kernel):
            where = tuple(
                a * s + t * d - p for a, s, t, d, p in zip(at, stride, tap, dilation, padding, strict=True)
            )
            if all(0 <= w < n for w, n in zip(where, size, strict=True)):
                pairs.append((tap, where))
        cells[at] = pairs
    return tuple(out), cells


def _planes(input, out, function):
    """``function(plane, position)`` for every output position of every plane of (N, C, *size)."""
    result = np.zeros((*input.shape[:2], *out))
    for n, c, *at in _positions(result.shape):
        result[(n, c, *at)] = function(input[n, c], tuple(at))
    return result


def pool_max(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest element of every window; NaN wins. With indices: its flat position, the first of equal ones."""
    rank = input.ndim - 2
    kernel, padding, dilation = (_each(v, rank) for v in (kernel_size, padding, dilation))
    stride = kernel if stride is None else _each(stride, rank)
    size = input.shape[2:]
    out, cells = windows(size, kernel, stride, padding, dilation, ceil_mode)

    def winner(plane, at):
        best = None
        for _, where in cells[at]:
            if best is None or plane[where] > plane[best] or np.isnan(plane[where]):
                best = where
        return best

    values = _planes(input, out, lambda plane, at: plane[winner(plane, at)])
    if not return_indices:
        return values
    flat = _planes(input, out, lambda plane, at: np.ravel_multi_index(winner(plane, at), size))
    return values, flat.astype(np.int64)


def pool_mean(
    input,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """The sum of every window over its count: with padding, without, or the given divisor."""
    rank = input.ndim - 2
    kernel, padding = _each(kernel_size, rank), _each(padding, rank)
    stride = kernel if stride is None else _each(stride, rank)
    size = input.shape[2:]
    out, cells = windows(size, kernel, stride, padding, (1,) * rank, ceil_mode)

    def count(at):
        if divisor_override is not None:
            return divisor_override
        if not count_include_pad:
            return len(cells[at])
        sides = zip(at, kernel, stride, padding, size, strict=True)
        return np.prod([min(a * s - p + k, n + p) - (a * s - p) for a, k, s, p, n in sides])

    return _planes(input, out, lambda plane, at: sum(plane[where] for _, where in cells[at]) / count(at))


def _bins(input, output_size):
    rank = input.ndim - 2
    given = (output_size,) * rank if output_size is None or isinstance(output_size, int) else output_size
    out = tuple(n if o is None else o for n, o in zip(input.shape[2:], given, strict=True))

    def box(at):
        sides = zip(at, input.shape[2:], out, strict=True)
        return tuple(slice(int(np.floor(a * n / o)), int(np.ceil((a + 1) * n / o))) for a, n, o in sides)

    return out, box


def pool_adaptive_mean(input, output_size):
    out, box = _bins(input, output_size)
    return _planes(input, out, lambda plane, at: plane[box(at)].mean())


def pool_adaptive_max(input, output_size, return_indices=False):
    out, box = _bins(input, output_size)
    values = _planes(input, out, lambda plane, at: plane[box(at)].max())
    if not return_indices:
        return values
    order = np.arange(np.prod(input.shape[2:])).reshape(input.shape[2:])
    flat = _planes(input, out, lambda plane, at: order[box(at)].flat[plane[box(at)].argmax()])
    return values, flat.astype(np.int64)
