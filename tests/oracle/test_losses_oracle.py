"""Losses, norms and embedding beside PyTorch: second derivatives, and the texts of errors and warnings."""

import itertools

import numpy as np
import pytest
import torch
from beside_torch import refusal, second_derivatives

import minidl
from minidl import nn

RNG = np.random.default_rng(5)
REDUCTIONS = ("none", "mean", "sum")


def assert_agree(function, *arrays):
    found = second_derivatives(minidl, function, arrays)
    expected = second_derivatives(torch, function, arrays)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("reduction", "smoothing", "weighted", "deep"),
    list(itertools.product(REDUCTIONS, (0.0, 0.2), (False, True), (False, True))),
)
def test_cross_entropy(reduction, smoothing, weighted, deep):
    target = np.array([[1, -100, 4], [0, 1, 2]]) if deep else np.array([1, -100, 4])
    weight = RNG.uniform(0.5, 2, 5)

    def loss(library, x):
        given = library.tensor(weight) if weighted else None
        return library.nn.functional.cross_entropy(
            x, library.tensor(target), given, reduction=reduction, label_smoothing=smoothing
        )

    assert_agree(loss, RNG.standard_normal((2, 5, 3) if deep else (3, 5)))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy_of_probabilities(reduction):
    def loss(library, x, t):
        probabilities = library.softmax(t, 1)
        return library.nn.functional.cross_entropy(x, probabilities, reduction=reduction, label_smoothing=0.1)

    assert_agree(loss, RNG.standard_normal((3, 5)), RNG.standard_normal((3, 5)))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    "name", ["mse_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits"]
)
def test_elementwise(name, reduction):
    def loss(library, x, t):
        return getattr(library.nn.functional, name)(x, t, reduction=reduction)

    assert_agree(loss, RNG.standard_normal((3, 4)), RNG.uniform(0.1, 0.9, (3, 4)))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy(reduction):
    """PyTorch has no second derivative by the target."""
    target = RNG.uniform(0.1, 0.9, (3, 4))

    def loss(library, x):
        return library.nn.functional.binary_cross_entropy(x, library.tensor(target), reduction=reduction)

    assert_agree(loss, RNG.uniform(0.1, 0.9, (3, 4)))


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm(training):
    def norm(library, x, weight, bias):
        mean, var = (
            library.full((3,), 0.5, dtype=library.float64),
            library.full((3,), 2.0, dtype=library.float64),
        )
        return library.nn.functional.batch_norm(x, mean, var, weight, bias, training)

    assert_agree(norm, RNG.standard_normal((4, 3, 2)), RNG.standard_normal(3), RNG.standard_normal(3))


