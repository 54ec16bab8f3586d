"""The functions of the top level that differ from those of ``nn.functional``, beside PyTorch's: edges and errors."""

import copy
import pickle

import numpy as np
import pytest
import torch

import minidl

TABLE = np.random.default_rng(1).standard_normal((5, 3))
INDICES, OFFSETS = np.array([1, 3, 1, 0, 2, 3, 3]), np.array([0, 2, 2, 5])


@pytest.mark.parametrize(("mode", "padding"), [(0, None), (1, None), (2, None), (0, 3), (1, 3), (2, 3)])
def test_embedding_bag(mode, padding):
    def run(library):
        table = library.tensor(TABLE, requires_grad=True)
        found = library.embedding_bag(
            table, library.tensor(INDICES), library.tensor(OFFSETS), False, mode, False, None, False, padding
        )
        (found[0] ** 2).sum().backward()
        return [x.detach().numpy() for x in found], table.grad.numpy()

    (ours, gradient), (theirs, expected) = run(minidl), run(torch)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)
    assert len(ours) == len(theirs) == 4
    if mode == 2:
        for mine, wanted in zip(ours[1:], theirs[1:], strict=True):
            np.testing.assert_array_equal(mine, wanted)


def test_embedding_without_and_with_padding():
    def run(library, padding_idx):
        table = library.tensor(TABLE, requires_grad=True)
        library.embedding(table, library.tensor(INDICES), padding_idx, True).sum().backward()
        return table.grad.numpy()

    for padding_idx in (-1, 3, 1):
        np.testing.assert_allclose(run(minidl, padding_idx), run(torch, padding_idx), rtol=1e-12)


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_moves_the_statistics(training):
    def run(library):
        x = library.tensor(TABLE)
        mean, var = library.zeros(3, dtype=library.float64), library.ones(3, dtype=library.float64)
        out = library.batch_norm(x, mean + 2, mean + 1, mean, var, training, 0.3, 1e-3, False)
        return [t.numpy() for t in (out, mean, var)]

    for ours, theirs in zip(run(minidl), run(torch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_margins_below_zero():
    x = [np.random.default_rng(i).standard_normal((4, 3)) for i in range(3)]
    ours, theirs = (
        lib.triplet_margin_loss(*map(lib.tensor, x), margin=-0.2, reduction=1).item()
        for lib in (minidl, torch)
    )
    assert ours == pytest.approx(theirs)


@pytest.mark.parametrize("reduction", [3, -1, "mean", True])
def test_reductions_are_numbers(reduction):
    with pytest.raises(ValueError, match="is not a valid value for reduction"):
        minidl.kl_div(minidl.ones(2), minidl.ones(2), reduction)


NAN, INF = float("nan"), float("inf")
# Functions at the points where their gradients are a choice, or not finite.
KINKS = {
    "pow": (lambda lib, x, y: x**y, [0.0, 0.0, 1.0, -2.0, 2.0, -3.0], [0.0, 1.0, 0.0, 2.0, 0.0, 0.0]),
    "pow 1": (lambda lib, x: x**1, [0.0, -1.0, 2.0]),
    "pow 0": (lambda lib, x: x**0 + x, [0.0, -1.0, INF]),
    "maximum": (lambda lib, x, y: lib.maximum(x, y), [NAN, 1.0, 1.0, 2.0], [1.0, NAN, 1.0, 3.0]),
    "minimum": (lambda lib, x, y: lib.minimum(x, y), [NAN, 1.0, 1.0, 2.0], [1.0, NAN, 1.0, 3.0]),
    "logit": (lambda lib, x: lib.logit(x), [-0.5, 0.25, 1.5]),
    "lgamma": (lambda lib, x: lib.lgamma(x), [1.0, 2.0, 3.5]),
    "erfinv": (lambda lib, x: lib.erfinv(x), [0.0, 0.5]),
    "var": (lambda lib, x: x.reshape(2, 2).var(1, correction=2).detach() + x[:2], [1.0, 2.0, 2.0, 2.0]),
    "sign": (lambda lib, x: x.sign() * x.floor() + x, [1.5, -2.5]),
}


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@pytest.mark.parametrize("name", KINKS)
def test_values_and_gradients_at_kinks(name):
    function, *points = KINKS[name]

    def run(library):
        inputs = [library.tensor(p, dtype=library.float64, requires_grad=True) for p in points]
        out = function(library, *inputs)
        gradients = library.autograd.grad(out.sum(), inputs, create_graph=True)
        return [t.detach().numpy() for t in (out, *gradients)], [g.requires_grad for g in gradients]

    (ours, needs), (theirs, needed) = run(minidl), run(torch)
    for mine, wanted in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-12, atol=1e-15)
    assert needs == needed


def test_limits_that_are_nan():
    limits = [0.0, NAN, 2.0]
    for low, high in ((limits, None), (None, limits), (limits, [1.0, 1.0, NAN])):
        found = [
            lib.clamp(
                lib.tensor([NAN, 1.0, 1.0]), *(None if v is None else lib.tensor(v) for v in (low, high))
            ).numpy()
            for lib in (minidl, torch)
        ]
        np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "true_divide", "floor_divide"])
@pytest.mark.parametrize(("a", "b"), [(7, 2), (7, 2.0), (7.5, 2), (True, 2)])
def test_arithmetic_of_two_numbers(name, a, b):
    if name == "sub" and isinstance(a, bool):
        return
    ours, theirs = (getattr(lib, name)(a, b) for lib in (minidl, torch))
    assert (ours.item(), str(ours.dtype)[7:]) == (theirs.item(), str(theirs.dtype)[6:])


SEVERAL = {
    "max": lambda lib, x: x.max(1),
    "min": lambda lib, x: x.min(0, keepdim=True),
    "sort": lambda lib, x: x.sort(descending=True),
    "topk": lambda lib, x: lib.topk(x, 2),
    "median": lambda lib, x: x.median(dim=0),
    "mode": lambda lib, x: x.mode(),
    "kthvalue": lambda lib, x: x.kthvalue(2),
    "cummax": lambda lib, x: x.cummax(0),
    "aminmax": lambda lib, x: x.aminmax(),
    "frexp": lambda lib, x: x.frexp(),
    "svd": lambda lib, x: lib.svd(x[:1, :1]),
    "linalg_slogdet": lambda lib, x: lib.linalg.slogdet(x[:, :2].T @ x[:, :2]),
    "linalg_lu": lambda lib, x: lib.linalg.lu(x),
    "triangular_solve": lambda lib, x: lib.triangular_solve(x[:2, :1], x[:2, :2]),
}


@pytest.mark.filterwarnings("ignore:torch.triangular_solve is deprecated:UserWarning")
@pytest.mark.parametrize("name", SEVERAL)
def test_results_of_several_parts_print_and_pickle_as_pytorchs(name):
    found = []
    for library in (minidl, torch):
        result = SEVERAL[name](library, library.tensor([[3.0, 1.0, 2.0], [4.0, 6.0, 5.0]]))
        assert type(result) is getattr(library.return_types, name)
        for twin in (copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
            assert repr(twin) == repr(result) and type(twin) is type(result)
        found.append(repr(result).replace(f"{library.__name__}.int", "int"))
    assert found[0] == found[1]
