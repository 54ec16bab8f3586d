"""``minidl.array_api``: the standard's signatures, NumPy's results, which follow it, SciPy and scikit-learn."""

import importlib.util
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from array_api_standard import PARAMETERS

import minidl
from minidl import array_api as xp
from minidl.autograd import Tensor

SIGNATURES = [(name, text) for names, text in PARAMETERS.items() for name in names.split()]
rng = np.random.default_rng(0)
X = rng.standard_normal((3, 4)).round(2)
Y = rng.standard_normal((3, 4)).round(2)
N = rng.integers(-5, 6, (3, 4))
B = rng.random((3, 4)) < 0.5
S = X[:, :3] @ X[:, :3].T + np.eye(3)
TIES = np.array([3, 1, 2, 3, 1])
ODD = np.array([np.nan, 0.0, -0.0, np.inf, np.nan])


def find(space, name):
    for part in name.split("."):
        space = getattr(space, part)
    return space


@pytest.mark.parametrize(("name", "text"), SIGNATURES, ids=[name for name, _ in SIGNATURES])
def test_parameters_are_the_standards(name, text):
    function = find(xp, name)
    assert str(inspect.signature(function)) == f"({text})"
    assert function.__name__ == name.rpartition(".")[2]
    assert inspect.getdoc(function)


# Function, arguments, keywords: NumPy is called with the same ones.
CALLS = [
    (
        "abs acos asinh atan ceil cos exp expm1 floor isnan negative round sign signbit square trunc",
        (X / 4,),
        {},
    ),
    ("log log10 log1p log2 reciprocal sqrt acosh", (X * X + 1,), {}),
    ("bitwise_invert abs sign square floor round negative positive", (N,), {}),
    ("isfinite isinf isnan signbit logical_not", (ODD,), {}),
    (
        "add atan2 copysign divide hypot less maximum minimum nextafter logaddexp remainder floor_divide",
        (X, Y),
        {},
    ),
    ("add multiply subtract equal less_equal maximum", (N.astype(np.int8), np.asarray(3, np.int64)), {}),
    ("add multiply bitwise_or bitwise_xor", (N.astype(np.int16), np.arange(4, dtype=np.uint32)), {}),
    ("bitwise_left_shift bitwise_right_shift", (N.astype(np.int32), np.asarray([1, 2, 3, 4], np.int32)), {}),
    ("logical_and logical_or logical_xor", (B, ~B[:1]), {}),
    ("clip", (N, -2, 3), {}),
    ("clip", (X,), {"max": 0.5}),
    ("sum prod max min mean std var all any argmax argmin count_nonzero", (X,), {}),
    (
        "sum prod max min mean std var all any argmax argmin count_nonzero",
        (X,),
        {"axis": 1, "keepdims": True},
    ),
    ("sum prod max min mean std var all any count_nonzero", (X.reshape(3, 2, 2),), {"axis": (0, -1)}),
    ("sum prod max any argmax", (X,), {"keepdims": True}),
    ("sum prod", (N.astype(np.int16),), {}),
    ("sum prod", (N.astype(np.uint8),), {}),
    ("std var", (X,), {"correction": 1.5, "axis": 0}),
    ("cumulative_sum cumulative_prod", (N.astype(np.int8),), {"axis": 0, "include_initial": True}),
    ("cumulative_sum", (X[0],), {"dtype": "float32"}),
    ("diff", (X,), {"axis": 0, "prepend": Y}),
    ("diff", (N,), {"n": 2}),
    ("sort argsort", (TIES,), {"stable": True}),
    ("nonzero", (N,), {}),
    ("searchsorted", (np.arange(5.0), X), {"side": "right"}),
    ("where", (B, X, 1.5), {}),
    ("where", (B, N.astype(np.int8), np.asarray(7, np.int16)), {}),
    ("take", (X, np.asarray([1, -1, 0])), {"axis": 0}),
    ("take_along_axis", (X, np.asarray([[1], [-1], [0]])), {"axis": 1}),
    ("broadcast_to", (X[0], (2, 4)), {}),
    ("broadcast_arrays", (X, Y[:, :1]), {}),
    ("concat", ((N.astype(np.int8), N.astype(np.int32)),), {"axis": None}),
    ("stack", ((X, Y),), {"axis": -1}),
    ("unstack", (X,), {"axis": 1}),
    ("expand_dims", (X, (0, -1)), {}),
    ("squeeze", (X.reshape(1, 3, 1, 4), (0, -2)), {}),
    ("flip", (X,), {}),
    ("flip", (X,), {"axis": 1}),
    ("roll", (X, (1, -2)), {"axis": (0, 1)}),
    ("roll", (X, 5), {}),
    ("repeat", (X, np.asarray([1, 0, 2])), {"axis": 0}),
    ("repeat", (X, 2), {}),
    ("tile", (X, (2, 1, 1)), {}),
    ("tile", (X, (2,)), {}),
    ("moveaxis", (X.reshape(3, 2, 2), 0, -1), {}),
    ("permute_dims", (X.reshape(3, 2, 2), (2, 0, 1)), {}),
    ("reshape", (X, (2, -1)), {}),
    ("unique_all unique_counts unique_inverse", (TIES,), {}),
    ("unique_counts", (np.asarray([2.0, np.nan, -1.0, 2.0]),), {}),
    ("tril triu", (X,), {"k": -1}),
    ("eye", (3, 4), {"k": -1, "dtype": "float64"}),
    ("arange", (5, 1, -2), {}),
    ("arange", (1, 5, -2), {}),
    ("linspace", (0, 1, 5), {"endpoint": False, "dtype": "float64"}),
    ("full", ((2, 3), True), {}),
    ("meshgrid", (np.arange(3), np.arange(2)), {}),
    ("meshgrid", (np.arange(3), np.arange(2)), {"indexing": "ij"}),
    ("matmul", (X, Y.T), {}),
    ("matrix_transpose", (X,), {}),
    ("tensordot", (X, Y), {"axes": ((0, 1), (0, 1))}),
    ("vecdot", (X, Y[0]), {}),
    ("vecdot", (X, Y), {"axis": -2}),
    (
        "linalg.cholesky linalg.det linalg.eigvalsh linalg.inv linalg.slogdet linalg.svdvals linalg.pinv",
        (S,),
        {},
    ),
    ("linalg.matrix_rank linalg.matrix_norm", (X[:2],), {}),
    ("linalg.cholesky", (S,), {"upper": True}),
    ("linalg.matrix_norm", (X,), {"ord": "nuc", "keepdims": True}),
    ("linalg.vector_norm", (X,), {"axis": 1, "ord": 1, "keepdims": True}),
    ("linalg.vector_norm", (X.reshape(3, 2, 2),), {"axis": (0, 1)}),
    ("linalg.cross", (X[:, :3], Y[:, :3]), {}),
    ("linalg.diagonal linalg.trace", (X,), {"offset": 1}),
    ("linalg.outer", (X[0], Y[0]), {}),
    ("linalg.solve", (S, X[:, 0]), {}),
    ("linalg.solve", (S, X), {}),
    ("linalg.matrix_power", (S, -2), {}),
]
ROWS = [
    pytest.param(name, args, kwargs, id=f"{name}-{number}")
    for number, (names, args, kwargs) in enumerate(CALLS)
    for name in names.split()
]


