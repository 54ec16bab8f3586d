"""``keras.ops``: functions of tensors, by NumPy's and Keras' names; symbolic tensors become layers of the model.

>>> from minidl.keras import ops
>>> ops.matmul(ops.ones((2, 3)), ops.ones((3, 1))).tolist()
[[3.0], [3.0]]

Complex numbers are pairs (real, imaginary), which ``fft`` and its kin take and give.
"""

from minidl.keras.ops import image

# isort: off
from minidl.keras.ops.elementwise import (
    abs, absolute, add, allclose, angle, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, bitwise_and,
    bitwise_invert, bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor, cast, cbrt, ceil,
    clip, conj, conjugate, copy, cos, cosh, deg2rad, divide, divide_no_nan, equal, erf, erfc, erfinv, exp, exp2,
    expm1, fabs, floor, floor_divide, fmax, fmin, fmod, gcd, greater, greater_equal, heaviside, hypot, i0, imag,
    isclose, isfinite, isinf, isnan, isneginf, isposinf, isreal, lcm, ldexp, left_shift, less, less_equal, log,
    log10, log1p, log2, logaddexp, logaddexp2, logical_and, logical_not, logical_or, logical_xor, maximum, minimum,
    mod, multiply, nan_to_num, negative, nextafter, not_equal, power, rad2deg, real, reciprocal, right_shift, round,
    rsqrt, saturate_cast, sign, signbit, sin, sinc, sinh, sqrt, square, stop_gradient, subtract, tan, tanh,
    true_divide, trunc, where,
)  # fmt: skip
from minidl.keras.ops.reductions import (
    all, amax, amin, any, argmax, argmin, average, count_nonzero, cumprod, cumsum, logsumexp, max, mean, median,
    min, nanargmax, nanargmin, nancumprod, nancumsum, nanmax, nanmean, nanmedian, nanmin, nanpercentile, nanprod,
    nanquantile, nanstd, nansum, nanvar, percentile, prod, ptp, quantile, std, sum, var,
)  # fmt: skip
from minidl.keras.ops.shapes import (
    append, array_split, broadcast_to, concatenate, cross, depth_to_space, diff, dsplit, dstack, expand_dims,
    extract_sequences, flip, fliplr, flipud, hsplit, hstack, moveaxis, ndim, pad, ravel, repeat, reshape, roll,
    rot90, shape, size,
    space_to_depth, split, squeeze, stack, swapaxes, tile, transpose, unstack, vsplit, vstack,
)  # fmt: skip
from minidl.keras.ops.creation import (
    arange, array, bartlett, blackman, convert_to_numpy, convert_to_tensor, diag, diagflat, diagonal, dtype, empty,
    empty_like, eye, full, full_like, geomspace, hamming, hanning, identity, is_tensor, kaiser, linspace, logspace,
    meshgrid, ones, ones_like, tri, tril, triu, vander, zeros, zeros_like,
)  # fmt: skip
from minidl.keras.ops.indexing import (
    argpartition, argsort, bincount, digitize, get_item, histogram, in_top_k, isin, nonzero, scatter, scatter_update,
    searchsorted, segment_max, segment_min, segment_prod, segment_sum, select, slice, slice_update, sort, take,
    take_along_axis, top_k, trapezoid, unique, unravel_index,
)  # fmt: skip
from minidl.keras.ops.linalg import (
    cdist, cholesky, cholesky_inverse, corrcoef, correlate, det, dot, eigh, einsum, inner, inv, kron, logdet, lstsq,
    lu_factor, matmul, matrix_rank, norm, outer, pinv, qr, slogdet, solve, solve_triangular, svd, tensordot, trace,
    vdot,
)  # fmt: skip
from minidl.keras.ops.nn import (
    average_pool, batch_normalization, binary_crossentropy, categorical_crossentropy, celu, conv, conv_transpose,
    ctc_loss, depthwise_conv, dot_product_attention, elu, gelu, glu, hard_shrink, hard_sigmoid, hard_silu,
    hard_swish, hard_tanh, layer_normalization, leaky_relu, log_sigmoid, log_softmax, max_pool, moments, multi_hot,
    normalize, one_hot, psnr, relu, relu6, rms_normalization, selu, separable_conv, sigmoid, silu, soft_shrink,
    softmax, softplus, softsign, sparse_categorical_crossentropy, sparse_plus, sparse_sigmoid, sparsemax,
    squareplus, swish, tanh_shrink, threshold,
)  # fmt: skip
from minidl.keras.ops.fourier import fft, fft2, ifft2, irfft, rfft
from minidl.keras.ops.control import (
    associative_scan, cond, fori_loop, map, scan, switch, vectorized_map, while_loop,
)  # fmt: skip
from minidl.keras.ops.windows import adaptive_average_pool, adaptive_max_pool, fold, unfold
# isort: on

