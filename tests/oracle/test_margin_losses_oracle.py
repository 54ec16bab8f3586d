"""Losses of margins and likelihoods beside PyTorch: second derivatives, edges, dtypes, texts of errors."""

import inspect
import itertools
import warnings

import numpy as np
import pytest
import torch
from beside_torch import refusal, second_derivatives

import minidl
from minidl import nn

RNG = np.random.default_rng(6)
A, B, C = RNG.standard_normal((3, 4, 3))
SIGNS = np.array([1.0, -1.0, 1.0, -1.0])
CLASSES = np.array([0, 2, 1, 1])
LABELS = np.array([[0, 2, -1], [1, -1, 0], [-1, 0, 0], [2, 1, 0]])
REDUCTIONS = ("none", "mean", "sum")

# name: (differentiable arrays, other arguments by place, options)
CALLS = {
    "triplet_margin_loss": ((A, B, C), (), {"swap": True, "p": 3}),
    "triplet_margin_with_distance_loss": ((A, B, C), (), {"margin": 2.0}),
    "margin_ranking_loss": ((A[:, 0], B[:, 0]), (SIGNS,), {"margin": 0.5}),
    "hinge_embedding_loss": ((A[:, 0],), (SIGNS,), {"margin": 1.5}),
    "cosine_embedding_loss": ((A, B), (SIGNS,), {"margin": -0.5}),
    "soft_margin_loss": ((A[:, 0],), (SIGNS,), {}),
    "multi_margin_loss": ((A,), (CLASSES,), {"margin": 2.0, "weight": np.array([0.5, 1.0, 2.0])}),
    "multilabel_margin_loss": ((A,), (LABELS,), {}),
    "multilabel_soft_margin_loss": ((A,), (np.abs(B),), {"weight": np.array([0.5, 1.0, 2.0])}),
    "poisson_nll_loss": ((A, np.abs(B) * 3), (), {"full": True}),
    "gaussian_nll_loss": ((A, B, np.abs(C) + 0.1), (), {"full": True}),
}
# PyTorch has no second derivative of these, which is 0 beside the kinks.
ONCE = ("multi_margin_loss", "multilabel_margin_loss")


