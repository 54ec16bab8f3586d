"""Elementwise functions and activations of ``minidl._native``: every layout, size and kind of operand."""

import itertools
import math

import numpy as np
import pytest
import thread_counts
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minidl import backends
from minidl.backends.reference import activations, blends, elementwise, losses, special

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

DTYPES = [np.float32, np.float64]
UNARY = [
    "neg",
    "abs",
    "square",
    "reciprocal",
    "sqrt",
    "rsqrt",
    "relu",
    "exp",
    "expm1",
    "log",
    "log1p",
    "tanh",
]
UNARY += ["sigmoid", "sin", "cos", "erf", "sign", "erfc", "lgamma", "digamma"]
UNARY += ["floor", "ceil", "trunc", "rint", "erfinv"]
BINARY = ["add", "sub", "mul", "div", "maximum", "minimum", "pow"]
BINARY += ["relu_grad", "tanh_grad", "sigmoid_grad", "erf_grad", "hypot", "prelu"]
ACTIVATIONS = {
    "leaky_relu": (0.2,),
    "elu": (0.7, 1.5, 1.25),
    "gelu_erf": (),
    "gelu_tanh": (),
    "silu": (),
    "softplus": (2.0, 3.0),
    "mish": (),
    "log_sigmoid": (),
    "hardsigmoid": (),
    "hardswish": (),
    "hardtanh": (-0.5, 2.0),
}
NUMBERED = {"nan_to_num": (0.5, 7.0, -8.0)}
LOSSES = {
    "squared_error": ("mse_loss", ()),
    "absolute_error": ("l1_loss", ()),
    "smooth_l1_error": ("smooth_l1_loss", (0.7,)),
    "huber_error": ("huber_loss", (0.7,)),
    "logits_error": ("binary_cross_entropy_with_logits", ()),
}
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 0.5, 88.0, -88.0, 2.0, 700.0, 3e38]
# Every vector width of every level, its tails, and pieces of threads.
SIZES = (*range(20), 31, 33, 63, 64, 65, 513, 40_001)


exact_erf = np.vectorize(math.erf, otypes=[np.float64])
exact_lgamma = np.vectorize(lambda x: math.inf if x <= 0 and x % 1 == 0 else math.lgamma(x), otypes=[float])
below = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)), otypes=[np.float64])  # P(X <= x)


def reference(name):
    """The specification as a function of arrays."""
    if name == "erf":
        return exact_erf
    if name == "lgamma":
        return exact_lgamma
    if name == "rint":
        return np.rint
    if name in ("hypot", "nan_to_num"):
        return lambda *arguments: getattr(blends, name)(np, *arguments)
    if name in ("erfc", "digamma", "erfinv"):
        return lambda x: getattr(special, name).__wrapped__(np, x.astype(np.longdouble))
    if name == "gelu_erf":
        return lambda x: x * below(x)
    if name == "gelu_erf_grad":
        return lambda g, x: g * (below(x) + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))
    if name.startswith("gelu_tanh"):
        function = activations.gelu_grad if name.endswith("_grad") else activations.gelu
        return lambda *arguments: function(np, *arguments, "tanh")
    if name == "logits_error":
        return lambda x, t: losses.binary_cross_entropy_with_logits(np, x, t, None, None, "none")
    if name in LOSSES:
        return lambda x, t, *number: getattr(losses, LOSSES[name][0])(np, x, t, "none", *number)
    home = elementwise if hasattr(elementwise, name) else activations
    return lambda *arguments: getattr(home, name)(np, *arguments)


def expected(name, *arguments):
    """The reference's result in float64 or wider."""
    wide = [
        v.astype(np.float64 if v.dtype == np.float32 else np.longdouble) if isinstance(v, np.ndarray) else v
        for v in arguments
    ]
    with np.errstate(all="ignore"):
        return reference(name)(*wide)


def check(found, wanted, dtype, ulp=4.0, scale=0.0):
    """Same dtype and shape, NaN and infinities in the same places, the rest within ``ulp`` units in the last place of
    the number, or of ``scale`` where that is more: functions that subtract are as exact as their terms.
    """
    assert type(found) is np.ndarray and found.dtype == dtype and found.shape == wanted.shape
    with np.errstate(all="ignore"):
        rounded = wanted.astype(dtype)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(rounded))
    inside = np.isfinite(rounded)
    special = ~inside & ~np.isnan(rounded)
    np.testing.assert_array_equal(found[special], rounded[special])
    error = np.abs(found[inside] - wanted[inside])
    unit = np.maximum(np.spacing(np.abs(rounded[inside])), np.finfo(dtype).eps * scale)
    assert not error.size or float((error / unit).max()) <= ulp