def ours(value):
    if isinstance(value, np.ndarray):
        return minidl.tensor(value)
    if isinstance(value, tuple) and value and isinstance(value[0], np.ndarray):
        return tuple(map(ours, value))
    return value


@pytest.mark.parametrize(("name", "args", "kwargs"), ROWS)
def test_function_gives_what_numpy_gives(name, args, kwargs):
    dtype = kwargs.get("dtype")
    ours_kwargs = {k: ours(v) for k, v in kwargs.items()} | ({"dtype": getattr(xp, dtype)} if dtype else {})
    found = find(xp, name)(*map(ours, args), **ours_kwargs)
    wanted = find(np, name)(*args, **kwargs)
    several = isinstance(wanted, (tuple, list))
    assert isinstance(found, (tuple, list)) == several
    for a, b in zip(found, wanted, strict=True) if several else [(found, wanted)]:
        assert type(a) is Tensor and a.shape == np.shape(b)
        assert a.dtype.name == np.asarray(b).dtype.name
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-12, atol=1e-12)
    if hasattr(wanted, "_fields"):
        assert found._fields == wanted._fields


@pytest.mark.parametrize("full_matrices", [True, False])
def test_factorisations_multiply_to_the_matrix(full_matrices):
    x = minidl.tensor(X)
    u, s, vh = xp.linalg.svd(x, full_matrices=full_matrices)
    np.testing.assert_allclose((u[:, :3] * s @ vh[:3]).numpy(), X, atol=1e-12)
    assert vh.shape == ((4, 4) if full_matrices else (3, 4))
    q, r = xp.linalg.qr(x.mT, mode="complete" if full_matrices else "reduced")
    assert q.shape == ((4, 4) if full_matrices else (4, 3))
    np.testing.assert_allclose((q @ r).numpy(), X.T, atol=1e-12)
    values, vectors = xp.linalg.eigh(minidl.tensor(S))
    np.testing.assert_allclose((vectors * values @ vectors.mT).numpy(), S, atol=1e-12)


