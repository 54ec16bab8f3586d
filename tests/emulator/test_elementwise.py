"""Elementwise functions of backends/cuda against reference in float64: dtypes, layouts, broadcasting, all schedules."""

import ml_dtypes
import numpy as np
import pytest

from minidl import backends

TOLERANCE = {"float16": 2e-3, "bfloat16": 1.6e-2, "float32": 4e-6, "float64": 2e-13}
FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]


def numpy_dtype(name):
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


@pytest.fixture
def run(gpu):
    """Calls a function of the backend; arrays come as (host values, layout). No part may fall through."""
    backend = backends.on(gpu)

    def call(name, *args, layout="dense"):
        given = [LAYOUTS[layout](backend.xp, arg) if isinstance(arg, np.ndarray) else arg for arg in args]
        with backends.trace_fallbacks() as fallen:
            out = getattr(backend, name)(*given)
        assert not fallen, fallen
        return out.get()

    return call


def _spread(xp, values):
    """Every second element of a larger array, from its second on: strides that nothing merges."""
    wide = np.zeros([2 * n + 1 for n in values.shape], values.dtype)
    inside = (slice(1, None, 2),) * values.ndim
    wide[inside] = values
    return xp.asarray(wide)[inside]


def _unaligned(xp, values):
    """Dense, from the second element of a larger array on."""
    flat = np.concatenate([np.zeros(1, values.dtype), values.reshape(-1)])
    return xp.asarray(flat)[1:].reshape(values.shape)


LAYOUTS = {
    "dense": lambda xp, values: xp.asarray(np.ascontiguousarray(values)),
    "turned": lambda xp, values: xp.asarray(np.ascontiguousarray(values.T)).T,
    "spread": _spread,
    "unaligned": _unaligned,
}


def normal(*shape, scale=2.0):
    return np.random.default_rng(sum(shape) + len(shape)).standard_normal(shape) * scale


def check(run, name, arrays, rest=(), dtypes=FLOATS, layouts=LAYOUTS):
    """The function on float arrays in every dtype and layout, against reference in float64."""
    for dtype in dtypes:
        narrow = [np.asarray(x).astype(numpy_dtype(dtype)) for x in arrays]
        expected = getattr(backends.reference, name)(*(x.astype(float) for x in narrow), *rest)
        for layout in layouts:
            found = run(name, *narrow, *rest, layout=layout)
            truth = expected.dtype == bool
            assert found.dtype == (bool if truth else narrow[0].dtype) and found.shape == expected.shape
            with np.errstate(over="ignore"):
                wanted = expected if truth else expected.astype(narrow[0].dtype).astype(float)
            np.testing.assert_allclose(
                found.astype(float), wanted, TOLERANCE[dtype], TOLERANCE[dtype], err_msg=f"{name} {dtype} {layout}"
            )  # fmt: skip


ANYWHERE = (
    "neg abs sign square exp exp2 expm1 sin cos tan asinh atan sinh cosh tanh sigmoid relu floor ceil trunc erf isnan "
    "isinf isfinite signbit logical_not silu mish log_sigmoid hardsigmoid hardswish"
)
POSITIVE = "reciprocal sqrt rsqrt log log2 log10 log1p"
UNIT = "asin acos atanh"
WITH_NUMBERS = {
    "leaky_relu": (0.1,), "elu": (1.5, 1.1, 0.9), "softplus": (1.3, 2.0), "hardtanh": (-0.75, 0.5),
    "softshrink": (0.5,), "hardshrink": (0.5,), "threshold": (0.25, 3.0), "gelu": ("none",), "round": (0,),
    "pow": (2,),
}  # fmt: skip


@pytest.mark.parametrize("name", ANYWHERE.split())
def test_functions_of_any_number(name, run):
    check(run, name, [normal(5, 27)])


@pytest.mark.parametrize("name", [*POSITIVE.split(), *UNIT.split(), "acosh"])
def test_functions_of_some_numbers(name, run):
    x = np.random.default_rng(1).uniform(0.2, 0.9, (5, 27)) * (1 if name in UNIT.split() else 3)
    check(run, name, [x + 1 if name == "acosh" else x])


