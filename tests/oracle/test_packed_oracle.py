"""Padded and packed sequences beside PyTorch: the helpers of nn.utils.rnn, and recurrent layers over packed input."""

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
from minidl.nn.utils import rnn

theirs_rnn = torch.nn.utils.rnn


def agree(found, expected, label=""):
    assert tuple(found.shape) == tuple(expected.shape), label
    assert str(found.dtype).split(".")[-1] == str(expected.dtype).split(".")[-1], label
    driving.assert_near(driving.host(found), expected.detach().numpy(), 1e-9, 1e-9, label)


def packed_agree(found, expected):
    for name, a, b in zip(expected._fields, found, expected, strict=True):
        assert (a is None) == (b is None), name
        if a is not None:
            agree(a, b, name)


def grads_agree(found, inputs, expected, targets):
    weights = driving.directions([tuple(b.shape) for b in expected], 0)
    for a, b in zip(
        autograd.grad(found, inputs, [leaf(w) for w in weights]),
        torch.autograd.grad(expected, targets, [torch.tensor(w) for w in weights]),
        strict=True,
    ):
        agree(a, b, "gradient")


def sequences(lengths, *trailing, seed=0):
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal((n, *trailing)) for n in lengths]
    return [leaf(a, requires_grad=True) for a in arrays], [
        torch.tensor(a, requires_grad=True) for a in arrays
    ]


LENGTHS = {"falling": [4, 2, 2, 1], "any": [2, 4, 1, 3], "one": [3], "equal": [2, 2, 2]}
lengths_of = pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
first = pytest.mark.parametrize("batch_first", [False, True])


@first
@lengths_of
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("trailing", [(), (2,), (2, 3)])
def test_pad_sequence(lengths, batch_first, side, trailing):
    ours, theirs = sequences(lengths, *trailing)
    found = rnn.pad_sequence(ours, batch_first, -1.5, side)
    expected = theirs_rnn.pad_sequence(theirs, batch_first, -1.5, side)
    agree(found, expected)
    grads_agree([found], ours, [expected], theirs)


def test_pad_sequence_of_integers_and_without_elements():
    for value in (0.0, 3.7):
        ours = rnn.pad_sequence([minidl.tensor([1, 2]), minidl.tensor([3])], padding_value=value)
        agree(ours, theirs_rnn.pad_sequence([torch.tensor([1, 2]), torch.tensor([3])], padding_value=value))
    agree(rnn.pad_sequence([minidl.ones(0), minidl.ones(0)]), torch.ones(0, 2))
    agree(rnn.pad_sequence(minidl.ones(2, 3)), theirs_rnn.pad_sequence(torch.ones(2, 3)))


