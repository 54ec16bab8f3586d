"""Creation and casts."""

import numpy as np

_PIECE = 1 << 13  # elements that stay in a CPU's cache through all steps


def astype(xp, input, dtype):
    """Copy in another dtype."""
    return input.astype(dtype)


def asarray(xp, data, dtype):
    """Host data as an array of the device."""
    return xp.asarray(data, dtype=dtype)


def empty(xp, shape, dtype):
    return xp.empty(shape, dtype)


def zeros(xp, shape, dtype):
    return xp.zeros(shape, dtype)


def full(xp, shape, value, dtype):
    if shape == () and value.__class__ is float and dtype.kind == "f":
        return xp.array(value, dtype)  # np.full takes four times as long
    return xp.full(shape, value, dtype)


def arange(xp, start, end, step, dtype):
    return xp.arange(start, end, step, dtype=dtype)


def linspace(xp, start, end, steps, dtype):
    """Counted from both ends to the middle, start + i step and end - i step, each rounded once: PyTorch's numbers."""
    if steps < 2 or dtype.kind != "f" or dtype.itemsize < 4:
        return xp.linspace(start, end, steps, dtype=dtype)
    wide = (
        np.float64 if dtype.itemsize == 4 else np.longdouble
    )  # holds the product, as a fused multiply-add does
    start, end = dtype.type(start), dtype.type(end)
    step = wide((end - start) / dtype.type(steps - 1))
    numbers, half = np.empty((steps,), dtype), steps // 2
    for first in range(0, steps - half, _PIECE):
        away = step * np.arange(first, min(first + _PIECE, steps - half), dtype=wide)
        behind = steps - first
        np.subtract(end, away, out=numbers[behind - len(away) : behind][::-1], casting="unsafe", dtype=wide)
        before = away[: max(half - first, 0)]
        np.add(start, before, out=numbers[first : first + len(before)], casting="unsafe", dtype=wide)
    return xp.asarray(numbers)


def eye(xp, n, m, dtype):
    return xp.eye(n, m, dtype=dtype)
