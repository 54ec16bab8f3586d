"""The compiled convolutions against ``reference`` in float64: geometries, memory orders, widths, threads, levels."""

import numpy as np
import pytest
from thread_counts import assert_no_difference

import minidl
from minidl.backends import native
from minidl.backends.reference import conv as reference

pytestmark = pytest.mark.skipif(native.instruction_set() is None, reason="needs the compiled extension")

if native.instruction_set() is not None:
    from minidl import _native

ONE = ((1, 1), (1, 1), (1, 1), 1)  # stride, padding, dilation, groups


def channels_last(array):
    last = np.ascontiguousarray(np.moveaxis(array, 1, -1))
    return np.moveaxis(last, -1, 1)


def gappy(array):
    return np.repeat(array, 2, axis=-1)[..., ::2]


def backwards(array):
    return np.ascontiguousarray(array[:, ::-1])[:, ::-1]


ORDERS = (np.asarray, channels_last, gappy, backwards)


def arrays(rng, n, size, weight_shape, geometry, dtype):
    """Input, weight, bias and output gradient of a convolution."""
    stride, padding, dilation, groups = geometry
    o, c, *kernel = weight_shape
    steps = zip(size, kernel, stride, padding, dilation, strict=True)
    out = [(s + 2 * p - d * (k - 1) - 1) // t + 1 for s, k, t, p, d in steps]
    shapes = ((n, c * groups, *size), weight_shape, (o,), (n, o, *out))
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def assert_close(got, want, terms):
    """Within a few roundings of ``terms`` summands, for values of the size of ``want``'s."""
    assert got.shape == want.shape
    scale = max(1e-30, float(np.sqrt(np.mean(np.square(want))))) if want.size else 1
    error = np.abs(got - want).max() / scale if want.size else 0
    assert error <= np.finfo(got.dtype).eps * 8 * (4 + terms**0.5)  # false for NaN


def check(x, w, b, dy, geometry, order=np.asarray):
    """All three passes against the reference in float64."""
    dtype = x.dtype
    wide = [None if a is None else a.astype(np.float64) for a in (x, w, b, dy)]
    ordered_x, ordered_dy = order(x), order(dy)
    y = _native.conv_forward(ordered_x, w, b, *geometry)
    assert_close(y, reference.conv_forward(np, *wide[:3], *geometry), w[0].size)
    dx = _native.conv_input_grad(ordered_dy, w, x.shape, *geometry)
    assert_close(dx, reference.conv_input_grad(np, wide[3], wide[1], x.shape, *geometry), w.size)
    dw = _native.conv_weight_grad(ordered_dy, ordered_x, w.shape, *geometry)
    want = reference.conv_weight_grad(np, wide[3], wide[0], w.shape, *geometry)
    assert_close(dw, want, dy[:, 0].size)
    assert y.dtype == dx.dtype == dw.dtype == dtype
    return y, dx, dw


def random_geometry(rng):
    """Sizes around the vector widths, strides, padding and dilation of every kind; None where no window fits."""
    rank = int(rng.integers(1, 4))
    groups = int(rng.choice([1, 1, 2, 3]))
    c, o = int(rng.choice([1, 2, 3, 7, 8, 17])), int(rng.choice([1, 3, 8, 15, 16, 17, 31, 33, 65]))
    kernel, stride, dilation = rng.integers(1, 5, rank), rng.integers(1, 4, rank), rng.integers(1, 4, rank)
    padding, size = rng.integers(0, 4, rank), rng.integers(1, {1: 60, 2: 20, 3: 7}[rank], rank)
    if min(size + 2 * padding - dilation * (kernel - 1)) < 1:
        return None
    geometry = (*(tuple(map(int, a)) for a in (stride, padding, dilation)), groups)
    return tuple(map(int, size)), (groups * o, c, *map(int, kernel)), geometry


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(24))
def test_any_geometry(seed, dtype):
    rng = np.random.default_rng(seed)
    for drawn in filter(None, (random_geometry(rng) for _ in range(6))):
        size, weight_shape, geometry = drawn
        n = int(rng.integers(1, 4))
        x, w, b, dy = arrays(rng, n, size, weight_shape, geometry, dtype)
        for order in ORDERS:
            check(x, w, b if rng.integers(2) else None, dy, geometry, order)


