"""Triangles of matrices, and arrays turned round, in the native backend: bit for bit the reference's."""

import numpy as np
import pytest
import thread_counts

from minidl import backends

_native = pytest.importorskip("minidl._native", exc_type=ImportError)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "float16", "float32", "int64"])
@pytest.mark.parametrize(
    "shape", [(5, 5), (3, 7), (7, 3), (2, 3, 4, 6), (0, 3), (3, 0), (2, 0, 3), (300, 200)]
)
def test_triangles(native, shape, dtype):
    x = (np.random.default_rng(0).normal(size=shape) * 9).astype(dtype)
    for name in ("tril", "triu"):
        for diagonal in (0, 1, -2, 4, -9, 10**12, -(10**12)):
            if abs(diagonal) > 9:  # beyond what NumPy counts to
                wanted = x if (diagonal > 0) == (name == "tril") else np.zeros_like(x)
            else:
                wanted = getattr(backends.reference, name)(x, diagonal)
            found = native.overrides[name](x, diagonal)
            np.testing.assert_array_equal(found, wanted, strict=True)


def test_turned_round(native):
    x = np.arange(60.0).reshape(3, 4, 5)
    for dims in [(), (0,), (2,), (0, 2), (0, 1, 2)]:
        found = native.overrides["flip"](x, dims)
        np.testing.assert_array_equal(found, np.flip(x, dims), strict=True)
        assert found.flags.c_contiguous and not np.shares_memory(found, x)


def test_the_same_on_any_number_of_threads(native):
    x = np.random.default_rng(0).normal(size=(4, 300, 300))
    thread_counts.assert_no_difference(lambda: [native.tril(x, 1), native.triu(x, -1), native.flip(x, (1,))])


def test_arrays_that_do_not_fit_are_errors():
    for wrong in (np.ones(4), np.ones((2, 3), "f4"), np.ones((3, 4)).T):
        with pytest.raises(ValueError, match="triangle"):
            _native.triangle(np.ones((2, 3)), 0, True, wrong)
    with pytest.raises(ValueError, match="triangle"):
        _native.triangle(np.ones(3), 0, True, np.ones(3))
