"""Transformers beside PyTorch: modes, copies, initial weights, texts of errors and warnings, a training run."""

import itertools

import numpy as np
import pytest
import torch
from beside_torch import refusal

import minidl

pytestmark = [
    pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning"),
    pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning"),
]

RNG = np.random.default_rng(4)
SRC, TGT = RNG.standard_normal((2, 5, 8)), RNG.standard_normal((2, 4, 8))
PADDED = np.arange(5) >= np.array([[5], [3]])


def pair(build):
    """The same module by both, float64, with our weights."""
    ours, theirs = build(minidl.nn).double(), build(torch.nn).double()
    theirs.load_state_dict({name: torch.tensor(value.numpy()) for name, value in ours.state_dict().items()})
    return ours, theirs


def transformer(nn, **options):
    options = {"dim_feedforward": 16, "dropout": 0.0, "batch_first": True} | options
    return nn.Transformer(8, 2, 2, 2, **options)


@pytest.mark.parametrize(("norm_first", "causal"), list(itertools.product((False, True), repeat=2)))
def test_evaluation_without_gradients(norm_first, causal):
    """Where PyTorch takes another way, that of its fused encoder layer."""
    ours, theirs = pair(lambda nn: transformer(nn, norm_first=norm_first))

    def run(library, net):
        mask = library.nn.Transformer.generate_square_subsequent_mask(4, dtype=library.float64)
        src, tgt = library.tensor(SRC), library.tensor(TGT)
        options = {"tgt_mask": mask} if causal else {"memory_key_padding_mask": library.tensor(PADDED)}
        with library.no_grad():
            return net.eval()(src, tgt, src_key_padding_mask=library.tensor(PADDED), **options).numpy()

    if causal:  # the decoder reads what the encoder gives for padding: zeros, with PyTorch's nested tensors
        theirs.encoder.use_nested_tensor = False
    np.testing.assert_allclose(run(minidl, ours), run(torch, theirs), rtol=1e-9, atol=1e-11)


def test_training_goes_the_same_way():
    ours, theirs = pair(lambda nn: transformer(nn, activation="gelu"))

    def losses(library, net):
        optimizer = library.optim.Adam(net.parameters(), lr=1e-2)
        mask = net.generate_square_subsequent_mask(4, dtype=library.float64)
        src, tgt = library.tensor(SRC), library.tensor(TGT)
        for _ in range(5):
            optimizer.zero_grad()
            loss = ((net(src, tgt, tgt_mask=mask) - tgt) ** 2).mean()
            loss.backward()
            optimizer.step()
            yield loss.item()

    np.testing.assert_allclose(list(losses(minidl, ours)), list(losses(torch, theirs)), rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"bias": False}, {"dropout": 0.3, "activation": "gelu"}], ids=str)
def test_names_and_initial_weights(options):
    assert repr(transformer(minidl.nn, **options)) == repr(transformer(torch.nn, **options))

    def draws(nn):
        """By name, what 25 transformers begin with: one bias has only eight numbers."""
        nets = [dict(transformer(nn, **options).named_parameters()) for _ in range(25)]
        return {name: np.stack([net[name].detach().numpy() for net in nets]) for name in nets[0]}

    ours, theirs = draws(minidl.nn), draws(torch.nn)
    assert list(ours) == list(theirs)
    for name, wanted in theirs.items():
        assert ours[name].shape == wanted.shape
        assert ours[name].std() == pytest.approx(wanted.std(), rel=0.15, abs=1e-7), name
        assert np.abs(ours[name]).max() == pytest.approx(np.abs(wanted).max(), rel=0.05, abs=1e-7), name


def test_copies_are_independent_and_equal():
    layer = minidl.nn.TransformerEncoderLayer(8, 2, 16)
    encoder = minidl.nn.TransformerEncoder(layer, 3)
    weights = [each.linear1.weight for each in (layer, *encoder.layers)]
    assert len({id(weight) for weight in weights}) == 4
    assert all((weight == weights[0]).all() for weight in weights)


def test_a_mask_is_found_to_be_causal():
    """With the hint or without: the same numbers."""
    encoder = minidl.nn.TransformerEncoder(minidl.nn.TransformerEncoderLayer(8, 2, 16, 0.0), 1)
    x = minidl.tensor(SRC).float()[0]
    mask = minidl.nn.Transformer.generate_square_subsequent_mask(5)
    results = [encoder(x, mask, is_causal=hint).detach().numpy() for hint in (None, True, False)]
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=1e-5, atol=1e-6)


def test_the_causal_mask():
    for dtype in ("float32", "float64"):
        ours, theirs = (
            lib.nn.Transformer.generate_square_subsequent_mask(3, dtype=getattr(lib, dtype)).numpy()
            for lib in (minidl, torch)
        )
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


BAD = {
    "activation": lambda lib: lib.nn.TransformerEncoderLayer(8, 2, activation="tanh"),
    "decoder activation": lambda lib: lib.nn.TransformerDecoderLayer(8, 2, activation="tanh"),
    "batch": lambda lib: transformer(lib.nn)(lib.ones(2, 3, 8), lib.ones(3, 3, 8)),
    "features": lambda lib: transformer(lib.nn)(lib.ones(2, 3, 7), lib.ones(2, 3, 8)),
    "heads": lambda lib: lib.nn.TransformerEncoderLayer(9, 2),
    "integer mask": lambda lib: lib.nn.TransformerEncoderLayer(8, 2)(
        lib.ones(3, 2, 8), src_mask=lib.ones(3, 3, dtype=lib.int64)
    ),
    "mixed masks": lambda lib: lib.nn.TransformerEncoderLayer(8, 2)(
        lib.ones(3, 2, 8), src_mask=lib.zeros(3, 3), src_key_padding_mask=lib.zeros(2, 3) > 0
    ),
    "width": lambda lib: lib.nn.TransformerDecoderLayer(8, 2)(lib.ones(3, 2, 7), lib.ones(3, 2, 8)),
}


@pytest.mark.parametrize("name", BAD)
def test_texts_begin_as_pytorch_s(name):
    kind, text = refusal(lambda: BAD[name](minidl))
    theirs, expected = refusal(lambda: BAD[name](torch))
    assert issubclass(kind, theirs)
    assert text.startswith(expected.rstrip(".")), f"{text!r}\ndoes not begin with\n{expected!r}"
