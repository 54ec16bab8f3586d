"""Creation and casts."""

import numpy as np


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
    start, end, i = dtype.type(start), dtype.type(end), np.arange(steps)
    step = wide((end - start) / dtype.type(steps - 1))
    numbers = np.where(i < steps // 2, wide(start) + step * i, wide(end) - step * (steps - 1 - i))
    return xp.asarray(numbers.astype(dtype), dtype=dtype)


def eye(xp, n, m, dtype):
    return xp.eye(n, m, dtype=dtype)
