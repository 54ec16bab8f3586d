"""RNN, LSTM and GRU by the CUDA kernels against the reference in float64: sequences, cells, gradients."""

import ml_dtypes
import numpy as np
import pytest

from minidl import backends

TOLERANCE = {"float16": 1e-2, "bfloat16": 8e-2, "float32": 2e-5, "float64": 1e-12}
FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
dtypes = pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: np.dtype(d).name)
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
kinds = pytest.mark.parametrize("kind", GATES)


def agree(found, expected, dtype):
    found, expected = (a if isinstance(a, tuple) else (a,) for a in (found, expected))
    tolerance = TOLERANCE[np.dtype(dtype).name]
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            assert mine.dtype == dtype and mine.shape == theirs.shape
            np.testing.assert_allclose(mine.astype(float), theirs, rtol=tolerance, atol=tolerance)


class Example:
    """Arguments of a sequence in float64, exact in ``dtype``, and what the reference makes of them."""

    def __init__(self, kind, dtype, steps, reverse, biased=True, nonlinearity="tanh", hidden=7):
        self.random = np.random.default_rng(steps)
        self.kind, self.dtype, self.biased = kind, dtype, biased
        batch, inputs, rows = 3, 5, GATES[kind] * hidden
        self.states = [self.draw(batch, hidden) for _ in range(2 if kind == "lstm" else 1)]
        self.input, self.weights = (
            self.draw(steps, batch, inputs),
            [self.draw(rows, inputs), self.draw(rows, hidden)],
        )
        self.biases = [self.draw(rows), self.draw(rows)] if biased else [None, None]
        self.tail = {"rnn": (nonlinearity,), "lstm": (None,), "gru": ()}[kind], (reverse,)

    def draw(self, *shape):
        return (self.random.standard_normal(shape) / 2).astype(self.dtype).astype(float)

    def args(self):
        extra, reverse = self.tail
        return (self.input, *self.states, *self.weights, *self.biases, *extra, *reverse)

    def grad_args(self, outputs, dout, dlast, needs):
        output, _, *kept = outputs
        kept = kept[1:] if self.kind == "lstm" else kept
        projection = (None,) if self.kind == "lstm" else ()
        extra = self.tail[0] if self.kind == "rnn" else ()
        return (
            *(dout, *dlast, self.input, *self.states, *self.weights, *projection),
            *(output, *kept, *extra, *self.tail[1], needs),
        )


def narrowed(args, dtype):
    return [a.astype(dtype) if isinstance(a, np.ndarray) else a for a in args]


@dtypes
@kinds
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("steps, biased", [(1, True), (4, True), (4, False)])
def test_sequence(kind, steps, reverse, biased, dtype, run):
    example = Example(kind, dtype, steps, reverse, biased)
    expected = getattr(backends.reference, f"{kind}_sequence")(*example.args())
    agree(run(f"{kind}_sequence", *narrowed(example.args(), dtype)), expected, dtype)
    expected = tuple(a.astype(dtype).astype(float) for a in expected)
    incoming = example.draw(*expected[0].shape), [None, *(example.draw(*s.shape) for s in example.states[1:])]
    needs = (True, *(True for _ in example.states), True, True, biased, True, *[False] * (kind == "lstm"))
    args = example.grad_args(expected, *incoming, needs)
    wanted = getattr(backends.reference, f"{kind}_sequence_grad")(*args)
    agree(run(f"{kind}_sequence_grad", *narrowed(args, dtype)), wanted, dtype)


@kinds
def test_only_the_last_state_has_a_gradient(kind, run):
    example = Example(kind, np.float64, 3, False)
    outputs = getattr(backends.reference, f"{kind}_sequence")(*example.args())
    needs = (
        False,
        True,
        *[False] * (len(example.states) - 1),
        False,
        True,
        False,
        True,
        *[False] * (kind == "lstm"),
    )
    dlast = [example.draw(*state.shape) for state in example.states]
    args = example.grad_args(outputs, None, dlast, needs)
    found = run(f"{kind}_sequence_grad", *args)
    agree(found, getattr(backends.reference, f"{kind}_sequence_grad")(*args), np.float64)


