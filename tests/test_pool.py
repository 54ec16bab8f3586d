"""Pooling beside the definition: any geometry, ties, NaN, layouts; what it refuses, and in which words."""

import driving
import hypothesis.strategies as st
import naive_windows
import numpy as np
import pytest
import thread_counts
from hypothesis import given

import minidl
from minidl import backends, nn
from minidl.testing import pool_geometries, strided

F = nn.functional
LAYOUTS = ["contiguous", "transposed", "sliced", "negative"]
cpu_backends = pytest.mark.parametrize("name", ["reference", "native"])


def backend(name):
    if name == "native" and backends.cpu.name != "native":
        pytest.skip("no native backend here")
    return backends.cpu if name == "native" else backends.reference


def any_geometry(data, dilated=True):
    dims = data.draw(st.integers(1, 3))
    return data.draw(pool_geometries(dims=dims, dilated=dilated, min_batch=0))


def with_ties(data, shape, nan=False):
    """Few different values, so that maxima tie; some NaN and infinities."""
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    values = rng.integers(-2, 3, shape).astype(float)
    if nan:
        values[rng.random(shape) < 0.1] = np.nan
        values[rng.random(shape) < 0.1] = -np.inf
    return strided(values, data.draw(st.sampled_from(LAYOUTS)))


def misses_input(geometry):
    """Whether dilated taps can jump over the whole input, where the definition has no maximum."""
    _, cells = naive_windows.windows(geometry.input_shape[2:], *_settings(geometry), geometry.ceil_mode)
    return any(not pairs for pairs in cells.values())


def _settings(geometry):
    return geometry.kernel_size, geometry.stride, geometry.padding, geometry.dilation


@cpu_backends
@given(data=st.data())
def test_every_maximum_agrees_with_the_definition(name, data):
    space, geometry = backend(name), any_geometry(data)
    settings = _settings(geometry)
    input = with_ties(data, geometry.input_shape, nan=data.draw(st.booleans()))
    found, offsets = space.max_pool(input, *settings, geometry.ceil_mode)
    assert offsets.dtype == np.uint8 and offsets.shape == found.shape
    if misses_input(geometry):
        return
    expected, where = naive_windows.pool_max(input, **geometry.kwargs, return_indices=True)
    driving.assert_near(found, expected, 0, 0, nan=True)
    indices = space.max_pool_indices(offsets, input.shape, *settings)
    assert indices.dtype == np.int64
    np.testing.assert_array_equal(indices, where)
    g = np.random.default_rng(1).standard_normal(found.shape)
    scattered = np.zeros((*input.shape[:2], int(np.prod(input.shape[2:]))))
    for n, c in np.ndindex(*input.shape[:2]):
        np.add.at(scattered[n, c], where[n, c].ravel(), g[n, c].ravel())
    gradient = space.max_pool_grad(g, offsets, input.shape, *settings)
    driving.assert_near(gradient, scattered.reshape(input.shape), 1e-12, 1e-12)
    picked = space.max_pool_gather(gradient, offsets, *settings)
    flat = gradient.reshape(scattered.shape)
    taken = np.take_along_axis(flat, where.reshape(*where.shape[:2], int(np.prod(where.shape[2:]))), 2)
    np.testing.assert_array_equal(picked, taken.reshape(where.shape))


@cpu_backends
def test_a_window_that_misses_the_input_gives_minus_infinity_and_no_gradient(name):
    space, settings = backend(name), ((2,), (1,), (1,), (2,))
    input = np.ones((1, 1, 1))
    output, offsets = space.max_pool(input, *settings, False)
    np.testing.assert_array_equal(output, [[[-np.inf]]])
    np.testing.assert_array_equal(
        space.max_pool_grad(np.ones((1, 1, 1)), offsets, input.shape, *settings), 0 * input
    )
    np.testing.assert_array_equal(space.max_pool_gather(input, offsets, *settings), 0 * input)


@cpu_backends
def test_padding_wider_than_the_window_is_safe(name):
    """Ops refuse it; the functions below them are still to stay inside their arrays."""
    space, settings = backend(name), ((1, 2), (1, 1), (3, 5), (1, 1))
    input = np.arange(1.0, 13.0).reshape(1, 1, 3, 4)
    output, offsets = space.max_pool(input, *settings, False)
    inside = np.pad(input, ((0, 0), (0, 0), (3, 3), (5, 5)), constant_values=-np.inf)
    np.testing.assert_array_equal(output, np.maximum(inside[..., :-1], inside[..., 1:]))
    gradient = space.max_pool_grad(np.ones(output.shape), offsets, input.shape, *settings)
    np.testing.assert_array_equal(gradient.sum(), np.isfinite(output).sum())


