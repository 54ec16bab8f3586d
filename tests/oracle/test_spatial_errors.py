"""Refusals and second gradients of folds, shuffles, local norms and unpooling, beside PyTorch."""

import re
import warnings

import driving
import pytest
import torch
from beside_torch import assert_same, both, normal

import minidl

WRONG = {
    "pixel_shuffle": [((4, 3), 2), ((4, 3, 3), 0), ((5, 3, 3), 2), ((4, 3, 3), 2.0)],
    "pixel_unshuffle": [((4, 3), 2), ((4, 4, 4), 0), ((4, 3, 4), 2), ((4, 4, 3), 2)],
    "channel_shuffle": [((4, 3), 2), ((1, 4, 3), 0), ((1, 4, 3), 3)],
    "local_response_norm": [((2, 3), 2), ((2, 3, 4), 0)],
    "unfold": [
        ((2, 3, 4, 4), 5), ((2, 3, 4, 4), (2,)), ((2, 3, 4, 4), (2, 2, 2)), ((2, 3, 4, 4), 0), ((2, 3, 4, 4), 2, 0),
        ((2, 3, 4, 4), 2, 1, -1), ((2, 3, 4, 4), 2, 1, 0, 0), ((2, 0, 4, 4), 2),
    ],
    "fold": [
        ((9,), 4, 2), ((2, 2, 12, 9), 4, 2), ((2, 11, 9), 4, 2), ((2, 12, 8), 4, 2), ((2, 12, 9), (4,), 2),
        ((2, 12, 9), (4, 4, 4), 2), ((2, 12, 9), 1, 2), ((2, 12, 9), 4, 2, 1, 0, 0), ((2, 12, 9), 4, 2, 0),
        ((2, 12, 9), 4, 2, 1, -1), ((2, 12, 9), 4, 0),
    ],
    "lp_pool1d": [((3, 4), 2, 5)],
    "lp_pool2d": [((3, 4, 4), 2, (2, 2, 2))],
    "lp_pool3d": [((2, 3, 4, 4, 4), 2, (2, 1))],
    "fractional_max_pool2d": [((1, 1, 5, 5), 2), ((1, 5, 5), 2, 6), ((1, 1, 5, 5), 6, 3)],
    "fractional_max_pool3d": [((1, 1, 5, 5, 5), 6, 3), ((1, 1, 5, 5, 5), 2, 5)],
}  # fmt: skip
CALLS = [(name, *call) for name, calls in WRONG.items() for call in calls]


def words(error):
    return re.findall(r"\w+", str(error.value))


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_refusals(call):
    name, shape, *args = call
    with pytest.raises(Exception) as theirs:
        getattr(torch.nn.functional, name)(torch.ones(shape), *args)
    with pytest.raises(type(theirs.value)) as ours:
        getattr(minidl.nn.functional, name)(minidl.ones(shape), *args)
    if not name.startswith("lp_pool1d"):
        assert words(ours)[: len(words(theirs))] == words(theirs)


UNPOOL = [
    (1, (1, 1, 2), [[[0, 4]]], {}),
    (1, (1, 1, 2), [[[0, -1]]], {}),
    (1, (1, 1, 2), [[[0, 3.0]]], {}),
    (1, (1, 1, 2), [[[0, 4]]], {"output_size": [6]}),
    (1, (1, 1, 2), [[[0, 4]]], {"output_size": [6, 6]}),
    (2, (2, 2), [[0, 3], [8, 17]], {}),
    (2, (1, 1, 2, 2), [[[[0, 3], [8, 17]]]], {}),
    (2, (1, 1, 2, 2), [[[[0, 3]]]], {}),
    (3, (1, 1, 1, 1, 1), [[[[[8]]]]], {}),
    (3, (1, 1, 1, 1, 1), [[[[[1]]]]], {"stride": 0}),
]


@pytest.mark.parametrize(("rank", "shape", "indices", "kwargs"), UNPOOL, ids=str)
def test_refusals_of_max_unpool(rank, shape, indices, kwargs):
    raised = []
    for library in (minidl, torch):
        unpool = getattr(library.nn.functional, f"max_unpool{rank}d")
        with pytest.raises((RuntimeError, ValueError)) as error:
            unpool(library.ones(*shape), library.tensor(indices), 2, **kwargs)
        raised.append(error)
    assert type(raised[0].value) is type(raised[1].value)
    assert words(raised[0]) == words(raised[1])


@pytest.mark.parametrize(
    ("name", "shape", "kwargs"),
    [
        (
            "unfold",
            (2, 3, 5, 6),
            {"kernel_size": (2, 3), "dilation": (2, 1), "padding": (1, 2), "stride": (2, 1)},
        ),
        ("fold", (12, 20), {"output_size": (5, 6), "kernel_size": 2}),
        ("local_response_norm", (2, 7, 4, 3), {"size": 3, "alpha": 0.5, "beta": 0.6, "k": 2.0}),
        ("local_response_norm", (2, 3, 4, 2, 2), {"size": 8, "alpha": 0.5}),
        ("lp_pool1d", (2, 3, 9), {"norm_type": 2, "kernel_size": 3, "stride": 2, "ceil_mode": True}),
        ("lp_pool2d", (2, 9, 7), {"norm_type": 4, "kernel_size": (3, 2)}),
        ("lp_pool3d", (1, 3, 4, 4, 4), {"norm_type": 1, "kernel_size": 2}),
        ("pixel_shuffle", (2, 8, 3, 4), {"upscale_factor": 2}),
        ("pixel_unshuffle", (2, 2, 2, 6, 4), {"downscale_factor": 2}),
        ("channel_shuffle", (2, 6, 2, 2), {"groups": 3}),
    ],
    ids=str,
)
def test_gradients_of_two_orders(name, shape, kwargs):
    assert_same(*both(name, [normal(*shape)], kwargs))


def test_a_power_mean_of_zeros_has_gradient_zero():
    for library in (minidl, torch):
        x = library.zeros(1, 4, requires_grad=True)
        library.nn.functional.lp_pool1d(x, 2, 2).sum().backward()
        assert x.grad.tolist() == [[0.0] * 4]


def test_unpool_undoes_pool():
    for rank, shape in ((1, (2, 3, 7)), (2, (2, 3, 6, 5)), (3, (2, 4, 4, 5))):
        found = []
        for library in (minidl, torch):
            f = library.nn.functional
            x = library.tensor(normal(*shape), requires_grad=True)
            pooled, indices = getattr(f, f"max_pool{rank}d")(x, 2, return_indices=True)
            back = getattr(f, f"max_unpool{rank}d")(pooled, indices, 2, output_size=shape[-rank:])
            (grad,) = library.autograd.grad((back**3).sum(), x)
            found.append((back.detach().numpy(), grad.numpy()))
        for ours, theirs in zip(*found, strict=True):
            driving.assert_near(ours, theirs, 1e-12, 1e-12)


def test_wrong_arguments_of_fractional_layers():
    for kwargs in ({}, {"output_ratio": 1.5}, {"output_ratio": 0.5, "output_size": 2}):
        raised = []
        for library in (minidl, torch):
            with pytest.raises(ValueError) as error, warnings.catch_warnings():
                library.nn.FractionalMaxPool2d(2, **kwargs)
            raised.append(str(error.value))
        assert raised[0] == raised[1]