def functions():
    """Name, number of arrays, further arguments."""
    for name in UNARY:
        yield name, 1, ()
    for name in BINARY:
        yield name, 2, ()
    for name, numbers in ACTIVATIONS.items():
        yield name, 1, numbers
        yield f"{name}_grad", 2, numbers
    for name, numbers in NUMBERED.items():
        yield name, 1, numbers
    for name, (_, numbers) in LOSSES.items():
        yield name, 2, numbers


FUNCTIONS = list(functions())
NAMES = [name for name, _, _ in FUNCTIONS]


def operands(name, count, shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(rng.normal(size=shape) * 3, dtype) for _ in range(count)]
    if name in ("log", "log1p", "sqrt", "rsqrt", "pow"):
        arrays[0] = np.asarray(np.abs(arrays[0]) + dtype(0.1))
    if name == "erfinv":
        arrays[0] = np.asarray(np.tanh(arrays[0]))
    return arrays


def same_bits(found, wanted):
    assert found.dtype == wanted.dtype and found.shape == wanted.shape
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "count", "numbers"), FUNCTIONS, ids=NAMES)
def test_every_size(name, count, numbers, dtype):
    arrays = operands(name, count, SIZES[-1], dtype)
    whole = getattr(_native, name)(*arrays, *numbers)
    if whole is NotImplemented:
        assert name == "pow" and dtype is np.float64  # NumPy's own is faster
        arrays = [array[:4096] for array in arrays]
        whole = getattr(_native, name)(*arrays, *numbers)
    check(whole, expected(name, *arrays, *numbers), dtype, ulp=9 if name == "digamma" else 6, scale=8.0)
    for size in SIZES[:-1]:
        part = getattr(_native, name)(*(array[:size] for array in arrays), *numbers)
        same_bits(part, whole[:size])
        # at another place in memory, and between other numbers, the same
        shifted = getattr(_native, name)(*(array[3 : 3 + size] for array in arrays), *numbers)
        same_bits(shifted, whole[3 : 3 + size])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "count", "numbers"), FUNCTIONS, ids=NAMES)
def test_special_values(name, count, numbers, dtype):
    values = np.array(SPECIAL, np.float64).astype(dtype)
    arrays = (
        [values] if count == 1 else list(np.array(list(itertools.product(values, values)), dtype).T.copy())
    )
    with np.errstate(all="ignore"):
        wanted = reference(name)(
            *arrays, *numbers
        )  # in the dtype itself: its overflow belongs to the definition
    check(getattr(_native, name)(*arrays, *numbers), wanted, dtype, ulp=12, scale=1.0)


@pytest.mark.parametrize(
    "name", ["neg", "abs", "sqrt", "relu", "expm1", "log1p", "tanh", "sin", "erf", "mul", "hardtanh"]
)
def test_the_sign_of_zero(name):
    zeros = np.array([0.0, -0.0] * 9, np.float32)
    found = getattr(_native, name)(
        zeros, *((np.ones_like(zeros),) if name == "mul" else ACTIVATIONS.get(name, ()))
    )
    negative = {"neg": [True, False], "abs": [False, False]}.get(name, [False, True])
    assert not found.any() and np.signbit(found).tolist() == negative * 9


@pytest.mark.parametrize("name", ["add", "pow", "exp", "gelu_erf_grad", "elu", "relu_grad"])
@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=5, max_side=4), data=st.data())
def test_layouts(name, shapes, data):
    """Transposed, reversed, gaps, broadcast: the bits of the same numbers side by side, and NumPy's axes."""
    count, numbers = next((count, numbers) for other, count, numbers in FUNCTIONS if other == name)
    dtype = data.draw(st.sampled_from(DTYPES))
    arrays = [draw_array(data, shape, dtype) for shape in shapes.input_shapes][:count]
    if name == "pow":
        arrays[0] = np.asarray(np.abs(arrays[0]) + dtype(0.5))
    full = [np.array(array, order="C") for array in np.broadcast_arrays(*arrays)]
    found = getattr(_native, name)(*arrays, *numbers)
    same_bits(found, getattr(_native, name)(*full, *numbers))
    steps = (np.add(*arrays) if count == 2 else np.positive(arrays[0])).strides
    assert (
        all(s == t for s, t, n in zip(found.strides, steps, found.shape, strict=True) if n > 1)
        or min(steps) < 0
    )


