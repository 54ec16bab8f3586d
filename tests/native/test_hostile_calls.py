"""``minidl._native`` called with anything: a Python exception or NotImplemented, never the end of the interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

X = np.ones((2, 3))
FIVE = np.ones((1, 1, 5, 5), np.float32)


def test_hostile_calls_do_not_end_the_interpreter():
    program = Path(__file__).with_name("hostile_calls.py")
    home = Path(_native.__file__).parents[1]  # the package that is under test, installed or a source tree
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(program)],
        env={**os.environ, "PYTHONPATH": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]


def lstm_gradients(needs, w_hr=None):
    t, n, i, h = 2, 1, 3, 4
    states = [np.ones(shape) for shape in ((t, n, i), (n, h), (n, h), (4 * h, i), (4 * h, h))]
    saved = [np.ones(shape) for shape in ((t, n, h), (t, n, 4 * h), (t, n, h))]
    return _native.lstm_sequence_grad(None, np.ones((n, h)), None, *states, w_hr, *saved, False, needs)


def test_the_gradient_of_a_projection_that_is_not_there_is_none():
    assert lstm_gradients([True] * 8)[7] is None


@pytest.mark.parametrize("bad", [None, 5, np.float64(1), np.ones(2, np.float32), np.ones(2, np.int64)])
def test_cross_entropy_backward_looks_at_what_was_saved(bad):
    target, total, log_sums = np.array([0, 1]), np.ones(()), np.ones(2)
    options = -100, "mean", 0.0
    call = _native.cross_entropy_backward
    assert call(total, X, target, None, bad, total, *options) is NotImplemented
    assert call(total, X, target, None, log_sums, np.ones(0), *options) is NotImplemented
    assert call(total, X, target, None, log_sums, total, *options).shape == X.shape


@pytest.mark.parametrize("dim", [-1, 2, 100, -(2**40)])
def test_softmax_of_no_axis_is_refused(dim):
    assert _native.softmax(X, dim) is NotImplemented
    assert _native.log_softmax_backward(X, X, dim) is NotImplemented
    assert _native.softmax(np.ones(()), 0) == 1


@pytest.mark.parametrize("huge", [2**60 + 1, 2**62, 2**63 - 1])
@pytest.mark.parametrize("which", range(4))
def test_geometries_that_overflow_are_errors(huge, which):
    geometry = [(1, 1)] * 4
    geometry[which] = (huge, 1)
    kernel, stride, padding, dilation = geometry
    with pytest.raises((ValueError, MemoryError)):
        _native.max_pool(FIVE, kernel, stride, padding, dilation, True)
    with pytest.raises((ValueError, MemoryError)):
        _native.max_pool(FIVE, (2, 2), (1, 1), (0, 0), (2**59, 1), False)
    if which:
        with pytest.raises((ValueError, MemoryError)):
            _native.conv_forward(FIVE, FIVE[:, :, :2, :2], None, stride, padding, dilation, 1)