@first
@lengths_of
def test_packing_and_padding_again(lengths, batch_first):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((len(lengths), 5, 2) if batch_first else (5, len(lengths), 2))
    mine, other = leaf(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    distinct = len(set(lengths)) == len(lengths)
    found = rnn.pack_padded_sequence(
        mine, lengths, batch_first, enforce_sorted=lengths == sorted(lengths)[::-1]
    )
    expected = theirs_rnn.pack_padded_sequence(other, lengths, batch_first, lengths == sorted(lengths)[::-1])
    packed_agree(found, expected)
    unsorted = rnn.pack_padded_sequence(mine, minidl.tensor(lengths), batch_first, enforce_sorted=False)
    if distinct:  # among equals PyTorch leaves the order open
        packed_agree(
            unsorted, theirs_rnn.pack_padded_sequence(other, lengths, batch_first, enforce_sorted=False)
        )
    for total in (None, 7):
        packed, other_packed = (p._replace(data=p.data * 1) for p in (found, expected))
        a = rnn.pad_packed_sequence(packed, batch_first, -2.0, total)
        b = theirs_rnn.pad_packed_sequence(other_packed, batch_first, -2.0, total)
        again = rnn.pad_packed_sequence(unsorted, batch_first, -2.0, total)
        for ours, torchs, ours_unsorted in zip(a, b, again, strict=True):
            agree(ours, torchs)
            agree(ours_unsorted, torchs)
        grads_agree([a[0]], [packed.data], [b[0]], [other_packed.data])
    grads_agree([found.data], [mine], [expected.data], [other])


@lengths_of
def test_packing_lists(lengths):
    ours, theirs = sequences(lengths, 2)
    found, expected = rnn.pack_sequence(ours, False), theirs_rnn.pack_sequence(theirs, False)
    for a, b in zip(rnn.unpack_sequence(found), theirs_rnn.unpack_sequence(expected), strict=True):
        agree(a, b)
    padded = rnn.pad_sequence(ours)
    for a, b in zip(rnn.unpad_sequence(padded, minidl.tensor(lengths)), theirs, strict=True):
        agree(a, b)


REFUSED = {
    "none": lambda m, r: r.pad_sequence([]),
    "number": lambda m, r: r.pad_sequence(3),
    "numbers": lambda m, r: r.pad_sequence([1, 2]),
    "side": lambda m, r: r.pad_sequence([m.ones(2)], padding_side="up"),
    "unsorted": lambda m, r: r.pack_padded_sequence(m.ones(4, 3), [2, 3, 4]),
    "zero": lambda m, r: r.pack_padded_sequence(m.ones(4, 3), [4, 3, 0]),
    "count": lambda m, r: r.pack_padded_sequence(m.ones(4, 3), [4, 3]),
    "two-dims": lambda m, r: r.pack_padded_sequence(m.ones(4, 3), m.tensor([[3, 2, 1]])),
    "vector": lambda m, r: r.pack_padded_sequence(m.ones(3), [1, 2, 4], enforce_sorted=False),
    "empty": lambda m, r: r.pack_padded_sequence(m.ones(0, 3, 2), [1, 2, 4], enforce_sorted=False),
    "lists": lambda m, r: r.pack_sequence([m.ones(2), m.ones(3)]),
    "total": lambda m, r: r.pad_packed_sequence(r.pack_sequence([m.ones(2)]), total_length=1),
    "no-pack": lambda m, r: r.pad_packed_sequence(m.ones(2)),
    "pair": lambda m, r: r.PackedSequence([m.ones(2)]),
}  # fmt: skip


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_refusals_say_what_pytorch_says(call):
    with pytest.raises(Exception) as theirs:
        call(torch, theirs_rnn)
    with pytest.raises(type(theirs.value)) as ours:
        call(minidl, rnn)
    assert str(theirs.value).split(", but")[0].split(". You")[0] in str(ours.value)


def test_a_packed_sequence_is_converted_as_a_tensor_is():
    packed = rnn.pack_sequence([minidl.ones(2), minidl.ones(3)], enforce_sorted=False)
    other = theirs_rnn.pack_sequence([torch.ones(2), torch.ones(3)], enforce_sorted=False)
    assert repr(packed) == repr(other)
    assert packed.to("cpu") is packed.cpu() is packed.to(minidl.float32) is packed
    assert not packed.is_cuda
    for name in ("double", "half", "long", "int", "short", "char", "byte"):
        packed_agree(getattr(packed, name)(), getattr(other, name)())
    assert isinstance(packed._replace(data=packed.data * 2), rnn.PackedSequence)


def twins(name, *args, **kwargs):
    ours = getattr(nn, name)(*args, **kwargs).double()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = getattr(torch.nn, name)(*args, **kwargs).double()
    ours.load_state_dict({key: leaf(value.numpy().copy()) for key, value in theirs.state_dict().items()})
    return ours, theirs


def flat(result):
    output, state = result
    return [output.data, *(state if isinstance(state, tuple) else [state])]


@given(data=st.data())
def test_layers_over_packed_input(data):
    draw = data.draw
    name = draw(st.sampled_from(["RNN", "LSTM", "GRU"]))
    lengths = draw(
        st.lists(st.integers(1, 6), min_size=1, max_size=7, unique=True) | st.sampled_from([[3, 3], [4]])
    )
    features, hidden = draw(st.integers(1, 4)), draw(st.integers(1, 5))
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
    mine, other = sequences(lengths, features, seed=draw(st.integers(0, 9)))
    hx, their_hx = [], []
    if draw(st.booleans()):
        sizes = [options.get("proj_size") or hidden] + [hidden] * (name == "LSTM")
        for i, size in enumerate(sizes):
            shape = (options["num_layers"] * (1 + options["bidirectional"]), len(lengths), size)
            array = np.random.default_rng(i).standard_normal(shape)
            hx.append(leaf(array, requires_grad=True))
            their_hx.append(torch.tensor(array, requires_grad=True))
    call = (tuple(hx) if name == "LSTM" else hx[0],) if hx else ()
    their_call = (tuple(their_hx) if name == "LSTM" else their_hx[0],) if hx else ()
    found = flat(ours(rnn.pack_sequence(mine, False), *call))
    expected = flat(theirs(theirs_rnn.pack_sequence(other, False), *their_call))
    for a, b in zip(found, expected, strict=True):
        agree(a, b)
    grads_agree(found, [*mine, *hx, *ours.parameters()], expected, [*other, *their_hx, *theirs.parameters()])


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_second_gradients(name):
    ours, theirs = twins(name, 2, 3, bidirectional=True)
    results = []
    for lib, layer, steps in zip((minidl, torch), (ours, theirs), sequences([3, 1, 2], 2), strict=True):
        packed = lib.nn.utils.rnn.pack_sequence(steps, enforce_sorted=False)
        loss = sum((part**2).sum() for part in flat(layer(packed)))
        grads = lib.autograd.grad(loss, steps, create_graph=True)
        again = sum((g**2).sum() for g in grads)
        results.append(lib.autograd.grad(again, [*steps, *layer.parameters()]))
    for a, b in zip(*results, strict=True):
        agree(a, b)


@pytest.mark.parametrize("name", ["RNN", "GRU"])  # PyTorch's LSTM leaves it to its kernels
def test_what_does_not_fit_is_refused_as_pytorch_does(name):
    layers = nn.__dict__[name](2, 3), getattr(torch.nn, name)(2, 3)

    def calls(m, layer):
        pack = m.nn.utils.rnn.pack_padded_sequence
        yield lambda: layer(pack(m.ones(4, 3, 5), [4, 2, 1]))
        yield lambda: layer(pack(m.ones(4, 3), [4, 2, 1]))
        yield lambda: layer(pack(m.ones(4, 3, 2), [4, 2, 1]).double())
        yield lambda: layer(pack(m.ones(4, 3, 2), [4, 2, 1]), m.zeros(1, 2, 3))

    for mine, other in zip(calls(minidl, layers[0]), calls(torch, layers[1]), strict=True):
        with pytest.raises((RuntimeError, ValueError)) as theirs:
            other()
        with pytest.raises(type(theirs.value)) as ours:
            mine()
        assert str(ours.value).replace("minidl", "torch") == str(theirs.value)


@pytest.mark.parametrize("name", ["rnn_tanh", "rnn_relu", "lstm", "gru"])
def test_functions_take_packed_input_by_place_and_by_name(name):
    gates = {"lstm": 4, "gru": 3}.get(name, 1)
    rng = np.random.default_rng(0)
    params = [
        rng.standard_normal(shape) for shape in [(gates * 3, 2), (gates * 3, 3), (gates * 3,), (gates * 3,)]
    ]
    rows, state = rng.standard_normal((6, 2)), rng.standard_normal((1, 3, 3))
    results = []
    for lib, made in ((minidl, leaf), (torch, torch.tensor)):
        sizes = made(np.array([3, 2, 1]))
        hx = (made(state), made(state)) if name == "lstm" else made(state)
        args = made(rows), sizes, hx, [made(p) for p in params], True, 1, 0.0, False, False
        names = [
            "data",
            "batch_sizes",
            "hx",
            "params",
            "has_biases",
            "num_layers",
            "dropout",
            "train",
            "bidirectional",
        ]
        function = getattr(lib, name)
        results.append([*function(*args), *function(**dict(zip(names, args, strict=True)))])
    for a, b in zip(*results, strict=True):
        agree(a, b)


def test_batch_sizes_that_cut_no_rows_are_refused():
    params = [minidl.zeros(9, 2), minidl.zeros(9, 3)]
    for sizes in ([3, 2], [1, 2, 3], [3, 3, 0], []):
        with pytest.raises(RuntimeError, match="batch_sizes must be positive"):
            minidl.gru(minidl.ones(6, 2), minidl.tensor(sizes, dtype=minidl.int64), minidl.zeros(1, 3, 3), params,
                       False, 1, 0.0, False, False)  # fmt: skip
    with pytest.raises(RuntimeError, match="expected scalar type Long but found Float"):
        minidl.gru(
            minidl.ones(2, 2), minidl.ones(2), minidl.zeros(1, 1, 3), params, False, 1, 0.0, False, False
        )


def test_dropout_between_layers_acts_on_packed_rows():
    layer = nn.GRU(2, 3, num_layers=2, dropout=0.5)
    packed = rnn.pack_sequence([minidl.ones(4, 2), minidl.ones(2, 2)])
    assert not np.allclose(layer(packed)[0].data.detach().numpy(), layer(packed)[0].data.detach().numpy())
    layer.eval()
    assert np.array_equal(layer(packed)[0].data.detach().numpy(), layer(packed)[0].data.detach().numpy())