def loss(name, library, *inputs, **more):
    _, others, options = CALLS[name]
    others = [library.tensor(x) for x in others]
    options = {k: library.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    return getattr(library.nn.functional, name)(*inputs, *others, **options, **more)


def first_derivatives(library, function, arrays):
    inputs = [library.tensor(array, requires_grad=True) for array in arrays]
    out = function(library, *inputs)
    weight = library.tensor(np.linspace(0.5, 1.5, out.numel()).reshape(tuple(out.shape)))
    return [x.detach().numpy() for x in (out, *library.autograd.grad((out * weight).sum(), inputs))]


@pytest.mark.parametrize(("name", "reduction"), list(itertools.product(CALLS, REDUCTIONS)))
def test_derivatives(name, reduction):
    arrays, derivatives = CALLS[name][0], first_derivatives if name in ONCE else second_derivatives
    found, expected = (
        derivatives(library, lambda lib, *x: loss(name, lib, *x, reduction=reduction), arrays)
        for library in (minidl, torch)
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", CALLS)
def test_float32_stays_float32(name):
    arrays, others, _ = CALLS[name]

    def run(library):
        x = [library.tensor(array).float() for array in arrays]
        rest = [library.tensor(o).float() if o.dtype == float else library.tensor(o) for o in others]
        return getattr(library.nn.functional, name)(*x, *rest).numpy()

    ours, theirs = run(minidl), run(torch)
    assert ours.dtype == theirs.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


OLD = list(itertools.product((None, True, False), repeat=2))[1:]
LEGACY = [n for n in CALLS if n not in ("triplet_margin_with_distance_loss", "gaussian_nll_loss")]


@pytest.mark.parametrize(("name", "old"), list(itertools.product(LEGACY, OLD)))
def test_deprecated_reductions(name, old):
    given = dict(zip(("size_average", "reduce"), old, strict=True))
    results = []
    for library in (minidl, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            out = loss(name, library, *map(library.tensor, CALLS[name][0]), **given)
        results.append((out.numpy(), str(caught[0].message)))
        assert library is torch or caught[0].filename == __file__
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-10)
    assert results[0][1] == results[1][1]


DTYPES = ("float16", "bfloat16", "float32", "float64")


@pytest.mark.parametrize(("input", "target"), list(itertools.product(DTYPES, repeat=2)))
@pytest.mark.parametrize("name", ["soft_margin_loss", "hinge_embedding_loss", "margin_ranking_loss"])
def test_dtypes_of_results(name, input, target):
    if "bfloat16" in (input, target):
        pytest.importorskip("ml_dtypes")

    def run(library):
        x, t = library.tensor([0.25, -0.5, 1.0]), library.tensor([1.0, -1.0, 1.0])
        x, t = x.to(getattr(library, input)), t.to(getattr(library, target))
        out = getattr(library.nn.functional, name)(*((x, x * 2, t) if "ranking" in name else (x, t)))
        return str(out.dtype).rpartition(".")[2], out.item()

    ours, theirs = run(minidl), run(torch)
    assert ours[0] == theirs[0]
    assert ours[1] == pytest.approx(theirs[1], rel=1e-2)


EDGES = {
    "kink": lambda lib, x: lib.nn.functional.margin_ranking_loss(x, x.detach(), lib.ones(3).double()),
    "hinge kink": lambda lib, x: lib.nn.functional.hinge_embedding_loss(x, -lib.ones(3).double(), 1.0),
    "multi kink": lambda lib, x: lib.nn.functional.multi_margin_loss(x, lib.tensor([0]), margin=0.0),
    "same vectors": lambda lib, x: lib.nn.functional.triplet_margin_loss(x, x.detach(), x.detach() * 2),
    "zeros": lambda lib, x: lib.nn.functional.cosine_embedding_loss(x * 0, x, lib.tensor(1.0)),
    "poisson zero": lambda lib, x: lib.nn.functional.poisson_nll_loss(x, x.detach() * 0, full=True),
    "small variance": lambda lib, x: lib.nn.functional.gaussian_nll_loss(x.detach(), x.detach() + 1, x * 0 + 1e-9),
    "labels": lambda lib, x: lib.nn.functional.multilabel_margin_loss(x, lib.tensor([1, 1, 0])),
    "no labels": lambda lib, x: lib.nn.functional.multilabel_margin_loss(x, lib.tensor([-1, 1, 0])),
}  # fmt: skip


@pytest.mark.parametrize("name", EDGES)
def test_edges(name):
    results = []
    for library in (minidl, torch):
        x = library.tensor([1.0, 1.0, -2.0], dtype=library.float64, requires_grad=True)
        out = EDGES[name](library, x)
        out.backward()
        results.append((out.detach().numpy(), x.grad.numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_soft_margin_loss_is_finite_where_pytorchs_is_not():
    x = minidl.tensor([-1000.0, 1000.0], requires_grad=True)
    out = nn.functional.soft_margin_loss(x, minidl.ones(2), reduction="sum")
    out.backward()
    assert out.item() == 1000.0 and x.grad.tolist() == [-1.0, 0.0]


BAD = {
    "triplet ranks": lambda lib, F: F.triplet_margin_loss(lib.ones(2, 3), lib.ones(2, 3), lib.ones(3)),
    "triplet margin": lambda lib, F: F.triplet_margin_loss(*[lib.ones(2, 3)] * 3, margin=0.0),
    "triplet layer": lambda lib, F: lib.nn.TripletMarginLoss(margin=-1.0),
    "distance margin": lambda lib, F: F.triplet_margin_with_distance_loss(*[lib.ones(2, 3)] * 3, margin=-1.0),
    "distance ranks": lambda lib, F: F.triplet_margin_with_distance_loss(lib.ones(2, 3), lib.ones(3), lib.ones(3)),
    "distance layer": lambda lib, F: lib.nn.TripletMarginWithDistanceLoss(margin=0.0),
    "cosine target": lambda lib, F: F.cosine_embedding_loss(lib.ones(2, 3), lib.ones(2, 3), lib.ones(2, 1)),
    "cosine 1D": lambda lib, F: F.cosine_embedding_loss(lib.ones(3), lib.ones(3), lib.ones(2)),
    "cosine 0D": lambda lib, F: F.cosine_embedding_loss(lib.ones(2, 3), lib.ones(2, 3), lib.tensor(1.0)),
    "cosine size": lambda lib, F: F.cosine_embedding_loss(lib.ones(2, 3), lib.ones(2, 3), lib.ones(3)),
    "ranking ranks": lambda lib, F: F.margin_ranking_loss(lib.ones(2), lib.ones(2), lib.ones(2, 1)),
    "ranking size": lambda lib, F: F.margin_ranking_loss(lib.ones(2), lib.ones(3), lib.ones(2)),
    "soft size": lambda lib, F: F.soft_margin_loss(lib.ones(3), lib.ones(2)),
    "soft wide": lambda lib, F: F.soft_margin_loss(lib.ones(3), lib.ones(2, 3)),
    "soft integers": lambda lib, F: F.soft_margin_loss(lib.ones(3, dtype=lib.int64), lib.ones(3)),
    "multi count": lambda lib, F: F.multi_margin_loss(lib.ones(2, 3), lib.tensor([0, 1, 2])),
    "multi range": lambda lib, F: F.multi_margin_loss(lib.ones(2, 3), lib.tensor([0, 3])),
    "multi negative": lambda lib, F: F.multi_margin_loss(lib.ones(2, 3), lib.tensor([0, -1])),
    "multi p": lambda lib, F: F.multi_margin_loss(lib.ones(2, 3), lib.tensor([0, 1]), p=3),
    "multi weight": lambda lib, F: F.multi_margin_loss(lib.ones(2, 3), lib.tensor([0, 1]), weight=lib.ones(2)),
    "multi weight dtype": lambda lib, F: F.multi_margin_loss(
        lib.ones(2, 3, dtype=lib.float64), lib.tensor([0, 1]), weight=lib.ones(3)
    ),
    "multi rank": lambda lib, F: F.multi_margin_loss(lib.ones(2, 3, 4), lib.tensor([0, 1])),
    "multi empty": lambda lib, F: F.multi_margin_loss(lib.ones(2, 0), lib.tensor([0, 1])),
    "multi target": lambda lib, F: F.multi_margin_loss(lib.ones(2, 3), lib.ones(2)),
    "multi single": lambda lib, F: F.multi_margin_loss(lib.ones(3), lib.tensor([0, 1])),
    "multi layer": lambda lib, F: lib.nn.MultiMarginLoss(p=3),
    "multi layer weight": lambda lib, F: lib.nn.MultiMarginLoss(weight=lib.ones(2, 2)),
    "labels size": lambda lib, F: F.multilabel_margin_loss(lib.ones(2, 3), lib.tensor([0, 1])),
    "labels range": lambda lib, F: F.multilabel_margin_loss(lib.ones(3), lib.tensor([0, -1, 7])),
    "labels low": lambda lib, F: F.multilabel_margin_loss(lib.ones(3), lib.tensor([0, -2, 1])),
    "labels float": lambda lib, F: F.multilabel_margin_loss(lib.ones(3), lib.ones(3)),
    "labels rank": lambda lib, F: F.multilabel_margin_loss(
        lib.ones(2, 3, 4), lib.zeros(2, 3, 4, dtype=lib.int64)
    ),
    "soft labels": lambda lib, F: F.multilabel_soft_margin_loss(
        lib.ones(2, 3), lib.ones(2, 3), weight=lib.ones(2)
    ),
    "poisson size": lambda lib, F: F.poisson_nll_loss(lib.ones(2), lib.ones(3)),
    "variance": lambda lib, F: F.gaussian_nll_loss(lib.ones(2, 3), lib.ones(2, 3), -lib.ones(2, 3)),
    "variance number": lambda lib, F: F.gaussian_nll_loss(lib.ones(2, 3), lib.ones(2, 3), -1.0),
    "variance size": lambda lib, F: F.gaussian_nll_loss(lib.ones(2, 3), lib.ones(2, 3), lib.ones(3)),
    "variance ones": lambda lib, F: F.gaussian_nll_loss(lib.ones(2, 3), lib.ones(2, 3), lib.ones(1, 1)),
    "variance rank": lambda lib, F: F.gaussian_nll_loss(lib.ones(2, 3), lib.ones(2, 3), lib.ones(2, 1, 1)),
    **{
        f"{name} reduction": lambda lib, F, name=name: loss(
            name, lib, *map(lib.tensor, CALLS[name][0]), reduction="bad"
        )
        for name in CALLS
    },
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_texts_begin_as_pytorch_s(name):
    kind, text = refusal(lambda: BAD[name](minidl, nn.functional))
    theirs, expected = refusal(lambda: BAD[name](torch, torch.nn.functional))
    assert issubclass(kind, theirs)
    assert text.startswith(expected.rstrip(".")), f"{text!r}\ndoes not begin with\n{expected!r}"


@pytest.mark.parametrize("name", CALLS)
def test_arrays_are_refused(name):
    arrays, others, _ = CALLS[name]
    with pytest.raises(TypeError, match="must be Tensor, not ndarray"):
        getattr(nn.functional, name)(arrays[0], *arrays[1:], *others)


LAYERS = (
    "CosineEmbeddingLoss", "GaussianNLLLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss", "MultiMarginLoss", "PoissonNLLLoss", "SoftMarginLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
)  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_pytorchs_parameters(name):
    ours, theirs = (inspect.signature(getattr(library.nn, name)).parameters for library in (minidl, torch))
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]
    if "reduce" in ours:
        with pytest.warns(UserWarning, match="please use reduction='sum' instead") as caught:
            layer = getattr(nn, name)(size_average=False)
        assert layer.reduction == "sum" and caught[0].filename == __file__
