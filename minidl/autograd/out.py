"""What PyTorch refuses as ``out=``: a tensor that overlaps itself or what is read, or whose dtype does not do."""

import numpy as np

from minidl import dtypes
from minidl.autograd.inplace import can_cast
from minidl.autograd.tensor import TENSORS


def _names(text):
    return frozenset(text.split())


# Kernels that read after they write: what they write shares no memory with what they read.
_APART = _names("""
    cat concat concatenate column_stack cross dstack gather hstack index_select inner kron kthvalue masked_select
    outer row_stack stack take take_along_dim vstack
""")
# Those that compute first, into memory of their own: any overlap does.
_OWN = _names("""
    all amax amin any argmax argmin bmm cholesky cholesky_inverse cholesky_solve diag frobenius_norm histc
    inverse log_softmax logsumexp lu_solve matmul matrix_power mean mm mv nanmean nanmedian nanquantile nansum
    nuclear_norm prod qr quantile slice_scatter softmax std sum svd tril triu var
""")
# Those of them that may even write one element in several places.
_FREE = _names("""
    all amax amin any argmax argmin bmm empty full histc matmul mv nansum ones prod std sum tril triu var zeros
""")

_WORDS = {
    "float64": "double", "float32": "float", "float16": "c10::Half", "bfloat16": "c10::BFloat16", "int64": "long int",
    "int32": "int", "int16": "short int", "int8": "signed char", "uint8": "unsigned char", "bool": "bool",
}  # fmt: skip
_REDUCED = (
    "Expected the dtype for input and out to match, but got {W} for input's dtype and {G} for out's dtype."
)
_SAME = "Expected out tensor to have dtype {w}, but got {g} instead"
_UNARY = "Found dtype {G} but expected {W}"
_SAMPLED = "{name}(): self and result must have the same scalar type"
# The dtypes of these are not cast: the text says so, with both in C++'s words (w, g) or PyTorch's (W, G).
_EXACT = {
    **dict.fromkeys(
        _names("""
            addmm addmv alias_copy aminmax argmax argmin as_strided_copy avg_pool2d avg_pool3d baddbmm bmm cholesky
            cholesky_ex cross cumprod cumsum det diagonal_copy eigh eigvalsh expand_copy gather index_add index_copy
            index_reduce inv inv_ex isin ldl_factor ldl_factor_ex ldl_solve linear log_softmax lu lu_factor
            lu_factor_ex lu_solve lu_unpack matmul mm msort permute_copy qr renorm scatter scatter_add scatter_reduce
            slice_scatter slogdet softmax solve solve_ex sort squeeze_copy svd svdvals t_copy take_along_dim topk
            transpose_copy triangular_solve tril triu unfold_copy unsqueeze_copy vector_norm view_copy
        """),
        _SAME,
    ),
    **dict.fromkeys(
        _names("""
            abs absolute bitwise_not ceil conj_physical frac floor gelu hardshrink neg negative round sign sgn
            softplus softshrink trunc
        """),
        _UNARY,
    ),
    **dict.fromkeys(_names("cummax cummin logcumsumexp"), "expected scalar_type {W} but found {G}"),
    **dict.fromkeys(
        _names("logsigmoid native_batch_norm solve_triangular"), "expected scalar type {W} but found {G}"
    ),
    **dict.fromkeys(_names("quantile nanquantile"), "quantile() out tensor must be same dtype as the input tensor"),
    **dict.fromkeys(
        _names("arange empty eye full linspace logspace ones range zeros"),
        "dtype {W} does not match dtype of out parameter ({G})",
    ),
    **{name: f"linalg.{name} expected out tensor dtype {{W}} but got: {{G}}" for name in ("matrix_norm", "norm")},
    **dict.fromkeys(
        _names("bucketize searchsorted"),
        "torch.searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on "
        "whether out_int32 flag is True, but we got output tensor's dtype {G} and out_int32 flag is ",
    ),
    **dict.fromkeys(_names("amax amin"), _REDUCED),
    **dict.fromkeys(_names("dot vdot"), "result dtype {G} does not match input dtype {W}"),
    **dict.fromkeys(
        _names("inner tensordot"),
        "tensordot: Expected the output tensor to have dtype {W}, but got an output tensor with dtype {G}",
    ),
    "addbmm": "self and mat2 must have the same dtype, but got {G} and {W}",
    "mv": "addmv input tensors must have the same dtype, but got {G}, {W}, and {W}",
    "heaviside": "heaviside is not yet implemented for tensors with different dtypes.",
    "kthvalue": "output values must be of same type as input",
    "mode": "expected scalar type '{W}' but got '{G}' for values output",
    "histogram": "torch.histogram: input tensor and hist tensor should have the same dtype, but got input {w} and hist "
    "{g}",
    "ormqr": "torch.ormqr: Expected input and result to have the same dtype, but input has dtype{W} and result has "
    "dtype {G}",
    "vecdot": "linalg.vecdot: Expected out of dtype{W} but found {G}",
    "multi_dot": "multi_dot(): expected out tensor to have dtype {w} but got {g}",
    "narrow_copy": "Expected self.dtype() == output.dtype() to be true, but got false.",
    **dict.fromkeys(_names("signbit isposinf isneginf"), "{name} does not support non-boolean outputs."),
    **dict.fromkeys(_names("all any"), "{name} only supports bool tensor for result, got: {G}"),
    "masked_select": _SAMPLED,
    "index_select": _SAMPLED,
    "take": "take(): self and out expected to have the same dtype, but got self.dtype = {W} and out.dtype = {G}",
    "multinomial": "multinomial expects Long tensor out, got: {G}",
    "nan_to_num": "nan_to_num: dtype of out: {G} should be same as input: {W}",
    "histc": "torch.histogram: input tensor and hist tensor should have the same dtype, but got input {W} and hist {G}",
    "where": "Expected out type to be {W} but got {G}",
    "nonzero": "nonzero: Expected out tensor to have scalar type Long but got scalar type {G}",
    "float_power": "the output given to float_power has dtype {G} but the operation's result requires dtype {W}",
}  # fmt: skip
# The same for functions of several results: of all of them, or of the one at a place.
_OF_PARTS = {
    **dict.fromkeys(_names("max min"), _SAME),
    ("frexp", 0): "torch.frexp() expects mantissa to have dtype {w} but got {g}",
    ("frexp", 1): "torch.frexp() expects exponent to have {w} dtype but got {g}",
    ("kthvalue", 1): "output indices must be of scalar type Long",
}
# Those of them that may be told as numbers.
_TRUTHS = _names("all any")
# Those that refuse a narrower dtype as ``cat``.
JOINING = _names("cat column_stack concat concatenate dstack hstack row_stack stack vstack")
# Those whose results are cast to whatever is given; all others cast within a category.
ANY_DTYPE = _names("bernoulli")
# Those that compute in the dtype of ``out``, where the call names none.
AS_OUT = _names("cumprod cumsum empty eye full linspace logspace ones range zeros")
# Those that resize what has elements without a warning.
_QUIET = _names("addbmm eye full linspace logsigmoid logspace narrow_copy ones zeros")
# What a function says where the result is not cast, beside the words for all: who speaks, and of what.
_CASTABLE = {
    "geqrf": ("torch.geqrf", "a"),
    "lstsq": ("torch.linalg.lstsq", "solution"),
    **{
        n: (n, "result") for n in _names("cholesky_inverse cholesky_solve matrix_power tensorinv tensorsolve")
    },
    **{n: (f"linalg.{n}", "result") for n in ("cond", "pinv")},
    **{n: (f"torch.linalg.{n}", "result") for n in ("householder_product", "matrix_rank")},
}