@cpu_backends
@given(data=st.data())
def test_every_mean_agrees_with_the_definition(name, data):
    space, geometry = backend(name), any_geometry(data, dilated=False)
    settings = geometry.kernel_size, geometry.stride, geometry.padding
    counting = data.draw(st.booleans()), data.draw(st.sampled_from([None, 3, -2]))
    input = with_ties(data, geometry.input_shape)

    def mean(x):
        return naive_windows.pool_mean(x, *settings, geometry.ceil_mode, *counting)

    found = space.avg_pool(input, *settings, geometry.ceil_mode, *counting)
    driving.assert_near(found, mean(input), 1e-12, 1e-12)
    g = np.random.default_rng(1).standard_normal(found.shape)
    gradient = space.avg_pool_grad(g, input.shape, *settings, *counting)
    driving.assert_near(gradient, naive_windows.adjoint(mean, input.shape, g), 1e-12, 1e-12)


@cpu_backends
@given(data=st.data())
def test_every_adaptive_pool_agrees_with_the_definition(name, data):
    space, sizes = backend(name), st.integers(1, 5)
    dims = data.draw(st.integers(1, 3))
    input = with_ties(data, (data.draw(st.integers(0, 2)), 2, *(data.draw(sizes) for _ in range(dims))))
    out = tuple(data.draw(st.integers(0, 6)) for _ in range(dims))
    found = space.adaptive_avg_pool(input, out)

    def mean(x):
        return naive_windows.pool_adaptive_mean(x, out)

    driving.assert_near(found, mean(input), 1e-12, 1e-12)
    g = np.random.default_rng(1).standard_normal(found.shape)
    gradient = space.adaptive_avg_pool_grad(g, input.shape)
    driving.assert_near(gradient, naive_windows.adjoint(mean, input.shape, g), 1e-12, 1e-12)
    values, indices = space.adaptive_max_pool(input, out)
    expected, where = naive_windows.pool_adaptive_max(input, out, return_indices=True)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(indices, where)


@cpu_backends
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_windows_keep_wide_offsets(name, dtype):
    space = backend(name)
    input = np.random.default_rng(0).standard_normal((3, 5, 40, 41)).astype(dtype)
    settings = ((17, 16), (5, 7), (8, 3), (1, 2))
    output, offsets = space.max_pool(input, *settings, True)
    assert output.dtype == dtype and offsets.dtype == np.int32
    exact = backends.reference.max_pool(input.astype(float), *settings, True)
    np.testing.assert_array_equal(output, exact[0].astype(dtype))
    np.testing.assert_array_equal(offsets, exact[1])
    g = output * 2
    wanted = backends.reference.max_pool_grad(g.astype(float), exact[1], input.shape, *settings)
    tolerance = 1e-12 if dtype is np.float64 else 1e-6
    driving.assert_near(space.max_pool_grad(g, offsets, input.shape, *settings), wanted, tolerance, tolerance)
    np.testing.assert_array_equal(space.max_pool_gather(input, offsets, *settings), output)


def test_results_do_not_depend_on_the_number_of_threads(native):
    input = np.random.default_rng(0).standard_normal((16, 8, 30, 30)).astype("f")
    windows = (3, 3), (2, 2), (1, 1)

    def everything():
        output, offsets = native.max_pool(input, *windows, (1, 1), False)
        mean = native.avg_pool(input, *windows, False, True, None)
        return (
            output,
            offsets,
            native.max_pool_grad(output, offsets, input.shape, *windows, (1, 1)),
            mean,
            native.avg_pool_grad(mean, input.shape, *windows, True, None),
        )

    thread_counts.assert_no_difference(everything)


def test_integers_have_maxima():
    out, indices = F.max_pool1d(minidl.tensor([[3, -7, -2, -2]]), 2, return_indices=True)
    assert out.dtype is minidl.int64 and out.tolist() == [[3, -2]] and indices.tolist() == [[0, 2]]
    low = minidl.tensor([[-128, -128]], dtype=minidl.int8)
    assert F.max_pool1d(low, 2, padding=1).tolist() == [[-128, -128]]


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_half_precision_sums_in_float32(name):
    if not hasattr(minidl, name):
        pytest.skip("bfloat16 needs ml_dtypes")
    x = minidl.ones(1, 4096, dtype=getattr(minidl, name), requires_grad=True)
    for out in (F.avg_pool1d(x, 4096), F.adaptive_avg_pool1d(x, 1), F.max_pool1d(x, 4096)):
        assert out.dtype is x.dtype and out.item() == 1
        out.sum().backward()
        assert x.grad.dtype is x.dtype
        x.grad = None


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_an_empty_batch_has_empty_results(rank):
    x = minidl.zeros(0, 2, *(4,) * rank, requires_grad=True)
    for kind in ("max", "avg"):
        out = getattr(F, f"{kind}_pool{rank}d")(x, 2)
        assert out.shape == (0, 2, *(2,) * rank)
        adaptive = getattr(F, f"adaptive_{kind}_pool{rank}d")(x, 3)
        assert adaptive.shape == (0, 2, *(3,) * rank)
        (out.sum() + adaptive.sum()).backward()
        assert x.grad.shape == x.shape


