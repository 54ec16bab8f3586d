"""Ops over drawn shapes, broadcasts, strides, dtypes and geometries, against NumPy and across backends."""

import driving
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl
import minidl.nn.functional as F
from minidl import backends
from minidl.autograd.tensor import leaf
from minidl.testing import (
    arrays,
    broadcastable_shapes,
    check_gradients,
    conv_geometries,
    dtypes,
    elements,
    given_gradients,
    layouts,
    pool_geometries,
    shapes,
    tensors,
)

BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum, "minimum": np.minimum}
REDUCTIONS = {"sum": np.sum, "mean": np.mean, "amax": np.max, "amin": np.min, "prod": np.prod}


@st.composite
def two_arrays(draw, dtype):
    left, right = draw(broadcastable_shapes(2, max_dims=3, min_side=0, max_side=4))
    return tuple(draw(arrays(shape, dtype, layout=layouts())) for shape in (left, right))


@given(st.sampled_from(sorted(BINARY)), dtypes("floating").flatmap(two_arrays))
def test_binary_ops_broadcast_as_numpy_does(name, pair):
    found = getattr(minidl, name)(*map(leaf, pair))
    expected = BINARY[name](*pair)
    assert found.numpy().dtype == expected.dtype
    np.testing.assert_array_equal(found.numpy(), expected)


@given(
    st.sampled_from(["int8", "uint8", "int16", "int32", "int64"]).flatmap(lambda n: two_arrays(np.dtype(n)))
)
def test_integers_wrap_as_numpy_s_do(pair):
    for name in ("add", "sub", "mul"):
        np.testing.assert_array_equal(getattr(minidl, name)(*map(leaf, pair)).numpy(), BINARY[name](*pair))


@given_gradients(tensors(shapes(max_dims=3), layout=layouts(expanded=False)), order=2, modes=["directional"])
def test_gradients_of_a_smooth_chain(x):
    return (x.sin() * x).tanh() + x.sigmoid()


@given(broadcastable_shapes(2, max_dims=3, max_side=3), st.data())
def test_gradients_are_summed_over_what_was_broadcast(pair, data):
    x, y = (data.draw(arrays(shape, elements=elements(0.5, 2))) for shape in pair)
    check_gradients(lambda x, y: x * y + x / y, x, y, modes=["directional"])


@given(
    arrays(shapes(1, 4, max_side=4), layout=layouts()),
    st.sampled_from(sorted(REDUCTIONS)),
    st.booleans(),
    st.data(),
)
def test_reductions_over_drawn_dims(array, name, keepdim, data):
    dims = data.draw(
        st.lists(st.integers(-array.ndim, array.ndim - 1), min_size=1, unique_by=lambda d: d % array.ndim)
    )
    dims = dims[0] if name == "prod" else tuple(dims)
    found = getattr(leaf(array), name)(dims, keepdim)
    np.testing.assert_allclose(
        found.numpy(), REDUCTIONS[name](array, axis=dims, keepdims=keepdim), atol=1e-12
    )


@st.composite
def indices(draw, shape):
    """A basic or an integer index into ``shape``, as NumPy and minidl both take it."""
    parts = []
    for side in shape:
        low, high = draw(st.integers(-side, side)), draw(st.integers(-side, side))
        kinds = [slice(low, high, draw(st.integers(1, 3))), draw(st.integers(-side, side - 1)), slice(None)]
        parts.append(draw(st.sampled_from(kinds)))
    parts = parts[: draw(st.integers(0, len(parts)))]
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if parts and draw(st.booleans()) and len(parts) <= len(shape):
        parts.append(Ellipsis)
    return tuple(parts)


@given(shapes(1, 3, max_side=4), st.data())
def test_basic_indexing_reads_and_writes_as_numpy_does(shape, data):
    array = data.draw(arrays(shape, layout=layouts(expanded=False)))
    index = data.draw(indices(shape))
    np.testing.assert_array_equal(leaf(array)[index].numpy(), array[index])
    ours, theirs = leaf(array.copy()), array.copy()
    ours[index] = 7.0
    theirs[index] = 7.0
    np.testing.assert_array_equal(ours.numpy(), theirs)


