"""Multi-head attention and the layers of transformers beside PyTorch: options, modes, texts of errors and warnings."""

import importlib
import itertools

import numpy as np
import pytest
import torch
from beside_torch import refusal, second_derivatives

import minidl
from minidl import nn

RNG = np.random.default_rng(3)
Q, K = RNG.standard_normal((3, 2, 4)), RNG.standard_normal((5, 2, 4))
W, B, WO, BO = (RNG.standard_normal(shape) for shape in ((12, 4), 12, (4, 4), 4))
BK, BV = RNG.standard_normal((2, 1, 1, 4))
STATIC = RNG.standard_normal((2, 4, 5, 2))
HEADS = RNG.standard_normal((2, 2, 6, 4))


def forward(library, *tensors, bias_kv=False, add_zero_attn=False, **options):
    q, k, v, w, b, w_out, b_out = tensors
    extra = (library.tensor(BK), library.tensor(BV)) if bias_kv else (None, None)
    options = {name: library.tensor(x) if isinstance(x, np.ndarray) else x for name, x in options.items()}
    out, weights = library.nn.functional.multi_head_attention_forward(
        q, k, v, 4, 2, w, b, *extra, add_zero_attn, 0.0, w_out, b_out, **options
    )
    return out if weights is None else library.cat([out.flatten(), weights.flatten()])


OPTIONS = {
    "plain": {},
    "static": {"static_k": STATIC[0], "static_v": STATIC[1]},
    "causal": {"attn_mask": np.triu(np.ones((3, 5), bool), 1), "is_causal": True},
    "causal-bias": {"attn_mask": np.triu(np.ones((3, 5), bool), 1), "is_causal": True, "bias_kv": True},
    "both": {"bias_kv": True, "add_zero_attn": True, "attn_mask": RNG.standard_normal((3, 5))},
    "heads": {"attn_mask": RNG.standard_normal((4, 3, 5)), "average_attn_weights": False},
    "padded": {"key_padding_mask": np.eye(2, 5, 3) > 0, "add_zero_attn": True},
    "separate": {
        "use_separate_proj_weight": True, "q_proj_weight": WO, "k_proj_weight": WO * 2, "v_proj_weight": WO + 1,
    },
}  # fmt: skip


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("name", OPTIONS)
def test_options_of_the_function(name, need_weights):
    options = OPTIONS[name] | {"need_weights": need_weights}

    def loss(library, *tensors):
        out = forward(library, *tensors, **options)
        return out[~library.isnan(out)] * 1.5

    arrays = (Q, K, K + 1, W, B, WO, BO)
    found, expected = (
        [r.detach().numpy() for r in _gradients(library, loss, arrays)] for library in (minidl, torch)
    )
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


def _gradients(library, loss, arrays):
    inputs = [library.tensor(array, requires_grad=True) for array in arrays]
    out = loss(library, *inputs)
    found = library.autograd.grad((out * out.detach().cos()).sum(), inputs, allow_unused=True)
    return [out, *(library.zeros(1) if g is None else g for g in found)]


def test_second_derivatives_agree():
    def loss(library, q, w):
        return forward(library, q, q, q, w, library.tensor(B), library.tensor(WO), None, need_weights=False)

    # PyTorch's fused kernel has no second derivative: its other branch computes the same.
    def other(library, q, w):
        tensors = (q, q, q, w, library.tensor(B), library.tensor(WO), None)
        return forward(library, *tensors)[:24].reshape(3, 2, 4)

    found, expected = second_derivatives(minidl, loss, (Q, W)), second_derivatives(torch, other, (Q, W))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("need_weights", [True, False])
def test_half_precision_stays_near(need_weights):
    x = RNG.standard_normal((3, 2, 4))

    def run(library):
        library.manual_seed(0)
        layer = library.nn.MultiheadAttention(4, 2)
        with library.no_grad():
            for parameter, array in zip(layer.parameters(), (W, B, WO, BO), strict=True):
                parameter.copy_(library.tensor(array))
        x16 = library.tensor(x).to(library.float16)
        out, _ = layer.to(library.float16)(x16, x16, x16, need_weights=need_weights)
        assert out.dtype is library.float16
        return out.detach().float().numpy()

    np.testing.assert_allclose(run(minidl), run(torch), rtol=2e-2, atol=2e-2)