def test_an_output_size_of_zero_is_empty():
    assert F.adaptive_avg_pool2d(minidl.ones(1, 2, 3, 3), (0, 2)).shape == (1, 2, 0, 2)
    assert F.adaptive_max_pool2d(minidl.ones(1, 2, 3, 3), 0).shape == (1, 2, 0, 0)


def test_nan_spreads_to_the_windows_that_hold_it():
    x = minidl.tensor([[1.0, float("nan"), 3.0, 4.0]])
    for out in (
        F.max_pool1d(x, 2),
        F.avg_pool1d(x, 2),
        F.adaptive_avg_pool1d(x, 2),
        F.adaptive_max_pool1d(x, 2),
    ):
        np.testing.assert_array_equal(out.isnan().numpy(), [[True, False]])


def test_the_gradient_of_a_tie_goes_to_the_first():
    x = minidl.ones(1, 1, 2, 2, requires_grad=True)
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[[1.0, 0.0], [0.0, 0.0]]]]


IMAGE = minidl.zeros(2, 3, 6, 6)
REFUSED = {
    "rank": (
        lambda: F.max_pool1d(minidl.zeros(4), 2),
        "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but "
        "got:[4]",
    ),
    "no-channels": (
        lambda: F.max_pool2d(minidl.zeros(2, 0, 6, 6), 2),
        "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:[2, 0, 6, 6]",
    ),
    "kernel": (lambda: F.max_pool2d(IMAGE, 0, 1), "kernel size should be greater than zero"),
    "kernel-count": (
        lambda: F.max_pool2d(IMAGE, (1, 2, 3)),
        "max_pool2d: kernel_size must either be a single int, or a tuple of two ints",
    ),
    "stride": (lambda: F.avg_pool2d(IMAGE, 2, 0), "stride should not be zero"),
    "negative-stride": (lambda: F.avg_pool2d(IMAGE, 2, -1), "stride should be greater than zero"),
    "stride-count": (
        lambda: F.avg_pool2d(IMAGE, 2, (1, 2, 3)),
        "avg_pool2d: stride must either be omitted, a single int, or a tuple of two ints",
    ),
    "dilation": (lambda: F.max_pool2d(IMAGE, 2, dilation=0), "dilation should be greater than zero"),
    "padding": (
        lambda: F.max_pool2d(IMAGE, 2, 2, 2),
        "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1",
    ),
    "dilated-padding": (
        lambda: F.max_pool2d(IMAGE, 2, 2, 2, 3),
        "pad should be smaller than or equal to half of kernel size",
    ),
    "negative-padding": (lambda: F.avg_pool2d(IMAGE, 2, 2, -1), "pad must be non-negative, but got pad: -1"),
    "small": (
        lambda: F.avg_pool2d(IMAGE, 7),
        "Given input size: (3x6x6). Calculated output size: (3x0x0). Output size is too small",
    ),
    "divisor": (lambda: F.avg_pool2d(IMAGE, 2, divisor_override=0), "divisor must be not zero"),
    "adaptive-rank": (
        lambda: F.adaptive_avg_pool2d(minidl.zeros(4), 2),
        "adaptive_avg_pool2d(): Expected 3D or 4D tensor, but got [4]",
    ),
    "adaptive-size": (
        lambda: F.adaptive_avg_pool2d(IMAGE, -1),
        "adaptive_avg_pool2d: elements of output_size must be greater than or equal to 0",
    ),
    "adaptive-count": (
        lambda: F.adaptive_avg_pool2d(IMAGE, (2,)),
        "adaptive_avg_pool2d: output_size must be 2",
    ),
    "adaptive-empty": (
        lambda: F.adaptive_max_pool2d(minidl.zeros(2, 3, 0, 4), 2),
        "adaptive_max_pool2d(): Expected input to have non-zero size for non-batch dimensions, but input has "
        "sizes [2, 3, 0, 4] with dimension 2 being empty",
    ),
}


@pytest.mark.parametrize("id", REFUSED)
def test_refusals_name_the_values(id):
    call, text = REFUSED[id]
    with pytest.raises(RuntimeError) as raised:
        call()
    assert text in str(raised.value)


def test_arguments_of_the_wrong_kind():
    with pytest.raises(TypeError, match=r"max_pool2d.*'input'.*must be Tensor, not list"):
        F.max_pool2d([1.0], 2)
    with pytest.raises(TypeError, match=r"avg_pool2d.*'kernel_size' must be tuple of ints, not float"):
        F.avg_pool2d(IMAGE, 2.5)
    with pytest.raises(NotImplementedError, match=r"max_pool2d.*not implemented for 'Bool'"):
        F.max_pool2d(IMAGE.bool(), 2)
    with pytest.raises(NotImplementedError, match=r"avg_pool2d.*not implemented for 'Int'"):
        F.avg_pool2d(IMAGE.int(), 2)
    with pytest.raises(NotImplementedError, match=r"adaptive_avg_pool2d.*not implemented for 'Int'"):
        F.adaptive_avg_pool2d(IMAGE.int(), 2)
