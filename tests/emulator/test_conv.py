"""Convolution on the GPU's kernels: every pass, format and dtype against the reference in float64."""

import ml_dtypes
import numpy as np
import pytest

from minidl import backends

reference = backends.reference
bfloat16 = ml_dtypes.bfloat16

TOLERANCE = {"float32": 2e-5, "float64": 1e-12, "float16": 2e-3, "bfloat16": 1.6e-2}
dtypes = pytest.mark.parametrize("dtype", list(TOLERANCE))
FORMATS = ["first", "last", "spread"]

GEOMETRIES = {
    # input, weight, stride, padding, dilation, groups
    "plain": ((2, 3, 9, 8), (5, 3, 3, 2), (1, 1), (0, 0), (1, 1), 1),
    "strided groups": ((1, 4, 7, 9), (6, 2, 3, 3), (2, 3), (1, 2), (1, 1), 2),
    "depthwise": ((3, 6, 6, 7), (6, 1, 2, 3), (1, 2), (2, 1), (2, 1), 6),
    "depthwise twice": ((2, 8, 5, 6), (16, 1, 3, 3), (2, 1), (1, 1), (1, 2), 8),
    "depthwise packs": ((2, 40, 7, 6), (40, 1, 5, 3), (1, 1), (2, 1), (1, 1), 40),
    "depthwise volume": ((2, 3, 4, 5, 4), (3, 1, 2, 3, 3), (1, 2, 1), (1, 1, 0), (1, 1, 1), 3),
    "line": ((2, 3, 11), (4, 3, 4), (2,), (3,), (2,), 1),
    "volume": ((2, 3, 4, 5, 6), (4, 3, 2, 3, 2), (1, 2, 2), (1, 1, 0), (1, 1, 2), 1),
    "many channels": ((1, 32, 5, 6), (40, 32, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    "stride beyond kernel": ((2, 8, 9, 10), (8, 8, 2, 1), (3, 4), (1, 0), (1, 1), 1),
    "stride and dilation": ((1, 4, 12, 13), (8, 4, 4, 3), (4, 2), (3, 2), (2, 2), 1),
    "pointwise": ((2, 16, 5, 3), (24, 16, 1, 1), (1, 1), (0, 0), (1, 1), 1),
    "pointwise line": ((3, 5, 17), (4, 5, 1), (1,), (0,), (1,), 1),
    "pointwise with a stride": ((2, 8, 5, 4), (8, 8, 1, 1), (2, 1), (0, 0), (1, 1), 1),
    "no images": ((0, 2, 5, 5), (3, 2, 2, 2), (1, 1), (0, 0), (1, 1), 1),
    "one pixel": ((1, 1, 1, 1), (1, 1, 3, 3), (1, 1), (1, 1), (1, 1), 1),
}


def normal(shape, dtype, seed=0):
    values = np.random.default_rng(sum(shape) + seed).standard_normal(shape)
    return values.astype(bfloat16 if dtype == "bfloat16" else dtype)


def place(backend, array, format):
    """A device array with the values of ``array``: in C order, channels-last, or with gaps everywhere."""
    if format == "spread":
        spread = np.zeros([2 * n + 1 for n in array.shape], array.dtype)
        inside = (slice(1, None, 2),) * array.ndim
        spread[inside] = array
        return backend.xp.asarray(spread)[inside]
    if format == "first":
        return backend.xp.asarray(array)
    last = array.ndim - 1
    dense = np.ascontiguousarray(np.moveaxis(array, 1, -1))
    return backend.xp.asarray(dense).transpose(0, last, *range(1, last))


def agree(found, expected, dtype):
    assert found.dtype.name == dtype and found.shape == expected.shape
    found = found.get().astype(float)
    # Sums of many terms are compared on their own scale.
    scale = max(1.0, np.abs(expected).max()) if expected.size else 1.0
    assert (np.abs(found - expected) <= TOLERANCE[dtype] * scale).all()


@pytest.fixture
def backend(gpu):
    """The backend; nothing may fall through."""
    backend = backends.on(gpu)
    with backends.trace_fallbacks() as fallen:
        yield backend
    assert not fallen


@dtypes
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", GEOMETRIES)
def test_convolution_and_its_gradients(name, format, dtype, backend):
    input_shape, weight_shape, *rest = GEOMETRIES[name]
    shapes = input_shape, weight_shape, weight_shape[:1]
    input, weight, bias = (normal(shape, dtype) for shape in shapes)
    wide = [x.astype(float) for x in (input, weight, bias)]
    x, w = place(backend, input, format), place(backend, weight, format)
    b = backend.xp.asarray(bias)
    expected = reference.conv_forward(*wide, *rest)
    out = backend.conv_forward(x, w, b, *rest)
    agree(out, expected, dtype)
    agree(backend.conv_forward(x, w, None, *rest), reference.conv_forward(*wide[:2], None, *rest), dtype)
    if format != "spread" and x.shape[1] > 1 and x.shape[-1] > 1 and out.shape[1] > 1 and out.size:
        assert (out.strides[1] == out.itemsize) == (format == "last")

    g = normal(expected.shape, dtype, seed=1)
    wide_g, g = g.astype(float), place(backend, g, format)
    agree(
        backend.conv_input_grad(g, w, input_shape, *rest),
        reference.conv_input_grad(wide_g, wide[1], input_shape, *rest),
        dtype,
    )
    agree(
        backend.conv_weight_grad(g, x, weight_shape, *rest),
        reference.conv_weight_grad(wide_g, wide[0], weight_shape, *rest),
        dtype,
    )


def test_formats_may_be_mixed(backend):
    input, weight = normal((2, 8, 6, 5), "float32"), normal((12, 8, 3, 3), "float32")
    rest = (1, 1), (1, 1), (1, 1), 1
    expected = reference.conv_forward(input.astype(float), weight.astype(float), None, *rest)
    for of_input in FORMATS:
        for of_weight in FORMATS:
            x, w = place(backend, input, of_input), place(backend, weight, of_weight)
            agree(backend.conv_forward(x, w, None, *rest), expected, "float32")


def test_a_long_weight_gradient_is_summed_in_parts(backend):
    input, g = normal((2, 3, 24, 23), "float32"), normal((2, 4, 24, 23), "float32", seed=1)
    rest = (4, 3, 3, 3), (1, 1), (1, 1), (1, 1), 1
    expected = reference.conv_weight_grad(g.astype(float), input.astype(float), *rest)
    for format in ("first", "last"):
        x, y = place(backend, input, format), place(backend, g, format)
        first = backend.conv_weight_grad(y, x, *rest)
        agree(first, expected, "float32")
        again = backend.conv_weight_grad(y, x, *rest)
        assert (first.get() == again.get()).all()


def test_a_long_depthwise_weight_gradient_is_summed_in_parts(backend):
    input, g = normal((2, 3, 36, 35), "float32"), normal((2, 3, 36, 35), "float32", seed=1)
    rest = (3, 1, 3, 3), (1, 1), (1, 1), (1, 1), 3
    expected = reference.conv_weight_grad(g.astype(float), input.astype(float), *rest)
    for format in ("first", "last"):
        x, y = place(backend, input, format), place(backend, g, format)
        agree(backend.conv_weight_grad(y, x, *rest), expected, "float32")


def test_a_nan_stays_where_it_belongs(backend):
    input, weight = normal((1, 4, 6, 6), "float32"), normal((4, 4, 3, 3), "float32")
    input[0, 1, 5, 5] = np.nan
    rest = (1, 1), (1, 1), (1, 1), 1
    expected = reference.conv_forward(input, weight, None, *rest)
    for format in FORMATS:
        found = backend.conv_forward(
            place(backend, input, format), place(backend, weight, format), None, *rest
        )
        assert (np.isnan(found.get()) == np.isnan(expected)).all()
        g = normal((1, 4, 6, 6), "float32", seed=1)
        g[0, 2, 0, 0] = np.nan
        found = backend.conv_weight_grad(
            place(backend, g, format),
            place(backend, normal((1, 4, 6, 6), "float32"), format),
            (4, 4, 3, 3),
            *rest,
        )
        assert (np.isnan(found.get()).any((1, 2, 3)) == [False, False, True, False]).all()


def test_what_does_not_fit_is_refused(backend):
    x, w = (backend.xp.asarray(normal(shape, "float32")) for shape in ((1, 4, 5, 5), (6, 4, 3, 3)))
    with pytest.raises(ValueError, match="groups = 4"):
        backend.conv_forward(x, w, None, (1, 1), (0, 0), (1, 1), 4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_without_tensor_cores(dtype, backend, monkeypatch):
    monkeypatch.setenv("MINIDL_EMULATOR_CAPABILITY", "7.5")
    input, weight = normal((2, 8, 6, 5), dtype), normal((40, 4, 3, 3), dtype)
    rest = (2, 1), (1, 1), (1, 1), 2
    expected = reference.conv_forward(input.astype(float), weight.astype(float), None, *rest)
    g = normal(expected.shape, dtype, seed=1)
    wide = g.astype(float), input.astype(float), weight.astype(float)
    for format in FORMATS:
        x, w, y = (place(backend, array, format) for array in (input, weight, g))
        agree(backend.conv_forward(x, w, None, *rest), expected, dtype)
        found = backend.conv_input_grad(y, w, input.shape, *rest)
        agree(found, reference.conv_input_grad(wide[0], wide[2], input.shape, *rest), dtype)
        found = backend.conv_weight_grad(y, x, weight.shape, *rest)
        agree(found, reference.conv_weight_grad(*wide[:2], weight.shape, *rest), dtype)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_tile(dtype, backend):
    """Sizes that choose the large tile, with a few terms each."""
    rest = (1, 1), (0, 0), (1, 1), 1
    shapes = (1, 8, 130, 131), (128, 8, 1, 1)
    input, weight = (normal(shape, dtype) for shape in shapes)
    expected = reference.conv_forward(input.astype(float), weight.astype(float), None, *rest)
    for format in ("first", "last"):
        x, w = place(backend, input, format), place(backend, weight, format)
        agree(backend.conv_forward(x, w, None, *rest), expected, dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_large_weight_gradient(dtype, backend):
    rest = (128, 64, 3, 3), (1, 1), (1, 1), (1, 1), 1
    input, g = normal((1, 64, 4, 9), dtype), normal((1, 128, 4, 9), dtype, seed=1)
    expected = reference.conv_weight_grad(g.astype(float), input.astype(float), *rest)
    for format in ("first", "last"):
        x, y = place(backend, input, format), place(backend, g, format)
        agree(backend.conv_weight_grad(y, x, *rest), expected, dtype)
