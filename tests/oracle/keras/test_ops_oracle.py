"""keras.ops beside Keras': values, dtypes, shapes; on symbolic tensors too."""

import keras
import numpy as np
import pytest
from keras import ops as theirs

import minidl
from minidl import keras as mk
from minidl.keras import ops as ours

pytestmark = pytest.mark.filterwarnings("ignore")
RNG = np.random.default_rng(0)
A = RNG.standard_normal((3, 4)).astype("float32")
B = RNG.standard_normal((3, 4)).astype("float32")
C = RNG.standard_normal((2, 3, 4)).astype("float32")
U = RNG.random((3, 4)).astype("float32") * 0.8 + 0.1
W = RNG.integers(1, 9, (3, 4)).astype("int32")
J = RNG.integers(1, 5, (3, 4)).astype("int32")
F = np.array([True, False, True])
NAN = np.array([[1.0, np.nan, 3.0], [np.nan, 5.0, -np.inf]], dtype="float32")
SQUARE = RNG.standard_normal((2, 3, 3)).astype("float32") + 3 * np.eye(3, dtype="float32")
POSITIVE = SQUARE @ SQUARE.transpose(0, 2, 1)
IMAGES = RNG.random((2, 6, 6, 3)).astype("float32")

UNIT = "arccos arcsin arctanh erfinv"
UNARY = """absolute abs arcsinh arctan cbrt ceil conjugate cos cosh deg2rad erf erfc exp exp2 expm1 fabs floor i0
isfinite isinf isnan isneginf isposinf isreal negative rad2deg real reciprocal sigmoid sign signbit sin sinc sinh
square tan tanh
trunc relu relu6 selu silu softplus softsign elu celu gelu hard_sigmoid hard_silu hard_tanh hard_shrink soft_shrink
sparse_plus sparse_sigmoid squareplus tanh_shrink leaky_relu log_sigmoid logical_not softmax log_softmax"""
POSITIVES = "log log10 log1p log2 sqrt rsqrt arccosh"
BINARY = """add subtract multiply divide true_divide maximum minimum arctan2 hypot logaddexp logaddexp2 fmax fmin
heaviside nextafter equal not_equal greater greater_equal less less_equal logical_and logical_or logical_xor mod
floor_divide fmod divide_no_nan isclose"""
WHOLE = """add subtract multiply divide floor_divide mod power maximum minimum gcd lcm bitwise_and bitwise_or
bitwise_xor left_shift right_shift less equal"""
REDUCING = """sum mean var std prod max min amax amin any all logsumexp median ptp nansum nanmean nanvar
nanstd nanmax nanmin"""

