"""Sorting and selecting in the native backend: the order and the places of NumPy's stable sort."""

import numpy as np
import pytest
import thread_counts

from minidl import backends

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

DTYPES = ["float32", "float64", "int32", "int64"]
SHAPES = [
    ((300,), 0),
    ((40, 30), 1),
    ((40, 30), 0),
    ((3, 257, 4), 1),
    ((2, 1000), 1),
    ((300, 1), 1),
    ((1, 70000), 1),
]


def draw(dtype, shape, distinct):
    """Numbers of which many are equal, or few, with zeros of both signs and numbers that are none."""
    rng = np.random.default_rng(3)
    x = (rng.integers(-5, 5, shape) if not distinct else rng.standard_normal(shape) * 1e6).astype(dtype)
    if x.dtype.kind == "f":
        flat = x.reshape(-1)
        for start, value in enumerate((np.nan, -0.0, 0.0, np.inf, -np.inf, -np.nan, 1e-45)):
            flat[start::37] = value
    else:
        x.reshape(-1)[:2] = np.iinfo(dtype).min, np.iinfo(dtype).max
    return x


def same(found, wanted):
    assert found is not NotImplemented
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.dtype == theirs.dtype and ours.flags.c_contiguous
        np.testing.assert_array_equal(ours, theirs)
        if ours.dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape, dim", SHAPES)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("distinct", [False, True])
def test_order_and_places(native, dtype, shape, dim, descending, distinct):
    x = draw(dtype, shape, distinct)
    same(native.overrides["sort"](x, dim, descending), backends.reference.sort(x, dim, descending))
    reversed_ = x[..., ::-1]
    same(
        native.overrides["sort"](reversed_, dim, descending),
        backends.reference.sort(reversed_, dim, descending),
    )
    n = shape[dim]
    for count in {0, 1, n // 10, n // 2, n}:
        wanted = backends.reference.sort_first(x, dim, descending, count)
        same(native.overrides["sort_first"](x, dim, descending, count), wanted)
    for rank in {1, n // 2 + 1, n}:
        same(native.overrides["select"](x, dim, rank), backends.reference.select(x, dim, rank))


def test_the_same_on_any_number_of_threads(native):
    x = draw("float32", (100, 1000), False)
    thread_counts.assert_no_difference(lambda: [*native.sort(x, 1, True), *native.select(x, 0, 7)])


def test_what_it_does_not_serve(native):
    for x in (np.ones(500, "float16"), np.ones(500, "uint8"), np.ones(500, bool)):
        assert native.overrides["sort"](x, 0, False) is NotImplemented
        assert native.overrides["select"](x, 0, 1) is NotImplemented


@pytest.mark.parametrize(
    "count, places", [(4, np.ones((2, 4))), (4, np.ones((2, 3), int)), (9, np.ones((2, 9), int))]
)
def test_results_that_do_not_fit_are_errors(count, places):
    with pytest.raises(ValueError, match="ordering"):
        _native.sort_rows(np.ones((2, 5)), False, np.ones((2, count)), places)


@pytest.mark.parametrize("rank", [-1, 0, 6])
def test_a_rank_outside_is_an_error(rank):
    with pytest.raises(ValueError, match="ordering"):
        _native.select_rows(np.ones((2, 5)), rank, np.ones(2), np.ones(2, int))