def check_out(out, result, name, inputs, part=None):
    """Raises ``RuntimeError`` where PyTorch does not write ``result`` into ``out``. ``part``: the place of a result
    among several.
    """
    array, value = out._array, result._array
    template = _EXACT.get(name)
    if name == "diag" and value.ndim == 1:  # PyTorch copies a diagonal, and embeds one in another way
        template = _SAME
    if part is not None:
        template = _OF_PARTS.get((name, part)) or _OF_PARTS.get(name) or template
    if (
        template is not None
        and array.dtype != value.dtype
        and not (name in _TRUTHS and array.dtype == np.uint8)
    ):
        w, g = dtypes.of(value.dtype).name, dtypes.of(array.dtype).name
        raise RuntimeError(
            template.format(
                name=name, w=_WORDS.get(w, w), g=_WORDS.get(g, g), W=dtypes.scalar_name(value.dtype),
                G=dtypes.scalar_name(array.dtype),
            )
            + ". Hint: give an out= of the result's dtype."
        )  # fmt: skip
    if name not in _FREE and (array.shape == value.shape or name in _APART) and _covers_itself(array):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )
    if name not in _OWN and any(_overlaps(array, read, value, name in _APART) for read in _tensors(inputs)):
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
            "memory location. Please clone() the tensor before performing the operation."
        )


def check_cast(value, array, name):
    """Raises where PyTorch does not cast an array to the dtype of another one."""
    if name in ANY_DTYPE or can_cast(value.dtype, array.dtype):
        return
    wide, narrow = dtypes.scalar_name(value.dtype), dtypes.scalar_name(array.dtype)
    if name in JOINING:
        raise TypeError(f"torch.cat(): input types can't be cast to the desired output type {narrow}")
    if name in _CASTABLE:
        who, what = _CASTABLE[name]
        raise RuntimeError(
            f"{who}: Expected {what} to be safely castable from {wide} dtype, but got {what} with dtype {narrow}"
        )
    if name == "logsumexp":
        raise RuntimeError(f"logsumexp(): Expected floating point type for result tensor, but got: {narrow}")
    subject = {"diag": f"diag: result type {wide}", "ldexp": "ldexp"}.get(name, f"result type {wide}")
    raise RuntimeError(
        f"{subject} can't be cast to the desired {'out=' if name == 'diag' else 'output'} type {narrow}"
    )


def warns_of_resizing(name, value):
    """Whether PyTorch warns where ``out`` takes the shape of ``value``."""
    return name not in _QUIET and not (name == "mode" and value.ndim == 0)


def _tensors(values):
    for value in values:
        if value.__class__ in TENSORS:
            yield value._array
        elif value.__class__ in (tuple, list):
            yield from _tensors(value)


def _covers_itself(array):
    return array.size > 1 and any(
        step == 0 and n > 1 for step, n in zip(array.strides, array.shape, strict=True)
    )


def _overlaps(array, read, value, apart):
    """Whether memory is shared in a way that matters: at all, or, where one position reads itself only, askew."""
    if apart and array is read:
        return True
    if not (array.__class__ is read.__class__ is np.ndarray and array.size and read.size):
        return False
    if apart and array.shape != value.shape:  # PyTorch would grow the output within its storage
        starts = array.ctypes.data, read.ctypes.data
        reach = starts[0] < starts[1] + read.nbytes and starts[1] < starts[0] + value.nbytes
        return reach and _root(array) is _root(read)
    if apart:
        return np.shares_memory(array, read)
    same = array.ctypes.data == read.ctypes.data and array.nbytes == read.nbytes
    dense = array.flags.c_contiguous and read.flags.c_contiguous
    return dense and not same and np.may_share_memory(array, read)


def _root(array):
    while array.base is not None:
        array = array.base
    return array