CALLS = [
    *[(name, (A,), {}) for name in UNARY.split()], *[(name, (U,), {}) for name in UNIT.split()],
    *[(name, (U + 1,), {}) for name in POSITIVES.split()],
    *[(name, (W,), {})
        for name in ("exp", "sqrt", "abs", "sign", "square", "floor", "round", "mean", "sum", "prod", "cumsum",
        "std", "logical_not", "bitwise_not", "argmax", "max", "sigmoid")],
    *[(name, (A, B), {}) for name in BINARY.split()], *[(name, (W, J), {}) for name in WHOLE.split()],
    *[(name, (A, 2.5), {}) for name in ("add", "multiply", "maximum", "power", "less", "divide")],
    *[(name, (W, 2.5), {}) for name in ("add", "multiply", "maximum", "divide")],
    *[(name, (W, 2), {}) for name in ("add", "multiply", "maximum", "power", "divide")],
    *[(name, (C,), {"axis": axis, "keepdims": keep}) for name in REDUCING.split()
        for axis, keep in ((None, False), (1, True), ((0, 2), False), (-1, False))],
    *[(name, (NAN,), {"axis": 1}) for name in ("nansum", "nanmean", "nanmax", "nanmin")],
    *[(name, (F,), {}) for name in ("sum", "any", "all", "max", "count_nonzero", "cumsum")],
    *[(name, (C,), {"axis": axis}) for name in ("argmax", "argmin", "argsort", "sort", "cumsum", "cumprod")
        for axis in (1, -1)],
    ("argmax", (C,), {}), ("argmax", (C,), {"axis": 1, "keepdims": True}), ("max", (A,), {"axis": 0, "initial": 0.5}),
    ("count_nonzero", (W - J,), {"axis": 1}), ("quantile", (A, 0.3), {}), ("quantile", (A, [0.25, 0.5]), {"axis": 1}),
    ("quantile", (A, 0.5), {"axis": 0, "keepdims": True}),
    ("average", (A,), {"axis": 1, "weights": np.array([1.0, 2, 3, 4], "float32")}), ("norm", (A,), {}),
    ("norm", (A,), {"ord": 1, "axis": 1}), ("norm", (C,), {"axis": (1, 2), "keepdims": True}),
    ("moments", (C,), {"axes": [0, 1]}), ("moments", (C,), {"axes": [1], "keepdims": True}),
    ("round", (A,), {"decimals": 1}), ("clip", (A, -0.5, 0.5), {}), ("clip", (W, 2, 4), {}),
    ("nan_to_num", (NAN,), {}), ("where", (A > 0, A, B), {}), ("where", (A > 0, A, 0.0), {}),
    ("cast", (A, "int32"), {}), ("cast", (W, "float16"), {}), ("cast", (W, "bool"), {}),
    ("saturate_cast", (A * 200, "uint8"), {}), ("copy", (A,), {}), ("reshape", (A, (2, -1)), {}), ("ravel", (A,), {}),
    ("transpose", (C,), {}), ("transpose", (C, (1, 0, 2)), {}), ("expand_dims", (A, 1), {}),
    ("expand_dims", (A, (0, -1)), {}), ("squeeze", (A[:, None],), {}), ("squeeze", (A[:, None], 1), {}),
    ("moveaxis", (C, 0, -1), {}), ("swapaxes", (C, 0, 1), {}), ("broadcast_to", (A[:1], (3, 4)), {}),
    ("concatenate", ([A, B],), {"axis": 1}), ("concatenate", ([A, W],), {}), ("stack", ([A, B],), {"axis": 1}),
    ("hstack", ([A, B],), {}), ("vstack", ([A, B],), {}), ("dstack", ([A, B],), {}), ("append", (A, B), {}),
    ("append", (A, B, 0), {}), ("split", (A, 2), {"axis": 1}), ("split", (A, [1, 3]), {"axis": 1}),
    ("array_split", (A, 3), {"axis": 1}), ("flip", (A,), {}), ("flip", (A, 1), {}), ("rot90", (A,), {}),
    ("roll", (A, 1), {}), ("roll", (A, 2, 1), {}), ("repeat", (A, 2), {}), ("repeat", (A, 2, 1), {}),
    ("tile", (A, (2, 1)), {}), ("pad", (A, ((1, 0), (0, 2))), {"constant_values": 3.0}),
    ("pad", (A, ((1, 2), (2, 1))), {"mode": "reflect"}), ("diff", (A,), {}), ("diff", (A,), {"n": 2, "axis": 0}),
    ("fliplr", (A,), {}), ("flipud", (A,), {}), ("vsplit", (A, 3), {}), ("hsplit", (A, 2), {}),
    ("depth_to_space", (C[None].repeat(4, -1), 2), {}), ("space_to_depth", (IMAGES, 2), {}),
    ("convert_to_tensor", ([1.0, 2.0],), {}), ("convert_to_tensor", ([1, 2],), {}),
    ("convert_to_tensor", (True,), {}), ("convert_to_tensor", (2,), {}), ("convert_to_tensor", (A, "float16"), {}),
    ("array", ([[1, 2], [3, 4]], "float32"), {}), ("zeros", ((2, 3),), {}), ("ones", ((2,), "int32"), {}),
    ("full", ((2, 2), 3), {}), ("full", ((2,), 1.5, "float16"), {}), ("zeros_like", (W,), {}),
    ("ones_like", (A,), {"dtype": "int32"}), ("full_like", (W, 2), {}), ("eye", (3,), {}),
    ("eye", (3, 4), {"k": 1, "dtype": "int32"}), ("identity", (2,), {}), ("tri", (3, 4, 1), {}), ("arange", (5,), {}),
    ("arange", (1, 7, 2), {}), ("arange", (0.0, 1.0, 0.25), {}), ("arange", (3,), {"dtype": "float32"}),
    ("linspace", (0, 1, 5), {}), ("linspace", (0.0, 2.0, 4), {"endpoint": False}), ("linspace", (A, B, 3), {}),
    ("logspace", (0, 2, 3), {}), ("geomspace", (1.0, 8.0, 4), {}), ("meshgrid", (A[0], A[1, :3]), {}),
    ("meshgrid", (A[0], A[1]), {"indexing": "ij"}), ("tril", (A,), {}), ("triu", (A, 1), {}), ("diag", (A[0],), {}),
    ("diag", (A, 1), {}), ("diagonal", (C,), {}), ("diagflat", (A[:2, :2],), {}), ("take", (A, [2, 0]), {"axis": 0}),
    ("take", (A, [[1, -1]]), {"axis": 1}), ("take", (A, 5), {}), ("take_along_axis", (A, W[:, :2] % 4), {"axis": 1}),
    ("nonzero", (W - J,), {}), ("in_top_k", (np.array([0, 1, 2], "int32"), A, 2), {}),
    ("searchsorted", (np.array([1.0, 2, 3], "float32"), A), {}),
    ("digitize", (A, np.array([-1.0, 0.0, 1.0], "float32")), {}), ("bincount", (W[0],), {}),
    ("bincount", (W[0],), {"weights": A[0], "minlength": 12}), ("unique", (W,), {}), ("one_hot", (J[0], 6), {}),
    ("one_hot", (J, 6), {"axis": 0, "dtype": "int32"}), ("multi_hot", (W, 9), {}),
    ("slice", (C, (0, 1, 1), (2, 2, 2)), {}), ("slice_update", (C, (0, 1, 1), np.zeros((2, 1, 2), "float32")), {}),
    ("scatter", (np.array([[0, 1], [2, 0], [0, 1]]), A[:, 0], (3, 2)), {}),
    ("scatter_update", (A, np.array([[0, 1], [2, 0]]), A[:2, 0]), {}),
    ("segment_sum", (A, np.array([0, 0, 1], "int32")), {}),
    ("segment_max", (A, np.array([0, 2, 0], "int32")), {"num_segments": 4}), ("isin", (W, [1, 2]), {}),
    ("select", ([A > 1, A > 0], [A, B], 0.5), {}), ("unravel_index", (np.array([1, 5]), (2, 3)), {}),
    ("trapezoid", (A,), {}), ("allclose", (A, A + 1e-9), {}), ("matmul", (C, A.T), {}), ("matmul", (A, B[0]), {}),
    ("matmul", (W, J.T), {}), ("dot", (A, B.T), {}), ("dot", (A[0], B[0]), {}), ("vdot", (A[0], B[0]), {}),
    ("inner", (A, B), {}), ("outer", (A[0], B[:, 0]), {}), ("kron", (A, B[:2, :2]), {}),
    ("tensordot", (C, A.T), {"axes": 1}), ("tensordot", (C, C), {"axes": ((1, 2), (1, 2))}),
    ("einsum", ("abc,dc->abd", C, A), {}), ("einsum", ("ij,ij", A, B), {}), ("trace", (C,), {}),
    ("det", (SQUARE,), {}), ("inv", (SQUARE,), {}), ("cholesky", (POSITIVE,), {}),
    ("solve", (SQUARE, C.transpose(0, 1, 2)), {}), ("solve_triangular", (np.tril(SQUARE), C), {"lower": True}),
    ("slogdet", (SQUARE,), {}), ("logdet", (POSITIVE,), {}), ("lstsq", (SQUARE[0], A), {}), ("cdist", (A, B), {}),
    ("binary_crossentropy", (F[:, None].astype("float32"), U[:, :1]), {}),
    ("binary_crossentropy", (U, A), {"from_logits": True}),
    ("categorical_crossentropy", (U / U.sum(1, keepdims=True), U), {}),
    ("categorical_crossentropy", (U / U.sum(1, keepdims=True), A), {"from_logits": True}),
    ("sparse_categorical_crossentropy", (np.array([0, 3, 1]), U), {}),
    ("sparse_categorical_crossentropy", (np.array([0, 3, 1]), A), {"from_logits": True}),
    ("conv", (IMAGES, RNG.random((3, 3, 3, 4), "float32")), {"padding": "same", "strides": 2}),
    ("conv", (C, RNG.random((2, 4, 5), "float32")), {}),
    ("depthwise_conv", (IMAGES, RNG.random((3, 3, 3, 2), "float32")), {}),
    ("conv_transpose", (IMAGES, RNG.random((3, 3, 4, 3), "float32")), {"strides": 2, "padding": "same"}),
    ("separable_conv", (IMAGES, RNG.random((3, 3, 3, 2), "float32"), RNG.random((1, 1, 6, 4), "float32")), {}),
    ("max_pool", (IMAGES, 2), {"strides": 1, "padding": "same"}), ("max_pool", (IMAGES, 2), {}),
    ("average_pool", (IMAGES, 2, 2), {}), ("batch_normalization", (A, A[0], U[0], -1, B[0], U[1]), {}),
    ("layer_normalization", (A, U[0], B[0]), {}), ("rms_normalization", (A,), {}), ("normalize", (A,), {}),
    ("normalize", (A,), {"axis": 0, "order": 1}), ("psnr", (A, B, 2.0), {}), ("glu", (A,), {}),
    ("threshold", (A, 0.1, 9.0), {}),
    ("dot_product_attention", (*[RNG.random((2, 5, 2, 4), "float32") for _ in range(3)],), {}),
    ("dot_product_attention", (*[RNG.random((2, 5, 2, 4), "float32") for _ in range(3)],), {"is_causal": True}),
    ("dot_product_attention", (*[RNG.random((2, 5, 2, 4), "float32")
        for _ in range(3)],), {"mask": RNG.random((2, 1, 5, 5)) < 0.7, "scale": 0.3}),
    ("image.resize", (IMAGES, (9, 4)), {}), ("image.resize", (IMAGES, (3, 3)), {"interpolation": "nearest"}),
    ("image.rgb_to_grayscale", (IMAGES,), {}),
    ("image.pad_images", (IMAGES,), {"target_height": 9, "top_padding": 1, "left_padding": 1, "right_padding": 2}),
    ("image.crop_images", (IMAGES,), {"target_height": 3, "target_width": 4, "top_cropping": 1, "left_cropping": 0}),
    ("image.extract_patches", (IMAGES, 2), {}),
    ("image.extract_patches", (IMAGES, (3, 2)), {"strides": 1, "padding": "same"}),
]  # fmt: skip
SYMBOLIC = [
    ("mean", (C,), {"axis": 1}), ("add", (A, B), {}), ("matmul", (C, C.transpose(0, 2, 1)), {}),
    ("concatenate", ([A, B],), {"axis": 1}), ("reshape", (C, (-1, 4)), {}), ("einsum", ("abc,abd->acd", C, C), {}),
    ("split", (A, 2), {"axis": 1}), ("softmax", (A,), {}), ("expand_dims", (A, 1), {}), ("where", (A > 0, A, B), {}),
    ("image.resize", (IMAGES, (3, 3)), {}),
]  # fmt: skip

