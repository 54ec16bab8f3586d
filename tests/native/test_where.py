"""``where`` in C++: any numbers, any strides, exact bits."""

import numpy as np
import pytest
from thread_counts import assert_no_difference

from minidl import dtypes

DTYPES = [np.bool_, np.uint8, np.int16, np.float16, np.int32, np.float32, np.int64, np.float64, np.complex64]
SIZES = [0, 1, 3, 15, 16, 17, 63, 64, 65, 1000, 70001]


def numbers(rng, shape, dtype):
    return (rng.standard_normal(shape) * 50).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: np.dtype(d).name)
@pytest.mark.parametrize("size", SIZES)
def test_contiguous(native, dtype, size):
    rng = np.random.default_rng(size)
    condition, a, b = rng.random(size) < 0.5, numbers(rng, size, dtype), numbers(rng, size, dtype)
    found = native.where(condition, a, b)
    assert found.dtype == a.dtype
    np.testing.assert_array_equal(found, np.where(condition, a, b))


LAYOUTS = {
    "transposed": lambda x: x.T,
    "every other": lambda x: x[::2],
    "reversed": lambda x: x[::-1, ::-1],
    "one column": lambda x: x[:, :1],
    "one row": lambda x: x[:1],
    "expanded": lambda x: np.broadcast_to(x[0], x.shape),
    "one value": lambda x: x[3, 4],
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8], ids=lambda d: np.dtype(d).name)
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_and_broadcasting(native, dtype, place, layout):
    rng = np.random.default_rng(7)
    whole = [rng.random((40, 40)) < 0.5, numbers(rng, (40, 40), dtype), numbers(rng, (40, 40), dtype)]
    given = [np.asarray(LAYOUTS[layout](x)) if i == place else x for i, x in enumerate(whole)]
    if layout == "every other":
        given = [x if i == place else x[:20] for i, x in enumerate(given)]
    np.testing.assert_array_equal(native.where(*given), np.where(*given))


def test_a_mask_for_every_head(native):
    rng = np.random.default_rng(1)
    scores = rng.standard_normal((4, 3, 33, 33)).astype(np.float32)
    mask = np.triu(np.ones((33, 33), bool), 1)
    low = np.float32(-np.inf) * np.ones((), np.float32)
    np.testing.assert_array_equal(native.where(mask, low, scores), np.where(mask, low, scores))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_python_numbers_take_the_other_dtype(native, dtype):
    x = np.arange(5, dtype=dtype)
    for found, wanted in (
        (native.where(x > 2, x, 0.1), np.where(x > 2, x, dtype(0.1))),
        (native.where(x > 2, -2, x), np.where(x > 2, dtype(-2), x)),
    ):
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, wanted)


def test_every_bit_of_a_nan_stays(native):
    odd = np.array([0x7FC00001, 0xFF800123, 0x80000000, 1], np.uint32).view(np.float32)
    found = native.where(np.array([True, False, True, False]), odd, odd[::-1])
    wanted = np.array([0x7FC00001, 0x80000000, 0x80000000, 0x7FC00001], np.uint32)
    np.testing.assert_array_equal(found.view(np.uint32), wanted)


def test_bfloat16(native):
    dtype = dtypes.named("bfloat16").numpy
    x = np.arange(20).astype(dtype)
    found = native.where(x.astype(np.float32) > 7, x, -x)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.where(x.astype(np.float32) > 7, x, -x))


def test_what_the_kernel_does_not_take_falls_through(native):
    record = np.zeros(3, dtype=[("a", "<i4"), ("b", "<f4")])
    assert native.where(np.array([True, False, True]), record, record).dtype == record.dtype
    with pytest.raises(ValueError, match="broadcast"):
        native.where(np.ones(3, bool), np.ones(4), np.ones(3))


def test_any_number_of_threads_gives_the_same(native):
    rng = np.random.default_rng(3)
    condition, a, b = rng.random((300, 1, 257)) < 0.5, rng.random((300, 4, 257)), rng.random((4, 1))
    assert_no_difference(lambda: [native.where(condition, a, b)])
