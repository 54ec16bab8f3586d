"""``interpolate`` and its gradients beside PyTorch's: every mode, rank, direction and option; errors."""

import functools
import itertools
import warnings

import driving
import numpy as np
import pytest
import torch
from beside_torch import assert_same, both, normal

import minidl

SHAPES = {1: (2, 3, 7), 2: (2, 3, 5, 6), 3: (1, 2, 3, 4, 5)}
MODES = {
    1: ("nearest", "nearest-exact", "linear", "area"),
    2: ("nearest", "nearest-exact", "bilinear", "bicubic", "area"),
    3: ("nearest", "nearest-exact", "trilinear", "area"),
}
TARGETS = (
    {"size": 4}, {"size": 1}, {"size": 11}, {"size": "same"}, {"scale_factor": 2}, {"scale_factor": 0.6},
    {"scale_factor": 1.15}, {"scale_factor": 2.3, "recompute_scale_factor": True},
    {"scale_factor": 2.3, "recompute_scale_factor": False},
)  # fmt: skip


def options(rank, mode, target):
    target = {k: SHAPES[rank][2:] if v == "same" else v for k, v in target.items()}
    corners = (None,) if mode in ("nearest", "nearest-exact", "area") else (None, True, False)
    return [{**target, "mode": mode, **({} if c is None else {"align_corners": c})} for c in corners]


CASES = [
    (rank, kwargs)
    for rank in MODES
    for mode, target in itertools.product(MODES[rank], TARGETS)
    for kwargs in options(rank, mode, target)
]
named = [f"{rank}d-" + "-".join(f"{k}={v}" for k, v in kwargs.items()) for rank, kwargs in CASES]

# Where PyTorch's gradient may not be that of its own forward; ours is, see tests/cases/interpolate.py.
INCONSISTENT = {(2, 1.15, "bicubic"), (3, 1.15, "nearest"), (3, 2.3, "nearest")}


@pytest.mark.parametrize(("rank", "kwargs"), CASES, ids=named)
def test_values_and_gradients_of_two_orders(rank, kwargs):
    found, expected = both("interpolate", [normal(*SHAPES[rank])], kwargs)
    assert_same(found[:1], expected[:1])
    if (rank, kwargs.get("scale_factor"), kwargs["mode"]) in INCONSISTENT:
        x = torch.tensor(normal(*SHAPES[rank]), requires_grad=True)
        function = functools.partial(torch.nn.functional.interpolate, **kwargs)
        if not torch.autograd.gradcheck(function, x, raise_exception=False):
            return
    assert_same(found, expected)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("size", [(3, 4), (9, 2), (5, 6), (1, 1)], ids=str)
def test_antialias(mode, size):
    found, expected = both(
        "interpolate", [normal(2, 2, 5, 6)], {"size": size, "mode": mode, "antialias": True}
    )
    for a, b in zip(found[:2], expected[:2], strict=True):
        driving.assert_near(driving.host(a), b.detach().numpy(), 1e-11, 1e-11)


def test_antialias_with_corners_and_a_factor():
    for kwargs in ({"size": 3, "align_corners": True}, {"scale_factor": 0.45}, {"scale_factor": (1.7, 0.8)}):
        for mode in ("bilinear", "bicubic"):
            arguments = {**kwargs, "mode": mode, "antialias": True}
            found, expected = both("interpolate", [normal(1, 2, 7, 6)], arguments)
            driving.assert_near(driving.host(found[0]), expected[0].detach().numpy(), 1e-11, 1e-11)