@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_functions_with_numbers(name, run):
    check(run, name, [normal(5, 27)], WITH_NUMBERS[name])


def test_gelu_by_tanh(run):
    check(run, "gelu", [normal(5, 27)], ("tanh",))
    check(run, "gelu_grad", [normal(4, 27), normal(4, 27)], ("tanh",))
    check(run, "gelu_grad", [normal(4, 27), normal(4, 27)], ("none",))


BINARY = (
    "add sub mul div maximum minimum fmax fmin atan2 hypot copysign logaddexp heaviside eq ne lt le gt ge logical_and "
    "logical_or logical_xor relu_grad tanh_grad sigmoid_grad erf_grad silu_grad mish_grad log_sigmoid_grad "
    "hardsigmoid_grad hardswish_grad"
)


@pytest.mark.parametrize("name", BINARY.split())
def test_two_operands(name, run):
    a, b = normal(3, 27), normal(3, 28)[:, :27]
    a.reshape(-1)[:4], b.reshape(-1)[:4] = [0, 1, -2, 3], [0, 1, -2, -3]
    check(run, name, [a, b])


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "softplus", "hardtanh"])
def test_gradients_with_numbers(name, run):
    check(run, f"{name}_grad", [normal(3, 27), normal(3, 26)[:, [*range(26), 0]]], WITH_NUMBERS[name])


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
def test_quotients_have_the_signs_of_reference(name, run):
    a = np.repeat([7.0, -7.0, 0.0, 0.5, -0.5, np.inf, 6.0], 6)
    b = np.tile([3.0, -3.0, 0.25, 0.0, -np.inf, 2.0], 7)
    check(run, name, [a, b])
    for dtype in ("int8", "uint8", "int64", "uint64"):
        x = np.repeat(np.array([7, 249, 0, 128, 5], np.uint8), 5).astype("int8" if dtype == "int8" else dtype)
        y = np.tile(np.array([3, 253, 255, 2, 0], np.uint8), 5).astype("int8" if dtype == "int8" else dtype)
        np.testing.assert_array_equal(run(name, x, y), getattr(backends.reference, name)(x, y))
    lowest, one = np.array([np.iinfo(np.int64).min]), np.array([-1])
    np.testing.assert_array_equal(run(name, lowest, one), getattr(backends.reference, name)(lowest, one))


SHAPES = [((7, 5), (7, 5)), ((3, 1, 11), (4, 1)), ((), (9,)), ((2, 0), (1,)), ((5, 16), (16,)), ((5, 16), (5, 1)),
          ((2, 3, 4, 8), (3, 1, 1)), ((3, 8), (2, 1, 8)), ((1, 1), (1,)), ((1, 40), (3, 1))]  # fmt: skip


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["sub", "div", "lt", "relu_grad"])
def test_broadcasting(name, shapes, run):
    check(
        run, name, [np.asarray(normal(*shape)) for shape in shapes], dtypes=["bfloat16", "float32", "float64"]
    )


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(dtype, run):
    rng = np.random.default_rng(3)
    high = 2 if dtype == "bool" else np.iinfo(dtype).max
    a, b = (
        rng.integers(0, high, (3, 29), np.uint64, endpoint=dtype != "bool").astype(dtype) for _ in range(2)
    )
    if dtype.startswith("int"):
        a = a - b
    names = "eq ne lt le gt ge maximum minimum logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor"
    for name in names.split() + ([] if dtype == "bool" else ["sub"]) + ["add", "mul"]:
        for layout in LAYOUTS:
            found = run(name, a, b, layout=layout)
            expected = getattr(backends.reference, name)(a, b)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected, err_msg=f"{name} {layout}")
    for name in ("logical_not", "bitwise_not", "abs") + (
        () if dtype == "bool" else ("neg", "sign", "square")
    ):
        np.testing.assert_array_equal(run(name, a), getattr(backends.reference, name)(a), err_msg=name)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "int64", "uint64"])
@pytest.mark.parametrize("name", ["bitwise_left_shift", "bitwise_right_shift"])
def test_shifts(name, dtype, run):
    a = np.array([1, 3, 100, 77, 5, 9], dtype)
    a[3:] = 0 - a[3:]
    for bits in (0, 1, 5, 8 * a.itemsize - 1, 8 * a.itemsize, 100):
        b = np.full(6, bits, dtype)
        np.testing.assert_array_equal(run(name, a, b), getattr(backends.reference, name)(a, b))


