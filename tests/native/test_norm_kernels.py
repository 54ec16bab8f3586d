"""Normalisation by the native backend beside the reference in float64."""

import numpy as np
import pytest
import thread_counts

from minidl import backends

DTYPES = [np.float32, np.float64]
ROWS = [
    (1, 1),
    (3, 1),
    (1, 5),
    (7, 16),
    (5, 17),
    (4, 31),
    (2, 33),
    (65, 64),
    (300, 19),
    (3, 70),
    (2, 4096),
    (2, 9001),
]
CHANNELS = [
    (2, 1, 1), (1, 3, 2), (3, 5, 4), (2, 16, 3, 3), (2, 17, 7), (33, 4, 5), (5, 6, 4, 9), (2, 3, 65, 64), (70, 33, 1),
    (4, 2, 3, 2, 5), (131, 40),
]  # fmt: skip
NEEDS = [
    (True, True, True),
    (False, True, True),
    (True, False, False),
    (False, False, True),
    (False, True, False),
]


def draw(shape, dtype, seed=0, mean=0.0):
    return (np.random.default_rng(seed).standard_normal(shape) + mean).astype(dtype)


def wide(arguments):
    return [np.asarray(a, np.float64) if isinstance(a, np.ndarray) else a for a in arguments]


def check(native, name, *arguments, ulp=16, scale=1.0):
    """The override serves the call itself, and each result is near that of the reference in float64."""
    found = native.overrides[name](*arguments)
    assert found is not NotImplemented
    expected = getattr(backends.reference, name)(*wide(arguments))
    dtype = next(a.dtype for a in arguments if isinstance(a, np.ndarray))
    for ours, wanted in zip(found, expected, strict=True):
        if wanted is None:
            assert ours is None
            continue
        assert ours.dtype == dtype and ours.shape == wanted.shape
        size = max(np.nanmax(np.abs(wanted), initial=0), scale)
        np.testing.assert_allclose(ours, wanted, rtol=0, atol=ulp * np.finfo(dtype).eps * size)
    return found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", ROWS)
@pytest.mark.parametrize("affine", ["none", "weight", "bias", "both"])
def test_layer_norm(native, dtype, shape, affine):
    x, g = draw(shape, dtype), draw(shape, dtype, 1)
    weight = draw(shape[1:], dtype, 2) if affine in ("weight", "both") else None
    bias = draw(shape[1:], dtype, 3) if affine in ("bias", "both") else None
    _, mean, inv_std = check(native, "layer_norm", x, 1, weight, bias, 0.1)
    for needs in NEEDS:
        if weight is not None or not needs[1]:
            scale = np.sqrt(shape[0]) * 4
            check(
                native, "layer_norm_backward", g, x, weight, mean, inv_std, 1, needs, ulp=8, scale=scale
            )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", ROWS)
@pytest.mark.parametrize("affine", [False, True])
def test_rms_norm(native, dtype, shape, affine):
    x, g = draw(shape, dtype), draw(shape, dtype, 1)
    weight = draw(shape[1:], dtype, 2) if affine else None
    _, inv_rms = check(native, "rms_norm", x, 1, weight, 0.1)
    for needs in [(True, affine), (False, affine)]:
        check(native, "rms_norm_backward", g, x, weight, inv_rms, 1, needs, scale=np.sqrt(shape[0]) * 4)


def layouts(array):
    """The array in C order, with its channels innermost, and with gaps."""
    yield array
    if array.ndim > 2:
        last = np.ascontiguousarray(np.moveaxis(array, 1, -1))
        yield np.moveaxis(last, -1, 1)
    gaps = np.repeat(array, 2, axis=-1)[..., ::2]
    yield gaps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", CHANNELS)