__all__ = [
    "abs", "absolute", "adaptive_average_pool", "adaptive_max_pool", "add", "all", "allclose", "amax", "amin",
    "angle", "any", "append", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "argmax", "argmin", "argpartition", "argsort", "array", "array_split", "associative_scan", "average",
    "average_pool", "bartlett", "batch_normalization", "binary_crossentropy", "bincount", "bitwise_and",
    "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "blackman", "broadcast_to", "cast", "categorical_crossentropy", "cbrt", "cdist", "ceil", "celu", "cholesky",
    "cholesky_inverse", "clip", "concatenate", "cond", "conj", "conjugate", "conv", "conv_transpose",
    "convert_to_numpy", "convert_to_tensor", "copy", "corrcoef", "correlate", "cos", "cosh", "count_nonzero",
    "cross", "ctc_loss", "cumprod", "cumsum", "deg2rad", "depth_to_space", "depthwise_conv", "det", "diag",
    "diagflat", "diagonal", "diff", "digitize", "divide", "divide_no_nan", "dot", "dot_product_attention",
    "dsplit", "dstack", "dtype", "eigh", "einsum", "elu", "empty", "empty_like", "equal", "erf", "erfc", "erfinv",
    "exp", "exp2", "expand_dims", "expm1", "extract_sequences", "eye", "fabs", "fft", "fft2", "flip", "fliplr",
    "flipud", "floor", "floor_divide", "fmax", "fmin", "fmod", "fold", "fori_loop", "full", "full_like", "gcd",
    "gelu", "geomspace", "get_item", "glu", "greater", "greater_equal", "hamming", "hanning", "hard_shrink",
    "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "heaviside", "histogram", "hsplit", "hstack", "hypot",
    "i0", "identity", "ifft2", "imag", "image", "in_top_k", "inner", "inv", "irfft", "is_tensor", "isclose",
    "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal", "kaiser", "kron",
    "layer_normalization", "lcm", "ldexp", "leaky_relu", "left_shift", "less", "less_equal", "linspace", "log",
    "log1p", "log2", "log10", "log_sigmoid", "log_softmax", "logaddexp", "logaddexp2", "logdet", "logical_and",
    "logical_not", "logical_or", "logical_xor", "logspace", "logsumexp", "lstsq", "lu_factor", "map", "matmul",
    "matrix_rank", "max", "max_pool", "maximum", "mean", "median", "meshgrid", "min", "minimum", "mod", "moments",
    "moveaxis", "multi_hot", "multiply", "nan_to_num", "nanargmax", "nanargmin", "nancumprod", "nancumsum",
    "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum",
    "nanvar", "ndim", "negative", "nextafter", "nonzero", "norm", "normalize", "not_equal", "one_hot", "ones",
    "ones_like", "outer", "pad", "percentile", "pinv", "power", "prod", "psnr", "ptp", "qr", "quantile", "rad2deg",
    "ravel", "real", "reciprocal", "relu", "relu6", "repeat", "reshape", "rfft", "right_shift",
    "rms_normalization", "roll", "rot90", "round", "rsqrt", "saturate_cast", "scan", "scatter", "scatter_update",
    "searchsorted", "segment_max", "segment_min", "segment_prod", "segment_sum", "select", "selu",
    "separable_conv", "shape", "sigmoid", "sign", "signbit", "silu", "sin", "sinc", "sinh", "size", "slice",
    "slice_update", "slogdet", "soft_shrink", "softmax", "softplus", "softsign", "solve", "solve_triangular",
    "sort", "space_to_depth", "sparse_categorical_crossentropy", "sparse_plus", "sparse_sigmoid", "sparsemax",
    "split", "sqrt", "square", "squareplus", "squeeze", "stack", "std", "stop_gradient", "subtract", "sum", "svd",
    "swapaxes", "swish", "switch", "take", "take_along_axis", "tan", "tanh", "tanh_shrink", "tensordot",
    "threshold", "tile", "top_k", "trace", "transpose", "trapezoid", "tri", "tril", "triu", "true_divide", "trunc",
    "unfold", "unique", "unravel_index", "unstack", "vander", "var", "vdot", "vectorized_map", "vsplit", "vstack",
    "where", "while_loop", "zeros", "zeros_like",
]  # fmt: skip