HOLES = np.where(RNG.random((3, 5)) < 0.3, np.nan, RNG.standard_normal((3, 5))).astype("float32")
HOLES[1] = np.nan
LINE = np.array([1.0, 3.0, -2.0, 0.5, 2.0], "float32")
CORNERS = np.array([[0.0, 0], [5, 0], [0, 5], [5, 5]], "float32")
NEWER = [
    *[(name, (HOLES,), {"axis": axis}) for name in ("nanargmax", "nanargmin", "nancumsum", "nancumprod")
        for axis in (None, 0, 1)],
    *[(name, (HOLES,), {"axis": axis, "keepdims": keep}) for name in ("nanprod", "nanmedian")
        for axis, keep in ((None, False), (0, True), (1, False))],
    ("nanquantile", (HOLES[::2], [0.25, 0.5]), {"axis": 1}), ("nanpercentile", (HOLES[::2], 30.0), {"axis": 0}),
    ("nanprod", (W,), {}), ("nancumsum", (W,), {"axis": 1}), ("angle", (A,), {}), ("corrcoef", (A,), {}),
    ("vander", (W[0],), {}), ("vander", (A[0],), {"N": 2, "increasing": True}), ("argpartition", (LINE, 4), {}),
    *[("correlate", (LINE, A[0, :n]), {"mode": mode}) for mode in ("full", "valid", "same") for n in (2, 3)],
    *[("correlate", (A[0, :n], LINE), {"mode": mode}) for mode in ("full", "valid") for n in (2, 3)],
    ("lu_factor", (SQUARE,), {}), ("cholesky_inverse", (np.linalg.cholesky(POSITIVE[0]),), {}),
    ("extract_sequences", (A, 2, 1), {}), ("extract_sequences", (C, 3, 2), {}),
    *[(f"adaptive_{kind}_pool", (IMAGES, 4), {}) for kind in ("average", "max")],
    ("adaptive_average_pool", (IMAGES[:, 0].transpose(0, 2, 1), 2), {"data_format": "channels_first"}),
    ("image.rgb_to_hsv", (IMAGES,), {}), ("image.hsv_to_rgb", (IMAGES,), {}), ("image.rgb_to_hsv", (IMAGES[0],), {}),
    ("image.rgb_to_grayscale", (IMAGES[..., :1],), {}), ("image.gaussian_blur", (IMAGES, (5, 5), (0.7, 1.2)),
        {"data_format": "channels_last"}),
    *[("image.affine_transform", (IMAGES, np.array([[1.1, 0.2, -1.03, 0.1, 0.8, 0.53, 0, 0]] * 2, "float32")), {
        "interpolation": i, "fill_mode": f, "fill_value": 2.0}) for i in ("bilinear", "nearest")
        for f in ("constant", "nearest", "wrap", "reflect")],
    ("image.perspective_transform", (IMAGES, CORNERS, CORNERS * 0.8 + 1), {"fill_value": 0.5}),
    ("image.resize", (IMAGES, (4, 7)), {"crop_to_aspect_ratio": True}),
    ("image.resize", (IMAGES, (4, 7)), {"pad_to_aspect_ratio": True, "fill_value": 0.3}),
    ("rms_normalization", (A, np.full(4, 2.0, "float32")), {}), ("rms_normalization", (A,), {}),
]  # fmt: skip
CALLS += NEWER