def draw_array(data, shape, dtype):
    """Values in [-3, 3], in C order, transposed, sliced backwards or with gaps."""
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    kind = data.draw(st.sampled_from(["plain", "transposed", "reversed", "gaps"]))
    if kind == "transposed":
        return np.asarray(rng.integers(-12, 12, shape[::-1]).T / 4, dtype, order="K")
    padded = rng.integers(-12, 12, tuple(2 * n for n in shape)).astype(dtype) / dtype(4)
    step = {"plain": slice(None), "reversed": slice(None, None, -2), "gaps": slice(None, None, 2)}[kind]
    taken = padded[(step,) * len(shape)] if kind != "plain" else padded[tuple(slice(n) for n in shape)].copy()
    return np.asarray(taken).reshape(shape)


def large_layouts(dtype):
    """Pairs that take each way through blocks of rows and columns."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 310)).astype(dtype)
    image = rng.normal(size=(5, 7, 31, 33)).astype(dtype)
    return {
        "transposed": (x, rng.normal(size=(310, 300)).astype(dtype).T),
        "both transposed": (x.T, x.T),
        "a row": (x, x[0].copy()),
        "a column": (x, x[:, :1].copy()),
        "short rows": (rng.normal(size=(9001, 7)).astype(dtype), x[0, :7].copy()),
        "short columns": (x[:7].copy().T, x[:7, 0].copy()),
        "channels": (image, image[0, :, :1, :1].copy()),
        "channels last": (image.transpose(0, 2, 3, 1), image.transpose(0, 2, 3, 1).copy()),
        "images of two formats": (image, image.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)),
        "outer product": (x[:, :1].copy(), x[:1].copy()),
        "reversed": (x[::-1, ::-1], x),
        "gaps": (np.repeat(x, 2, 1)[:, ::2], x),
        "a long line with gaps": (
            rng.normal(size=300_000).astype(dtype)[::3],
            rng.normal(size=100_000).astype(dtype),
        ),
        "spread": (np.broadcast_to(x[0, :1], (300, 310)), x),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", large_layouts(np.float32))
def test_large_layouts(layout, dtype):
    a, b = large_layouts(dtype)[layout]
    full = [np.array(array, order="C") for array in np.broadcast_arrays(a, b)]
    found = thread_counts.assert_no_difference(
        lambda: [
            _native.sub(a, b),
            _native.silu_grad(a, b),
            _native.exp(b),
            _native.mul(a, 2.5),
            _native.div(2.5, a),
        ]
    )
    wanted = [
        np.subtract(a, b),
        _native.silu_grad(*full),
        _native.exp(np.ascontiguousarray(b)),
        a * 2.5,
        2.5 / a,
    ]
    for one, other in zip(found, wanted, strict=True):
        same_bits(one, other)
    assert found[0].strides == wanted[0].strides or layout == "reversed"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scalar", [2, -3, 0.1, 0, 2.5, 3, -1, float("inf"), float("nan")])
@pytest.mark.parametrize("name", BINARY)
def test_a_python_number_for_an_array(name, scalar, dtype):
    x = np.linspace(0.1, 3, 11, dtype=dtype)
    number = np.asarray(scalar, dtype)
    check(getattr(_native, name)(x, scalar), expected(name, x, number), dtype, ulp=3, scale=16.0)
    check(getattr(_native, name)(scalar, x), expected(name, number, x), dtype, ulp=3, scale=16.0)
    strided = np.repeat(x, 2)[::2]
    same_bits(getattr(_native, name)(scalar, strided), getattr(_native, name)(scalar, x))


def test_results_keep_the_order_of_the_axes():
    x = np.asfortranarray(np.random.default_rng(0).normal(size=(3, 4)))
    assert _native.exp(x).strides == _native.add(x, x).strides == _native.mul(x, 2.0).strides == x.strides
    assert _native.add(x, np.ones((3, 4))).strides == (32, 8)
    image = np.ones((2, 5, 6, 3)).transpose(0, 3, 1, 2)
    assert _native.exp(image).strides == _native.mul(image, image[:1]).strides == image.strides
    found = _native.exp(image)
    found[...] = 7  # its own memory, and writable
    assert found.flags.writeable and (image == 1).all()


def test_what_is_refused():
    x = np.ones((2, 3), np.float32)
    misaligned = np.zeros(9, np.uint8)[1:].view(np.float32)
    for arguments in [
        (x, x.astype(np.float64)), (x, np.float64(1)), (x, True), (x, 10**400), (x, None), (1.0, 2.0), (x,),
        (x, np.ones(2, np.float32)), (x.astype(">f4"), x), (np.ones((1,) * 20, np.float32), x), (x, x, x),
    ]:  # fmt: skip
        assert _native.add(*arguments) is NotImplemented
    assert _native.add(x, other=x) is NotImplemented
    for array in (np.arange(3), np.ma.ones(3), misaligned, x.astype(np.float16), [1.0], None):
        assert _native.exp(array) is NotImplemented
    for arguments in [(x,), (x, None), (x, "1"), (x, 1.0, 2.0), (x, np.float32(1))]:
        assert _native.leaky_relu(*arguments) is NotImplemented
    assert _native.elu_grad(x, x.astype(np.float64), 1.0, 1.0, 1.0) is NotImplemented
    assert _native.elu_grad(x, 2.0, 1.0, 1.0, 1.0) is NotImplemented


@pytest.mark.parametrize("dtype", DTYPES)
def test_clamp(dtype):
    x = np.array([*SPECIAL, *np.linspace(-3, 3, 20)], np.float64).astype(dtype)
    native = backends.cpu
    for low, high in [(-1, 2), (None, 0.5), (0, None), (2, -2), (-np.inf, np.inf), (np.nan, 1)]:
        limits = [None if v is None else np.array(v, dtype) for v in (low, high)]
        np.testing.assert_array_equal(native.clamp(x, *limits), elementwise.clamp(np, x, *limits))
    np.testing.assert_array_equal(native.clamp(x, x, None), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("name", LOSSES)
def test_reduced_losses(name, reduction, dtype):
    loss, numbers = LOSSES[name]
    rng = np.random.default_rng(0)
    options = (None, None, reduction) if name == "logits_error" else (reduction, *numbers)
    for shape in [(), (1,), (3, 5), (0, 2), (300, 301)]:
        x, t = rng.normal(size=shape).astype(dtype), np.asarray(rng.uniform(size=shape), dtype)
        for a, b in [(x, t), (x.T, t.T)]:
            with np.errstate(all="ignore"):
                found, wanted = (
                    getattr(backends.cpu, loss)(a, b, *options),
                    getattr(losses, loss)(np, a, b, *options),
                )
            np.testing.assert_allclose(found, wanted, rtol=2e-5 if dtype == np.float32 else 1e-12)
            assert np.asarray(found).dtype == dtype and found.shape == wanted.shape


def test_empty_arrays_of_any_layout():
    for shape in [(0,), (3, 0), (0, 3, 2)]:
        x = np.ones(shape, np.float32)
        assert _native.exp(x.T).shape == shape[::-1]
        assert _native.add(x, np.ones((1,) * len(shape), np.float32)).shape == shape


def test_a_sum_of_normal_tails():
    """Far from zero GELU is as exact, relatively, as near it: no difference of numbers close to one another."""
    x = np.linspace(-12, -1.5, 500, dtype=np.float32)
    exact = [v * 0.5 * math.erfc(-v / math.sqrt(2)) for v in x.astype(np.float64).tolist()]
    check(_native.gelu_erf(x), np.array(exact), np.float32, ulp=6)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (5,), (3, 70)])
@pytest.mark.parametrize("number", [0, 1, -3, 2**63 - 1])
def test_whole_numbers_count(native, shape, number):
    x = np.asarray(np.random.default_rng(2).integers(-5, 5, shape))
    for counter in (x, np.asfortranarray(x)):
        with backends.trace_fallbacks() as fallen, np.errstate(over="ignore"):
            for added in (number, np.asarray(number)):
                found = native.add(counter, added)
                assert found.dtype == np.int64 and found.shape == np.shape(counter) and not fallen
                np.testing.assert_array_equal(found, counter + np.int64(number))


def test_whole_numbers_that_do_not_fit_are_left_to_the_reference(native):
    x = np.arange(6)[::2]
    with backends.trace_fallbacks() as fallen:
        np.testing.assert_array_equal(native.add(x, 1), [1, 3, 5])
    assert ("native", "add") in fallen


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("limits", [(-0.5, 1), (None, 0.25), (0.0, None), (1.0, -1.0)])
def test_limits_may_be_python_numbers(native, dtype, limits):
    x = np.random.default_rng(4).standard_normal(100).astype(dtype)
    found = native.clamp(x, *limits)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, elementwise.clamp(np, x, *limits))
