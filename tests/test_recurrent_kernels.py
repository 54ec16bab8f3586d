"""The C++ recurrent sequences beside the reference: sizes, strides, missing gradients, threads, NaN, refusals."""

import driving
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import backends

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
    return x, states, [draw(rows, features), draw(size, rows).T, *biases, *projection]


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


@pytest.mark.parametrize("name", SEQUENCES)
def test_native_results_do_not_depend_on_the_number_of_threads(name, native):
    _native = pytest.importorskip("minidl._native")
    arguments = sequence_arguments(name, 4, 70, 33, 50, np.float32, 0)
    before = _native.get_num_threads()
    try:
        _native.set_num_threads(1)
        alone = run_kernels(native, name, *arguments, False, 0)
        _native.set_num_threads(3)
        together = run_kernels(native, name, *arguments, False, 0)
    finally:
        _native.set_num_threads(before)
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)


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
