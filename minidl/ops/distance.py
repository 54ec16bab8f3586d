"""Similarity of vectors, and distances between them."""

import math

import numpy as np

from minidl import dtypes
from minidl.autograd import function, op
from minidl.autograd.node import named
from minidl.backends import of
from minidl.ops.arithmetic import add, div, mul, sub
from minidl.ops.common import broadcast_error, result_dtype, wrap_dim
from minidl.ops.comparison import eq
from minidl.ops.matmul import _swapped, matmul
from minidl.ops.reductions import norm, sum
from minidl.ops.selection import clamp, where
from minidl.ops.shapes import broadcast_to, unsqueeze
from minidl.ops.windows import is_tensor


@function(faces=("torch", "functional"), method=False)
def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """The cosine of the angle between vectors: x1 · x2 / (max(|x1|, eps) max(|x2|, eps)), along ``dim``.

    Shapes: x1 and x2 broadcast to (*, D, *) with D at ``dim``, result (*, *). Floating point, in the promoted dtype.
    Vectors shorter than ``eps``, as zeros are, give a similarity nearer to 0. Raises ``RuntimeError`` where the shapes
    do not broadcast or both are integers, ``IndexError`` for a ``dim`` out of range.
    Source: ``torch.nn.functional.cosine_similarity``.

    >>> import minidl
    >>> minidl.cosine_similarity(minidl.tensor([[3.0, 4.0]]), minidl.tensor([[4.0, 3.0]]))
    tensor([0.9600])
    """
    is_tensor(x1, "cosine_similarity", "x1", 1)
    is_tensor(x2, "cosine_similarity", "x2", 2)
    dtype = dtypes.of(result_dtype(x1._array, x2._array))
    if not dtype.is_floating_point:
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {dtype.name}. "
            "Hint: convert one input with .float()."
        )
    error = broadcast_error(x1, x2)
    if error is not None:
        raise error
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    dim = wrap_dim(dim, len(shape))
    directions = []
    for x in (x1, x2):
        x = broadcast_to(x.to(dtype), shape)
        directions.append(div(x, clamp(norm(x, 2, dim, True), min=eps)))
    return sum(mul(*directions), dim)


@function(faces=("torch", "functional"), method=False, tensors="x1 x2")
def pairwise_distance(x1, x2, p=2.0, eps=1e-06, keepdim=False):
    """The p-norm of x1 - x2 + eps, over the last dimension. Shapes: x1 and x2 broadcast to (*, D), result (*) or, with
    ``keepdim``, (*, 1). Source: ``torch.nn.functional.pairwise_distance``.

    >>> import minidl
    >>> minidl.pairwise_distance(minidl.tensor([[3.0, 4.0]]), minidl.zeros(1, 2), eps=0.0)
    tensor([5.])
    """
    return named(norm(x1 - x2 + eps, p, -1, keepdim), "NormBackward1")


_PRODUCT = "use_mm_for_euclid_dist"


def _distance(difference, p):
    """The p-norm over the last dimension; its gradient is 0 where it is 0."""
    if p == 0:
        return add(
            norm(difference, 0, -1), mul(sum(difference, -1), 0.0)
        )  # on the tape, with a gradient of 0
    if p in (1, 2, math.inf):
        return norm(difference, p, -1)
    powers = sum(difference.abs() ** p, -1)
    zero = powers == 0
    return where(zero, 0.0, where(zero, 1.0, powers) ** (1 / p))


def _pull(g, x1, x2, result):
    """The gradient by ``x1`` of distances: sum_j g_ij (x1_i - x2_j) / d_ij, 0 where d is."""
    zero = eq(result, 0)
    ratio = where(zero, 0.0, div(g, where(zero, 1.0, result)))
    return sub(mul(x1, sum(ratio, -1, True)), matmul(ratio, x2))


@op(
    x1=lambda g, x1, x2, result: _pull(g, x1, x2, result),
    x2=lambda g, x1, x2, result: _pull(_swapped(g), x2, x1, _swapped(result)),
    shown="View", faces=(), method=False,
)  # fmt: skip
def _euclidean(x1, x2):
    """The root of -2 a b + |a|^2 + |b|^2 for all rows a and b, by one product of matrices: fast, and without digits
    where two rows are near each other.
    """
    space = of(x1)
    squares = [space.sum_squares(x, (x.ndim - 1,), True) for x in (x1, x2)]
    ones = [space.full(square.shape, 1.0, square.dtype) for square in squares]
    left = space.concatenate([space.mul(x1, -2.0), squares[0], ones[0]], x1.ndim - 1)
    right = space.concatenate([x2, ones[1], squares[1]], x2.ndim - 1)
    turned = space.permute(right, (*range(x2.ndim - 2), x2.ndim - 1, x2.ndim - 2))
    return space.sqrt(space.relu(space.matmul(left, turned)))


def _by_product(x1, x2, p, compute_mode):
    """Whether distances come from a product of matrices, as PyTorch chooses; of 16 bits never: squares overflow."""
    rows, columns = max(x1.shape[-2], x2.shape[-2]), x1.shape[-1]
    wanted = compute_mode == _PRODUCT or (compute_mode == _PRODUCT + "_if_necessary" and rows > 25)
    return p == 2 and wanted and columns > 0 and min(x.dtype.itemsize for x in (x1, x2)) > 2


@function(method=False, tensors="x1 x2")
def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The p-norm distances between all rows of two batches, (..., P, M) and (..., R, M).

    With p = 2 and more than 25 rows they come from one product of matrices, in which two rows that are near each other
    lose digits; ``compute_mode="donot_use_mm_for_euclid_dist"`` always takes differences, ``"use_mm_for_euclid_dist"``
    never. Source: ``torch.cdist``.

    >>> import minidl
    >>> minidl.cdist(minidl.zeros(1, 2), minidl.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """
    for name, x in (("X1", x1), ("X2", x2)):
        if not x.is_floating_point():
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {x.dtype!r}")
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if compute_mode not in (_PRODUCT, f"{_PRODUCT}_if_necessary", f"donot_{_PRODUCT}"):
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    if _by_product(x1, x2, p, compute_mode):
        return _euclidean(x1, x2)
    return named(_distance(unsqueeze(x1, -2) - unsqueeze(x2, -3), p), "CdistBackward0")


@function(faces=("torch", "functional"), method=False, tensors="input", shown="Pdist")
def pdist(input, p=2.0):
    """The p-norm distances between all pairs of different rows. Source: ``torch.pdist``.

    >>> import minidl
    >>> minidl.pdist(minidl.tensor([[0.0, 0.0], [3.0, 4.0]]))
    tensor([5.])
    """
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    n = input.shape[0]
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    return _distance(input[first] - input[second], p) if pairs else input.reshape(-1)[:0]
