"""Matrix products and linear layers against NumPy in float64: every dtype, layout, kernel and schedule."""

import itertools

import ml_dtypes
import numpy as np
import pytest

import minidl
from minidl import backends
from minidl.backends import cuda, emulated
from minidl.backends.device_calls import multiply, view

# Relative to the largest of a result: rounding of the inputs is shared, that of sums and results is not.
TOLERANCE = {"float32": 5e-6, "float64": 1e-14, "float16": 1e-3, "bfloat16": 8e-3}
DTYPES = {name: np.dtype(name if name != "bfloat16" else ml_dtypes.bfloat16) for name in TOLERANCE}
dtypes = pytest.mark.parametrize("dtype", TOLERANCE)


@pytest.fixture
def space(gpu):
    return backends.on(gpu)


@pytest.fixture
def ext(gpu):
    """The extension module itself."""
    return {"emulated": emulated, "cuda": cuda}[gpu].extension()


def normal(dtype, *shape):
    values = np.random.default_rng(sum(shape) + len(shape)).standard_normal(shape)
    return values.astype(DTYPES[dtype])


def agree(found, expected, dtype):
    found = found.get()
    assert found.dtype == DTYPES[dtype] and found.shape == expected.shape
    error = np.abs(found.astype(float) - expected)
    limit = TOLERANCE[dtype] * max(1, np.abs(expected).max(initial=0))
    assert (error <= limit).all(), (error.max(), limit)


def wide(x):
    return x.astype(float)


def laid_out(space, x, layout):
    """On the device: its rows dense, its columns dense, or with gaps everywhere."""
    if layout == "rows":
        return space.xp.asarray(x)
    if layout == "columns":
        return space.xp.asarray(np.ascontiguousarray(x.swapaxes(-1, -2))).swapaxes(-1, -2)
    spread = np.zeros([*x.shape[:-2], 2 * x.shape[-2] + 1, 3 * x.shape[-1]], x.dtype)
    spread[..., 1::2, ::3] = x
    return space.xp.asarray(spread)[..., 1::2, ::3]


def check(space, dtype, a_shape, b_shape, layouts=("rows", "rows")):
    a, b = normal(dtype, *a_shape), normal(dtype, *b_shape)
    with backends.trace_fallbacks() as fallen:
        found = space.matmul(laid_out(space, a, layouts[0]), laid_out(space, b, layouts[1]))
    assert not fallen
    agree(found, wide(a) @ wide(b), dtype)


@dtypes
@pytest.mark.parametrize("layouts", [*itertools.product(("rows", "columns", "gaps"), repeat=2)], ids="-".join)
def test_layouts_and_odd_sizes(dtype, layouts, space):
    check(space, dtype, (2, 19, 37), (37, 35), layouts)
    check(space, dtype, (24, 40), (40, 72), layouts)  # aligned


@dtypes
@pytest.mark.parametrize(
    "layouts", [("rows", "columns"), ("columns", "rows"), ("gaps", "rows")], ids="-".join
)
def test_vectors(dtype, layouts, space):
    check(space, dtype, (1, 67), (67, 43), layouts)
    check(space, dtype, (3, 41, 50), (50, 1), layouts)
    check(space, dtype, (1, 3000), (3000, 1), layouts)  # a sum in parts


@dtypes
def test_batches_broadcast(dtype, space):
    check(space, dtype, (3, 1, 5, 6), (2, 6, 7))
    check(space, dtype, (5, 6), (2, 3, 6, 7))
    check(space, dtype, (4, 1, 8), (4, 8, 9))


@dtypes
@pytest.mark.parametrize(
    "shapes", [((0, 3), (3, 4)), ((3, 0), (0, 4)), ((0, 2, 3), (3, 4)), ((1, 1), (1, 1))], ids=str
)
def test_empty_and_single(dtype, shapes, space):
    check(space, dtype, *shapes)


@dtypes
def test_nan_and_infinity_reach_their_row_and_column_only(dtype, space):
    a, b = normal(dtype, 20, 30), normal(dtype, 30, 40)
    a[3, 7], b[5, 11] = np.nan, np.inf
    found = space.matmul(space.xp.asarray(a), space.xp.asarray(b)).get().astype(float)
    expected = wide(a) @ wide(b)
    assert (np.isfinite(found) == np.isfinite(expected)).all()
    assert (np.isnan(found) == np.isnan(expected)).all()


