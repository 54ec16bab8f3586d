"""Sums of overlapping windows in the native backend: bit for bit those of the reference."""

import numpy as np
import pytest
import thread_counts

from minidl import backends

_native = pytest.importorskip("minidl._native", exc_type=ImportError)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "length, size, step", [(7, 3, 2), (5, 3, 1), (9, 2, 4), (6, 6, 1), (5, 0, 2), (300, 16, 8)]
)
@pytest.mark.parametrize("dim", [0, 1, 2])
def test_windows_come_together(native, dim, length, size, step, dtype):
    shape = [3, 4, 5]
    shape[dim] = length
    count = (length - size) // step + 1
    g = np.random.default_rng(0).normal(size=(*shape[:dim], count, *shape[dim + 1 :], size)).astype(dtype)
    arguments = (tuple(shape), dim, size, step)
    wanted = backends.reference.fold_windows(g, *arguments)
    for given in (g, np.asfortranarray(g)):
        np.testing.assert_array_equal(
            native.overrides["fold_windows"](given, *arguments), wanted, strict=True
        )
    thread_counts.assert_no_difference(lambda: [native.fold_windows(g, *arguments)])


def test_what_it_does_not_serve(native):
    assert native.overrides["fold_windows"](np.ones((2, 2), "float16"), (3,), 0, 2, 1) is NotImplemented


def test_arrays_that_do_not_fit_are_errors():
    windows = np.ones((2, 3, 4, 5))  # from 9 elements on at steps of 2
    for step, shape in [(2, (2, 8, 4)), (0, (2, 9, 4)), (2, (2, 9, 3)), (2, (1, 9, 4)), (2, (2, 9 * 4))]:
        with pytest.raises(ValueError, match="windows"):
            _native.fold_windows(windows, step, np.ones(shape))
    with pytest.raises(ValueError, match="windows"):
        _native.fold_windows(windows, 2, np.ones((2, 9, 4), "float32"))
