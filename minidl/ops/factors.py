"""Factors of matrices: Cholesky, QR, singular values, eigenvalues of symmetric matrices, LU."""

from minidl import return_types
from minidl.autograd import function
from minidl.ops.create import empty, eye
from minidl.ops.joining import tril, triu
from minidl.ops.linalg import _cholesky, _eigh, _qr, _solve, _svd, matrices
from minidl.ops.linear_systems import checked_info
from minidl.ops.shapes import expand
from minidl.ops.splitting import broadcast_shapes

_LINALG = {"faces": ("linalg",), "method": False}
CholeskyEx = return_types.define("linalg_cholesky_ex", "L info")
OldSVD = return_types.define("svd", "U S V")
OldQR = return_types.define("qr", "Q R")


def _symmetric_lower(A, upper):
    return A.mT if upper else A


@function(tensors="A", shown="LinalgCholeskyEx", **_LINALG)
def cholesky(A, *, upper=False):
    """L with A = L L^T of symmetric positive definite matrices, or U = L^T. Raises ``LinAlgError`` where there is none.
    Source: ``torch.linalg.cholesky``.

    >>> import minidl
    >>> minidl.linalg.cholesky(minidl.tensor([[4.0]]))
    tensor([[2.]])
    """
    out = _cholesky(_symmetric_lower(A, upper))
    return out.mT if upper else out


@function(tensors="A", **_LINALG)
def cholesky_ex(A, *, upper=False, check_errors=False):
    """(L, info): info is not 0 where a matrix is not positive definite. Source: ``torch.linalg.cholesky_ex``.

    >>> import minidl
    >>> minidl.linalg.cholesky_ex(minidl.eye(1)).L
    tensor([[1.]])
    """
    return checked_info("cholesky_ex", lambda: cholesky(A, upper=upper), A, CholeskyEx, check_errors)


def _old_cholesky(input, upper=False):
    """``linalg.cholesky``. Source: ``torch.cholesky``.

    >>> import minidl
    >>> minidl.cholesky(minidl.tensor([[4.0]]))
    tensor([[2.]])
    """
    return cholesky(input, upper=upper)


_old_cholesky.__name__ = _old_cholesky.__qualname__ = "cholesky"
function(tensors="input", shown="Cholesky")(_old_cholesky)


def _through(L, triangle):
    """One triangle of L, with the gradient of all of it, as PyTorch's formulas give it."""
    return L - (L - triangle(L)).detach()


@function(tensors="input input2", shown="CholeskySolve")
def cholesky_solve(input, input2, upper=False):
    """X with A X = input, where A = L L^T and L is ``input2`` (or A = L^T L for ``upper``).
    Source: ``torch.cholesky_solve``.

    >>> import minidl
    >>> minidl.cholesky_solve(minidl.tensor([[4.0]]), minidl.tensor([[2.0]]))
    tensor([[1.]])
    """
    L = input2
    if input.ndim < 2 or L.ndim < 2:
        name, ndim = ("b", input.ndim) if input.ndim < 2 else ("u", L.ndim)
        raise RuntimeError(f"{name} should have at least 2 dimensions, but has {ndim} dimensions instead")
    lower = _through(L, triu).mT if upper else _through(L, tril)
    batch = tuple(broadcast_shapes(input.shape[:-2], L.shape[:-2]))
    lower, B = expand(lower, (*batch, *L.shape[-2:])), expand(input, (*batch, *input.shape[-2:]))
    return _solve(lower.mT, _solve(lower, B))


@function(tensors="input", shown="CholeskyInverse")
def cholesky_inverse(input, upper=False):
    """The inverse of A = L L^T (or L^T L for ``upper``). Source: ``torch.cholesky_inverse``.

    >>> import minidl
    >>> minidl.cholesky_inverse(minidl.tensor([[2.0]]))
    tensor([[0.2500]])
    """
    matrices("cholesky_inverse", input._array, square=True)
    return cholesky_solve(eye(input.shape[-1], dtype=input.dtype, device=input.device), input, upper)


@function(tensors="A", **_LINALG)
def qr(A, mode="reduced"):
    """Q with orthonormal columns and R upper triangular, A = Q R; ``mode`` is reduced, complete or r (R alone).
    Source: ``torch.linalg.qr``.

    >>> import minidl
    >>> minidl.linalg.qr(minidl.eye(2)).R.abs()
    tensor([[1., 0.],
            [0., 1.]])
    """
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    if mode == "r":
        if A.requires_grad:
            raise RuntimeError(
                "linalg_qr_backward: The derivative of linalg.qr depends on Q, which is not computed when mode='r'. "
                "Please use linalg.qr(A, mode='reduced') if you are going to require gradients."
            )
        found = _qr(A, "reduced")
        return type(found)(empty(0, dtype=A.dtype, device=A.device), found.R)
    return _qr(A, mode)


def _old_qr(input, some=True):
    """``linalg.qr``, complete without ``some``. Source: ``torch.qr``.

    >>> import minidl
    >>> minidl.qr(minidl.eye(2)).R.abs().sum()
    tensor(2.)
    """
    return OldQR(*_qr(input, "reduced" if some else "complete"))


_old_qr.__name__ = _old_qr.__qualname__ = "qr"
function(tensors="input")(_old_qr)


@function(tensors="A", **_LINALG)
def svd(A, full_matrices=True, *, driver=None):
    """U, S, Vh with A = U diag(S) Vh; S not negative, in descending order. Source: ``torch.linalg.svd``.

    >>> import minidl
    >>> minidl.linalg.svd(minidl.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    return _svd(A, bool(full_matrices))


@function(tensors="A", **_LINALG)
def svdvals(A, *, driver=None):
    """The singular values in descending order. Source: ``torch.linalg.svdvals``.

    >>> import minidl
    >>> minidl.linalg.svdvals(minidl.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    return _svd(A, False).S


def _old_svd(input, some=True, compute_uv=True):
    """U, S, V with input = U diag(S) V^T; complete without ``some``. Source: ``torch.svd``.

    >>> import minidl
    >>> minidl.svd(minidl.eye(2)).S
    tensor([1., 1.])
    """
    if not compute_uv:
        shape, space = input.shape, input.new_zeros
        sizes = [(*shape[:-2], n, n) for n in shape[-2:]]
        return OldSVD(space(sizes[0]), _svd(input, False).S, space(sizes[1]))
    U, S, Vh = _svd(input, not some)
    return OldSVD(U, S, Vh.mT)


_old_svd.__name__ = _old_svd.__qualname__ = "svd"
function(tensors="input")(_old_svd)


@function(tensors="A", **_LINALG)
def eigh(A, UPLO="L"):
    """Eigenvalues in ascending order and eigenvectors (columns) of symmetric matrices, of which one triangle is read.
    Source: ``torch.linalg.eigh``.

    >>> import minidl
    >>> minidl.linalg.eigh(minidl.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return _eigh(A, UPLO.upper() == "L")


@function(tensors="A", **_LINALG)
def eigvalsh(A, UPLO="L"):
    """The eigenvalues of symmetric matrices in ascending order. Source: ``torch.linalg.eigvalsh``.

    >>> import minidl
    >>> minidl.linalg.eigvalsh(minidl.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    return eigh(A, UPLO).eigenvalues
