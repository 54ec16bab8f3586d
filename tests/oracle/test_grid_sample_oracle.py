"""``grid_sample`` and ``affine_grid`` beside PyTorch's: every mode, padding and rank, gradients, edges, errors."""

import itertools
import re

import driving
import numpy as np
import pytest
import torch
from beside_torch import normal

import minidl

OPTIONS = list(
    itertools.product(("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (False, True))
)
options = pytest.mark.parametrize(("mode", "padding", "corners"), OPTIONS, ids=str)


def places(*shape, seed=3):
    """Places inside, a little outside, and far outside; none on a border or half-way between two elements."""
    return np.random.default_rng(seed).uniform(-1.0, 1.0, shape) * np.array([0.9, 1.3, 4.1])[: shape[-1]]


def sampled(library, x, grid, **kwargs):
    x, grid = library.tensor(x, requires_grad=True), library.tensor(grid, requires_grad=True)
    out = library.nn.functional.grid_sample(x, grid, **kwargs)
    first = library.autograd.grad((out**3).sum(), [x, grid])
    return [out, *first]


def assert_alike(x, grid, tolerance=1e-10, **kwargs):
    for ours, theirs in zip(
        sampled(minidl, x, grid, **kwargs), sampled(torch, x, grid, **kwargs), strict=True
    ):
        driving.assert_near(driving.host(ours), theirs.detach().numpy(), tolerance, tolerance)


@options
def test_images(mode, padding, corners):
    kwargs = {"mode": mode, "padding_mode": padding, "align_corners": corners}
    assert_alike(normal(2, 3, 5, 6), places(2, 4, 7, 2), **kwargs)
    assert_alike(normal(1, 2, 1, 3), places(1, 3, 3, 2), **kwargs)


@pytest.mark.parametrize(("mode", "padding", "corners"), [o for o in OPTIONS if o[0] != "bicubic"], ids=str)
def test_volumes(mode, padding, corners):
    kwargs = {"mode": mode, "padding_mode": padding, "align_corners": corners}
    assert_alike(normal(2, 2, 4, 5, 3), places(2, 3, 2, 4, 3), **kwargs)


@options
def test_places_on_borders_and_between(mode, padding, corners):
    line = np.linspace(-2, 2, 17)
    grid = np.stack(np.meshgrid(line, line), -1)[None]
    kwargs = {"mode": mode, "padding_mode": padding, "align_corners": corners}
    x = normal(1, 2, 4, 4)
    ours, theirs = sampled(minidl, x, grid, **kwargs), sampled(torch, x, grid, **kwargs)
    for a, b in zip(ours[:2], theirs[:2], strict=True):  # the gradient by the place has jumps here
        driving.assert_near(driving.host(a), b.detach().numpy(), 1e-10, 1e-10)


@options
def test_places_that_are_no_numbers(mode, padding, corners):
    grid = np.array(
        [[[[np.nan, 0.0], [0.0, np.nan], [np.inf, 0.3], [-np.inf, 0.1], [1e30, 0.2], [0.1, 0.2]]]]
    )
    x = np.abs(normal(1, 1, 3, 3)) + 1
    kwargs = {"mode": mode, "padding_mode": padding, "align_corners": corners}
    ours = minidl.nn.functional.grid_sample(minidl.tensor(x), minidl.tensor(grid), **kwargs).numpy()
    theirs = torch.nn.functional.grid_sample(torch.tensor(x), torch.tensor(grid), **kwargs).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_second_derivatives(mode):
    def function(x, grid):
        return minidl.nn.functional.grid_sample(x, grid, mode, align_corners=False)

    x, grid = minidl.tensor(normal(1, 2, 4, 4)), minidl.tensor(places(1, 2, 3, 2))
    x.requires_grad_(), grid.requires_grad_()
    assert minidl.autograd.gradcheck(function, (x, grid))
    assert minidl.autograd.gradgradcheck(function, (x, grid))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_other_dtypes(dtype):
    x, grid = normal(1, 2, 5, 6).astype(dtype), places(1, 3, 4, 2).astype(dtype)
    ours = minidl.nn.functional.grid_sample(minidl.tensor(x), minidl.tensor(grid), align_corners=False)
    theirs = torch.nn.functional.grid_sample(torch.tensor(x), torch.tensor(grid), align_corners=False)
    assert ours.dtype is getattr(minidl, dtype)
    near = {"float32": 1e-5, "float16": 2e-2}[dtype]
    driving.assert_near(ours.numpy().astype(float), theirs.numpy().astype(float), near, near)


def test_an_infinite_element_outside_the_weights_does_not_spread():
    x = np.array([[[[np.inf, 1.0, 2.0]]]])
    grid = np.array([[[[0.9, 0.0], [5.0, 0.0]]]])
    for library in (minidl, torch):
        out = library.nn.functional.grid_sample(library.tensor(x), library.tensor(grid), align_corners=False)
        assert np.isfinite(out.numpy()).all()


def test_empty_sizes():
    for shape, grid in (
        ((0, 1, 4, 5), (0, 3, 3, 2)),
        ((2, 0, 4, 5), (2, 3, 3, 2)),
        ((2, 1, 4, 5), (2, 0, 3, 2)),
    ):
        found = [
            tuple(library.nn.functional.grid_sample(library.ones(shape), library.ones(grid), align_corners=False).shape)
            for library in (minidl, torch)
        ]  # fmt: skip
        assert found[0] == found[1]


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("size", [(2, 1, 4, 5), (2, 3, 1, 2), (2, 1, 2, 3, 4)], ids=str)
@pytest.mark.filterwarnings("ignore:Since version")
def test_affine_grid(size, corners):
    rank = len(size) - 2
    found = []
    for library in (minidl, torch):
        theta = library.tensor(normal(2, rank, rank + 1), requires_grad=True)
        grid = library.nn.functional.affine_grid(theta, size, align_corners=corners)
        (grad,) = library.autograd.grad((grid**2).sum(), theta)
        found.append([grid.detach().numpy(), grad.numpy()])
    for ours, theirs in zip(*found, strict=True):
        driving.assert_near(ours, theirs, 1e-12, 1e-12)


WRONG = [
    ("affine_grid", (2, 2, 3), (1, 1, 4, 5)),
    ("affine_grid", (2, 3, 3), (2, 1, 4, 5)),
    ("affine_grid", (2, 2, 3), (2, 1, 4, 5, 6)),
    ("affine_grid", (2, 2, 3), (2, 1, 4)),
    ("affine_grid", (2, 2, 3), (2, 1, 0, 5)),
    ("grid_sample", (2, 1, 4, 5), (1, 3, 3, 2), {}),
    ("grid_sample", (2, 1, 4, 5), (2, 3, 3, 3), {}),
    ("grid_sample", (2, 1, 4, 5), (2, 3, 3, 3, 3), {}),
    ("grid_sample", (1, 4, 5), (1, 3, 3, 2), {}),
    ("grid_sample", (4, 5), (1, 3, 3, 2), {}),
    ("grid_sample", (2, 1, 4, 5), (2, 3, 3, 2), {"mode": "foo"}),
    ("grid_sample", (2, 1, 4, 5), (2, 3, 3, 2), {"padding_mode": "foo"}),
    ("grid_sample", (2, 1, 4, 4, 4), (2, 3, 3, 3, 3), {"mode": "bicubic"}),
    ("grid_sample", (2, 1, 0, 5), (2, 3, 3, 2), {}),
]


@pytest.mark.parametrize("call", WRONG, ids=str)
def test_errors(call):
    name, shape, other, *kwargs = call
    raised = []
    for library in (minidl, torch):
        second = other if name == "affine_grid" else library.ones(other)
        with pytest.raises((RuntimeError, ValueError)) as error:
            getattr(library.nn.functional, name)(
                library.ones(shape), second, align_corners=False, **dict(*kwargs)
            )
        raised.append((type(error.value), re.findall(r"\w+", str(error.value).replace("torch.", ""))))
    assert raised[0] == raised[1]


def test_warnings():
    for call in (
        lambda library: library.nn.functional.affine_grid(library.ones(1, 2, 3), (1, 1, 2, 2)),
        lambda library: library.nn.functional.affine_grid(
            library.ones(1, 2, 3), (1, 1, 1, 1), align_corners=True
        ),
        lambda library: library.nn.functional.grid_sample(
            library.ones(1, 1, 2, 2), library.zeros(1, 1, 1, 2)
        ),
    ):
        messages = []
        for library in (minidl, torch):
            with pytest.warns(UserWarning) as caught:
                call(library)
            messages.append(str(caught[0].message))
        assert messages[0] == messages[1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_regular_places_are_pytorch_s_to_the_last_bit(dtype):
    """The map that changes nothing reads exactly at elements, where the gradient jumps: rounding decides its side."""
    for n in (1, 2, 3, 7, 28, 33, 1001, *([20_001] if dtype == "float32" else [])):
        for ends in ((-1, 1), (0.3, -3.7)):
            ours, theirs = (m.linspace(*ends, n, dtype=getattr(m, dtype)) for m in (minidl, torch))
            assert np.array_equal(ours.numpy(), theirs.numpy())
    for n, corners in itertools.product((2, 7, 28), (False, True)):
        ours, theirs = (
            m.nn.functional.affine_grid(m.eye(2, 3, dtype=getattr(m, dtype))[None], (1, 1, n, n + 1), corners)
            for m in (minidl, torch)
        )
        assert np.array_equal(ours.numpy(), theirs.numpy())
