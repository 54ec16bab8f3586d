"""Bags of embeddings beside PyTorch: options, equal maxima, renormalization, texts of errors."""

import inspect
import itertools

import numpy as np
import pytest
import torch
from beside_torch import refusal

import minidl
from minidl import nn

RNG = np.random.default_rng(10)
TABLE = RNG.integers(-2, 3, (6, 4)) * 0.5  # with equal values, so that there is a choice of maxima
INDICES, OFFSETS = RNG.integers(0, 6, 40), np.array([0, 3, 3, 10, 11, 30])
MODES = ("sum", "mean", "max")


def run(library, indices, offsets, dtype="float64", **options):
    table = library.tensor(TABLE, dtype=getattr(library, dtype), requires_grad=True)
    options = {k: library.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    arguments = [library.tensor(indices), table] + ([] if offsets is None else [library.tensor(offsets)])
    out = library.nn.functional.embedding_bag(*arguments, **options)
    weight = library.tensor(np.linspace(0.5, 1.5, out.numel()).reshape(tuple(out.shape)))
    (out * weight.to(out.dtype)).sum().backward()
    return out.detach().numpy(), table.grad.numpy()


@pytest.mark.parametrize(
    ("mode", "padding_idx", "fixed"), list(itertools.product(MODES, (None, 2, -1), (False, True)))
)
def test_values_and_gradients(mode, padding_idx, fixed):
    given = (INDICES.reshape(8, 5), None) if fixed else (INDICES, OFFSETS)
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
        results = (run(lib, *given, dtype, mode=mode, padding_idx=padding_idx) for lib in (minidl, torch))
        for ours, theirs in zip(*results, strict=True):
            assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
            np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("mode", MODES)
def test_a_last_offset(mode):
    results = (
        run(lib, INDICES, np.array([*OFFSETS, 40]), mode=mode, include_last_offset=True)
        for lib in (minidl, torch)
    )
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_weights_and_their_gradient(index):
    def both(library):
        weights = library.tensor(np.linspace(-1, 1, 40), requires_grad=True)
        table = library.tensor(TABLE, requires_grad=True)
        out = library.nn.functional.embedding_bag(
            library.tensor(INDICES.astype(index)), table, library.tensor(OFFSETS.astype(index)), mode="sum",
            per_sample_weights=weights,
        )  # fmt: skip
        (out * out).sum().backward()
        return out.detach().numpy(), table.grad.numpy(), weights.grad.numpy()

    for ours, theirs in zip(both(minidl), both(torch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", [{"max_norm": 1.0}, {"max_norm": 0.5, "norm_type": 1.0}], ids=str)
def test_renormalization_changes_the_table(options):
    def both(library):
        layer = library.nn.EmbeddingBag(6, 4, mode="sum", **options, dtype=library.float64)
        with library.no_grad():
            layer.weight.copy_(library.tensor(TABLE))
        out = layer(library.tensor(INDICES[:6].reshape(2, 3)))
        return out.detach().numpy(), layer.weight.detach().numpy()

    for ours, theirs in zip(both(minidl), both(torch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_gradients_by_frequency():
    """Each row's gradient by its own number of uses; PyTorch reads another row's number."""
    _, gradient = run(minidl, np.array([0, 1, 2, 1]), np.array([0]), mode="sum", scale_grad_by_freq=True)
    np.testing.assert_allclose(gradient[:3], [np.linspace(0.5, 1.5, 4)] * 3)


def test_signatures():
    for name in ("EmbeddingBag", "EmbeddingBag.from_pretrained"):
        ours, theirs = (
            inspect.signature(eval(f"library.nn.{name}", {"library": library})).parameters
            for library in (minidl, torch)
        )
        assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


def test_from_pretrained():
    table = minidl.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert not nn.EmbeddingBag.from_pretrained(table).weight.requires_grad
    layer = nn.EmbeddingBag.from_pretrained(table, freeze=False, mode="max", padding_idx=0)
    assert layer.weight.requires_grad and layer.mode == "max"
    assert layer.weight[0].tolist() == [1.0, 2.0]  # a given table keeps its padding row


def call(lib, indices, *args, weight=None, **options):
    table = lib.ones(4, 3) if weight is None else weight
    return lib.nn.functional.embedding_bag(lib.tensor(indices), table, *map(lib.tensor, args), **options)


BAD = {
    "no offsets": lambda lib: call(lib, [0, 1, 2]),
    "first offset": lambda lib: call(lib, [0, 1, 2], [1]),
    "last offset": lambda lib: call(lib, [0, 1, 2], [0, 4]),
    "no last offset": lambda lib: lib.nn.functional.embedding_bag(
        lib.tensor([0]), lib.ones(4, 3), lib.zeros(0, dtype=lib.int64), include_last_offset=True
    ),
    "index": lambda lib: call(lib, [0, 7], [0], mode="max"),
    "offsets of rows": lambda lib: call(lib, [[0, 1, 2]], [0]),
    "rank": lambda lib: call(lib, [[[0, 1, 2]]]),
    "scalar": lambda lib: call(lib, 1),
    "offsets rank": lambda lib: call(lib, [0, 1], [[0]]),
    "mode": lambda lib: call(lib, [0, 1], [0], mode="prod"),
    "max frequency": lambda lib: call(lib, [0, 1], [0], mode="max", scale_grad_by_freq=True),
    "max sparse": lambda lib: call(lib, [0, 1], [0], mode="max", sparse=True),
    "mean weights": lambda lib: call(lib, [0, 1], [0], per_sample_weights=lib.ones(2)),
    "weights size": lambda lib: call(lib, [0, 1], [0], mode="sum", per_sample_weights=lib.ones(3)),
    "weights dtype": lambda lib: call(
        lib, [0, 1], [0], mode="sum", per_sample_weights=lib.ones(2, dtype=lib.float64)
    ),
    "float": lambda lib: call(lib, [0.0, 1.0], [0], mode="sum"),
    "float offsets": lambda lib: call(lib, [0, 1], [0.0], mode="sum"),
    "table dtype": lambda lib: call(lib, [0, 1], [0], mode="sum", weight=lib.ones(4, 3, dtype=lib.int64)),
    "table rank": lambda lib: call(lib, [0, 1], [0], weight=lib.ones(4)),
    "padding": lambda lib: call(lib, [0, 1], [0], mode="sum", padding_idx=4),
    "low padding": lambda lib: call(lib, [0, 1], [0], mode="sum", padding_idx=-5),
    "layer padding": lambda lib: lib.nn.EmbeddingBag(4, 3, padding_idx=4),
    "layer table": lambda lib: lib.nn.EmbeddingBag(4, 3, _weight=lib.ones(2, 3)),
    "pretrained": lambda lib: lib.nn.EmbeddingBag.from_pretrained(lib.ones(3)),
}


@pytest.mark.parametrize("name", BAD)
def test_texts_begin_as_pytorch_s(name):
    kind, text = refusal(lambda: BAD[name](minidl))
    theirs, expected = refusal(lambda: BAD[name](torch))
    for own in (" (while checking", " Please open", "\n[", " <class"):  # what speaks of PyTorch alone
        expected = expected.partition(own)[0]
    assert issubclass(kind, theirs)
    assert text.startswith(expected.rstrip(".")), f"{text!r}\ndoes not begin with\n{expected!r}"


def test_what_is_not_supported_says_so():
    with pytest.raises(NotImplementedError, match="sparse=False gives a dense one"):
        call(minidl, [0, 1], [0], sparse=True)
    with pytest.raises(NotImplementedError, match="sparse=False gives a dense one"):
        nn.EmbeddingBag(4, 3, sparse=True)
    with pytest.raises(RuntimeError, match="offsets must not decrease"):
        call(minidl, [0, 1, 2], [0, 2, 1])
    for mode in MODES:
        with pytest.raises(RuntimeError, match="found idx to be -1"):
            call(minidl, [0, -1], [0], mode=mode)
