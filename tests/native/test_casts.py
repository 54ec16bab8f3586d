"""float32 to 16 bits and back: every number of 16 bits, and those between and beside them."""

import numpy as np
import pytest

_native = pytest.importorskip("minidl._native", exc_type=ImportError)
ml_dtypes = pytest.importorskip("ml_dtypes", reason="bfloat16 needs ml_dtypes")
NARROW = [np.dtype("float16"), np.dtype(ml_dtypes.bfloat16)]


def served(native, x, dtype):
    """What the override gives; the kernels behind it take the call where this processor has the conversion."""
    found = native.overrides["astype"](x, dtype)
    assert found.dtype == dtype
    return found


def same(found, wanted):
    known = ~np.isnan(wanted.astype(np.float32))
    np.testing.assert_array_equal(np.isnan(found.astype(np.float32)), ~known)
    bits = np.dtype(f"uint{8 * found.itemsize}")
    np.testing.assert_array_equal(found.view(bits)[known], wanted.view(bits)[known])


@pytest.mark.parametrize("narrow", NARROW, ids=str)
def test_every_number_of_16_bits(native, narrow):
    every = np.arange(2**16, dtype=np.uint16).view(narrow)
    same(served(native, every, np.dtype("float32")), every.astype(np.float32))


@pytest.mark.parametrize("narrow", NARROW, ids=str)
def test_rounding_to_even(native, narrow):
    every = np.arange(2**16, dtype=np.uint16).view(narrow).astype(np.float32)
    bits = every.view(np.uint32)
    step = 2**13 if narrow == np.float16 else 2**16
    with np.errstate(all="ignore"):
        for beside in (0, 1, step // 2 - 1, step // 2, step // 2 + 1, step - 1):
            x = (bits + np.uint32(beside)).view(np.float32)
            same(served(native, x, narrow), x.astype(narrow))


@pytest.mark.parametrize("narrow", NARROW, ids=str)
@pytest.mark.parametrize("size", [1024, 1025, 1039, 70001])
def test_every_size(native, narrow, size):
    x = np.random.default_rng(size).standard_normal(size).astype(np.float32)
    same(served(native, x, narrow), x.astype(narrow))
    same(served(native, x.astype(narrow), np.dtype("float32")), x.astype(narrow).astype(np.float32))


def test_other_conversions_are_numpy_s(native):
    x = np.linspace(-3, 3, 64 * 63).reshape(64, 63).astype(np.float32)
    for array, dtype in (
        (x, np.dtype("float64")),
        (x.T, NARROW[0]),
        (x.T, NARROW[1]),
        (x[:0], NARROW[1]),
        (x, "int32"),
    ):
        found = native.overrides["astype"](array, dtype)
        assert found.dtype == np.dtype(dtype) and found.strides == array.astype(dtype).strides
        np.testing.assert_array_equal(found, array.astype(dtype))


def test_nothing_is_warned_of(native):
    x = np.array([np.nan, np.inf, 1e300])
    for dtype in ("int32", "float32", "float16"):
        native.astype(x, np.dtype(dtype))  # warnings are errors here


def test_arrays_that_do_not_fit_are_errors():
    with pytest.raises(ValueError, match="cast"):
        _native.to_bfloat16(np.ones(5, np.float32), np.ones(4, np.uint16))
    with pytest.raises(ValueError, match="cast"):
        _native.from_bfloat16(np.ones(5, np.float32), np.ones(5, np.float32))
