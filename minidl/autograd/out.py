"""What PyTorch refuses as ``out=``: a tensor that overlaps itself or what is read, or whose dtype does not do."""

import numpy as np

from minidl import dtypes
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
            addmm addmv alias_copy aminmax argmax argmin as_strided_copy avg_pool2d avg_pool3d baddbmm bmm cross diag
            diagonal_copy expand_copy gather index_add index_copy index_reduce isin linear log_softmax lu_solve matmul
            mm msort permute_copy renorm scatter scatter_add scatter_reduce slice_scatter softmax sort squeeze_copy
            t_copy take_along_dim topk transpose_copy tril triu unfold_copy unsqueeze_copy view_copy
        """),
        _SAME,
    ),
    **dict.fromkeys(
        _names("abs absolute bitwise_not ceil conj_physical frac floor hardshrink neg negative round sign sgn trunc"),
        _UNARY,
    ),
    **dict.fromkeys(_names("cummax cummin diff logcumsumexp"), "expected scalar_type {W} but found {G}"),
    **dict.fromkeys(
        _names("quantile nanquantile"), "{name}() out tensor must be same dtype as the input tensor"
    ),
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
# Those of them that may be told as numbers.
_TRUTHS = _names("all any")
# Those that refuse a narrower dtype as ``cat``.
JOINING = _names("cat column_stack concat concatenate dstack hstack row_stack stack vstack")
# Those whose results are cast to whatever is given; all others cast within a category.
ANY_DTYPE = _names("bernoulli cumsum cumprod")


def check_out(out, result, name, inputs):
    """Raises ``RuntimeError`` where PyTorch does not write ``result`` into ``out``."""
    array, value = out._array, result._array
    template = _EXACT.get(name)
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