@pytest.mark.parametrize("pair", [(2.5, None), (None, -3), (None, 0.5)], ids=str)
@pytest.mark.parametrize("dtype", FLOATS)
def test_a_number_beside_an_array(pair, dtype, run):
    x = normal(6, 7).astype(numpy_dtype(dtype))
    given = [x if value is None else value for value in pair]
    expected = np.subtract(*(np.asarray(value, float) for value in given)).astype(x.dtype)
    found = run("sub", *given)
    assert found.dtype == x.dtype
    np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=TOLERANCE[dtype])


def test_a_number_keeps_the_dtype_of_integers_or_is_refused(gpu):
    backend = backends.on(gpu)
    x = backend.xp.asarray(np.array([1, 2, 250], np.uint8))
    assert backend.add(x, 7).get().tolist() == [8, 9, 1]
    for number, name in ((0.5, "add"), (256, "lt"), (-1, "lt")):
        with backends.trace_fallbacks() as fallen:
            getattr(backend, name)(x, number)
        assert fallen == [(gpu, name)]


def test_clamp(run):
    x = normal(4, 17)
    x[0, :2] = np.nan
    for low, high in ((-1.0, 0.5), (None, 0.5), (-1.0, None), (2.0, -2.0)):
        limits = [None if v is None else np.asarray(v) for v in (low, high)]
        for dtype in FLOATS:
            given = [None if v is None else v.astype(numpy_dtype(dtype)) for v in (x, *limits)]
            expected = backends.reference.clamp(*(None if v is None else v.astype(float) for v in given))
            for layout in ("dense", "spread"):
                found = run("clamp", *given, layout=layout)
                np.testing.assert_array_equal(found.astype(float), expected)


def test_a_nan_is_handed_on(run):
    x, y = np.array([np.nan, 1.0, np.nan] * 9), np.array([0.0, np.nan, np.nan] * 9)
    for dtype in FLOATS:
        a, b = x.astype(numpy_dtype(dtype)), y.astype(numpy_dtype(dtype))
        for name in ("maximum", "minimum", "add", "logaddexp"):
            assert np.isnan(run(name, a, b).astype(float)).all()
        for name in ("fmax", "fmin"):
            assert np.isnan(run(name, a, b).astype(float)).tolist() == [False, False, True] * 9
        assert np.isnan(run("relu", a).astype(float)).tolist() == [True, False, True] * 9
        assert run("isnan", a).tolist() == [True, False, True] * 9
        assert not run("eq", a, b)[0] and run("ne", a, b)[0]


def test_extreme_numbers(run):
    x = np.array([0.0, -0.0, np.inf, -np.inf, 1e-7, -1e-7, 60.0, -60.0, 3.0])
    for name in ("sigmoid", "softplus", "logaddexp", "silu", "gelu", "erf", "mish", "log_sigmoid"):
        rest = {"softplus": (1.0, 20.0), "gelu": ("none",)}.get(name, ())
        arrays = [x, x[::-1].copy()] if name == "logaddexp" else [x]
        check(run, name, arrays, rest, layouts=["dense"])
    negative = run("neg", x.astype(np.float32))
    assert np.signbit(negative).tolist() == (~np.signbit(x)).tolist()


def test_results_are_laid_out_as_their_operands(gpu):
    backend = backends.on(gpu)
    image = backend.xp.asarray(normal(2, 4, 4, 8).astype(np.float32)).transpose(0, 3, 1, 2)
    bias = backend.xp.asarray(normal(8, 1, 1).astype(np.float32))
    for out in (backend.add(image, bias), backend.relu(image), backend.gt(image, 0.0)):
        steps = tuple(stride // out.itemsize for stride in out.strides)
        assert steps == tuple(stride // 4 for stride in image.strides)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 63, 2048 + 5])
def test_every_count_of_elements(count, run):
    check(run, "add", [normal(count), normal(count + 1)[1:]], layouts=["dense", "unaligned"])
