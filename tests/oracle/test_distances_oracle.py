"""Distances between rows beside PyTorch: which way they are computed, gradients at equal rows, errors."""

import numpy as np
import pytest
import torch

import minidl

MODES = ["use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"]


def both(function, *arrays):
    """The result and the gradients of a weighted sum of it, in both libraries."""
    for library in (minidl, torch):
        tensors = [library.tensor(a, requires_grad=True) for a in arrays]
        out = function(library, *tensors)
        weight = library.tensor(np.linspace(0.5, 1.5, out.numel()).reshape(tuple(out.shape)))
        (out * weight).sum().backward()
        yield [out.detach().numpy(), *(t.grad.numpy() for t in tensors)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "shapes", [((3, 4), (5, 4)), ((26, 4), (5, 4)), ((2, 1, 5, 4), (3, 30, 4)), ((30, 1), (30, 1)), ((0, 4), (30, 4))],
    ids=str,
)  # fmt: skip
def test_distances_and_gradients(shapes, mode):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in shapes]
    for ours, theirs in zip(*both(lambda m, a, b: m.cdist(a, b, compute_mode=mode), *arrays), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_the_way_is_the_one_pytorch_takes():
    """By a product, a row's distance to its neighbour of 1e-9 has no digits left."""
    for rows, product in ((25, False), (26, True)):
        x = np.random.default_rng(0).normal(size=(rows, 3)) + 5
        for library in (minidl, torch):
            near = library.cdist(library.tensor(x), library.tensor(x + 1e-9)).numpy().diagonal()
            assert (np.abs(near / (1e-9 * 3**0.5) - 1).max() > 1e-3) == product


def test_second_derivatives():
    x, y = (np.random.default_rng(k).normal(size=(26, 3)) for k in (0, 1))

    def slope(library, a, b):
        g = library.autograd.grad(library.cdist(a, b).sum(), (a, b), create_graph=True)
        return (g[0] ** 2).sum() + (g[1] ** 3).sum()

    for ours, theirs in zip(*both(slope, x, y), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8)


def test_a_row_at_no_distance_has_no_gradient():
    for library in (minidl, torch):
        x = library.zeros(30, 2, requires_grad=True)
        library.cdist(x, x).sum().backward()
        assert not x.grad.numpy().any()


def test_an_unknown_mode():
    for library in (minidl, torch):
        with pytest.raises(ValueError, match="is not a valid value for compute_mode"):
            library.cdist(library.ones(2, 2), library.ones(2, 2), compute_mode="fast")