def test_rnn_with_relu(run):
    example = Example("rnn", np.float64, 4, True, nonlinearity="relu")
    expected = backends.reference.rnn_sequence(*example.args())
    agree(run("rnn_sequence", *example.args()), expected, np.float64)
    args = example.grad_args(expected, example.draw(*expected[0].shape), [None], (True,) * 6)
    agree(run("rnn_sequence_grad", *args), backends.reference.rnn_sequence_grad(*args), np.float64)


@kinds
def test_sums_long_enough_to_be_split(kind, run):
    example = Example(kind, np.float32, 2, False, hidden=264)
    expected = getattr(backends.reference, f"{kind}_sequence")(*example.args())
    found = run(f"{kind}_sequence", *narrowed(example.args(), np.float32))
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4)


@dtypes
@kinds
def test_cell(kind, dtype, run):
    example = Example(kind, dtype, 1, False)
    extra = ("tanh",) if kind == "rnn" else ()
    args = (example.input[0], *example.states, *example.weights, *example.biases, *extra)
    expected = getattr(backends.reference, f"{kind}_cell")(*args)
    agree(run(f"{kind}_cell", *narrowed(args, dtype)), expected, dtype)
    saved = expected if isinstance(expected, tuple) else (expected,)
    saved = [a.astype(dtype).astype(float) for a in saved]
    dstates = [example.draw(*state.shape) for state in example.states]
    needs = (True, *(False for _ in example.states), True, True, True, False)
    args = (*dstates, *args[: 3 + len(example.states)], *saved, *extra, needs)
    wanted = getattr(backends.reference, f"{kind}_cell_grad")(*args)
    agree(run(f"{kind}_cell_grad", *narrowed(args, dtype)), wanted, dtype)


def projected(dtype, steps, reverse):
    """Arguments of an LSTM whose 7 features are projected to 2."""
    example = Example("lstm", dtype, steps, reverse)
    input, h0, c0, w_ih, w_hh, b_ih, b_hh, *_ = example.args()
    w_hr = example.draw(2, 7)
    return example, (input, h0[:, :2], c0, w_ih, w_hh[:, :2], b_ih, b_hh, w_hr, reverse)


@pytest.mark.parametrize("dtype, steps", [(np.float32, 4), (np.float64, 1)])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("incoming", ["output", "h_n", "output h_n c_n"])
def test_projection(incoming, reverse, steps, dtype, run):
    example, args = projected(dtype, steps, reverse)
    expected = backends.reference.lstm_sequence(*args)
    agree(run("lstm_sequence", *narrowed(args, dtype)), expected, dtype)
    output, h_n, c_n, gates, cells = (a.astype(dtype).astype(float) for a in expected)
    outgoing = zip(("output", "h_n", "c_n"), (output, h_n, c_n), strict=True)
    given = [example.draw(*a.shape) if name in incoming.split() else None for name, a in outgoing]
    input, h0, c0, w_ih, w_hh, _, _, w_hr, _ = args
    for needs in (True,) * 8, (False,) * 7 + (True,):
        grads = *given, input, h0, c0, w_ih, w_hh, w_hr, output, gates, cells, reverse, needs
        wanted = backends.reference.lstm_sequence_grad(*grads)
        agree(run("lstm_sequence_grad", *narrowed(grads, dtype)), wanted, dtype)


def test_a_projection_of_16_bits_falls_through(gpu):
    backend = backends.on(gpu)
    _, args = projected(np.float16, 2, False)
    narrow = narrowed(args, np.float16)
    on_device = [backend.xp.asarray(a) if isinstance(a, np.ndarray) else a for a in narrow]
    with backends.trace_fallbacks() as fallen:
        found = backend.lstm_sequence(*on_device)
    assert fallen == [(gpu, "lstm_sequence")]
    agree(tuple(o.get() for o in found), backends.reference.lstm_sequence(*args), np.float16)