def plan(space, ext, a, b, tf32=False):
    out = space.xp.empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    return ext.matmul_plan(view(a), view(b), view(out), tf32)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_long_sums_are_split_and_accurate(dtype, space, ext):
    a, b = normal(dtype, 8, 4096), normal(dtype, 4096, 8)
    left, right = space.xp.asarray(a), space.xp.asarray(b)
    assert "parts" in plan(space, ext, left, right)
    expected = wide(a) @ wide(b)
    found = space.matmul(left, right)
    relative = np.linalg.norm(wide(found.get()) - expected) / np.linalg.norm(expected)
    assert relative < (5e-7 if dtype == "float32" else 3e-3), relative
    again = space.matmul(left, right)
    assert (again.get().view(np.uint8) == found.get().view(np.uint8)).all()


def test_tf32_only_where_it_is_allowed(space):
    a, b = normal("float32", 40, 512), normal("float32", 512, 40)
    expected = wide(a) @ wide(b)

    def error(layouts):
        left, right = laid_out(space, a, layouts[0]), laid_out(space, b, layouts[1])
        found = space.matmul(left, right).get()
        return np.linalg.norm(found - expected) / np.linalg.norm(expected)

    assert error(("rows", "rows")) < 1e-6
    minidl.set_float32_matmul_precision("high")
    try:
        for layouts in itertools.product(("rows", "columns"), repeat=2):
            assert 1e-5 < error(layouts) < 1e-3
    finally:
        minidl.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("capability", ["7.5", "8.0"])
def test_older_gpus(capability, space, gpu, monkeypatch):
    if gpu == "cuda":
        pytest.skip("a GPU has the capability it has")
    monkeypatch.setenv("MINIDL_EMULATOR_CAPABILITY", capability)
    for dtype in TOLERANCE:
        check(space, dtype, (20, 33), (33, 24), ("rows", "columns"))


@dtypes
@pytest.mark.parametrize("lead", [(), (5,), (2, 3)], ids=str)
@pytest.mark.parametrize("biased", [False, True])
def test_linear(dtype, lead, biased, space):
    x, w, bias = normal(dtype, *lead, 24), normal(dtype, 17, 24), normal(dtype, 17)
    arrays = [space.xp.asarray(v) for v in (x, w, bias)]
    with backends.trace_fallbacks() as fallen:
        found = space.linear(*arrays[:2], arrays[2] if biased else None)
    assert not fallen
    agree(found, wide(x) @ wide(w).T + (wide(bias) if biased else 0), dtype)


def erf(x):
    return minidl.erf(minidl.tensor(x)).numpy()


ACTIVATIONS = {
    "": lambda x: x, "relu": lambda x: np.maximum(x, 0), "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)), "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    "gelu_tanh": lambda x: x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2,
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shape", [(20, 30, 18), (1, 30, 18), (4, 300, 5), (20, 30, 1)], ids=str)
def test_epilogues(dtype, activation, shape, space, ext):
    m, k, n = shape
    a, b, bias, addend = normal(dtype, m, k), normal(dtype, k, n), normal(dtype, n), normal(dtype, m, 1)
    on_device = [space.xp.asarray(x) for x in (a, b, bias, addend)]
    for columns in (False, True):
        out = space.xp.empty((n, m), a.dtype).T if columns else space.xp.empty((m, n), a.dtype)
        left, right, *extras = map(view, on_device)
        multiply(space.xp, ext, left, right, out, *extras, 0.5, -2.0, activation)
        expected = ACTIVATIONS[activation](0.5 * (wide(a) @ wide(b)) - 2 * wide(addend) + wide(bias))
        agree(out, expected, dtype)


def test_beta_of_zero_does_not_read_the_addend(space, ext):
    a, b = (space.xp.asarray(normal("float32", 4, 4)) for _ in range(2))
    addend = space.xp.asarray(np.full((4, 4), np.nan, np.float32))
    out = space.xp.empty((4, 4), a.dtype)
    multiply(space.xp, ext, view(a), view(b), out, None, view(addend), 1.0, 0.0)
    assert np.isfinite(out.get()).all()


def test_what_does_not_fit_is_refused(space, ext):
    a, b = (space.xp.asarray(normal("float32", 4, 4)) for _ in range(2))
    out, bias = space.xp.empty((4, 4), a.dtype), space.xp.empty((3,), a.dtype)
    with pytest.raises(ValueError, match=r"bias of shape \[3\]"):
        multiply(space.xp, ext, view(a), view(b), out, view(bias))
    with pytest.raises(ValueError, match="no activation 'elu'"):
        multiply(space.xp, ext, view(a), view(b), out, activation="elu")
