"""Searching and counting in the native backend: the places of NumPy's searchsorted, the counts of the reference."""

import numpy as np
import pytest
import thread_counts

from minidl import backends

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

DTYPES = ["float32", "float64"]
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45]


def values(dtype, size):
    x = np.random.default_rng(1).integers(-8, 9, size) / 4
    x[: len(SPECIAL)] = SPECIAL[:size]
    return x.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 64, 1000])
def test_places_among_boundaries(native, dtype, right, size):
    wanted = values(dtype, 9000).reshape(3000, -1)
    for boundaries in (np.sort(np.linspace(-2, 2, size).astype(dtype)), np.sort(values(dtype, size))):
        found = native.overrides["searchsorted"](boundaries, wanted, right)
        np.testing.assert_array_equal(
            found, backends.reference.searchsorted(boundaries, wanted, right), strict=True
        )


def test_places_in_rows(native):
    rows = np.sort(np.random.default_rng(0).normal(size=(2, 3, 33)), -1)
    wanted = np.random.default_rng(1).normal(size=(2, 3, 7))
    found = native.overrides["searchsorted"](rows, wanted, True)
    np.testing.assert_array_equal(found, backends.reference.searchsorted(rows, wanted, True), strict=True)
    long = np.random.default_rng(1).normal(size=(2, 3, 9000))
    thread_counts.assert_no_difference(lambda: [native.searchsorted(rows, long, False)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "edges",
    [np.linspace(-2, 2, 101), np.array([-1.0, 1.5]), np.array([-2, -1.9, 0, 0, 0, 0.25, 1, 1]),
     np.array([0.0, 0.0]), np.array([-np.inf, 0.0, np.inf]), np.geomspace(0.1, 1.75, 40)],
    ids=["even", "one bin", "uneven", "no width", "infinite", "growing"],
)  # fmt: skip
def test_counts_between_edges(native, dtype, edges):
    edges = edges.astype(dtype)
    x = np.concatenate([values(dtype, 70_000), edges, np.nextafter(edges, 3), np.nextafter(edges, -3)])
    found = native.overrides["histogram_counts"](x, edges, None)
    np.testing.assert_array_equal(found, backends.reference.histogram_counts(x, edges, None), strict=True)
    thread_counts.assert_no_difference(lambda: [native.histogram_counts(x, edges, None)])


def test_what_it_does_not_serve(native):
    x, edges = np.ones(5), np.arange(3.0)
    assert native.overrides["histogram_counts"](x, edges, x) is NotImplemented
    assert native.overrides["histogram_counts"](x.astype("f4"), edges, None) is NotImplemented
    assert native.overrides["searchsorted"](edges.astype(int), x.astype(int), False) is NotImplemented
    assert native.overrides["searchsorted"](edges, np.ones((4, 6))[:, ::2], False) is NotImplemented


def test_arrays_that_do_not_fit_are_errors():
    rows, places = np.ones((2, 3)), np.ones((2, 3), int)
    for wrong in [(rows[0], rows, places), (rows, np.ones((3, 3)), places), (rows, rows, places[:1])]:
        with pytest.raises(ValueError, match="search"):
            _native.search_sorted(*wrong[:2], True, wrong[2])
    for wrong in [(np.ones(1), np.ones(0)), (np.ones(3), np.ones(3)), (np.ones(3), np.ones(2, int))]:
        with pytest.raises(ValueError, match="search"):
            _native.count_between(wrong[0], np.ones(4), wrong[1])