@pytest.mark.parametrize("size", [1, 2, 5, 7, 13, 14, 15, 16, 17, 28, 29, 57])
@pytest.mark.parametrize("channels", [(16, 32), (4, 48), (256, 20)])
def test_widths_and_blocks_of_channels(size, channels):
    rng = np.random.default_rng(size)
    c, o = channels
    check(*arrays(rng, 2, (3, size), (o, c, 3, 3), ONE, "float32"), ONE)


@pytest.mark.parametrize("seed", range(12))
def test_winograd_and_its_edges(seed):
    """Channels around the blocks, odd sizes whose last tiles are half used, images taken together."""
    rng = np.random.default_rng(seed)
    c, o = int(rng.choice([32, 33, 47, 64])), int(rng.choice([32, 33, 50, 64]))
    n, size, padding = int(rng.integers(2, 9)), rng.integers(8, 24, 2), rng.integers(0, 4, 2)
    size, geometry = tuple(map(int, size)), ((1, 1), tuple(map(int, padding)), (1, 1), 1)
    x, w, b, dy = arrays(rng, n, size, (o, c, 3, 3), geometry, "float32")
    for order in ORDERS:
        check(x, w, b if seed % 2 else None, dy, geometry, order)


@pytest.mark.parametrize("size, padding", [((14, 14), (1, 1)), ((13, 33), (0, 2)), ((7, 6), (1, 0))])
@pytest.mark.parametrize("channels", [(96, 100), (97, 129)])
def test_winograd_of_the_weight_gradient(channels, size, padding):
    """Several chunks, pieces that end within them, channels beyond whole vectors, odd sizes, groups."""
    c, o = channels
    groups = 2 if size == (7, 6) else 1
    rng = np.random.default_rng(c)
    geometry = (1, 1), padding, (1, 1), groups
    n = -(-1500 // (size[0] * size[1]))
    wide = n, groups * c, *size
    assert selected("weight", wide, (groups * o, c, 3, 3), padding=padding, groups=groups).startswith(
        "winograd"
    )
    x, w, _, dy = arrays(rng, n, size, (groups * o, c, 3, 3), geometry, "float32")
    want = reference.conv_weight_grad(np, dy.astype(float), x.astype(float), w.shape, *geometry)
    for order in ORDERS:
        found = _native.conv_weight_grad(order(dy), order(x), w.shape, *geometry)
        np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_a_number_stays_with_its_weights_in_winograd(bad):
    rng = np.random.default_rng(6)
    x, w, _, dy = arrays(rng, 8, (9, 9), (96, 96, 3, 3), ONE, "float32")
    assert selected("weight", x.shape, w.shape).startswith("winograd")
    x[1, 2, 0, 0] = bad
    with np.errstate(invalid="ignore"):
        want = reference.conv_weight_grad(np, dy, x, w.shape, *ONE)
    found = _native.conv_weight_grad(dy, x, w.shape, *ONE)
    wild = ~np.isfinite(want)
    assert 0 < wild.sum() < wild.size and (~np.isfinite(found) == wild).all()
    np.testing.assert_allclose(found[~wild], want[~wild], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (5, 2)])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("channels", [2, 15, 16, 70])
def test_depthwise(channels, stride, kernel):
    rng = np.random.default_rng(channels)
    geometry = ((stride, stride), (1, 0), (1, 2), channels)
    for size, dtype in (((9, 33), "float32"), ((40, 7), "float64")):
        x, w, b, dy = arrays(rng, 3, size, (channels, 1, *kernel), geometry, dtype)
        for order in ORDERS:
            check(x, w, b, dy, geometry, order)


def cut_out(array):
    """Channels-last, with more channels beside each point than it shows."""
    return channels_last(np.concatenate([array, array], 1))[:, : array.shape[1]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [(), (1,), (7,), (5, 9), (3, 2, 4)], ids=str)
@pytest.mark.parametrize("n", [1, 3])
def test_one_point_kernels(n, size, dtype):
    """Products of matrices where all arrays are channels-last."""
    if not size:
        size = (1, 1)
    rng = np.random.default_rng(n)
    ones = (1,) * len(size)
    geometry = (ones, (0,) * len(size), ones, 1)
    for out, channels in ((1, 5), (6, 1), (33, 70), (64, 256)):
        x, w, b, dy = arrays(rng, n, size, (out, channels, *ones), geometry, dtype)
        for order in (*ORDERS, cut_out):
            check(x, w, b, dy, geometry, order)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (7, 5)])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("few", [1, 3, 4])