def found(module, name):
    for part in name.split("."):
        module = getattr(module, part)
    return module


def leaves(value):
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, (list, tuple)) else [value]


def same(mine, wanted, tolerance=2e-5):
    mine, wanted = leaves(mine), leaves(wanted)
    assert len(mine) == len(wanted)
    for ours_one, theirs_one in zip(mine, wanted):
        values = theirs.convert_to_numpy(theirs_one)
        assert tuple(ours_one.shape) == values.shape
        assert ours.dtype(ours_one) == keras.backend.standardize_dtype(theirs_one.dtype)
        np.testing.assert_allclose(
            ours.convert_to_numpy(ours_one), values, rtol=tolerance, atol=tolerance, err_msg=str(values)
        )


@pytest.mark.parametrize(("name", "args", "kwargs"), CALLS, ids=[f"{c[0]}{i}" for i, c in enumerate(CALLS)])
def test_function_equals_keras(name, args, kwargs):
    same(found(ours, name)(*args, **kwargs), found(theirs, name)(*args, **kwargs))


@pytest.mark.parametrize(
    ("name", "args", "kwargs"), SYMBOLIC, ids=[f"{c[0]}{i}" for i, c in enumerate(SYMBOLIC)]
)
def test_function_of_symbolic_tensors_is_a_layer(name, args, kwargs):
    arrays = [
        a for arg in args for a in (arg if isinstance(arg, list) else [arg]) if isinstance(a, np.ndarray)
    ]
    results = []
    for module in (mk, keras):
        inputs = [module.Input(a.shape[1:], dtype=str(a.dtype)) for a in arrays]
        rest = iter(inputs)
        symbols = [
            [next(rest) for _ in arg]
            if isinstance(arg, list)
            else next(rest)
            if isinstance(arg, np.ndarray)
            else arg
            for arg in args
        ]
        outputs = found(module.ops, name)(*symbols, **kwargs)
        model = module.Model(inputs, outputs)
        assert [tuple(t.shape) for t in leaves(outputs)] == [tuple(t.shape) for t in model.outputs]
        results.append(leaves(model(arrays if len(arrays) > 1 else arrays[0])))
    same(*results)


