"""Reductions in C++ beside NumPy in float64: axes, tails, memory orders, NaN, accuracy, levels, threads."""

import itertools

import numpy as np
import pytest
import thread_counts

from minidl import backends
from minidl.backends import native as extension

pytestmark = pytest.mark.skipif(extension.instruction_set() is None, reason="needs the compiled extension")

native = backends.cpu
DTYPES = ["float32", "float64"]
WIDE = {
    "sum": lambda x, dims, keepdim: x.sum(axis=dims, keepdims=keepdim),
    "sum_squares": lambda x, dims, keepdim: (x * x).sum(axis=dims, keepdims=keepdim),
    "prod": lambda x, dims, keepdim: x.prod(axis=dims, keepdims=keepdim),
    "amax": lambda x, dims, keepdim: x.max(axis=dims, keepdims=keepdim),
    "amin": lambda x, dims, keepdim: x.min(axis=dims, keepdims=keepdim),
}
# Runs, columns, many and few results, slices of both reduced axes, and every place of the pattern.
SHAPES = [
    *(((n,), (0,)) for n in (1, 3, 4, 15, 16, 17, 63, 64, 65, 130, 1023, 1025, 5000, 70_001)),
    *(((3, n), (1,)) for n in range(1, 40)),
    *(((37, n), (0,)) for n in range(1, 40)),
    ((9001, 130), (0,)),
    ((40_000, 3), (0,)),
    ((33, 1000), (0,)),
    ((2, 300, 257), (1,)),
    ((2, 70_000), (1,)),
    ((100, 7, 50, 3), (0, 2)),
    ((8, 6, 11, 13), (0, 2, 3)),
    ((5, 4, 3), (0, 1, 2)),
    ((5, 1, 3), (1,)),
    ((5, 4, 3), ()),
]


def draw(shape, dtype, seed=0):
    """Around 1, so that products of thousands stay in range."""
    return np.random.default_rng(seed).uniform(0.97, 1.03, shape).astype(dtype)


def served(name, *arguments):
    """The result of the backend's function, which the extension is to give itself."""
    with backends.trace_fallbacks() as fallen:
        result = getattr(native, name)(*arguments)
    assert not fallen
    return result


def agree(found, wanted, dtype, tolerance=1.0):
    assert found.dtype == dtype and found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=tolerance * (4e-7 if dtype == "float32" else 1e-14))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", WIDE)
def test_every_axis_and_tail(name, dtype):
    for shape, dims in SHAPES:
        x = draw(shape, dtype)
        for keepdim in (False, True):
            count = x.size // max(1, WIDE["amax"](x, dims, False).size)
            loose = max(1, np.sqrt(count)) if name == "prod" else 1 if dtype == "float32" else 20
            wanted = WIDE[name](x.astype(np.longdouble), dims, keepdim)
            agree(served(name, x, dims, keepdim), wanted, dtype, loose)


@pytest.mark.parametrize("name", WIDE)
def test_memory_orders_without_gaps_are_taken_as_they_are(name):
    square = draw((60, 70), "float32").T
    pixels = draw((4, 9, 8, 5), "float32").transpose(0, 3, 1, 2)
    for x, dims in ((square, (0,)), (square, (1,)), (square, (0, 1)), (pixels, (0, 2, 3)), (pixels, (1,))):
        agree(served(name, x, dims, False), WIDE[name](x.astype(float), dims, False), "float32", 8)


def test_axes_that_would_change_places_are_left_to_the_reference():
    x = draw((3, 4, 5), "float32").transpose(2, 0, 1)
    with backends.trace_fallbacks() as fallen:
        found = native.sum(x.transpose(1, 0, 2)[::2], (2,), False)
    assert fallen
    np.testing.assert_allclose(found, x.transpose(1, 0, 2)[::2].sum(2), rtol=1e-6)


