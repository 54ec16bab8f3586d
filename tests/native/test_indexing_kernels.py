"""Elements and slices by index in the native backend beside the reference, and what it leaves to it."""

import numpy as np
import pytest
import thread_counts

from minidl import backends

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

DTYPES = ["float32", "float64", "float16", "int64", "uint8", "bool"]
# (shape of the array, axis, shape of the index): one axis and more, lines and columns around a task's share, fewer
# elements beside the axis than the array has.
ALONG = [
    ((300,), 0, (1000,)), ((40, 30), 1, (40, 20)), ((40, 30), 0, (17, 30)), ((9, 300), 0, (5, 290)),
    ((3, 20, 40), 1, (2, 10, 33)), ((30, 3, 4, 2), 0, (30, 3, 4, 1)), ((1, 500), 0, (1, 500)), ((70, 1), 0, (300, 1)),
]  # fmt: skip
LAYOUTS = {
    "plain": lambda x: x, "reversed": lambda x: np.flip(x), "fortran": np.asfortranarray,
    "apart": lambda x: np.repeat(x, 2, -1)[..., ::2],
}  # fmt: skip


def draw(dtype, shape, seed=0):
    return (np.random.default_rng(seed).standard_normal(shape) * 10).astype(dtype)


def same(name, native, *arguments):
    """The override serves the call, with the bits of the reference on row-major arrays: there NumPy goes in order."""
    found = native.overrides[name](*arguments)
    assert found is not NotImplemented
    plain = [np.ascontiguousarray(x) if isinstance(x, np.ndarray) else x for x in arguments]
    wanted = getattr(backends.reference, name)(*plain)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape, dim, places", ALONG, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_along_an_axis(native, dtype, shape, dim, places, layout):
    turned = LAYOUTS[layout]
    index = turned(np.random.default_rng(1).integers(0, shape[dim], places))
    array, source = turned(draw(dtype, shape)), turned(draw(dtype, places, 2))
    same("take_along", native, array, dim, index)
    same("put_along", native, array, dim, index, source)
    if dtype in ("float32", "float64"):
        same("add_along", native, array, dim, index, source)


def test_one_row_of_indices_for_all(native):
    index = np.broadcast_to(np.random.default_rng(1).integers(0, 9, (300, 1)), (300, 40))
    source = draw("float32", (300, 40), 2)
    same("take_along", native, draw("float32", (9, 40)), 0, index)
    same("add_along", native, draw("float32", (9, 40)), 0, index, source)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape, dim", [((500, 3), 0), ((5, 40, 30), 1), ((3, 4, 50), 2), ((7, 300), 0), ((60,), 0)]
)
@pytest.mark.parametrize("places", [(300,), (20, 17)])
def test_slices(native, dtype, shape, dim, places):
    where = np.random.default_rng(1).integers(0, shape[dim], places)
    index = (slice(None),) * dim + (where,) + (slice(None),) * (len(shape) - dim - 1)
    array = draw(dtype, shape)
    same("pick", native, array, index)
    if dtype in ("float32", "float64"):
        same("index_add", native, draw(dtype, array[index].shape, 2), index, shape)


def test_sums_have_the_same_bits_on_any_number_of_threads(native):
    rng = np.random.default_rng(0)
    index = rng.integers(0, 50, (3, 4000))
    g, slices = (
        rng.standard_normal((3, 4000)).astype("float32"),
        rng.standard_normal((2, 5000, 200)).astype("float32"),
    )
    where = (slice(None), rng.integers(0, 9, 5000))
    zeros = np.zeros((3, 50), "float32")
    thread_counts.assert_no_difference(
        lambda: [native.add_along(zeros, 1, index, g), native.index_add(slices, where, (2, 9, 200))]
    )


@pytest.mark.parametrize("bad", [-1, 30, 2**62, -(2**62)])
def test_an_index_outside_is_left_to_the_reference(native, bad):
    array, index = draw("float32", (30, 20)), np.zeros((30, 20), np.int64)
    index[17, 3] = bad
    assert native.overrides["take_along"](array, 0, index) is NotImplemented
    assert native.overrides["put_along"](array, 0, index, array) is NotImplemented
    assert native.overrides["add_along"](array, 0, index, array) is NotImplemented
    assert native.overrides["pick"](array, (index,)) is NotImplemented
    assert native.overrides["index_add"](draw("float32", (30, 20, 4)), (index,), (30, 4)) is NotImplemented
    if bad > 0:
        with pytest.raises(IndexError):
            native.take_along(array, 0, index)


def test_what_it_does_not_serve(native):
    array, index = draw("float32", (30, 20)), np.zeros((30, 20), np.int64)
    for other in (array.astype("float64"), array.astype(object), 1.0, array[:3]):
        assert native.overrides["put_along"](array, 0, index, other) is NotImplemented
    for other in ((index, index), (slice(1), index), (array > 0,), index, (None, index), (Ellipsis, index)):
        assert native.overrides["pick"](array, other) is NotImplemented
    assert native.overrides["take_along"](array, 0, index.astype("int32")) is NotImplemented


@pytest.mark.parametrize(
    "call, arguments",
    [
        ("take_along", (np.ones((3, 4)), 2, np.zeros((3, 4), np.int64), np.ones((3, 4)))),
        ("take_along", (np.ones((3, 4)), 0, np.zeros((3, 5), np.int64), np.ones((3, 5)))),
        ("take_along", (np.ones((3, 4)), 0, np.zeros((3, 4)), np.ones((3, 4)))),
        ("put_along", (np.ones((3, 4)), 0, np.zeros((3, 4), np.int64), np.ones((3, 3)))),
        ("put_along", (np.ones((3, 4)), 0, np.zeros((3, 4), np.int64), np.ones((3, 4), "float32"))),
        ("add_along", (np.ones((3, 4), int), 0, np.zeros((3, 4), np.int64), np.ones((3, 4), int))),
        ("take_slices", (np.ones((3, 4)), 0, np.zeros(5, np.int64), np.ones((5, 3)))),
        ("take_slices", (np.ones((3, 4)), -1, np.zeros(5, np.int64), np.ones((5, 4)))),
        ("add_slices", (np.ones((3, 8))[:, ::2], 0, np.zeros(5, np.int64), np.ones((5, 4)))),
    ],
)
def test_arrays_that_do_not_fit_are_errors(call, arguments):
    with pytest.raises(ValueError, match="index"):
        getattr(_native, call)(*arguments)