def _layer(lib, *args, **kwargs):
    return lib.nn.MultiheadAttention(4, 2, *args, **kwargs)


def _ones(lib, *shape):
    return lib.ones(*shape)


BAD = {
    "heads": lambda lib: lib.nn.MultiheadAttention(5, 2),
    "no heads": lambda lib: lib.nn.MultiheadAttention(4, 0),
    "rank": lambda lib: _layer(lib)(*[_ones(lib, 2)] * 3),
    "key rank": lambda lib: _layer(lib)(_ones(lib, 3, 2, 4), _ones(lib, 3, 4), _ones(lib, 3, 4)),
    "single key rank": lambda lib: _layer(lib)(_ones(lib, 3, 4), _ones(lib, 3, 2, 4), _ones(lib, 3, 2, 4)),
    "width": lambda lib: _layer(lib)(*[_ones(lib, 3, 2, 5)] * 3),
    "value": lambda lib: _layer(lib)(_ones(lib, 3, 2, 4), _ones(lib, 3, 2, 4), _ones(lib, 5, 2, 4)),
    "value of another size": lambda lib: _layer(lib, kdim=3)(
        _ones(lib, 3, 2, 4), _ones(lib, 3, 2, 3), _ones(lib, 5, 2, 4)
    ),
    "integer mask": lambda lib: _layer(lib)(
        *[_ones(lib, 3, 2, 4)] * 3, attn_mask=lib.zeros(3, 3, dtype=lib.int64)
    ),
    "mask 2D": lambda lib: _layer(lib)(*[_ones(lib, 3, 2, 4)] * 3, attn_mask=lib.zeros(4, 4)),
    "mask 3D": lambda lib: _layer(lib)(*[_ones(lib, 3, 2, 4)] * 3, attn_mask=lib.zeros(2, 3, 3)),
    "mask 1D": lambda lib: _layer(lib)(*[_ones(lib, 3, 2, 4)] * 3, attn_mask=lib.zeros(3)),
    "single mask": lambda lib: _layer(lib)(*[_ones(lib, 3, 4)] * 3, attn_mask=lib.zeros(1, 3, 3)),
    "padding": lambda lib: _layer(lib)(*[_ones(lib, 3, 2, 4)] * 3, key_padding_mask=lib.zeros(2, 4)),
    "padding rank": lambda lib: _layer(lib)(*[_ones(lib, 3, 2, 4)] * 3, key_padding_mask=lib.zeros(2)),
    "mixed masks": lambda lib: _layer(lib)(
        *[_ones(lib, 3, 2, 4)] * 3, attn_mask=lib.zeros(3, 3), key_padding_mask=lib.zeros(2, 3) > 0
    ),
    "causal": lambda lib: _layer(lib)(*[_ones(lib, 3, 2, 4)] * 3, is_causal=True),
}


@pytest.mark.parametrize("name", BAD)
def test_texts_begin_as_pytorch_s(name):
    kind, text = refusal(lambda: BAD[name](minidl))
    theirs, expected = refusal(lambda: BAD[name](torch))
    assert issubclass(kind, theirs)
    assert text.startswith(expected.rstrip(".")), f"{text!r}\ndoes not begin with\n{expected!r}"


