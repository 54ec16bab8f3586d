"""Copies in C++: every order of axes, element sizes, strides, tails of blocks."""

import itertools

import numpy as np
import pytest
from thread_counts import assert_no_difference

SHAPES = [
    (),
    (1,),
    (0, 3),
    (3, 0),
    (5,),
    (7, 33),
    (40, 70),
    (3, 17, 20),
    (2, 3, 19, 31),
    (4, 1, 18, 2),
    (2, 65, 66),
]
CUTS = [slice(None), slice(None, None, 2), slice(None, None, -1)]


def layouts(array):
    """The array with its axes in every order, cut and reversed, and repeated."""
    for order in itertools.permutations(range(array.ndim)):
        turned = array.transpose(order)
        yield turned
        if array.ndim:
            yield from (turned[..., cut] for cut in CUTS[1:])
            yield from (turned[cut] for cut in CUTS[1:])
    yield np.broadcast_to(array, (3, *array.shape))
    yield np.broadcast_to(array[..., None], (*array.shape, 3))


@pytest.mark.parametrize(
    "dtype", ["uint8", "bool", "float16", "int16", "float32", "float64", "int64", "complex64"]
)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_layout(native, shape, dtype):
    array = (np.random.standard_normal(shape) * 100).astype(dtype)
    for view in layouts(array):
        made = native.copy(view)
        assert made.flags.c_contiguous and made.flags.owndata and made.dtype == view.dtype
        np.testing.assert_array_equal(made, view)


def test_bits_stay_as_they_are(native):
    """A signalling NaN, the payload of one, and -0."""
    bits = np.array([0x7F800001, 0xFFC12345, 0x80000000, 1], np.uint32)
    turned = np.tile(bits, (40, 10)).view(np.float32).T
    np.testing.assert_array_equal(native.copy(turned).view(np.uint32), turned.view(np.uint32))


def test_threads_do_not_matter(native):
    array = np.random.standard_normal((6, 300, 170)).astype("f4")
    assert_no_difference(lambda: native.copy(array.transpose(0, 2, 1)))
