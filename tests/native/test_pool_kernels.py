"""Pooling in C++ beside the reference: every width, both memory formats, borders, levels, threads, NaN."""

import numpy as np
import pytest
import thread_counts

from minidl import backends
from minidl.backends import native as extension

pytestmark = pytest.mark.skipif(extension.instruction_set() is None, reason="needs the compiled extension")

native, reference = backends.cpu, backends.reference
DTYPES = ["float32", "float64"]

# kernel, stride, padding, dilation of one dimension
WINDOWS = {
    "2/2": (2, 2, 0, 1),
    "3/2": (3, 2, 1, 1),
    "3/1": (3, 1, 1, 1),
    "3/3": (3, 3, 0, 1),
    "5/4": (5, 4, 2, 1),
    "1/2": (1, 2, 0, 1),
    "2/3": (2, 3, 1, 1),
    "3/2 dilated": (3, 2, 1, 2),
    "3/1 dilated": (3, 1, 1, 3),
    "4/2 dilated": (4, 2, 2, 2),
}


def pixels(array):
    """The same array with its channels last in memory."""
    order = (0, *range(2, array.ndim), 1)
    return np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))


def random(shape, dtype="float32", seed=0, special=False):
    """Few different values, so that maxima tie; some NaN and infinities where ``special``."""
    rng = np.random.default_rng(seed)
    values = rng.integers(-9, 9, shape).astype(dtype)
    if special:
        values[rng.random(shape) < 0.1] = np.nan
        values[rng.random(shape) < 0.3] = -np.inf
        values[rng.random(shape) < 0.05] = np.inf
    return values


def served(call):
    """The result of ``call``, which the extension is to give itself."""
    with backends.trace_fallbacks() as fallen:
        result = call()
    assert not fallen
    return result


def agree(found, wanted, dtype):
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    assert found.shape == wanted.shape and found.dtype == dtype
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def check_max(input, kernel, stride, padding, dilation, ceil_mode=False):
    """Maximum, offsets, gradient, indices and gather: the first four to the bit."""
    windows, dtype = (kernel, stride, padding, dilation), input.dtype
    found, offsets = served(lambda: native.max_pool(input, *windows, ceil_mode))
    wanted, taps = reference.max_pool(input.astype(float), *windows, ceil_mode)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(offsets, taps)
    assert found.dtype == dtype and offsets.dtype == taps.dtype
    g = random(found.shape, dtype, seed=1)
    for grad in (g, pixels(g)):
        gradient = served(lambda grad=grad: native.max_pool_grad(grad, offsets, input.shape, *windows))
        np.testing.assert_array_equal(
            gradient, reference.max_pool_grad(g.astype(float), taps, input.shape, *windows)
        )
        assert gradient.dtype == dtype
    indices = served(lambda: native.max_pool_indices(offsets, input.shape, *windows))
    np.testing.assert_array_equal(indices, reference.max_pool_indices(taps, input.shape, *windows))
    clean = random(input.shape, dtype)
    np.testing.assert_array_equal(
        served(lambda: native.max_pool_gather(clean, offsets, *windows)),
        reference.max_pool_gather(clean, taps, *windows),
    )


def check_mean(input, kernel, stride, padding, ceil_mode=False, counted=True, divisor=None):
    windows, dtype = (kernel, stride, padding), input.dtype
    found = served(lambda: native.avg_pool(input, *windows, ceil_mode, counted, divisor))
    agree(found, reference.avg_pool(input.astype(float), *windows, ceil_mode, counted, divisor), dtype)
    g = random(found.shape, dtype, seed=1)
    wanted = reference.avg_pool_grad(g.astype(float), input.shape, *windows, counted, divisor)
    for grad in (g, pixels(g)):
        gradient = served(
            lambda grad=grad: native.avg_pool_grad(grad, input.shape, *windows, counted, divisor)
        )
        agree(gradient, wanted, dtype)


def widths(kernel):
    """Every tail of every vector: outputs from one to more than two vectors of the widest level."""
    return range(max(1, kernel), kernel + 70)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", WINDOWS)