def test_parameters_start_as_in_pytorch():
    for options in itertools.product((False, True), repeat=2):
        ours, theirs = (
            library.nn.MultiheadAttention(64, 4, add_bias_kv=options[0], kdim=32 if options[1] else None)
            for library in (minidl, torch)
        )
        for (name, mine), (_, wanted) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
            mine, wanted = mine.detach().numpy(), wanted.detach().numpy()
            assert mine.std() == pytest.approx(wanted.std(), rel=0.25), name
            assert np.abs(mine).max() == pytest.approx(np.abs(wanted).max(), rel=0.5), name
    assert nn.MultiheadAttention(4, 2).out_proj.bias.abs().sum() == 0


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", ["plain", "mask", "mask that wants a gradient"])
def test_gradients_of_two_bytes_are_no_further_off_than_pytorch_s(dtype, kind):
    """Beside float64: a row's g . output, taken from the rounded output, was ten times as far off."""
    narrow = getattr(torch, dtype)
    arrays = [torch.from_numpy(4 * RNG.standard_normal((2, 16, 8))).to(narrow) for _ in range(3)]
    mask = torch.from_numpy(3 * RNG.standard_normal((2, 16, 16))).to(narrow)
    if kind != "plain":
        arrays.append(mask)
    g = torch.from_numpy(RNG.standard_normal((2, 16, 8))).to(narrow)

    def gradients(library, precision):
        def wrap(x):
            return library.tensor(x.double().numpy(), dtype=getattr(library, precision))

        inputs = [wrap(x).requires_grad_(i < 3 or "gradient" in kind) for i, x in enumerate(arrays)]
        library.nn.functional.scaled_dot_product_attention(*inputs).backward(wrap(g))
        return [x.grad.double().numpy() for x in inputs if x.grad is not None]

    exact, theirs, ours = gradients(torch, "float64"), gradients(torch, dtype), gradients(minidl, dtype)
    for a, b, c in zip(exact, theirs, ours, strict=True):
        assert np.abs(c - a).mean() <= 1.2 * np.abs(b - a).mean()


def _heads(lib, x, heads=2):
    """(B, L, C) as (B, H, L, C / H), as programs split heads."""
    return x.view(*x.shape[:2], heads, -1).transpose(1, 2)


LAID = {
    "contiguous": lambda lib, q, k, v: (q, k, v),
    "one head inside": lambda lib, q, k, v: (q.transpose(1, 2).contiguous().transpose(1, 2), k, v),
    "parts of one product": lambda lib, q, k, v: (
        _heads(lib, x) for x in lib.cat([q, k, v], -1).reshape(2, 3, 24).chunk(3, -1)
    ),
    "three axes": lambda lib, q, k, v: (x[0].transpose(0, 1) for x in (q, k, v)),
    "values of another size": lambda lib, q, k, v: (
        q.transpose(1, 2),
        k.transpose(1, 2),
        v.transpose(1, 2)[..., :3],
    ),
}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("how", LAID)
def test_the_result_lies_as_the_query(how, causal):
    found = []
    for lib in (minidl, torch):
        numbers = np.random.default_rng(5).standard_normal((3, 2, 2, 3, 4))
        leaves = [lib.tensor(x, requires_grad=True) for x in numbers]
        out = lib.nn.functional.scaled_dot_product_attention(*LAID[how](lib, *leaves), is_causal=causal)
        (out * out.cumsum(-1)).sum().backward()
        found.append((out.stride(), [x.detach().numpy() for x in (out, *(leaf.grad for leaf in leaves))]))
    assert found[0][0] == found[1][0]
    for ours, theirs in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Lower right causal bias will produce NaNs:UserWarning")
@pytest.mark.parametrize("size", [(3, 5), (5, 3), (4, 4), (1, 6)])
@pytest.mark.parametrize("corner", ["upper_left", "lower_right"])
def test_causal_masks_of_either_corner(corner, size):
    found = []
    for lib in (minidl, torch):
        mask = getattr(importlib.import_module(f"{lib.__name__}.nn.attention.bias"), f"causal_{corner}")(
            *size
        )
        leaves = [lib.tensor(HEADS, requires_grad=True)[:, :, :n] for n in (size[0], size[1], size[1])]
        out = lib.nn.functional.scaled_dot_product_attention(*leaves, mask)
        rows = slice(max(size[0] - size[1], 0), None)  # PyTorch gives NaN to a query that looks nowhere
        with pytest.raises(ValueError, match="CausalBias should not be used with causal=True"):
            lib.nn.functional.scaled_dot_product_attention(*leaves, mask, is_causal=True)
        found.append(
            (repr(mask), int(mask.variant), mask.seq_len_q, mask.seq_len_kv, out[:, :, rows].detach().numpy())
        )
    assert found[0][:-1] == found[1][:-1]
    np.testing.assert_allclose(found[0][-1], found[1][-1], rtol=1e-9)
