"""The C++ recurrent sequences beside the reference: sizes, strides, missing gradients, threads, levels, refusals."""

import itertools
import os
import subprocess
import sys
import threading

import driving
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from thread_counts import assert_no_difference

from minidl import backends

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

SEQUENCES = {"rnn": 1, "gru": 3, "lstm": 4}  # names and gates


def sequence_arguments(name, steps, batch, features, hidden, dtype, seed, bias=True, state=None):
    """(input, states, weights) with strides of several kinds; with ``state`` an LSTM projects to so many features."""
    rng = np.random.default_rng(seed)
    rows, size = SEQUENCES[name] * hidden, state or hidden

    def draw(*shape):
        return (0.5 * rng.standard_normal(shape)).astype(dtype)

    x = draw(batch, steps, features).swapaxes(0, 1)
    states = [draw(size, batch).T, draw(hidden, batch).T][: 2 if name == "lstm" else 1]
    biases = [draw(2 * rows)[::-2] if bias else None for _ in range(2)]
    projection = [draw(size, 2 * hidden)[:, ::2] if state else None] if name == "lstm" else []
    gentle = np.asarray(min(1, 2 / np.sqrt(size)), dtype)  # larger weights make long sequences chaotic
    return x, states, [draw(rows, features), (gentle * draw(size, rows)).T, *biases, *projection]


def run_kernels(backend, name, x, states, weights, reverse, seed):
    """All results and gradients of a sequence; some gradients from above are missing, some below are not wanted."""
    rng = np.random.default_rng(seed)
    end = ("tanh", reverse) if name == "rnn" else (reverse,)
    results = getattr(backend, f"{name}_sequence")(x, *states, *weights, *end)
    output, residuals = results[0], results[1 + len(states) :]
    upstream = [
        None if rng.random() < 0.3 else rng.standard_normal(shape).astype(x.dtype)
        for shape in [output.shape, *(state.shape for state in states)]
    ]
    needs = [array is not None and bool(rng.random() < 0.7) for array in (x, *states, *weights)]
    grads = getattr(backend, f"{name}_sequence_grad")(
        *upstream, x, *states, *weights[:2], *weights[4:], output, *residuals, *end, tuple(needs)
    )
    assert [grad is not None for grad in grads] == needs
    return [*results, *(grad for grad in grads if grad is not None)]