def test_few_channels(few, stride, kernel):
    """Forward to few channels, and the input gradient of images of few channels."""
    rng = np.random.default_rng(few)
    geometry = ((stride, stride), (2, 0), (1, 1), 2)
    for weight_shape, width in (
        ((2 * few, 9, *kernel), 61),
        ((18, few, *kernel), 61),
        ((14, few, *kernel), 32),
    ):
        x, w, b, dy = arrays(rng, 2, (11, width), weight_shape, geometry, "float32")
        for order in ORDERS:
            check(x, w, b, dy, geometry, order)


def selected(direction, input_shape, weight_shape, dtype="float32", groups=1, channels_last=False, **options):
    geometry = [options.get(k, v) for k, v in (("stride", (1, 1)), ("padding", (1, 1)), ("dilation", (1, 1)))]
    return _native.conv_select(
        direction, input_shape, weight_shape, *geometry, groups, np.dtype(dtype), channels_last
    )


def test_the_choice_of_algorithm_depends_on_the_problem_alone():
    resnet = (16, 256, 14, 14), (256, 256, 3, 3)
    assert selected("forward", *resnet).startswith("winograd")
    assert selected("input", *resnet).startswith("winograd")
    assert selected("weight", *resnet) == "winograd, pieces of 7 rows of tiles, 6 together"
    assert selected("weight", *resnet, dtype="float64").startswith("direct, stretches")
    assert selected("weight", *resnet, stride=(2, 2)).startswith("direct")
    assert selected("weight", (16, 95, 14, 14), (256, 95, 3, 3)).startswith("direct")  # few channels
    assert selected("weight", (2, 256, 14, 14), (256, 256, 3, 3)).startswith("direct")  # few tiles
    assert selected("forward", *resnet, dtype="float64").startswith("direct")
    assert selected("forward", *resnet, stride=(2, 2)).startswith("direct")
    assert selected("forward", (1, 256, 3, 3), (256, 256, 3, 3)).startswith("direct")
    assert (
        selected("weight", (32, 64, 56, 56), (64, 64, 3, 3))
        == "direct, 14 parts of the batch, bands of 7 rows"
    )
    assert selected("forward", (8, 64, 9, 9), (64, 1, 3, 3), groups=64) == "depthwise"
    assert selected("input", (8, 3, 64, 64), (64, 3, 3, 3)) == "planes"
    assert selected("forward", (8, 3, 64, 64), (64, 3, 3, 3)) == "planes"
    assert selected("forward", (8, 3, 17, 17), (64, 3, 3, 3)).startswith("direct")
    far = {"padding": (0, 2**30), "dilation": (1, 2**30)}
    assert selected("forward", (1, 2, 3, 4), (2, 2, 1, 3), **far) == "unrolled"


@pytest.mark.parametrize("direction", ["forward", "input", "weight"])
def test_one_point_kernels_are_products_of_channels_last_arrays(direction):
    pointwise = (direction, (2, 8, 5, 5), (4, 8, 1, 1))
    assert selected(*pointwise, padding=(0, 0), channels_last=True) == "product"
    assert selected(*pointwise, padding=(0, 0)).startswith("direct")
    for other in ({"padding": (0, 1)}, {"padding": (0, 0), "stride": (1, 2)}):
        assert selected(*pointwise, channels_last=True, **other) != "product"
    assert (
        selected(direction, (2, 8, 5, 5), (4, 4, 1, 1), groups=2, padding=(0, 0), channels_last=True)
        != "product"
    )
    assert selected(direction, (2, 8, 5, 5), (4, 8, 1, 2), padding=(0, 0), channels_last=True) != "product"


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("padding", [0, 2, 4])
def test_input_gradients_of_strides_and_wide_padding(stride, padding):
    """Phases without a tap, and padding beyond the kernel, which crops the gradient."""
    geometry = ((stride, 1), (padding, padding), (1, 2), 1)
    rng = np.random.default_rng(stride)
    check(*arrays(rng, 2, (9, 11), (5, 6, 2, 3), geometry, "float64"), geometry, channels_last)