def test_every_width_of_planes(name, dtype):
    kernel, stride, padding, dilation = ((v,) for v in WINDOWS[name])
    for width in widths((kernel[0] - 1) * dilation[0] + 1):
        input = random((2, 2, width), dtype, special=width % 3 == 0)
        check_max(input, kernel, stride, padding, dilation, ceil_mode=width % 2 == 1)
        if dilation == (1,):
            check_mean(random(input.shape, dtype), kernel, stride, padding, width % 2 == 1, width % 3 > 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", WINDOWS)
def test_every_number_of_channels_of_pixels(name, dtype):
    kernel, stride, padding, dilation = ((v, v) for v in WINDOWS[name])
    for channels in (*range(2, 20), 31, 32, 33, 63, 64, 65, 70):
        input = pixels(random((2, channels, 7, 8), dtype, special=channels % 3 == 0))
        check_max(input, kernel, stride, padding, dilation, ceil_mode=channels % 2 == 1)
        if dilation == (1, 1):
            clean = pixels(random(input.shape, dtype))
            check_mean(clean, kernel, stride, padding, channels % 2 == 1, channels % 3 > 0)


@pytest.mark.parametrize("lay", [np.ascontiguousarray, pixels])
@pytest.mark.parametrize("dtype", DTYPES)
def test_volumes_and_mixed_settings(dtype, lay):
    input = lay(random((2, 3, 5, 9, 37), dtype))
    for ceil_mode in (False, True):
        check_max(input, (2, 3, 3), (1, 2, 2), (1, 0, 1), (2, 1, 1), ceil_mode)
        check_max(input, (1, 2, 5), (3, 1, 1), (0, 1, 2), (1, 3, 2), ceil_mode)
        check_mean(input, (2, 3, 3), (1, 2, 2), (1, 0, 1), ceil_mode, counted=False)
        check_mean(input, (3, 5, 7), (2, 3, 2), (1, 2, 3), ceil_mode)
        check_mean(input, (1, 2, 2), (1, 2, 2), (0, 1, 1), ceil_mode, divisor=-3)
        check_mean(input, (5, 9, 37), (1, 1, 1), (2, 4, 18), ceil_mode, counted=False)


@pytest.mark.parametrize("lay", [np.ascontiguousarray, pixels])
def test_lines_longer_than_a_unit_of_work(lay):
    input = lay(random((1, 2, 9000)))
    for kernel, stride, padding, dilation in WINDOWS.values():
        check_max(input, (kernel,), (stride,), (padding,), (dilation,))
        check_mean(input, (kernel,), (stride,), (padding,))
    check_mean(input, (101,), (1,), (50,))


@pytest.mark.parametrize("lay", [np.ascontiguousarray, pixels])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_number_of_bins(dtype, lay):
    for size in ((6, 8), (7, 37), (1, 64)):
        input = lay(random((2, 3, *size), dtype))
        for out in ((1, 1), (2, 4), (3, 5), (7, 9), (6, 1), (1, 64), (9, 70)):
            found = served(lambda input=input, out=out: native.adaptive_avg_pool(input, out))
            agree(found, reference.adaptive_avg_pool(input.astype(float), out), dtype)
            g = lay(random(found.shape, dtype, seed=1))
            gradient = served(lambda g=g, input=input: native.adaptive_avg_pool_grad(g, input.shape))
            agree(gradient, reference.adaptive_avg_pool_grad(g.astype(float), input.shape), dtype)
            special = lay(random((2, 3, *size), dtype, special=True))
            pair = served(lambda special=special, out=out: native.adaptive_max_pool(special, out))
            for mine, theirs in zip(pair, reference.adaptive_max_pool(special, out), strict=True):
                np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("image", [(1025, 1027), (3, 1)])
def test_one_bin_of_an_array_beyond_the_caches(image):
    """Written past the caches, images that begin anywhere in a line of them."""
    count = -(-(16 << 20) // (4 * image[0] * image[1]))
    grad = np.arange(1, count + 1, dtype=np.float32).reshape(1, count, 1, 1)
    found = served(lambda: native.adaptive_avg_pool_grad(grad, (1, count, *image)))
    assert found.shape == (1, count, *image)
    np.testing.assert_allclose(found, np.broadcast_to(grad / (image[0] * image[1]), found.shape), rtol=3e-7)


def test_results_keep_the_memory_format():
    planes = random((2, 8, 12, 12))
    for input, is_kept in ((planes, lambda a: a.flags.c_contiguous), (pixels(planes), _is_pixels)):
        output, offsets = native.max_pool(input, (3, 3), (2, 2), (1, 1), (1, 1), False)
        mean = native.avg_pool(input, (2, 2), (2, 2), (0, 0), False, True, None)
        bins = native.adaptive_avg_pool(input, (5, 5))
        results = [
            output,
            offsets,
            mean,
            bins,
            native.max_pool_grad(output, offsets, input.shape, (3, 3), (2, 2), (1, 1), (1, 1)),
            native.max_pool_indices(offsets, input.shape, (3, 3), (2, 2), (1, 1), (1, 1)),
            native.avg_pool_grad(mean, input.shape, (2, 2), (2, 2), (0, 0), True, None),
            native.adaptive_avg_pool_grad(bins, input.shape),
        ]
        assert all(map(is_kept, results))


def _is_pixels(array):
    return array.transpose(0, 2, 3, 1).flags.c_contiguous


@pytest.mark.parametrize("lay", [np.ascontiguousarray, pixels])
def test_strided_inputs(lay):
    whole = lay(random((4, 6, 16, 40)))
    for view in (whole[::2, 1:4], whole[:, :, ::-1, 3:], whole.transpose(1, 0, 3, 2), whole[..., ::3]):
        check_max(view, (3, 3), (2, 2), (1, 1), (1, 1))
        check_mean(view, (2, 2), (2, 2), (1, 1))


def test_empty_batches_and_single_elements():
    for shape in ((0, 3, 4, 4), (2, 1, 1, 1), (1, 1, 1, 5)):
        input = random(shape)
        check_max(input, (1, 1), (1, 1), (0, 0), (1, 1))
        check_mean(input, (1, 1), (1, 1), (0, 0))
        served(lambda input=input: native.adaptive_avg_pool(input, (2, 3)))


def test_the_mean_of_ones_is_one():
    """A mean divides; a product with the reciprocal of the count would be off by a bit for some counts."""
    for kernel in range(1, 60):
        found = native.avg_pool(np.ones((1, 1, 130), "f"), (kernel,), (2,), (0,), False, True, None)
        assert (found == 1).all()


def test_nothing_beside_a_result_is_read():
    """An input between NaN and results of every width: neither the end of a line nor its start leaks in."""
    for width in range(2, 40):
        fenced = np.full((3, 3, width + 2), np.nan, "float32")
        fenced[1, 1, 1:-1] = 1
        row = fenced[1:2, 1:2, 1:-1]
        for stride in (1, 2, 3):
            windows = ((2,), (stride,), (1,))
            assert (native.max_pool(row.copy(), *windows, (1,), True)[0] == 1).all()
            assert np.isfinite(native.avg_pool(row.copy(), *windows, True, False, None)).all()


def test_foreign_offsets_write_nowhere_else():
    """Offsets that max_pool never gave: taps outside the window or the input are nobody's."""
    input = random((2, 2, 9, 9))
    for settings in (((3, 3), (2, 2), (1, 1), (1, 1)), ((3, 3), (4, 4), (1, 1), (1, 1))):
        output, offsets = native.max_pool(input, *settings, False)
        for taps in (np.full_like(offsets, 255), np.zeros_like(offsets)):
            found = native.max_pool_grad(output, taps, input.shape, *settings)
            wanted = reference.max_pool_grad(output, taps, input.shape, *settings)
            np.testing.assert_allclose(found, wanted)


@pytest.mark.parametrize("lay", [np.ascontiguousarray, pixels])
def test_bits_do_not_depend_on_threads(lay):
    input = lay(np.random.default_rng(0).standard_normal((8, 24, 30, 31)).astype("float32"))

    def everything():
        results = []
        for windows in (((3, 3), (2, 2), (1, 1)), ((5, 5), (1, 1), (2, 2)), ((3, 3), (3, 3), (0, 0))):
            output, offsets = native.max_pool(input, *windows, (1, 1), False)
            mean = native.avg_pool(input, *windows, False, False, None)
            results += [output, offsets, mean, native.avg_pool_grad(mean, input.shape, *windows, True, None)]
            results.append(native.max_pool_grad(output, offsets, input.shape, *windows, (1, 1)))
        for out in ((1, 1), (4, 7)):
            bins = native.adaptive_avg_pool(input, out)
            results += [bins, native.adaptive_avg_pool_grad(bins, input.shape)]
            results += native.adaptive_max_pool(input, out)
        return results

    thread_counts.assert_no_difference(everything)