def test_where_keras_with_pytorch_differs_from_numpy_numpy_is_right():
    for mine, wanted in [
        (ours.pad(A, 1), np.pad(A, 1)),
        (ours.pad(A, ((1, 2), (2, 1)), "symmetric"), np.pad(A, ((1, 2), (2, 1)), "symmetric")),
        (ours.pad(A, ((1, 2), (2, 1)), "edge"), np.pad(A, ((1, 2), (2, 1)), "edge")),
        (ours.cross(A[:, :3], B[:, :3]), np.cross(A[:, :3], B[:, :3])),
        (ours.repeat(A, [1, 2, 0], 0), np.repeat(A, [1, 2, 0], 0)),
        (ours.vdot(A, B), np.vdot(A, B)),
        (ours.correlate(A[0, :2], LINE, "same"), np.correlate(A[0, :2], LINE, "same")),
        (ours.correlate(A[0, :3], LINE, "same"), np.correlate(A[0, :3], LINE, "same")),
        (ours.average(A, weights=U), np.average(A, weights=U)),
        (ours.linspace(A, B, 3, axis=1), np.linspace(A, B, 3, axis=1)),
        (ours.stack(ours.unstack(C, axis=1), 1), C),
        (ours.one_hot([-1, 2], 3), [[0, 0, 0], [0, 0, 1]]),
        (ours.top_k(A, 2)[1], np.argsort(-A, 1)[:, :2]),
    ]:
        np.testing.assert_allclose(ours.convert_to_numpy(mine), wanted, rtol=1e-5, atol=1e-5)