def test_channels_last_in_channels_last_out():
    rng = np.random.default_rng(0)
    x, w, b, dy = arrays(rng, 2, (6, 5), (8, 4, 3, 3), ONE, "float32")
    y, dx, _ = check(x, w, b, dy, ONE, channels_last)
    for made in (y, dx):
        assert np.moveaxis(made, 1, -1).flags.c_contiguous and not made.flags.c_contiguous
    y, dx, _ = check(x, w, b, dy, ONE)
    assert y.flags.c_contiguous and dx.flags.c_contiguous
    y, dx, _ = check(x, channels_last(w), b, dy, ONE)  # as PyTorch: the weight's format is enough
    for made in (y, dx):
        assert np.moveaxis(made, 1, -1).flags.c_contiguous and not made.flags.c_contiguous


@pytest.mark.parametrize("wild", [2**20, 2**40])
def test_windows_that_span_mostly_padding(wild):
    """Far more padding than image: nothing of that size may be allocated."""
    geometry = ((1, wild), (0, wild), (1, wild), 1)
    rng = np.random.default_rng(1)
    x, w, b, _ = arrays(rng, 1, (3, 4), (2, 2, 1, 3), ((1, 1), (0, 1), (1, 1), 1), "float64")
    y = _native.conv_forward(x, w, b, *geometry)
    want = reference.conv_forward(np, x[..., :1], w[..., 1:2], b, (1, 1), (0, 0), (1, 1), 1)
    assert_close(y, want, 2)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_no_images_or_no_channels(shape):
    n, c = shape
    x, w, dy = np.ones((n, c, 4, 4)), np.ones((5, c, 3, 3)), np.ones((n, 5, 4, 4))
    y, dx, dw = check(x, w, np.ones(5), dy, ONE)
    assert (y == 1).all() and dx.size == 0 and (dw == 0).all()


def test_not_a_number_stays_where_its_window_is():
    rng = np.random.default_rng(2)
    x, w, b, dy = arrays(rng, 2, (9, 17), (17, 3, 3, 3), ONE, "float32")
    x[1, 2, 4, 8] = np.nan
    touched = np.isnan(_native.conv_forward(x, w, b, *ONE))
    assert not touched[0].any()
    assert touched[1, :, 3:6, 7:10].all() and touched[1].sum() == 17 * 9
    dy[0, 5, 0, 0] = np.inf
    wild = ~np.isfinite(_native.conv_input_grad(dy, w, x.shape, *ONE))
    assert wild[0, :, :2, :2].all() and wild.sum() == 3 * 4


@pytest.mark.parametrize("bad", [np.nan, np.inf, 3e38])
def test_not_a_number_stays_where_its_window_is_in_winograd(bad):
    rng = np.random.default_rng(5)
    x, w, b, _ = arrays(rng, 2, (16, 16), (32, 32, 3, 3), ONE, "float32")
    x[1, 2, 4, 8] = bad
    with np.errstate(over="ignore", invalid="ignore"):
        want = reference.conv_forward(np, x, w, b, *ONE)
    for order in (np.asarray, channels_last):
        y = _native.conv_forward(order(x), w, b, *ONE)
        wild = ~np.isfinite(want)
        assert (~np.isfinite(y[wild])).all()
        np.testing.assert_allclose(y[~wild], want[~wild], rtol=1e-4, atol=1e-3)


def test_infinite_weights_do_not_meet_padding_in_the_input_gradient():
    rng = np.random.default_rng(3)
    x, w, _, dy = arrays(rng, 1, (5, 5), (2, 2, 3, 3), ONE, "float64")
    w[0, 0, 0, 0] = np.inf
    with np.errstate(invalid="ignore"):
        want = reference.conv_input_grad(np, dy, w, x.shape, *ONE)
    got = minidl.backends.of(dy).conv_input_grad(dy, w, x.shape, *ONE)
    np.testing.assert_allclose(got, want)


SHAPES = (((2, 30, 31), (40, 20, 3, 3), 1), ((9, 8, 8), (64, 64, 3, 3), 2), ((3, 28, 28), (32, 1, 3, 3), 32))


def every_pass():
    results = []
    for (n, *size), weight_shape, groups in SHAPES:
        geometry = ((1, 1), (1, 1), (1, 1), groups)
        x, w, b, dy = arrays(np.random.default_rng(4), n, size, weight_shape, geometry, "float32")
        for order in (np.asarray, channels_last):
            results += check(x, w, b, dy, geometry, order)
    return results


def test_the_same_bits_for_every_thread_count():
    assert_no_difference(every_pass)
