"""Packed sequences: a layer gives each sequence what it gives it alone; packing and padding undo each other."""

import numpy as np
import pytest

import minidl
from minidl import nn
from minidl.nn.utils import rnn

LENGTHS = [3, 5, 1, 3, 4]
LAYERS = [("RNN", {}), ("GRU", {}), ("LSTM", {}), ("LSTM", {"proj_size": 2})]


def near(found, expected):
    np.testing.assert_allclose(
        found.detach().cpu().numpy(), expected.detach().cpu().numpy(), rtol=1e-5, atol=1e-6
    )


def drawn(device="cpu"):
    minidl.manual_seed(0)
    return [minidl.randn(n, 3).to(device).requires_grad_() for n in LENGTHS]


@pytest.mark.parametrize(("name", "options"), LAYERS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_each_sequence_is_treated_as_if_it_were_alone(name, options, bidirectional, device):
    layer = getattr(nn, name)(3, 4, num_layers=2, bidirectional=bidirectional, **options).to(device)
    together, apart = drawn(device), drawn(device)
    output, state = layer(rnn.pack_sequence(together, enforce_sorted=False))
    states = state if isinstance(state, tuple) else (state,)
    sum((s**2).sum() for s in states).backward(retain_graph=True)
    (output.data**2).sum().backward()
    grads = [parameter.grad for parameter in layer.parameters()]
    layer.zero_grad()
    for i, (found, sequence) in enumerate(zip(rnn.unpack_sequence(output), apart, strict=True)):
        alone, last = layer(sequence)
        near(found, alone)
        lasts = last if isinstance(last, tuple) else (last,)
        for a, b in zip(states, lasts, strict=True):
            near(a[:, i], b)
        ((alone**2).sum() + sum((s**2).sum() for s in lasts)).backward()
    for a, b in zip(grads, layer.parameters(), strict=True):
        np.testing.assert_allclose(a.cpu().numpy(), b.grad.cpu().numpy(), rtol=1e-4, atol=1e-5)
    for a, b in zip(together, apart, strict=True):
        np.testing.assert_allclose(a.grad.cpu().numpy(), b.grad.cpu().numpy(), rtol=1e-4, atol=1e-5)


def test_initial_states_belong_to_the_sequences_in_their_order():
    layer, sequences = nn.LSTM(3, 4), drawn()
    h, c = minidl.randn(1, 5, 4), minidl.randn(1, 5, 4)
    output, (h_n, c_n) = layer(rnn.pack_sequence(sequences, enforce_sorted=False), (h, c))
    for i, (found, sequence) in enumerate(zip(rnn.unpack_sequence(output), sequences, strict=True)):
        alone, (last_h, last_c) = layer(sequence, (h[:, i], c[:, i]))
        near(found, alone)
        near(h_n[:, i], last_h)
        near(c_n[:, i], last_c)


@pytest.mark.parametrize("batch_first", [False, True])
def test_packing_and_padding_undo_each_other(batch_first, device):
    sequences = drawn(device)
    padded = rnn.pad_sequence(sequences, batch_first, padding_value=9.0)
    assert padded.shape == (5, 5, 3)
    assert int((padded == 9).sum()) == 3 * (25 - sum(LENGTHS))
    packed = rnn.pack_padded_sequence(padded, LENGTHS, batch_first, enforce_sorted=False)
    assert packed.data.device == padded.device
    assert packed.batch_sizes.tolist() == [5, 4, 4, 2, 1]
    again, lengths = rnn.pad_packed_sequence(packed, batch_first, padding_value=9.0)
    near(again, padded)
    assert lengths.tolist() == LENGTHS
    for a, b in zip(rnn.unpad_sequence(again, lengths, batch_first), sequences, strict=True):
        near(a, b)
    again.sum().backward()
    for sequence in sequences:
        assert (sequence.grad.cpu().numpy() == 1).all()


@pytest.mark.parametrize("name", ["gru", "lstm", "rnn_tanh"])
def test_functions_say_what_packed_input_needs(name):
    function, h = getattr(minidl, name), minidl.zeros(1, 2, 3)
    hx, sizes = (h, h) if name == "lstm" else h, minidl.tensor([2, 1])
    rows = {"gru": 9, "lstm": 12}.get(name, 3)
    rest = [[minidl.zeros(rows, 2), minidl.zeros(rows, 3)], False, 1, 0.0, False, False]
    assert function(minidl.ones(3, 2), sizes, hx, *rest)[0].shape == (3, 3)
    with pytest.raises(TypeError, match="invalid combination of arguments"):
        function(minidl.ones(3, 2), sizes, hx, *rest[:-1])
    with pytest.raises(TypeError, match="'batch_sizes' must be Tensor, not list"):
        function(data=minidl.ones(3, 2), batch_sizes=[2, 1], hx=hx, params=rest[0], has_biases=False, num_layers=1,
                 dropout=0.0, train=False, bidirectional=False)  # fmt: skip
    with pytest.raises(RuntimeError, match=r"Expected hidden size \(1, 3, 3\), got \[1, 2, 3\]"):
        function(minidl.ones(3, 2), minidl.tensor([3]), hx, *rest)
    with pytest.raises(RuntimeError, match="input must have 2 dimensions, got 3"):
        function(minidl.ones(1, 3, 2), sizes, hx, *rest)
