"""The standard's extension ``linalg``, without what needs complex numbers.

>>> from minidl import array_api as xp
>>> xp.linalg.slogdet(xp.asarray([[2.0, 0.0], [0.0, 3.0]])).sign
tensor(1.)
"""

from typing import NamedTuple

import minidl
from minidl.array_api.linear_algebra import matmul, matrix_transpose, tensordot, vecdot  # noqa: F401
from minidl.array_api.operands import all_axes, as_array, joined, together, with_ones
from minidl.array_api.statistical import sum as _sum

__all__ = [
    *(
        "cholesky",
        "cross",
        "det",
        "diagonal",
        "eigh",
        "eigvalsh",
        "inv",
        "matmul",
        "matrix_norm",
        "matrix_power",
    ),
    *(
        "matrix_rank",
        "matrix_transpose",
        "outer",
        "pinv",
        "qr",
        "slogdet",
        "solve",
        "svd",
        "svdvals",
        "tensordot",
    ),
    *("trace", "vecdot", "vector_norm"),
]


class Eigh(NamedTuple):
    """What ``eigh`` gives."""

    eigenvalues: minidl.Tensor
    eigenvectors: minidl.Tensor


class QR(NamedTuple):
    """What ``qr`` gives."""

    Q: minidl.Tensor
    R: minidl.Tensor


class Slogdet(NamedTuple):
    """What ``slogdet`` gives."""

    sign: minidl.Tensor
    logabsdet: minidl.Tensor


class SVD(NamedTuple):
    """What ``svd`` gives."""

    U: minidl.Tensor
    S: minidl.Tensor
    Vh: minidl.Tensor


def cholesky(x, /, *, upper=False):
    """The triangular factor of symmetric positive-definite matrices."""
    return minidl.linalg.cholesky(as_array(x), upper=upper)


def cross(x1, x2, /, *, axis=-1):
    """Cross product of the vectors of size 3 along an axis."""
    x1, x2 = minidl.broadcast_tensors(*together(x1, x2))
    return minidl.linalg.cross(x1, x2, dim=axis)


def det(x, /):
    """Determinants."""
    return minidl.linalg.det(as_array(x))


def diagonal(x, /, *, offset=0):
    """The diagonals of the matrices in the last two axes."""
    return minidl.diagonal(as_array(x), offset, -2, -1)


def eigh(x, /):
    """Eigenvalues, ascending, and eigenvectors of symmetric matrices."""
    return Eigh(*minidl.linalg.eigh(as_array(x)))


def eigvalsh(x, /):
    """Eigenvalues of symmetric matrices, ascending."""
    return minidl.linalg.eigvalsh(as_array(x))


def inv(x, /):
    """Inverses."""
    return minidl.linalg.inv(as_array(x))


def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    """Norms of the matrices in the last two axes."""
    return minidl.linalg.matrix_norm(as_array(x), ord, (-2, -1), keepdims)


def matrix_power(x, n, /):
    """The matrices to an integer power, which may be negative."""
    return minidl.linalg.matrix_power(as_array(x), n)


def matrix_rank(x, /, *, rtol=None):
    """How many singular values exceed ``rtol`` (default: max(M, N) eps) times the largest."""
    values = svdvals(x)
    if rtol is None:
        rtol = max(x.shape[-2:]) * minidl.finfo(x.dtype).eps
    elif isinstance(rtol, minidl.Tensor):
        rtol = rtol.unsqueeze(-1)
    if values.shape[-1] == 0:
        return minidl.zeros(values.shape[:-1], dtype=minidl.int64, device=x.device)
    return minidl.sum(values > values.amax((-1,), True) * rtol, -1)


def outer(x1, x2, /):
    """Products of every element of one vector with every one of another."""
    return minidl.outer(*together(x1, x2))


def pinv(x, /, *, rtol=None):
    """Pseudo-inverses; singular values up to ``rtol`` (default: max(M, N) eps) times the largest count as 0."""
    if rtol is None:
        rtol = max(as_array(x).shape[-2:]) * minidl.finfo(x.dtype).eps
    elif isinstance(rtol, minidl.Tensor):
        rtol = rtol.unsqueeze(-1)
    u, values, vh = minidl.linalg.svd(x, False)
    if 0 in x.shape[-2:]:
        return minidl.zeros_like(x).mT
    kept = values > values.amax((-1,), True) * rtol
    inverse = minidl.where(kept, 1 / minidl.where(kept, values, 1.0), 0.0)
    return vh.mT @ (inverse.unsqueeze(-1) * u.mT)


def qr(x, /, *, mode="reduced"):
    """Orthogonal and upper triangular factors, ``'reduced'`` or ``'complete'``."""
    return QR(*minidl.linalg.qr(as_array(x), mode))


def slogdet(x, /):
    """Sign and logarithm of the absolute value of the determinants."""
    return Slogdet(*minidl.linalg.slogdet(as_array(x)))


def solve(x1, x2, /):
    """The solution of x1 x = x2, which is a vector where it has one dimension, else a stack of matrices."""
    x1, x2 = together(x1, x2)
    if x2.ndim == 1:
        return minidl.linalg.solve(x1, x2.unsqueeze(-1)).squeeze(-1)
    batch = minidl.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    return minidl.linalg.solve(x1.expand(*batch, *x1.shape[-2:]), x2.expand(*batch, *x2.shape[-2:]))


def svd(x, /, *, full_matrices=True):
    """Singular value decomposition: U, the singular values, and V transposed."""
    return SVD(*minidl.linalg.svd(as_array(x), full_matrices))


def svdvals(x, /):
    """Singular values, descending."""
    return minidl.linalg.svdvals(as_array(x))


def trace(x, /, *, offset=0, dtype=None):
    """Sums of the diagonals of the matrices in the last two axes."""
    return _sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """Norms of the vectors in the axes that are named, or in all of them."""
    axes = all_axes(axis, as_array(x).ndim)
    if not axes:
        return minidl.abs(x) if ord else (x != 0).to(x.dtype)
    out = minidl.linalg.vector_norm(joined(x, axes), ord, -1)
    return with_ones(out, axes, x.ndim) if keepdims else out
