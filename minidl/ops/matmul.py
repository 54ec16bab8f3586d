"""Matrix products."""

import math

from minidl import dtypes
from minidl.autograd import function, op
from minidl.autograd.conform import sum_to_shape
from minidl.backends import of
from minidl.ops.arithmetic import add, mul
from minidl.ops.common import common_shape, refuse_bool, shapes_error
from minidl.ops.reductions import sum
from minidl.ops.shapes import _permute, _reshape


def _same_dtype(name, input, other):
    if input.dtype != other.dtype:
        raise RuntimeError(
            f"{name}: expected both operands to have the same dtype, but got {dtypes.of(input.dtype)!r} and "
            f"{dtypes.of(other.dtype)!r}. Hint: convert one with .to()."
        )


def _swapped(x):
    """The last two dimensions exchanged."""
    n = len(x.shape)
    return _permute(x, (*range(n - 2), n - 1, n - 2))


def _rows(x):
    """All dimensions but the last as one; counted, because -1 is ambiguous beside a 0."""
    shape = x.shape
    return x if len(shape) == 2 else _reshape(x, (math.prod(shape[:-1]), shape[-1]))


def _matmul_input(g, other, input_shape):
    if len(input_shape) == 1 and len(other.shape) == 1:
        return mul(g, other)
    if len(other.shape) == 1:
        return mul(_reshape(g, (*g.shape, 1)), other)
    if len(input_shape) == 1:
        g = _reshape(g, (*g.shape[:-1], 1, g.shape[-1]))
        return sum_to_shape(_product(g, _swapped(other)), (1, *input_shape))
    return _product(g, _swapped(other))


def _matmul_other(g, input, other_shape):
    if len(input.shape) == 1 and len(other_shape) == 1:
        return mul(g, input)
    if len(input.shape) == 1:
        column = _reshape(input, (*input.shape, 1))
        return mul(column, _reshape(g, (*g.shape[:-1], 1, g.shape[-1])))
    if len(other_shape) == 1:
        column = _product(_swapped(input), _reshape(g, (*g.shape, 1)))
        return _reshape(column, tuple(column.shape)[:-1])
    if len(other_shape) == 2 and len(input.shape) > 2:  # one product over all batches, not a sum of products
        return _product(_swapped(_rows(input)), _rows(g))
    return _product(_swapped(input), g)


@op(
    input=lambda g, other: _product(g, _swapped(other)), other=lambda g, input: _product(_swapped(input), g),
    faces=(), method=False,
)  # fmt: skip
def _product(input, other):
    """Batched product of arrays of two and more dimensions."""
    return of(input).matmul(input, other)


def _shape_error(input, other):
    a, b = input.shape, other.shape
    if len(a) == 1 and len(b) == 1:
        return RuntimeError(
            f"inconsistent tensor size, expected tensor [{a[0]}] and src [{b[0]}] to have the same "
            f"number of elements, but got {a[0]} and {b[0]} elements respectively"
        )
    if len(a) == 2 and len(b) == 1:
        return RuntimeError(f"size mismatch, got input ({a[0]}), mat ({a[0]}x{a[1]}), vec ({b[0]})")
    if len(a) <= 2 and len(b) <= 2:
        rows = a if len(a) == 2 else (1, *a)
        columns = b if len(b) == 2 else (*b, 1)
        return RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows[0]}x{rows[1]} and {columns[0]}x{columns[1]})"
        )
    if len(b) <= 2:  # one product of all rows
        rows = math.prod(a[:-1])
        if len(b) == 1:
            return RuntimeError(f"size mismatch, got input ({rows}), mat ({rows}x{a[-1]}), vec ({b[0]})")
        return RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({rows}x{a[-1]} and {b[0]}x{b[1]})")
    refused = shapes_error(a[:-2], b[:-2])
    count = 0 if refused else math.prod(common_shape(a[:-2], b[:-2]))
    return refused or RuntimeError(
        f"Expected size for first two dimensions of batch2 tensor to be: [{count}, {a[-1]}] but got: "
        f"[{count}, {b[-2]}]. Hint: shapes were {list(a)} and {list(b)}."
    )


_NAMES = {(1, 0): "Dot", (2, 1): "Mv", (2, 2): "Mm", (1, 1): "SqueezeBackward4"}


def _matmul_name(shape, kept):
    """PyTorch has one name for each pair of ranks, of the input and of the result."""
    input = kept.get("input_shape") or getattr(kept.get("input"), "shape", shape)
    return _NAMES.get((len(input), len(shape)), "UnsafeView")


@op(
    input=_matmul_input, other=_matmul_other, dunder="matmul", number="",
    shown=_matmul_name,
)  # fmt: skip
def matmul(input, other):
    """The matrix product, batched over leading dimensions, which broadcast; a 1-D operand is a row or a column.

    Shapes: (..., M, K) times (..., K, N) gives (..., M, N). Raises ``RuntimeError`` where K differs or dtypes do.
    Source: ``torch.matmul``.

    >>> import minidl
    >>> minidl.ones(2, 3) @ minidl.ones(3, 4).t().t()
    tensor([[3., 3., 3., 3.],
            [3., 3., 3., 3.]])
    """
    if input.dtype is not other.dtype:
        _same_dtype("matmul", input, other)
    a, b = input.ndim, other.ndim
    space = of(input)
    if input.dtype is dtypes.BOOL:
        refuse_bool(input, "addmm_impl_cpu_")
    if a == 2 and b == 2:
        if input.shape[1] != other.shape[0]:
            raise _shape_error(input, other)
        return space.matmul(input, other)
    if a == 0 or b == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {a}D and {b}D")
    if input.shape[-1] != other.shape[-2 if b > 1 else 0]:
        raise _shape_error(input, other)
    left = space.reshape(input, (1, input.shape[0])) if a == 1 else input
    right = space.reshape(other, (other.shape[0], 1)) if b == 1 else other
    try:
        out = space.matmul(left, right)
    except ValueError:
        raise _shape_error(input, other) from None
    shape = out.shape[: -2 if a == 1 else len(out.shape) - 1] + (() if b == 1 else out.shape[-1:])
    return out if a > 1 and b > 1 else space.reshape(out, shape)


