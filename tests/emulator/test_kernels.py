"""The functions of backends/cuda against NumPy in float64: odd sizes, strides, all schedules."""

import numpy as np
import pytest

from minidl import backends

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def normal(*shape):
    return np.random.default_rng(sum(shape) + len(shape)).standard_normal(shape)


def agree(found, expected, dtype):
    assert found.dtype == dtype and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


UNARY = {
    "neg": np.negative, "abs": np.abs, "square": np.square, "reciprocal": np.reciprocal, "exp": np.exp,
    "sin": np.sin, "cos": np.cos, "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0), "sqrt": np.sqrt, "log": np.log, "rsqrt": lambda x: 1 / np.sqrt(x),
}  # fmt: skip
BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "maximum": np.maximum,
    "minimum": np.minimum, "pow": np.power, "relu_grad": lambda g, y: np.where(y > 0, g, 0),
    "tanh_grad": lambda g, y: g * (1 - y * y), "sigmoid_grad": lambda g, y: g * y * (1 - y),
}  # fmt: skip


@dtypes
@pytest.mark.parametrize("name", UNARY)
def test_unary(name, dtype, run):
    x = normal(5, 3, 19).transpose(2, 0, 1)
    x = np.abs(x) + 0.1 if name in ("sqrt", "log", "rsqrt") else x
    agree(run(name, x.astype(dtype)), UNARY[name](x.astype(dtype).astype(float)), dtype)


@dtypes
@pytest.mark.parametrize(
    "shapes", [((7, 5), (7, 5)), ((3, 1, 11), (4, 1)), ((), (9,)), ((2, 0), (1,))], ids=str
)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, shapes, dtype, run):
    a, b = (normal(*shape).astype(dtype) if shape else np.asarray(dtype(1.5)) for shape in shapes)
    a = np.asarray(np.abs(a)) if name == "pow" else a
    agree(run(name, a, b), BINARY[name](a.astype(float), b.astype(float)), dtype)


@pytest.mark.parametrize("pair", [(2.5, None), (None, -3), (None, 0.5)], ids=str)
def test_binary_with_a_number(pair, run):
    x = normal(6, 7).astype(np.float32)
    left, right = (x if value is None else value for value in pair)
    agree(run("sub", left, right), np.subtract(left, right, dtype=float), np.float32)


def test_a_nan_is_handed_on(run):
    x = np.array([np.nan, 1.0, np.nan], np.float32)
    y = np.array([0.0, np.nan, np.nan], np.float32)
    for name in ("maximum", "minimum", "add"):
        assert np.isnan(run(name, x, y)).all()
    assert np.isnan(run("relu", x)).tolist() == [True, False, True]


@dtypes
@pytest.mark.parametrize(
    "shapes",
    [
        ((3, 5), (5, 2)),
        ((1, 37), (37, 1)),
        ((33, 65), (65, 34)),
        ((4, 1, 6, 7), (3, 7, 5)),
        ((2, 0), (0, 3)),
        ((0, 4), (4, 3)),
    ],
    ids=str,
)
def test_matmul(shapes, dtype, run):
    a, b = (normal(*shape).astype(dtype) for shape in shapes)
    expected = a.astype(float) @ b.astype(float)
    agree(run("matmul", a, b), expected, dtype)
    turned = np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2)
    agree(run("matmul", turned, b), expected, dtype)


@dtypes
def test_linear(dtype, run):
    x, weight, bias = (normal(*shape).astype(dtype) for shape in ((2, 3, 17), (9, 17), (9,)))
    expected = x.astype(float) @ weight.astype(float).T
    agree(run("linear", x, weight, None), expected, dtype)
    agree(run("linear", x, weight, bias), expected + bias, dtype)
    agree(run("linear", x[0, 0], weight, bias), (expected + bias)[0, 0], dtype)


@dtypes
@pytest.mark.parametrize("dims", [(), (0,), (1,), (2,), (0, 2), (0, 1, 2)], ids=str)
def test_sum(dims, dtype, run):
    x = normal(3, 67, 13).astype(dtype)
    for keepdim in (False, True):
        agree(run("sum", x, dims, keepdim), x.astype(float).sum(dims, keepdims=keepdim), dtype)


@pytest.mark.parametrize("shape", [(70001,), (4099, 3)], ids=str)
def test_long_sum(shape, run):
    x = normal(*shape)
    agree(run("sum", x, (0,), False), x.sum(0), np.float64)


def test_what_the_kernels_do_not_serve_falls_through(gpu):
    backend = backends.on(gpu)
    integers = backend.xp.arange(6).reshape(2, 3)
    with backends.trace_fallbacks() as fallen:
        assert backend.pow(integers, integers).get().tolist() == [[1, 1, 4], [27, 256, 3125]]
        small = integers.astype("int16")
        assert backend.sum(small, (1,), False).get().tolist() == [3, 12]
    assert fallen == [(gpu, "pow"), (gpu, "sum")]