@given(arrays(shapes(2, 2, max_side=4)), st.data())
def test_integer_and_mask_indexing(array, data):
    rows = data.draw(st.lists(st.integers(-array.shape[0], array.shape[0] - 1), max_size=5))
    mask = data.draw(arrays(array.shape, np.dtype(bool)))
    x = leaf(array, requires_grad=True)
    np.testing.assert_array_equal(x[rows].detach().numpy(), array[np.asarray(rows, int)])
    np.testing.assert_array_equal(x[leaf(mask)].detach().numpy(), array[mask])
    x[rows].sum().backward()
    expected = np.zeros_like(array)
    np.add.at(expected, np.asarray(rows, int), 1)
    np.testing.assert_array_equal(x.grad.numpy(), expected)


@given(shapes(2, 4, max_side=3), st.data())
def test_permuting_and_reshaping_keep_every_element(shape, data):
    array = data.draw(arrays(shape, layout=layouts()))
    order = data.draw(st.permutations(range(len(shape))))
    moved = leaf(array).permute(*order)
    np.testing.assert_array_equal(moved.numpy(), array.transpose(order))
    np.testing.assert_array_equal(moved.reshape(-1).numpy(), array.transpose(order).reshape(-1))


def both_backends(native, run):
    """Results and gradients of ``run`` on the native backend and on the reference, as arrays."""
    found = []
    for backend in (native, backends.reference):
        with driving.cpu_backend(backend):
            found.append([driving.host(each) for each in run()])
    return found


@given(
    st.integers(1, 2).flatmap(lambda dims: conv_geometries(dims=dims)),
    dtypes("floating"),
    layouts(expanded=False),
    st.data(),
)
def test_convolutions_of_drawn_geometry(native, geometry, dtype, layout, data):
    seed = np.random.default_rng(data.draw(st.integers(0, 99)))
    x, w, b = (
        seed.standard_normal(shape).astype(dtype.numpy)
        for shape in (geometry.input_shape, geometry.weight_shape, geometry.weight_shape[:1])
    )
    conv = F.conv1d if len(geometry.stride) == 1 else F.conv2d

    def run():
        leaves = [leaf(minidl.testing.strided(each, layout), requires_grad=True) for each in (x, w, b)]
        out = conv(*leaves, **geometry.kwargs)
        out.backward(leaf(np.cos(np.arange(out.numel())).reshape(out.shape).astype(dtype.numpy)))
        return [out, *(each.grad for each in leaves)]

    found, expected = both_backends(native, run)
    assert found[0].shape == geometry.output_shape
    tolerance = 1e-10 if dtype is minidl.float64 else 1e-4
    for ours, wanted in zip(found, expected, strict=True):
        driving.assert_near(ours, wanted, tolerance, tolerance)


@given(pool_geometries(), st.booleans(), layouts(expanded=False), st.data())
def test_pools_of_drawn_geometry(native, geometry, average, layout, data):
    count = int(np.prod(geometry.input_shape))
    order = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(count)
    x = minidl.testing.strided(order.reshape(geometry.input_shape) / 8, layout)
    options = dict(geometry.kwargs)
    if average:
        del options["dilation"]

    def run():
        inputs = leaf(x, requires_grad=True)
        try:
            out = (F.avg_pool2d if average else F.max_pool2d)(inputs, **options)
        except RuntimeError as error:  # without its dilation, an average pool may ask for less than nothing
            assert average and "too small" in str(error)
            return []
        out.backward(leaf(np.cos(np.arange(out.numel())).reshape(out.shape)))
        return [out, inputs.grad]

    for ours, wanted in zip(*both_backends(native, run), strict=True):
        driving.assert_near(ours, wanted, 1e-12, 1e-12)


@pytest.mark.parametrize("order", [1, 2])
@given(geometry=conv_geometries(max_side=2, max_channels=2, max_batch=1), seed=st.integers(0, 99))
def test_gradients_of_convolutions(order, geometry, seed):
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal(geometry.input_shape), rng.standard_normal(geometry.weight_shape)
    check_gradients(lambda x, w: F.conv2d(x, w, **geometry.kwargs), x, w, order=order, modes=["directional"])