@pytest.mark.parametrize("affine", ["none", "weight", "bias", "both"])
def test_batch_norm(native, dtype, shape, affine):
    c = shape[1]
    weight = draw(c, dtype, 2) if affine in ("weight", "both") else None
    bias = draw(c, dtype, 3) if affine in ("bias", "both") else None
    running = draw(c, dtype, 4), abs(draw(c, dtype, 5))
    g = draw(shape, dtype, 1)
    count = np.sqrt(np.prod(shape) / c)
    for x in layouts(draw(shape, dtype)):
        _, mean, _, inv_std = check(native, "batch_norm", x, weight, bias, 0.1)
        _, given = check(native, "batch_norm_inference", x, weight, bias, *running, 0.1)
        for needs in NEEDS if weight is not None else [(True, False, True)]:
            for training, center, scale in [(True, mean, inv_std), (False, running[0], given)]:
                check(
                    native, "batch_norm_backward", g, x, weight, center, scale, training, needs, scale=4 * count
                )  # fmt: skip


def test_batch_norm_keeps_channels_last(native):
    x = np.moveaxis(draw((2, 5, 6, 3), np.float32), -1, 1)
    out, mean, _, inv_std = native.batch_norm(x, None, None, 1e-5)
    assert out.strides == x.strides
    assert native.batch_norm_inference(x, None, None, mean, mean, 1e-5)[0].strides == x.strides
    g = draw(x.shape, np.float32)
    needs = (True, False, False)
    assert native.batch_norm_backward(g, x, None, mean, inv_std, True, needs)[0].strides == x.strides


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 3, 1, 2)], ids=["planes", "columns"])
def test_inputs_have_no_part_in_the_gradient_of_fixed_statistics(native, order):
    x, g = draw((2, 5, 4, 3), np.float32), draw((2, 5, 4, 3), np.float32, 1)
    x[0, 2, 1, 1] = np.nan
    x, g = x.transpose(order), g.transpose(order)
    center, scale = np.zeros(x.shape[1], np.float32), np.ones(x.shape[1], np.float32)
    needs = (True, False, False)
    found = native.overrides["batch_norm_backward"](g, x, None, center, scale, False, needs)[0]
    assert (found == g).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape, groups", [((2, 4), 2), ((3, 6, 5), 3), ((2, 5, 17), 5), ((1, 6, 33, 33), 1), ((3, 32, 4, 5), 8)]
)
@pytest.mark.parametrize("affine", ["none", "weight", "bias", "both"])
def test_group_norm(native, dtype, shape, groups, affine):
    c = shape[1]
    weight = draw(c, dtype, 2) if affine in ("weight", "both") else None
    bias = draw(c, dtype, 3) if affine in ("bias", "both") else None
    g, count = draw(shape, dtype, 1), np.sqrt(np.prod(shape) / c)
    for x in layouts(draw(shape, dtype)):
        _, mean, inv_std = check(native, "group_norm", x, groups, weight, bias, 0.1)
        for needs in NEEDS if weight is not None else [(True, False, True)]:
            check(
                native, "group_norm_backward", g, x, weight, mean, inv_std, groups, needs, scale=4 * count
            )  # fmt: skip


def layer(native, x, g):
    out, mean, inv_std = native.layer_norm(x, 1, None, None, 1e-5)
    return [out, inv_std, native.layer_norm_backward(g, x, None, mean, inv_std, 1, (True, False, False))[0]]


def group(native, x, g):
    out, mean, inv_std = native.group_norm(x, 1, None, None, 1e-5)
    return [out, inv_std, native.group_norm_backward(g, x, None, mean, inv_std, 1, (True, False, False))[0]]


def batch(native, x, g):
    out, mean, variance, inv_std = native.batch_norm(x, None, None, 1e-5)
    gradient = native.batch_norm_backward(g, x, None, mean, inv_std, True, (True, False, False))[0]
    return [out, variance, inv_std, gradient]


def batch_of_images(native, x, g):
    return batch(native, x.T[None].copy(), g.T[None].copy())


