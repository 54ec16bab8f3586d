"""Approximations of low rank, and products of Householder reflections.

N. Halko, P. Martinsson, J. Tropp, "Finding structure with randomness", algorithms 4.4 and 5.1.
"""

from minidl.autograd import function
from minidl.ops.create import eye
from minidl.ops.factors import qr, svd
from minidl.ops.linear_systems import matrices
from minidl.ops.matmul import matmul
from minidl.ops.random import randn
from minidl.ops.reductions import mean
from minidl.ops.selection import where
from minidl.ops.shapes import unsqueeze

_LINALG = {"faces": ("linalg",), "method": False}


def _basis(A, q, niter):
    """An orthonormal basis of about the range of A, from random combinations of its columns."""
    sample = randn(A.shape[-1], q, dtype=A.dtype, device=A.device)
    Q = qr(matmul(A, sample)).Q
    for _ in range(niter):
        Q = qr(matmul(A, qr(matmul(A.mT, Q)).Q)).Q
    return Q


@function(method=False, tensors="A")
def svd_lowrank(A, q=6, niter=2, M=None):
    """U, S, V of about the ``q`` largest singular values of A (of A - M). Source: ``torch.svd_lowrank``.

    >>> import minidl
    >>> minidl.svd_lowrank(minidl.ones(4, 3), q=1)[1]
    tensor([3.4641])
    """
    q = 6 if q is None else q
    A = A if M is None else A - M
    if A.shape[-2] < A.shape[-1]:
        U, S, V = svd_lowrank(A.mT, q, niter)
        return V, S, U
    Q = _basis(A, q, niter)
    U, S, Vh = svd(matmul(Q.mT, A), full_matrices=False)
    return matmul(Q, U), S, Vh.mT


@function(method=False, tensors="A")
def pca_lowrank(A, q=None, center=True, niter=2):
    """U, S, V of the ``q`` (by default 6) principal components of the rows of A. Source: ``torch.pca_lowrank``.

    >>> import minidl
    >>> minidl.pca_lowrank(minidl.ones(4, 3), q=1)[1]
    tensor([0.])
    """
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - mean(A, -2, True) if center else A, q, niter)


def _reflected(A, tau):
    """The first columns of H_1 H_2 ..., where H_i = I - tau_i v_i v_i^T and v_i lies below the diagonal of A."""
    matrices("torch.linalg.householder_product", A._array, least="input")
    rows, columns = A.shape[-2:]
    if rows < columns:
        raise RuntimeError(
            "torch.linalg.householder_product: input.shape[-2] must be greater than or equal to input.shape[-1]"
        )
    if columns < tau.shape[-1]:
        raise RuntimeError(
            "torch.linalg.householder_product: input.shape[-1] must be greater than or equal to tau.shape[-1]"
        )
    one = eye(rows, dtype=A.dtype, device=A.device)
    out = where(A == A, one[:, :columns], one[:, :columns] + (A + tau.sum()) * 0).expand(*A.shape)
    for i in reversed(range(tau.shape[-1])):
        below = (one.cumsum(0)[:, i] - one[:, i]) * A[..., :, i]
        v = unsqueeze(below + one[:, i], -1)
        out = out - unsqueeze(unsqueeze(tau[..., i], -1), -1) * matmul(v, matmul(v.mT, out))
    return out


@function(tensors="A tau", **_LINALG, shown="LinalgHouseholderProduct")
def householder_product(A, tau):
    """The first columns of the product of Householder reflections, as ``geqrf`` of LAPACK packs them.
    Source: ``torch.linalg.householder_product``.

    >>> import minidl
    >>> minidl.linalg.householder_product(minidl.zeros(2, 1), minidl.zeros(1))
    tensor([[1.],
            [0.]])
    """
    return _reflected(A, tau)


@function(tensors="input input2")
def orgqr(input, input2):
    """``linalg.householder_product``, of ``input2`` as tau. Source: ``torch.orgqr``.

    >>> import minidl
    >>> minidl.orgqr(minidl.zeros(2, 1), minidl.zeros(1)).shape
    torch.Size([2, 1])
    """
    return _reflected(input, input2)