def test_columns_of_windows_and_back_equal_keras():
    x = RNG.random((2, 3, 4, 5)).astype("float32")
    columns = theirs.unfold(theirs.array(x), 2, stride=2)
    same(ours.unfold(x, 2, stride=2), columns)
    same(
        ours.fold(minidl.tensor(columns.numpy()), (4, 5), 2, stride=2),
        theirs.fold(columns, (4, 5), 2, stride=2),
    )


@pytest.mark.parametrize("length", [1, 7, 12, 67, 130, 1000])
def test_fourier_transforms_equal_numpy_and_keras(length):
    a, b = RNG.standard_normal((2, 2, length))
    pair, both = (a, b), a + 1j * b
    small = (np.outer(a[0, :12], b[0, :9]), np.outer(b[1, :12], a[1, :9]))
    for mine, wanted in [
        (ours.fft(pair), np.fft.fft(both)), (ours.rfft(a), np.fft.rfft(a)), (ours.rfft(a, 9), np.fft.rfft(a, 9)),
        (ours.fft2(small), np.fft.fft2(small[0] + 1j * small[1])),
        (ours.ifft2(small), np.fft.ifft2(small[0] + 1j * small[1])),
    ]:  # fmt: skip
        np.testing.assert_allclose(mine[0].numpy() + 1j * mine[1].numpy(), wanted, atol=1e-11)
    for size in (5, 8, None) if length > 1 else (5, 8):
        np.testing.assert_allclose(ours.irfft(pair, size).numpy(), np.fft.irfft(both, size), atol=1e-11)
    for name, arguments in (("fft", (pair,)), ("rfft", (a, 9)), ("irfft", (pair, 8)), ("fft2", (small,))):
        same(getattr(ours, name)(*arguments), getattr(theirs, name)(*arguments))