def _ranked(names, rank, *tensors):
    for name, x in zip(names, tensors, strict=True):
        if x.ndim != rank:
            raise RuntimeError(f"{name} must be a {rank}D tensor, but got {x.ndim}D")


@function(tensors="input mat2")
def mm(input, mat2):
    """The product of two matrices, (M, K) times (K, N). Source: ``torch.mm``."""
    _ranked(("self", "mat2"), 2, input, mat2)
    return matmul(input, mat2)


@function(tensors="input mat2", shown="Bmm")
def bmm(input, mat2):
    """Products of two batches of matrices, (B, M, K) times (B, K, N). Source: ``torch.bmm``."""
    _ranked(("batch1", "batch2"), 3, input, mat2)
    if input.size(0) != mat2.size(0):
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{input.size(0)}, "
            f"{input.size(2)}] but got: "
            f"[{mat2.size(0)}, {mat2.size(1)}]."
        )
    return matmul(input, mat2)


@function(tensors="input vec")
def mv(input, vec):
    """A matrix times a vector, (M, K) times (K). Source: ``torch.mv``."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {input.ndim}, {vec.ndim}")
    return matmul(input, vec)


@function(tensors="input tensor")
def dot(input, tensor):
    """The inner product of two vectors. Source: ``torch.dot``."""
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    if input.dtype is not tensor.dtype:
        raise RuntimeError(
            "dot : expected both vectors to have same dtype, but found "
            f"{dtypes.scalar_name(input._array.dtype)} and {dtypes.scalar_name(tensor._array.dtype)}"
        )
    return matmul(input, tensor)


@function(aliases=("ger",), tensors="input vec2")
def outer(input, vec2):
    """The outer product of two vectors. Source: ``torch.outer``."""
    if input.ndim != 1 or vec2.ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D arguments, but got {input.ndim}-D and {vec2.ndim}-D")
    return mul(input.reshape(-1, 1), vec2)


@function(shown="Addmm")
def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * (mat1 @ mat2). Source: ``torch.addmm``."""
    return add(mul(input, beta) if beta != 1 else input, mm(mat1, mat2), alpha=alpha)


def _linear_weight(g, input):
    """g^T x, over all leading dimensions at once."""
    return _product(_swapped(_rows(g)), _rows(input))


def _linear_bias(g):
    return sum(_rows(g), 0)


def _linear_name(shape, kept):
    """PyTorch multiplies rows, and gives them the shape of the input then; the bias is seen where it has a gradient."""
    bias = len(kept["edges"]) > 2 and kept["edges"][2] is not None
    if len(shape) == 2:
        return "Addmm" if bias else "Mm"
    return "View" if bias else "SqueezeBackward4" if len(shape) == 1 else "UnsafeView"


@op(
    input=lambda g, weight: _product(g, weight) if len(g.shape) > 1 else matmul(g, weight),
    weight=_linear_weight, bias=_linear_bias, shown=_linear_name, faces=("functional",), method=False,
)  # fmt: skip
def linear(input, weight, bias=None):
    """y = x W^T + b. Shapes: x (..., K), W (O, K), b (O) or None, y (..., O).

    Raises ``RuntimeError`` where K or dtypes differ. Source: ``torch.nn.functional.linear``.

    >>> import minidl
    >>> minidl.nn.functional.linear(minidl.ones(1, 2), minidl.ones(3, 2), minidl.ones(3))
    tensor([[3., 3., 3.]])
    """
    if input.dtype is not weight.dtype and input.dtype != weight.dtype:
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {dtypes.of(input.dtype)!r} and "
            f"{dtypes.of(weight.dtype)!r}. "
            "Hint: convert the input with .to(weight.dtype)."
        )
    if weight.ndim != 2 or input.ndim == 0 or input.shape[-1] != weight.shape[1]:
        raise _linear_error(input, weight)
    if bias is not None and (bias.ndim > 1 or bias.shape not in ((weight.shape[0],), (1,), ())):
        raise RuntimeError(
            f"The expanded size of the tensor ({weight.shape[0]}) must match the existing size of "
            f"bias {list(bias.shape)}"
        )
    return of(input).linear(input, weight, bias)


def _linear_error(input, weight):
    if input.ndim == 0 or weight.ndim != 2:
        return RuntimeError(
            f"linear: expected input of at least 1 and weight of 2 dimensions, got {input.ndim} and {weight.ndim}"
        )
    rows = input.size // max(input.shape[-1], 1)
    return RuntimeError(
        f"mat1 and mat2 shapes cannot be multiplied ({rows}x{input.shape[-1]} and "
        f"{weight.shape[1]}x{weight.shape[0]}). "
        f"Hint: the layer has in_features={weight.shape[1]}, the input's last dimension is {input.shape[-1]}."
    )