@pytest.mark.parametrize("name", ["sum", "sum_squares", "prod"])
def test_nothing_reduces_to_the_neutral_element(name):
    for shape, dims in (((0,), (0,)), ((3, 0), (1,)), ((0, 3), (0,)), ((3, 0), (0,)), ((0, 4, 0), (0, 2))):
        x = np.zeros(shape, "float32")
        np.testing.assert_array_equal(getattr(native, name)(x, dims, False), WIDE[name](x, dims, False))


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_and_infinities(dtype):
    for size in (1, 5, 16, 33, 200):
        for place in {0, size // 2, size - 1}:
            x = draw((size, 3), dtype)
            x[place, 1] = np.nan
            for dims in ((0,), (1,), (0, 1)):
                for name in WIDE:
                    found = served(name, x, dims, False)
                    np.testing.assert_array_equal(np.isnan(found), np.isnan(WIDE[name](x, dims, False)))
            x[place, 1] = np.inf
            assert served("amax", x, (0, 1), False) == np.inf and served("sum", x, (0, 1), False) == np.inf
            assert served("amin", -x, (0, 1), False) == -np.inf
    assert served("amax", np.full(40, -np.inf, dtype), (0,), False) == -np.inf
    assert served("amin", np.full(40, np.inf, dtype), (0,), False) == np.inf


@pytest.mark.parametrize("shape, dims", [((1_000_000,), (0,)), ((1000, 1000), (0,)), ((1000, 1000), (1,))])
def test_float32_sums_are_no_worse_than_numpys(shape, dims):
    ours, numpys = [], []
    for seed in range(4):
        x = np.random.default_rng(seed).uniform(size=shape).astype("float32")
        exact = x.sum(axis=dims, dtype=np.float64)
        ours.append(np.abs(served("sum", x, dims, False) - exact).mean())
        numpys.append(np.abs(x.sum(axis=dims) - exact).mean())
    assert np.mean(ours) <= np.mean(numpys) + 1e-7 * exact.max()


@pytest.mark.parametrize("dtype", DTYPES)
def test_positions_are_those_of_the_first(dtype):
    rng = np.random.default_rng(0)
    shapes = [(n,) for n in (1, 2, 17, 63, 64, 65, 129, 1000, 65_536, 65_537, 200_001)]
    for shape in [*shapes, (7, 130), (130, 7), (5, 70, 33), (2, 66_000), (66_000, 3), (4, 1, 5)]:
        for kind in ("plain", "ties", "nan", "infinite"):
            x = rng.standard_normal(shape) if kind == "plain" else rng.integers(-2, 3, shape)
            x = x.astype(dtype)
            if kind == "nan":
                x[rng.random(shape) < 0.05] = np.nan
            if kind == "infinite":
                x[:] = -np.inf
            for dim in range(x.ndim):
                for name, expected in (("argmax", np.argmax), ("argmin", np.argmin)):
                    found = served(name, x, dim, False)
                    assert found.dtype == np.int64
                    np.testing.assert_array_equal(found, expected(x, axis=dim))
                    assert served(name, x, dim, True).shape == np.argmax(x, axis=dim, keepdims=True).shape


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_running_sums_and_products(name, dtype):
    for shape in ((1,), (1000,), (9, 40), (40, 9), (3, 50, 140), (2, 0, 3), (0,)):
        x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
        for dim in range(x.ndim):
            found = served(name, x, dim)
            assert found.dtype == dtype
            tolerance = 1e-6 if dtype == "float32" else 1e-12
            wanted = getattr(x.astype(float), name)(axis=dim)
            np.testing.assert_allclose(found, wanted, tolerance, tolerance)


def test_sums_of_whole_numbers():
    """Those of numbers that wrap around too, over all patterns of axes."""
    for shape in ((0,), (1,), (70_001,), (3, 50), (50, 3), (7, 3, 11), (2, 3, 600, 5), (2, 0, 3)):
        x = np.random.default_rng(0).integers(-(2**62), 2**62, shape)
        for count in range(x.ndim + 1):
            for dims in itertools.combinations(range(x.ndim), count):
                for keep in (False, True):
                    found = native.sum(x, dims, keep)
                    np.testing.assert_array_equal(found, x.sum(axis=dims, keepdims=keep), strict=True)
                    np.testing.assert_array_equal(
                        native.sum(x.T, dims, keep), x.T.sum(axis=dims, keepdims=keep)
                    )
    x = np.random.default_rng(0).integers(-9, 9, (300, 400))
    assert native.overrides["sum"](x, (1,), False) is not NotImplemented
    thread_counts.assert_no_difference(lambda: [native.sum(x, dims, False) for dims in ((0,), (1,), (0, 1))])


def test_bits_do_not_depend_on_threads():
    inputs = [draw(shape, "float32") for shape in ((300_000,), (3000, 130), (3, 100_000), (40, 30, 200))]

    def everything():
        results = []
        for x in inputs:
            for dim in range(x.ndim):
                results += [getattr(native, name)(x, (dim,), False) for name in WIDE]
                results += [native.argmax(x, dim, False), native.cumsum(x, dim), native.cumprod(x, dim)]
        return results

    thread_counts.assert_no_difference(everything)