def test_fourier_transforms_have_gradients_and_symbols():
    a = minidl.tensor(RNG.standard_normal((2, 70)), requires_grad=True)
    real, imaginary = ours.rfft(a)
    (real * real + imaginary * imaginary).sum().backward()
    spectrum = np.fft.rfft(a.detach().numpy())
    wanted = 2 * np.fft.irfft(spectrum * np.r_[2.0, np.ones(34), 2.0], 70) * 35
    np.testing.assert_allclose(a.grad.numpy(), wanted, atol=1e-9)
    x = mk.Input((6, 10))
    assert [part.shape for part in ours.fft2((x, ours.zeros_like(x)))] == [(None, 6, 10)] * 2
    for wrong, text in (((A, A[:2]), "same shape"), (A, "tuple of two"), ((A[0, 0], A[0, 0]), "rank")):
        with pytest.raises(ValueError, match=text):
            ours.fft(wrong)


def test_refusals_of_newer_functions():
    with pytest.raises(NotImplementedError, match="attn_logits_soft_cap"):
        ours.dot_product_attention(*[C.reshape(2, 3, 1, 4)] * 3, attn_logits_soft_cap=2.0)
    with pytest.raises(ValueError, match="mode"):
        ours.correlate(LINE, LINE, mode="some")
    for module in (ours, theirs):
        with pytest.raises(ValueError, match="channel size"):
            module.image.rgb_to_grayscale(IMAGES[..., :2])
        with pytest.raises(ValueError, match="start_points"):
            module.image.perspective_transform(IMAGES, CORNERS[:3], CORNERS[:3])


def test_loops_and_choices():
    total, partial = ours.scan(lambda carry, x: (carry + x, carry * x), ours.zeros(()), ours.arange(4.0))
    assert (float(total), partial.tolist()) == (6.0, [0.0, 0.0, 2.0, 9.0])
    assert int(ours.while_loop(lambda i: i < 5, lambda i: i + 2, (0,))[0]) == 6
    assert ours.fori_loop(0, 4, lambda i, x: x + i, 0) == 6
    assert ours.map(lambda x: x * 2, A).shape == A.shape
    assert ours.associative_scan(lambda a, b: a + b, ours.arange(4)).tolist() == [0, 1, 3, 6]
    assert ours.switch(1, [lambda x: x, lambda x: -x], 3) == -3


def test_gradients_flow_through_a_composition():
    x = minidl.tensor(A, requires_grad=True)
    y = ours.sum(ours.square(ours.matmul(x, ours.transpose(x))))
    y.backward()
    np.testing.assert_allclose(x.grad.numpy(), 4 * (A @ A.T) @ A, rtol=1e-4, atol=1e-4)