def test_layer_and_group_norm():
    def layer(library, x, weight, bias):
        return library.nn.functional.layer_norm(x, (3, 2), weight, bias)

    def group(library, x, weight, bias):
        return library.nn.functional.group_norm(x, 2, weight, bias)

    assert_agree(
        layer, RNG.standard_normal((4, 3, 2)), RNG.standard_normal((3, 2)), RNG.standard_normal((3, 2))
    )
    assert_agree(group, RNG.standard_normal((2, 4, 3)), RNG.standard_normal(4), RNG.standard_normal(4))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding_idx": 1},
        {"padding_idx": -1},
        {"scale_grad_by_freq": True},
        {"max_norm": 1.0},
        {"max_norm": 0.5, "norm_type": 1.0},
    ],
    ids=str,
)
def test_embedding_gradient(options):
    table, indices = RNG.standard_normal((5, 3)), np.array([[1, 4, 1], [0, 1, 4]])

    def run(library):
        layer = library.nn.Embedding(5, 3, **options, dtype=library.float64)
        with library.no_grad():
            layer.weight.copy_(library.tensor(table))
        out = layer(library.tensor(indices))
        (out * out).sum().backward()
        return out.detach().numpy(), layer.weight.detach().numpy(), layer.weight.grad.numpy()

    for ours, theirs in zip(run(minidl), run(torch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


BAD = {
    "batch": lambda lib, F: F.cross_entropy(lib.ones(2, 3), lib.tensor([0, 1, 2])),
    "target": lambda lib, F: F.cross_entropy(lib.ones(2, 3), lib.tensor([0, 7])),
    "negative": lambda lib, F: F.nll_loss(lib.ones(2, 3), lib.tensor([0, -1])),
    "size": lambda lib, F: F.cross_entropy(lib.ones(2, 3, 4), lib.tensor([[0] * 5] * 2)),
    "several": lambda lib, F: F.cross_entropy(lib.ones(2, 3), lib.tensor([[0], [1]])),
    "probabilities": lambda lib, F: F.cross_entropy(lib.ones(2, 3), lib.tensor([[0] * 3] * 2)),
    "weight": lambda lib, F: F.cross_entropy(lib.ones(2, 3), lib.tensor([0, 1]), weight=lib.ones(4)),
    "smoothing": lambda lib, F: F.cross_entropy(lib.ones(2, 3), lib.tensor([0, 1]), label_smoothing=2.0),
    "reduction": lambda lib, F: F.mse_loss(lib.ones(2), lib.ones(2), reduction="bad"),
    "broadcast": lambda lib, F: F.mse_loss(lib.ones(2), lib.ones(2, 1)),
    "bce": lambda lib, F: F.binary_cross_entropy(lib.ones(2), lib.ones(2, 1)),
    "bce-range": lambda lib, F: F.binary_cross_entropy(lib.ones(2) + 1, lib.ones(2)),
    "bce-integers": lambda lib, F: F.binary_cross_entropy(lib.tensor([0, 1]), lib.tensor([0, 1])),
    "bce-bool": lambda lib, F: F.binary_cross_entropy(lib.ones(2) > 0, lib.ones(2) > 0),
    "logits-integers": lambda lib, F: F.binary_cross_entropy_with_logits(lib.tensor([0, 1]), lib.ones(2)),
    "kl-integers": lambda lib, F: F.kl_div(lib.tensor([0, 1]), lib.tensor([0, 1]), reduction="sum"),
    "kl-target": lambda lib, F: F.kl_div(lib.ones(2), lib.ones(2) > 0, reduction="sum"),
    "beta": lambda lib, F: F.smooth_l1_loss(lib.ones(2), lib.ones(2), beta=-1.0),
    "delta": lambda lib, F: F.huber_loss(lib.ones(2), lib.ones(2), delta=0.0),
    "kl-mean": lambda lib, F: F.kl_div(lib.ones(2), lib.ones(2)),
    "implicit": lambda lib, F: F.softmax(lib.ones(2)),
    "dim": lambda lib, F: F.softmax(lib.ones(2), 3),
    "one-value": lambda lib, F: F.batch_norm(lib.ones(1, 3), None, None, training=True),
    "no-statistics": lambda lib, F: F.batch_norm(lib.ones(2, 3), None, None, training=False),
    "channels": lambda lib, F: F.batch_norm(lib.ones(2, 3), lib.ones(4), lib.ones(4)),
    "rank": lambda lib, F: lib.nn.BatchNorm2d(3)(lib.ones(2, 3)),
    "normalized": lambda lib, F: F.layer_norm(lib.ones(2, 3), (4,)),
    "normalized-empty": lambda lib, F: F.layer_norm(lib.ones(2, 3), ()),
    "groups": lambda lib, F: F.group_norm(lib.ones(2, 3), 2),
    "groups-layer": lambda lib, F: lib.nn.GroupNorm(2, 3),
    "dropout": lambda lib, F: F.dropout(lib.ones(3), 1.5),
    "dropout1d": lambda lib, F: F.dropout1d(lib.ones(3)),
    "dropout2d": lambda lib, F: F.dropout2d(lib.ones(3, 2, 2)),
    "dropout3d": lambda lib, F: F.dropout3d(lib.ones(3, 2)),
    "index": lambda lib, F: F.embedding(lib.tensor([0, 7]), lib.ones(5, 3)),
    "padding": lambda lib, F: lib.nn.Embedding(5, 3, padding_idx=7),
    "one-hot": lambda lib, F: F.one_hot(lib.tensor([0, 3]), 2),
    "softmax2d": lambda lib, F: lib.nn.Softmax2d()(lib.ones(2, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", list(BAD))
def test_texts_begin_as_pytorch_s(name):
    kind, text = refusal(lambda: BAD[name](minidl, nn.functional))
    theirs, expected = refusal(lambda: BAD[name](torch, torch.nn.functional))
    assert issubclass(kind, theirs)
    assert text.startswith(expected.rstrip(".")), f"{text!r}\ndoes not begin with\n{expected!r}"
