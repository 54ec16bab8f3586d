"""Recurrent layers beside PyTorch where rows do not reach: second gradients, error texts, any configuration."""

import warnings

import driving
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minidl
from minidl import autograd, nn
from minidl.autograd.tensor import leaf


def twins(name, *args, **kwargs):
    """Our layer and PyTorch's with the same float64 weights."""
    ours = getattr(nn, name)(*args, **kwargs).double()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = getattr(torch.nn, name)(*args, **kwargs).double()
    ours.load_state_dict({key: leaf(value.numpy().copy()) for key, value in theirs.state_dict().items()})
    return ours, theirs


def agree(found, expected, label=""):
    driving.assert_near(driving.host(found), expected.detach().numpy(), 1e-9, 1e-9, label)


@given(data=st.data())
def test_any_configuration_agrees(data):
    draw = data.draw
    name = draw(st.sampled_from(["RNN", "LSTM", "GRU"]))
    steps, batch, features, hidden = (draw(st.integers(1, high)) for high in (5, 20, 7, 6))
    options = {
        "num_layers": draw(st.integers(1, 3)),
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "bidirectional": draw(st.booleans()),
    }
    if name == "RNN":
        options["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    if name == "LSTM":
        options["proj_size"] = draw(st.integers(0, hidden - 1))
    ours, theirs = twins(name, features, hidden, **options)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.standard_normal((batch, steps, features) if options["batch_first"] else (steps, batch, features))
    mine, other = leaf(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    found, expected = driving.flat(ours(mine)), driving.flat(theirs(other))
    for a, b in zip(found, expected, strict=True):
        agree(a, b)
    weights = driving.directions([tuple(b.shape) for b in expected], 0)
    inputs, targets = [mine, *ours.parameters()], [other, *theirs.parameters()]
    for a, b in zip(
        autograd.grad(found, inputs, [leaf(w) for w in weights]),
        torch.autograd.grad(expected, targets, [torch.tensor(w) for w in weights]),
        strict=True,
    ):
        agree(a, b)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_second_gradients_of_two_layers_in_both_directions(name):
    ours, theirs = twins(name, 3, 4, num_layers=2, bidirectional=True, batch_first=True)
    x = np.random.default_rng(0).standard_normal((2, 3, 3))
    mine, other = leaf(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    inputs, targets = [mine, *ours.parameters()], [other, *theirs.parameters()]
    first = autograd.grad([ours(mine)[0].square().sum()], inputs, create_graph=True)
    first_torch = torch.autograd.grad(theirs(other)[0].square().sum(), targets, create_graph=True)
    for a, b in zip(first, first_torch, strict=True):
        agree(a, b, "first")
    second = autograd.grad([sum(g.square().sum() for g in first)], inputs)
    second_torch = torch.autograd.grad(sum(g.square().sum() for g in first_torch), targets)
    for a, b in zip(second, second_torch, strict=True):
        agree(a, b, "second")


MISTAKES = {
    "no-steps": lambda lib: lib.nn.GRU(2, 3)(lib.zeros(0, 1, 2)),
    "features": lambda lib: lib.nn.LSTM(2, 3)(lib.zeros(4, 1, 5)),
    "rank-rnn": lambda lib: lib.nn.RNN(2, 3)(lib.zeros(2)),
    "rank-gru": lambda lib: lib.nn.GRU(2, 3)(lib.zeros(2, 2, 2, 2)),
    "dtype": lambda lib: lib.nn.LSTM(2, 3)(lib.zeros(4, 1, 2, dtype=lib.float64)),
    "integers": lambda lib: lib.nn.LSTM(2, 3)(lib.zeros(4, 1, 2, dtype=lib.int32)),
    "state": lambda lib: lib.nn.RNN(2, 3)(lib.zeros(4, 1, 2), lib.zeros(1, 2, 3)),
    "state-dtype": lambda lib: lib.nn.GRU(2, 3)(lib.zeros(4, 1, 2), lib.zeros(1, 1, 3, dtype=lib.float64)),
    "state-rank": lambda lib: lib.nn.RNN(2, 3)(lib.zeros(4, 1, 2), lib.zeros(1, 3)),
    "state-rank-unbatched": lambda lib: lib.nn.GRU(2, 3)(lib.zeros(4, 2), lib.zeros(1, 1, 3)),
    "lstm-h": lambda lib: lib.nn.LSTM(2, 3)(lib.zeros(4, 1, 2), (lib.zeros(1, 2, 3), lib.zeros(1, 1, 3))),
    "lstm-c": lambda lib: lib.nn.LSTM(2, 3)(lib.zeros(4, 1, 2), (lib.zeros(1, 1, 3), lib.zeros(1, 1, 4))),
    "lstm-rank": lambda lib: lib.nn.LSTM(2, 3)(lib.zeros(4, 1, 2), (lib.zeros(1, 3), lib.zeros(1, 3))),
    "lstm-projected": lambda lib: lib.nn.LSTM(2, 3, proj_size=1)(
        lib.zeros(4, 1, 2), (lib.zeros(1, 1, 3), lib.zeros(1, 1, 3))
    ),
    "input-size": lambda lib: lib.nn.LSTM(0, 3),
    "hidden-size": lambda lib: lib.nn.LSTM(2, -1),
    "hidden-size-type": lambda lib: lib.nn.LSTM(2, 3.0),
    "num-layers": lambda lib: lib.nn.GRU(2, 3, 0),
    "bias-type": lambda lib: lib.nn.GRU(2, 3, bias=1),
    "batch-first-type": lambda lib: lib.nn.GRU(2, 3, batch_first=None),
    "dropout": lambda lib: lib.nn.GRU(2, 3, dropout=-0.5),
    "projection": lambda lib: lib.nn.LSTM(2, 3, proj_size=3),
    "projection-negative": lambda lib: lib.nn.LSTM(2, 3, proj_size=-1),
    "projection-gru": lambda lib: lib.nn.GRU(2, 3, proj_size=1),
    "nonlinearity": lambda lib: lib.nn.RNN(2, 3, nonlinearity="elu"),
    "mode": lambda lib: lib.nn.RNNBase("ESN", 2, 3),
    "cell-rank": lambda lib: lib.nn.LSTMCell(2, 3)(lib.zeros(1, 1, 2)),
    "cell-state-rank": lambda lib: lib.nn.GRUCell(2, 3)(lib.zeros(1, 2), lib.zeros(1, 1, 3)),
    "cell-features": lambda lib: lib.nn.RNNCell(2, 3)(lib.zeros(1, 3)),
    "cell-state": lambda lib: lib.nn.GRUCell(2, 3)(lib.zeros(1, 2), lib.zeros(1, 4)),
    "cell-batch": lambda lib: lib.nn.GRUCell(2, 3)(lib.zeros(1, 2), lib.zeros(2, 3)),
    "cell-unbatched-state": lambda lib: lib.nn.RNNCell(2, 3)(lib.zeros(2), lib.zeros(1, 3)),
    "cell-dtype": lambda lib: lib.nn.RNNCell(2, 3)(lib.zeros(1, 2, dtype=lib.float64)),
    "cell-nonlinearity": lambda lib: lib.nn.RNNCell(2, 3, nonlinearity="elu")(lib.zeros(1, 2)),
    "cell-tuple": lambda lib: lib.lstm_cell(
        lib.zeros(1, 2), lib.zeros(1, 3), lib.zeros(12, 2), lib.zeros(12, 3)
    ),
    "cell-c": lambda lib: lib.lstm_cell(
        lib.zeros(1, 2), (lib.zeros(1, 3), lib.zeros(2, 3)), lib.zeros(12, 2), lib.zeros(12, 3)
    ),
    "cell-weight": lambda lib: lib.gru_cell(
        lib.zeros(1, 2), lib.zeros(1, 3), lib.zeros(8, 2), lib.zeros(9, 3)
    ),
    "cell-bias": lambda lib: lib.gru_cell(
        lib.zeros(1, 2), lib.zeros(1, 3), lib.zeros(9, 2), lib.zeros(9, 3), lib.zeros(8)
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_have_pytorchs_error_and_text(mistake):
    with pytest.raises(Exception) as theirs:
        MISTAKES[mistake](torch)
    with pytest.raises(type(theirs.value)) as ours:
        MISTAKES[mistake](minidl)
    text = str(theirs.value).splitlines()[0].replace("torch.", "minidl.")
    assert str(ours.value).startswith(text)


def test_warning_of_useless_dropout_is_the_same():
    with pytest.warns(UserWarning) as theirs:
        torch.nn.LSTM(2, 3, dropout=0.5)
    with pytest.warns(UserWarning) as ours:
        nn.LSTM(2, 3, dropout=0.5)
    assert str(ours[0].message) == str(theirs[0].message)
