"""Random fills and dropout in C++ beside the reference: bits and uniforms are the same, normals within 4 ulp."""

import numpy as np
import pytest
import thread_counts

from minidl import backends
from minidl.backends import reference

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

STREAMS = [(0, 0), (2**64 - 1, 2**64 - 9), (987654321987654321, 2**32 - 3)]
SIZES = (*range(1, 70), 255, 256, 257, 16383, 16384, 16385, 50_003)  # tails of groups, pieces of threads


def filled(fill, size, dtype, stream):
    """The fill of an array between canaries."""
    room = np.full(size + 16, 77, dtype)
    fill(room[8 : 8 + size], *stream)
    assert (room[:8] == 77).all() and (room[8 + size :] == 77).all()
    return room[8 : 8 + size]


def assert_close(found, wanted):
    """Within 4 units in the last place."""
    assert (np.abs(found.astype(np.longdouble) - wanted) <= 4 * np.spacing(np.abs(wanted))).all()


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("dtype", [np.uint32, np.uint64])
def test_bits(dtype, stream):
    whole = reference.philox_bits((SIZES[-1],), np.dtype(dtype), *stream)
    for size in SIZES:
        np.testing.assert_array_equal(filled(_native.random_bits, size, dtype, stream), whole[:size])


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats(dtype, stream):
    dtype = np.dtype(dtype)
    for name in ("uniform", "normal", "exponential"):
        whole = getattr(reference, f"philox_{name}")((SIZES[-1],), dtype, *stream)
        for size in SIZES:
            found = filled(getattr(_native, f"random_{name}"), size, dtype, stream)
            if name == "uniform":
                np.testing.assert_array_equal(found, whole[:size])
            else:
                assert_close(found, whole[:size])


def test_every_normal_is_close():
    whole = reference.philox_normal((2_000_000,), np.dtype(np.float32), 5, 0)
    assert_close(filled(_native.random_normal, 2_000_000, np.float32, (5, 0)), whole)


@pytest.mark.parametrize("span", [1, 2, 3, 10**6, 2**31, 2**32, 2**32 + 1, 2**63 + 5])
def test_integers(span):
    for size in (1, 2, 3, 511, 513, 20_001):
        found = np.empty(size, np.int64)
        _native.random_integers(found, -7, span, 3, 2**64 - 5)
        wanted = reference.philox_randint((size,), np.dtype(np.int64), 3, 2**64 - 5, -7, span)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p", [0, 1, 0.1, 0.5, 2.0**-24, 1 - 2.0**-24, 1 / 3])
def test_dropout(p, dtype):
    values = np.random.default_rng(0).normal(size=SIZES[-1]).astype(dtype)
    values[:3] = np.nan, np.inf, -0.0
    for size in SIZES:
        with np.errstate(all="ignore"):
            wanted, mask = reference.dropout(values[:size], p, 1.5, 11, 2**64 - 2)
            found, kept = _native.dropout(values[:size], p, 1.5, 11, 2**64 - 2)
        assert kept.dtype == np.bool_ and found.dtype == dtype
        np.testing.assert_array_equal(kept, mask)
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(_native.masked_scale(values[:size], kept, 1.5), wanted)


def test_shapes_and_what_is_refused():
    x = np.ones((3, 4), np.float32)
    out, mask = _native.dropout(x, 0.5, 2.0, 1, 0)
    assert out.shape == mask.shape == (3, 4)
    assert _native.dropout(np.array(2, np.float32), 0.5, 2.0, 1, 0)[1].shape == ()
    assert _native.dropout(x[:0], 0.5, 2.0, 1, 0)[0].shape == (0, 4)
    for arguments in [
        (x,), (x.T, 0.5, 2.0, 1, 0), (x, 2.0, 2.0, 1, 0), (x, float("nan"), 2.0, 1, 0), (x, 0.5, 2.0, -1, 0),
        (x, 0.5, 2.0, 2**64, 0), (x, 0.5, 2.0, 1.0, 0), (x, 0.5, None, 1, 0), (x.astype(np.float16), 0.5, 2.0, 1, 0),
    ]:  # fmt: skip
        assert _native.dropout(*arguments) is NotImplemented
    for arguments in [
        (x, mask), (x, mask[:1], 2.0), (x.T, mask.T, 2.0), (x, mask.astype(np.uint8), 2.0), (x, mask, x),
        (x, mask[0], 2.0), (np.arange(3), mask[0, :3], 2.0),
    ]:  # fmt: skip
        assert _native.masked_scale(*arguments) is NotImplemented


def test_threads_do_not_matter():
    x = np.random.default_rng(0).normal(size=100_001).astype(np.float32)
    thread_counts.assert_no_difference(
        lambda: [
            *(
                filled(getattr(_native, f"random_{name}"), x.size, np.float32, (1, 2))
                for name in ("uniform", "normal")
            ),
            *_native.dropout(x, 0.5, 2.0, 3, 4),
            _native.masked_scale(x, x > 0, 2.0),
        ]
    )


def test_categories_without_replacement_are_those_of_the_reference(native):
    weights = np.random.default_rng(0).random((40, 300))
    weights[:, ::3] = 0
    for count in (1, 10, 200):
        arguments = (weights, count, False, 11, 5)
        found = native.overrides["philox_multinomial"](*arguments)
        np.testing.assert_array_equal(found, backends.reference.philox_multinomial(*arguments), strict=True)
    assert native.overrides["philox_multinomial"](weights, 3, True, 11, 5) is NotImplemented
