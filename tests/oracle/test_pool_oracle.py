"""Pooling in any geometry beside PyTorch: results, indices, gradients, second gradients, NaN."""

import driving
import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from beside_torch import assert_same, both, normal
from hypothesis import given

import minidl
from minidl import nn
from minidl.testing import pool_geometries


def shuffled(shape):
    """Distinct values: where two tie, PyTorch's gradient is not a function of the values alone."""
    return np.random.default_rng(3).permutation(int(np.prod(shape))).reshape(shape).astype(float)


@given(data=st.data())
def test_every_order_of_the_maximum_agrees(data):
    dims = data.draw(st.integers(1, 3))
    geometry = data.draw(pool_geometries(dims=dims))
    if _misses(geometry):
        return
    assert_same(*both(f"max_pool{dims}d", [shuffled(geometry.input_shape)], geometry.kwargs))


def _misses(geometry):
    """Whether a dilated window may miss the input altogether; PyTorch then gives an index outside."""
    sides = zip(geometry.input_shape[2:], geometry.dilation, geometry.padding, strict=True)
    return any(p and n < d for n, d, p in sides)


@given(data=st.data())
def test_indices_of_ties_and_nan_agree(data):
    dims = data.draw(st.integers(2, 3))  # in one dimension PyTorch takes another NaN where it wants indices
    geometry = data.draw(pool_geometries(dims=dims))
    if _misses(geometry):
        return
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    array = rng.integers(-2, 3, geometry.input_shape).astype(float)
    array[rng.random(array.shape) < 0.1] = np.nan
    array[rng.random(array.shape) < 0.1] = -np.inf
    function = f"max_pool{dims}d"
    kwargs = {**geometry.kwargs, "return_indices": True}
    ours = getattr(nn.functional, function)(minidl.tensor(array), **kwargs)
    theirs = getattr(torch.nn.functional, function)(torch.tensor(array), **kwargs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(driving.host(a), b.numpy())


@given(data=st.data())
def test_every_order_of_the_mean_agrees(data):
    dims = data.draw(st.integers(1, 3))
    geometry = data.draw(pool_geometries(dims=dims, dilated=False))
    kwargs = {name: value for name, value in geometry.kwargs.items() if name != "dilation"}
    kwargs["count_include_pad"] = data.draw(st.booleans())
    if dims > 1:
        kwargs["divisor_override"] = data.draw(st.sampled_from([None, 3, -2]))
    fits = all(n >= k for n, k in zip(geometry.input_shape[2:], geometry.kernel_size, strict=True))
    if dims == 3 and not fits:
        return  # PyTorch's avg_pool3d wants the kernel inside the input, the others do not
    assert_same(*both(f"avg_pool{dims}d", [normal(*geometry.input_shape)], kwargs))


@given(data=st.data())
def test_every_order_of_adaptive_pools_agrees(data):
    dims, sizes = data.draw(st.integers(1, 3)), st.integers(1, 6)
    shape = (2, 2, *(data.draw(sizes) for _ in range(dims)))
    out = tuple(data.draw(sizes) for _ in range(dims))
    out = out[0] if dims == 1 else out
    assert_same(*both(f"adaptive_avg_pool{dims}d", [normal(*shape)], {"output_size": out}))
    assert_same(*both(f"adaptive_max_pool{dims}d", [shuffled(shape)], {"output_size": out}))


ERRORS = {
    "kernel-count": ("max_pool2d", (2, 3, 6, 6), {"kernel_size": (2, 2, 2)}),
    "stride": ("max_pool2d", (2, 3, 6, 6), {"kernel_size": 2, "stride": 0}),
    "padding": ("max_pool2d", (2, 3, 6, 6), {"kernel_size": 2, "padding": 2}),
    "negative-padding": ("avg_pool2d", (2, 3, 6, 6), {"kernel_size": 2, "padding": -1}),
    "small": ("avg_pool2d", (2, 3, 6, 6), {"kernel_size": 7}),
    "divisor": ("avg_pool2d", (2, 3, 6, 6), {"kernel_size": 2, "divisor_override": 0}),
    "rank": ("max_pool1d", (4,), {"kernel_size": 2}),
    "adaptive-rank": ("adaptive_avg_pool2d", (4,), {"output_size": 2}),
    "adaptive-empty": ("adaptive_avg_pool2d", (2, 3, 0, 0), {"output_size": 2}),
}


@pytest.mark.parametrize("id", ERRORS)
def test_errors_begin_with_pytorchs_text(id):
    function, shape, kwargs = ERRORS[id]
    with pytest.raises(RuntimeError) as theirs:
        getattr(torch.nn.functional, function)(torch.zeros(shape), **kwargs)
    with pytest.raises(RuntimeError) as ours:
        getattr(nn.functional, function)(minidl.zeros(shape), **kwargs)
    assert str(ours.value).startswith(str(theirs.value).split("\n")[0].rstrip("."))
