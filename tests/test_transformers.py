"""Attention layers by what must hold of them: who sees what, layouts, copies, precision; no PyTorch needed."""

import copy

import numpy as np
import pytest

import minidl
from minidl import nn

RNG = np.random.default_rng(11)
SRC, TGT = RNG.standard_normal((2, 6, 8)), RNG.standard_normal((2, 5, 8))


def net(seed=0, **options):
    minidl.manual_seed(seed)
    options = {"dim_feedforward": 16, "dropout": 0.0, "batch_first": True} | options
    return nn.Transformer(8, 2, 2, 2, **options).double()


def near(found, expected, tolerance=1e-12):
    np.testing.assert_allclose(
        found.detach().numpy(), expected.detach().numpy(), rtol=tolerance, atol=tolerance
    )


def test_a_causal_decoder_does_not_look_ahead():
    model, mask = net(), nn.Transformer.generate_square_subsequent_mask(5, dtype=minidl.float64)
    later = TGT.copy()
    later[:, 3:] += 1.0
    first, second = (model(minidl.tensor(SRC), minidl.tensor(x), tgt_mask=mask) for x in (TGT, later))
    near(first[:, :3], second[:, :3])
    assert (first[:, 3:] - second[:, 3:]).abs().min() > 0


@pytest.mark.parametrize("need_weights", [True, False])
def test_padded_keys_do_not_matter(need_weights):
    layer = nn.MultiheadAttention(8, 2, batch_first=True).double()
    padded = minidl.tensor(np.arange(6) >= np.array([[6], [4]]))
    other = SRC.copy()
    other[1, 4:] = 100.0
    query = minidl.tensor(TGT)
    results = [
        layer(query, x, x, key_padding_mask=padded, need_weights=need_weights)
        for x in map(minidl.tensor, (SRC, other))
    ]
    near(results[0][0], results[1][0])
    if need_weights:
        near(results[0][1].sum(-1), minidl.ones(2, 5, dtype=minidl.float64))
        assert not results[0][1][1, :, 4:].any()


def test_layouts_agree():
    batched, steps_first = net(), net(batch_first=False)
    src, tgt = minidl.tensor(SRC), minidl.tensor(TGT)
    expected = batched(src, tgt)
    near(steps_first(src.transpose(0, 1), tgt.transpose(0, 1)).transpose(0, 1), expected)
    near(batched(src[1], tgt[1]), expected[1])


def test_weights_asked_for_change_nothing():
    layer = nn.MultiheadAttention(8, 2).double()
    x, mask = minidl.tensor(SRC), minidl.tensor(np.triu(np.ones((2, 2), bool), 1))
    plain = layer(x, x, x, attn_mask=mask)[0]
    for options in ({"need_weights": False}, {"need_weights": False, "is_causal": True}, {"is_causal": True}):
        near(layer(x, x, x, attn_mask=mask, **options)[0], plain)
    heads = layer(x, x, x, attn_mask=mask, average_attn_weights=False)[1]
    near(heads.mean(1), layer(x, x, x, attn_mask=mask)[1])


def test_equal_inputs_need_not_be_the_same_object():
    """One product for three projections, or three: the same numbers."""
    layer = nn.MultiheadAttention(8, 2).double()
    x = minidl.tensor(SRC)
    for key, value in ((x, x), (x.clone(), x.clone()), (x, x.clone())):
        near(layer(x, key, value)[0], layer(x, x, x)[0])
    key = x.clone()
    near(layer(x, key, key)[0], layer(x, x, x)[0])


def test_dropout_acts_in_training_alone():
    model = net(dropout=0.5)
    src, tgt = minidl.tensor(SRC), minidl.tensor(TGT)
    assert (model(src, tgt) - model(src, tgt)).abs().max() > 0
    model.eval()
    near(model(src, tgt), model(src, tgt), 0)


def test_a_copy_has_the_same_weights_and_its_own():
    model = net()
    twin = copy.deepcopy(model)
    near(model(minidl.tensor(SRC), minidl.tensor(TGT)), twin(minidl.tensor(SRC), minidl.tensor(TGT)), 0)
    assert not {id(p) for p in model.parameters()} & {id(p) for p in twin.parameters()}


def test_custom_stacks_are_taken():
    class Same(nn.Module):
        def forward(self, src, *args, **kwargs):
            return src

    model = nn.Transformer(8, 2, custom_encoder=Same(), custom_decoder=Same())
    tgt = minidl.tensor(TGT)
    assert model(minidl.tensor(SRC).transpose(0, 1), tgt.transpose(0, 1)).shape == (5, 2, 8)
    assert not list(model.parameters())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_precision(dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    model = net()
    exact = model(minidl.tensor(SRC), minidl.tensor(TGT))
    dtype = getattr(minidl, dtype)
    found = model.to(dtype)(minidl.tensor(SRC).to(dtype), minidl.tensor(TGT).to(dtype))
    assert found.dtype is dtype
    found.sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in model.parameters() if p.grad is not None)
    near(found.double(), exact, 1e-4 if dtype is minidl.float32 else 0.2)


def test_arrays_are_taken():
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    assert layer(SRC, SRC, SRC)[0].dtype is minidl.float32