def test_tolerances_of_rank_and_pseudo_inverse_are_relative_and_may_differ_by_matrix():
    x = xp.stack([minidl.tensor(np.diag([4.0, 1.0])), minidl.tensor(np.diag([8.0, 1.0]))])
    limits = minidl.tensor([0.2, 0.2], dtype=xp.float64)
    assert xp.linalg.matrix_rank(x, rtol=limits).tolist() == [2, 1]
    assert xp.linalg.pinv(x, rtol=limits)[:, 1, 1].tolist() == [1.0, 0.0]


def test_a_namespace_is_that_of_its_arrays():
    x = minidl.ones(2)
    assert x.__array_namespace__() is xp is x.__array_namespace__(api_version="2024.12")
    assert xp.__array_api_version__ == "2024.12"
    assert x.to_device("cpu") is x
    with pytest.raises(ValueError, match=r"2030\.12"):
        x.__array_namespace__(api_version="2030.12")
    with pytest.raises(ValueError, match="stream"):
        x.to_device("cpu", stream=1)


def test_dtypes_and_kinds():
    info = xp.__array_namespace_info__()
    assert list(info.dtypes(kind=("bool", "real floating"))) == ["bool", "float32", "float64"]
    assert len(info.dtypes()) == 11 and info.dtypes(kind="complex floating") == {}
    assert info.default_dtypes()["real floating"] is minidl.float32
    assert info.default_device() in info.devices()
    assert xp.isdtype(xp.uint16, ("bool", "unsigned integer")) and not xp.isdtype(xp.int8, xp.uint8)
    assert xp.can_cast(xp.int8, xp.int16) and not xp.can_cast(xp.int16, xp.int8)
    assert xp.result_type(xp.uint32, xp.int8, 1) is xp.int64
    assert xp.result_type(minidl.ones(3), xp.float64, True) is xp.float64
    assert xp.finfo(xp.float32).dtype is xp.float32 and xp.iinfo(minidl.ones(1).byte()).max == 255
    with pytest.raises(RuntimeError, match="Promotion"):
        xp.result_type(xp.uint64, xp.int8)
    with pytest.raises(ValueError, match="kind"):
        xp.isdtype(xp.int8, "integer")


def test_copies_are_made_where_they_are_asked_for():
    source = np.ones(3)
    shared = xp.asarray(source, copy=False)
    shared[0] = 5
    assert source[0] == 5
    apart = xp.asarray(shared, copy=True)
    apart[1] = 7
    assert shared[1] == 1
    assert xp.astype(shared, xp.float64, copy=False) is shared
    assert xp.astype(shared, xp.float64) is not shared
    taken = xp.from_dlpack(source, copy=True)
    taken[2] = 9
    assert source[2] == 1
    for wrong in ([1.0], 1.0):
        with pytest.raises(ValueError, match="copy"):
            xp.asarray(wrong, copy=False)
    with pytest.raises(ValueError, match="copy"):
        xp.asarray(source, dtype=xp.float32, copy=False)
    x = minidl.tensor(X)
    assert (
        xp.reshape(x, (4, 3), copy=False).data_ptr()
        == x.data_ptr()
        != xp.reshape(x, (4, 3), copy=True).data_ptr()
    )
    with pytest.raises(ValueError, match="copy"):
        xp.reshape(x.mT, (12,), copy=False)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: xp.asarray(1j), TypeError, "real and imaginary"),
        (lambda: xp.full(2, 1j), TypeError, "complex"),
        (lambda: xp.imag(xp.ones(2)), TypeError, "complex"),
        (lambda: xp.add(1, 2), TypeError, "must be an array"),
        (lambda: xp.sin([1.0]), TypeError, "must be an array"),
        (lambda: xp.sum(xp.ones((2, 2)), axis=2), IndexError, "out of range"),
        (lambda: xp.sum(xp.ones((2, 2)), axis=(0, -2)), ValueError, "twice"),
        (lambda: xp.squeeze(xp.ones((2, 1)), 0), ValueError, "size 1"),
        (lambda: xp.take(xp.ones((2, 2)), xp.zeros(1, dtype=xp.int64)), ValueError, "axis"),
        (lambda: xp.cumulative_sum(xp.ones((2, 2))), ValueError, "axis"),
        (lambda: xp.nonzero(xp.asarray(1)), ValueError, "dimension"),
        (lambda: xp.matrix_transpose(xp.ones(2)), ValueError, "two dimensions"),
        (lambda: xp.vecdot(xp.ones(2), xp.ones(1)), ValueError, "differ"),
    ],
)
def test_bad_input_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_functions_are_differentiable():
    x = minidl.tensor(X, requires_grad=True)
    xp.sum(xp.multiply(xp.std(x, axis=0, correction=1), xp.linalg.vector_norm(x, axis=0))).backward()
    y = minidl.tensor(X, requires_grad=True)
    (y.std(0) * (y * y).sum(0).sqrt()).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-10)