@given(
    name=st.sampled_from(sorted(SEQUENCES)),
    sizes=st.tuples(st.integers(1, 6), st.integers(0, 40), st.integers(1, 20), st.integers(1, 20)),
    reverse=st.booleans(),
    bias=st.booleans(),
    state=st.none() | st.integers(1, 5),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_native_sequences_agree_with_reference(name, sizes, reverse, bias, state, dtype, seed, native):
    state = state if name == "lstm" else None
    arguments = sequence_arguments(name, *sizes, dtype, seed, bias, state)
    with backends.trace_fallbacks() as fallen:
        found = run_kernels(native, name, *arguments, reverse, seed)
    assert not fallen
    expected = run_kernels(backends.reference, name, *arguments, reverse, seed)
    tolerance = 1e-4 if dtype is np.float32 else 1e-11
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        driving.assert_near(a, b, tolerance, tolerance)


def check_against_reference(name, sizes, dtype, seed, reverse=False, bias=True, state=None):
    """Results and gradients beside those of the reference in float64."""
    x, states, weights = sequence_arguments(name, *sizes, dtype, seed, bias, state)
    found = run_kernels(backends.cpu, name, x, states, weights, reverse, seed)
    wide = [None if a is None else a.astype(np.float64) for a in (x, *states, *weights)]
    states, weights = wide[1 : 1 + len(states)], wide[1 + len(states) :]
    expected = run_kernels(backends.reference, name, wide[0], states, weights, reverse, seed)
    tolerance = 3e-5 if dtype is np.float32 else 1e-12
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == dtype
        driving.assert_near(a, b, tolerance, tolerance)
    return found


WIDTHS = [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SEQUENCES)
def test_widths_around_those_of_vectors_and_tiles(name, dtype, native):
    for seed, hidden in enumerate(WIDTHS):
        sizes = (3, [2, 6, 13, 14, 15, 29][seed % 6], WIDTHS[(5 * seed) % 16], hidden)
        check_against_reference(name, sizes, dtype, seed, reverse=bool(seed % 2), bias=bool(seed % 3))
        if name == "lstm" and hidden > 1:
            check_against_reference(name, sizes, dtype, seed, state=hidden - hidden // 3)


# One for every way that threads share the steps, and a projection that is wider than the cells.
SHARED = {
    "alone": (2, 3, 5, 20, None),
    "columns": (9, 11, 20, 150, None),
    "columns, projected": (9, 11, 20, 150, 70),
    "columns, widened": (40, 21, 20, 30, 90),
    "rows": (12, 71, 17, 45, None),
    "rows, projected": (12, 71, 17, 60, 33),
}


@pytest.mark.parametrize(
    ("name", "sharing"),
    [(n, s) for n in SEQUENCES for s in SHARED if n == "lstm" or SHARED[s][-1] is None],
)
def test_results_do_not_depend_on_the_number_of_threads(name, sharing, native):
    *sizes, state = SHARED[sharing]
    gates, hidden = SEQUENCES[name], sizes[3]
    if name == "rnn":
        sizes[0] *= 4  # enough work to share
    assert _native.recurrent_sharing(*sizes, state or hidden, gates) == sharing.split(",")[0]
    for dtype in (np.float32, np.float64):
        assert_no_difference(lambda dtype=dtype: check_against_reference(name, sizes, dtype, 0, state=state))


@pytest.mark.parametrize("name", SEQUENCES)
def test_every_gradient_from_above_may_be_missing(name, native):
    x, states, weights = sequence_arguments(name, 3, 4, 5, 19, np.float64, 0)
    end = ("relu", False) if name == "rnn" else (False,)
    results = getattr(native, f"{name}_sequence")(x, *states, *weights, *end)
    rng = np.random.default_rng(1)
    upstream = [rng.standard_normal(a.shape) for a in (results[0], *states)]
    needs = (True,) * (1 + len(states) + 4) + (False,) * (name == "lstm")
    for kept in itertools.product([False, True], repeat=len(upstream)):
        above = [g if keep else None for g, keep in zip(upstream, kept, strict=True)]
        rest = (x, *states, *weights[:2], *weights[4:], results[0], *results[1 + len(states) :], *end, needs)
        found = getattr(native, f"{name}_sequence_grad")(*above, *rest)
        expected = getattr(backends.reference, f"{name}_sequence_grad")(*above, *rest)
        for a, b in zip(found[: 5 + len(states)], expected[: 5 + len(states)], strict=True):
            driving.assert_near(a, b, 1e-12, 1e-12)


def test_layers_that_run_at_the_same_time_do_not_disturb_each_other(native):
    arguments = sequence_arguments("lstm", *SHARED["columns"][:4], np.float32, 0)
    alone = run_kernels(native, "lstm", *arguments, False, 0)
    results = [None] * 4

    def run(i):
        for _ in range(5):
            results[i] = run_kernels(native, "lstm", *arguments, False, 0)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for found in results:
        for a, b in zip(found, alone, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_steps_run_in_a_forked_process(native):
    program = (
        "import os, test_recurrent_kernels as t\n"
        "arguments = t.sequence_arguments('gru', *t.SHARED['columns'][:4], 'float32', 0)\n"
        "run = lambda: t.run_kernels(t.backends.cpu, 'gru', *arguments, False, 0)\n"
        "before = run()\n"
        "child = os.fork()\n"
        "same = all((a == b).all() for a, b in zip(before, run(), strict=True))\n"
        "if child == 0: os._exit(0 if same else 1)\n"
        "assert same and os.waitpid(child, 0)[1] == 0\n"
    )
    run_beside(program)


def run_beside(program):
    """Runs a program in another interpreter, which finds this module and the package under test."""
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert run.returncode == 0, run.stderr[-2000:]


def test_no_samples_and_no_features(native):
    for name in SEQUENCES:
        check_against_reference(name, (3, 0, 4, 20), np.float32, 0)
        check_against_reference(name, (3, 2, 0, 20), np.float32, 0)


@pytest.mark.parametrize("name", SEQUENCES)
def test_nan_of_one_sample_stays_in_its_sample(name, native):
    x, states, weights = sequence_arguments(name, 3, 4, 2, 3, np.float64, 0)
    x[1, 2, 0] = np.nan
    results = run_kernels(native, name, x, states, weights, False, 0)
    assert np.isnan(results[0][1:, 2]).all()
    assert np.isfinite(np.delete(results[0], 2, axis=1)).all() and np.isfinite(results[0][0]).all()


@pytest.mark.parametrize("place", [1, 2, 3])
def test_native_kernels_refuse_arrays_that_do_not_fit(place, native):
    x, states, weights = sequence_arguments("gru", 2, 4, 5, 3, np.float64, 0)
    arguments = [x, *states, *weights, False]
    arguments[place] = arguments[place][:, :2]
    with pytest.raises(ValueError, match=r"must have shape \(.*\), got \("):
        native.gru_sequence(*arguments)


def test_native_kernels_refuse_states_of_two_sizes_without_a_projection(native):
    x, (h, c), weights = sequence_arguments("lstm", 2, 4, 5, 3, np.float64, 0, state=2)
    with pytest.raises(ValueError, match="without w_hr they must be equal"):
        native.lstm_sequence(x, h, c, *weights[:4], None, False)