@pytest.mark.parametrize("family", [layer, group, batch, batch_of_images])
@pytest.mark.parametrize("spoilt", [False, True])
def test_inputs_far_from_zero_lose_nothing(native, family, spoilt):
    """Mean 1e4, deviation 1: float32 keeps three digits behind the point, the results all of theirs."""
    x, g = draw((3000, 40), np.float32, 0, mean=1e4), draw((3000, 40), np.float32, 1)
    if spoilt:
        x[:8], x[:, :2] = 2e4, -3e4  # where kernels look for a first idea of the mean
    found = family(native, x, g)
    expected = family(backends.reference, x.astype(np.float64), g.astype(np.float64))
    for ours, wanted in zip(found, expected, strict=True):
        size = np.abs(wanted).max()
        np.testing.assert_allclose(ours, wanted, rtol=2e-6, atol=1e-6 * size)


@pytest.mark.parametrize("family", [layer, group, batch, batch_of_images])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_spoils_its_own_statistics_only(native, family, bad):
    x, g = draw((20, 50), np.float32), draw((20, 50), np.float32, 1)
    x[3, 41] = bad
    found = family(native, x, g)
    expected = family(backends.reference, x, g)
    for ours, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(wanted))


@pytest.mark.parametrize("family", [layer, group, batch, batch_of_images])
def test_constant_input_gives_zero(native, family):
    x = np.full((20, 50), 0.1, np.float32)
    out, *_, gradient = family(native, x, draw((20, 50), np.float32))
    assert np.abs(out).max() == 0 and np.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_number_of_threads_gives_the_same_bits(native, dtype):
    x, g = draw((600, 200), dtype), draw((600, 200), dtype, 1)
    images, slopes = draw((40, 8, 21, 21), dtype), draw((40, 8, 21, 21), dtype, 1)
    weight, row = draw(8, dtype), draw(200, dtype)

    def compute():
        out, mean, _, inv_std = native.batch_norm(images, weight, weight, 1e-5)
        grouped, means, inv_stds = native.group_norm(images, 4, weight, weight, 1e-5)
        rows, centers, scales = native.layer_norm(x, 1, row, row, 1e-5)
        roots = native.rms_norm(x, 1, row, 1e-5)
        every = (True, True, True)
        return [
            out, mean, inv_std, grouped, means, rows, centers, *roots, *batch(native, x, g),
            *native.batch_norm_backward(slopes, images, weight, mean, inv_std, True, every),
            *native.group_norm_backward(slopes, images, weight, means, inv_stds, 4, every),
            *native.layer_norm_backward(g, x, row, centers, scales, 1, every),
            *native.rms_norm_backward(g, x, row, roots[1], 1, (True, True)),
        ]  # fmt: skip

    thread_counts.assert_no_difference(compute)


def test_what_is_left_to_the_reference(native):
    x, v = np.ones((2, 3), np.float32), np.ones(3, np.float32)
    call = native.overrides
    refused = [
        call["layer_norm"](x[:0], 1, None, None, 1e-5),
        call["layer_norm"](x, 3, None, None, 1e-5),
        call["layer_norm"](x, 1, v.astype(np.float64), None, 1e-5),
        call["layer_norm"](x, 1, v[:2], None, 1e-5),
        call["layer_norm"](x.astype(np.float16), 1, None, None, 1e-5),
        call["rms_norm"](x, 0, None, 1e-5),
        call["batch_norm"](v, None, None, 1e-5),
        call["batch_norm"](x, v[:2], None, 1e-5),
        call["batch_norm_inference"](x, None, None, None, v, 1e-5),
        call["batch_norm_backward"](x.T, x, None, v, v, True, (True, True, True)),
        call["batch_norm_backward"](x, x, None, v, v, True, (True, True)),
        call["group_norm"](x, 2, None, None, 1e-5),
        call["group_norm"](x, 0, None, None, 1e-5),
        call["group_norm_backward"](x, x, None, v, v, 1, (True, True, True)),
    ]
    assert all(result is NotImplemented for result in refused)