@pytest.mark.parametrize("exact", [False, True])
def test_nearest_of_float32_at_every_pair_of_sizes(exact):
    mode = "nearest-exact" if exact else "nearest"
    for n, size in itertools.product(range(1, 24), repeat=2):
        row = np.arange(n, dtype=np.float32).reshape(1, 1, n, 1)
        ours = minidl.nn.functional.interpolate(minidl.tensor(row), size=(size, 1), mode=mode).numpy()
        theirs = torch.nn.functional.interpolate(torch.tensor(row), size=(size, 1), mode=mode).numpy()
        np.testing.assert_array_equal(ours, theirs, err_msg=f"{n} -> {size}")


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_other_dtypes(dtype, mode):
    image = np.random.default_rng(0).uniform(0, 255, (1, 3, 9, 7)).astype(dtype)
    kwargs = {"scale_factor": 1.7, "mode": mode}
    ours = minidl.nn.functional.interpolate(minidl.tensor(image), **kwargs)
    theirs = torch.nn.functional.interpolate(torch.tensor(image), **kwargs)
    assert ours.dtype is getattr(minidl, dtype)
    near = {"float32": 1e-4, "float16": 0.3, "uint8": 1}[dtype] * (mode != "nearest")
    driving.assert_near(ours.numpy().astype(float), theirs.numpy().astype(float), near, 0)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize(
    ("size", "corners"), [((10, 10), False), ((3, 5), False), ((70, 40), False), ((20, 70), True)]
)
def test_bytes_are_summed_in_fixed_point(size, corners, antialias):
    image = np.random.default_rng(1).integers(0, 256, (2, 3, 64, 48)).astype(np.uint8)
    kwargs = {"size": size, "mode": "bilinear", "align_corners": corners, "antialias": antialias}
    ours = minidl.nn.functional.interpolate(minidl.tensor(image), **kwargs)
    theirs = torch.nn.functional.interpolate(torch.tensor(image), **kwargs)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_channels_last_and_strided_inputs():
    image = normal(2, 4, 4, 5)[:, ::2]
    for mode in ("nearest", "bilinear", "bicubic", "area"):
        ours = minidl.nn.functional.interpolate(
            minidl.tensor(image).contiguous(memory_format=minidl.channels_last), size=(7, 3), mode=mode
        )
        theirs = torch.nn.functional.interpolate(torch.tensor(image), size=(7, 3), mode=mode)
        driving.assert_near(ours.numpy(), theirs.numpy(), 1e-11, 1e-11)


def test_empty_batch_and_tensor_sizes():
    assert minidl.nn.functional.interpolate(minidl.ones(0, 2, 4, 4), size=2).shape == (0, 2, 2, 2)
    assert minidl.nn.functional.interpolate(minidl.ones(1, 2, 4), size=minidl.tensor(2)).shape == (1, 2, 2)


WRONG = [
    ((1, 2, 4, 4), {}),
    ((1, 2, 4, 4), {"size": 2, "scale_factor": 2.0}),
    ((1, 2, 4, 4), {"size": (2, 3, 4)}),
    ((1, 2, 4, 4), {"scale_factor": (2.0,)}),
    ((1, 2, 4, 4), {"size": 2, "mode": "foo"}),
    ((1, 2, 4, 4), {"size": 2, "mode": "linear"}),
    ((1, 2, 4, 4), {"size": 2, "mode": "trilinear"}),
    ((1, 2, 4), {"size": 2, "mode": "bilinear"}),
    ((1, 2, 4), {"size": 2, "mode": "bicubic"}),
    ((1, 2, 4, 4, 4), {"size": 2, "mode": "linear"}),
    ((1, 2, 4, 4), {"size": 2, "align_corners": False}),
    ((1, 2, 4, 4), {"size": 2, "mode": "area", "align_corners": True}),
    ((1, 2, 4, 4), {"size": 2, "antialias": True}),
    ((1, 2, 4), {"size": 2, "mode": "linear", "antialias": True}),
    ((1, 2, 4, 4), {"size": 2, "mode": "lanczos"}),
    ((1, 2, 4, 4), {"size": 2, "mode": "lanczos", "align_corners": True, "antialias": True}),
    ((1, 2, 4, 4), {"size": 2, "recompute_scale_factor": True}),
    ((1, 2, 4, 4), {"size": 0}),
    ((1, 2, 4, 4), {"size": -1}),
    ((1, 2, 4), {"size": 0}),
    ((1, 2, 4, 4, 4), {"size": 0}),
    ((1, 2, 4, 4), {"scale_factor": 0.1}),
    ((1, 2, 4, 4), {"scale_factor": float("nan")}),
    ((1, 0, 4, 4), {"size": 2}),
    ((3, 4), {"size": 2}),
    ((3,), {"size": 2}),
    ((1, 1, 1, 1, 2, 2), {"size": 2}),
]


@pytest.mark.parametrize(("shape", "kwargs"), WRONG, ids=str)
def test_errors(shape, kwargs):
    with pytest.raises(Exception) as theirs:
        torch.nn.functional.interpolate(torch.ones(shape), **kwargs)
    with pytest.raises(type(theirs.value)) as ours:
        minidl.nn.functional.interpolate(minidl.ones(shape), **kwargs)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("name", ["upsample", "upsample_nearest", "upsample_bilinear"])
def test_old_names_warn(name):
    found = []
    for library in (minidl, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            out = getattr(library.nn.functional, name)(library.ones(1, 2, 3, 3), size=4)
        found.append((tuple(out.shape), [str(w.message) for w in caught]))
    assert found[0] == found[1]
