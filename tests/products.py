"""Operands of matrix products, and a check with the bound that rounding allows."""

import numpy as np


def drawn(rng, shape, dtype, transposed=False):
    """Normal values; ``transposed`` stores the last two axes the other way round."""
    if not transposed:
        return rng.standard_normal(shape).astype(dtype)
    return np.ascontiguousarray(rng.standard_normal(shape).astype(dtype).swapaxes(-1, -2)).swapaxes(-1, -2)


def wide(x):
    return np.asarray(x, np.float64 if x.dtype == np.float32 else np.longdouble)


def check(out, a, b, plus=0):
    """``out`` is a @ b + plus but for what rounding in out's dtype allows: K + 2 roundings of the sum of sizes."""
    size = np.abs(wide(a)) @ np.abs(wide(b)) + np.abs(plus)
    bound = (a.shape[-1] + 2) * np.finfo(out.dtype).eps / 2 * size
    assert out.dtype == a.dtype and out.shape == size.shape
    assert (np.abs(out - (wide(a) @ wide(b) + plus)) <= bound).all()