def test_unique_values_are_in_order():
    assert xp.unique_values(minidl.tensor(TIES)).tolist() == [1, 2, 3]


def test_of_infinities_floor_division_gives_infinities():
    found = xp.floor_divide(xp.asarray([np.inf, -np.inf, 1.0, 5.5]), xp.asarray([2.0, 2.0, -np.inf, 2.0]))
    assert str(found.tolist()) == "[inf, -inf, -0.0, 2.0]"


def test_numpy_dtype_objects_name_dtypes():
    assert minidl.ones(2).to(dtype=np.dtype("int64")).dtype is minidl.int64
    assert minidl.zeros(2, dtype=np.dtype(bool)).dtype is minidl.bool


PROGRAM = """
import os
os.environ["SCIPY_ARRAY_API"] = "1"
import numpy as np
import scipy.special
import scipy.stats
import sklearn
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
import minidl

X = np.random.default_rng(0).standard_normal((40, 6)) * [1, 2, 3, 4, 5, 6] + 3

def same(ours, numpy, what):
    assert type(ours) is minidl.Tensor, (what, type(ours))
    assert ours.dtype.name == numpy.dtype.name, (what, ours.dtype)
    tolerance = 1e-4 if ours.dtype is minidl.float32 else 1e-10
    np.testing.assert_allclose(ours.numpy(), numpy, rtol=tolerance, atol=tolerance, err_msg=what)

with sklearn.config_context(array_api_dispatch=True):
    for dtype in ("float64", "float32"):
        for make in (
            StandardScaler,
            lambda: PCA(3),
            lambda: PCA(3, svd_solver="covariance_eigh", whiten=True),
            lambda: PCA(3, svd_solver="full"),
        ):
            arrays = X.astype(dtype)
            a, b = make().fit(minidl.tensor(arrays)), make().fit(arrays)
            same(a.transform(minidl.tensor(arrays)), b.transform(arrays), f"{a}.transform")
            for name, value in vars(b).items():
                if name.endswith("_") and isinstance(value, np.ndarray):
                    same(getattr(a, name), value, f"{a}.{name}")
            same(a.inverse_transform(a.transform(minidl.tensor(arrays))), b.inverse_transform(b.transform(arrays)),
                 f"{a}.inverse_transform")
for name in ("expit", "gammaln", "logsumexp", "softmax"):
    same(getattr(scipy.special, name)(minidl.tensor(X)), np.asarray(getattr(scipy.special, name)(X)), name)
for name in ("zscore", "skew", "kurtosis"):
    same(getattr(scipy.stats, name)(minidl.tensor(X)), getattr(scipy.stats, name)(X), name)
same(scipy.stats.ttest_1samp(minidl.tensor(X), 3.0).pvalue, scipy.stats.ttest_1samp(X, 3.0).pvalue, "ttest_1samp")
"""


@pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None,
    reason="scikit-learn is not installed: its dispatch cannot be tried",
)
def test_scikit_learn_and_scipy_run_on_tensors():
    """Also as docs/array-api.md shows it: in a process of its own, for SciPy reads the switch when it is imported."""
    page = (Path(__file__).parent.parent / "docs" / "array-api.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```python program\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    env = {name: value for name, value in os.environ.items() if name != "SCIPY_ARRAY_API"}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM + shown],
        check=False,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
