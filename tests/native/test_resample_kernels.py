"""Weighted sums along an axis in the native backend beside the reference in float64."""

import numpy as np
import pytest
import thread_counts

from minidl import backends
from minidl.ops.resample import Taps

_native = pytest.importorskip("minidl._native", exc_type=ImportError)


def table(kind, size, inputs):
    rng = np.random.default_rng(size)

    def draw():
        return rng.integers(0, inputs, size)

    if kind == "dense":
        parts = [(draw(), rng.standard_normal(size), None) for _ in range(3)]
    elif kind == "sparse":  # some outputs have no tap at all
        where = np.flatnonzero(rng.random(size) < 0.4)
        half = np.arange(size // 2)
        parts = [(draw()[where], rng.standard_normal(len(where)), where), (draw()[half], None, half)]
    else:
        parts = [(np.arange(size) % inputs, None, None)]
    return Taps(size, inputs, tuple(parts))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["dense", "sparse", "copy"])
@pytest.mark.parametrize(
    "shape, dim",
    [((4, 300), 1), ((300, 5), 0), ((3, 20, 33), 1), ((2, 3, 17, 16), 2), ((1200, 1), 0), ((30, 1, 40), 1)],
)
@pytest.mark.parametrize("size", [1, 7, 400])
def test_sums_of_a_table(native, dtype, kind, shape, dim, size):
    taps = table(kind, size, shape[dim])
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    x.reshape(-1)[5] = np.nan
    for turned, along in ((x, taps), (np.ascontiguousarray(np.flip(x)), taps)):
        found = native.overrides["resample"](turned, dim, along)
        assert found is not NotImplemented and found.dtype == dtype
        wanted = backends.reference.resample(turned.astype(np.float64), dim, along)
        tolerance = 20 * np.finfo(dtype).eps
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def test_the_same_bits_on_any_number_of_threads(native):
    x, taps = np.random.default_rng(0).standard_normal((7, 90, 70)), table("dense", 200, 90)
    thread_counts.assert_no_difference(lambda: [native.resample(x, 1, taps)])


def test_what_it_does_not_serve(native):
    taps = table("dense", 7, 64)
    for x in (
        np.ones((64, 64), "float16"),
        np.ones((64, 64), "uint8"),
        np.ones((64, 128))[:, ::2],
    ):
        assert native.overrides["resample"](x, 0, taps) is NotImplemented


@pytest.mark.parametrize(
    "starts, index",
    [
        ([0, 1, 2], [0, 5]),
        ([0, 1, 2], [-1, 0]),
        ([0, 1, 3], [0, 1]),
        ([1, 1, 2], [0, 1]),
        ([0, 3, 2], [0, 1]),
        ([0, 2], [0, 1]),
    ],
)
def test_tables_that_do_not_fit_are_errors(starts, index):
    with pytest.raises(ValueError, match="resample"):
        _native.resample(np.ones((5, 3)), 0, np.array(starts), np.array(index), np.ones(2), np.ones((2, 3)))
