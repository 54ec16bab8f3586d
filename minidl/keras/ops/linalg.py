"""Products, decompositions and solutions of matrices."""

import minidl
from minidl.keras.ops.operation import both, floating, operation, tensor
from minidl.nn import functional as F


def _typed(x1, x2):
    """Two operands in the dtype that both fit in."""
    a, b = both(x1, x2)
    wanted = minidl.promote_types(a.dtype, b.dtype)
    return a.to(wanted), b.to(wanted)


@operation
def matmul(x1, x2):
    """The product of matrices, or of batches of them.

    >>> from minidl.keras import ops
    >>> ops.matmul([[1.0, 2.0]], [[3.0], [4.0]])
    tensor([[11.]])
    """
    return minidl.matmul(*_typed(x1, x2))


@operation
def dot(x1, x2):
    """The sum of products over the last dimension of x1 and the last but one of x2."""
    a, b = _typed(x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return minidl.tensordot(a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))


@operation
def vdot(x1, x2):
    """The sum of the products of all entries."""
    a, b = _typed(x1, x2)
    return minidl.sum(a.reshape(-1) * b.reshape(-1))


@operation
def inner(x1, x2):
    """The sums of products over the last dimensions."""
    return minidl.inner(*_typed(x1, x2))


@operation
def outer(x1, x2):
    """The products of all pairs of entries."""
    a, b = _typed(x1, x2)
    return a.reshape(-1, 1) * b.reshape(1, -1)


@operation
def kron(x1, x2):
    """The Kronecker product."""
    return minidl.kron(*_typed(x1, x2))


@operation
def tensordot(x1, x2, axes=2):
    """The sum of products over the given dimensions of both."""
    if not isinstance(axes, int):
        axes = [[a] if isinstance(a, int) else list(a) for a in axes]
    return minidl.tensordot(*_typed(x1, x2), axes)


@operation
def einsum(subscripts, *operands, **kwargs):
    """Sums of products by Einstein's rule: ``einsum("ij,jk->ik", a, b)``."""
    found = [tensor(x) for x in operands]
    wanted = found[0].dtype
    for x in found[1:]:
        wanted = minidl.promote_types(wanted, x.dtype)
    return minidl.einsum(subscripts, *(x.to(wanted) for x in found))


@operation
def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of the diagonal."""
    return minidl.diagonal(tensor(x), offset, axis1, axis2).sum(-1)


@operation
def cdist(x1, x2, p=2.0):
    """The distances of all rows of x1 from all of x2."""
    return minidl.cdist(floating(x1), floating(x2), p)


def _matrix(name, compute, text):
    def body(x):
        found = compute(floating(x))
        return tuple(found) if isinstance(found, tuple) else found

    body.__name__, body.__doc__ = name, text
    return operation(body)


det = _matrix("det", minidl.linalg.det, "The determinant.")
inv = _matrix("inv", minidl.linalg.inv, "The inverse.")
pinv = _matrix("pinv", minidl.linalg.pinv, "The inverse of Moore and Penrose.")
eigh = _matrix("eigh", minidl.linalg.eigh, "(values, vectors) of a symmetric matrix.")
slogdet = _matrix("slogdet", minidl.linalg.slogdet, "(sign, log |det|).")
logdet = _matrix("logdet", minidl.logdet, "log(det).")
matrix_rank = _matrix("matrix_rank", minidl.linalg.matrix_rank, "The rank.")


@operation
def cholesky(x, upper=False):
    """The triangle L with L L^T = x, or its transpose."""
    return minidl.linalg.cholesky(floating(x), upper=upper)


@operation
def qr(x, mode="reduced"):
    """(Q, R) with Q R = x, Q of orthonormal columns."""
    return tuple(minidl.linalg.qr(floating(x), mode))


@operation
def svd(x, full_matrices=True, compute_uv=True):
    """(U, S, V^T) of the singular values, or S alone."""
    x = floating(x)
    return tuple(minidl.linalg.svd(x, full_matrices)) if compute_uv else minidl.linalg.svdvals(x)


@operation
def solve(a, b):
    """The x with a x = b."""
    a, b = floating(a), floating(b)
    return minidl.linalg.solve(a, b)


@operation
def solve_triangular(a, b, lower=False):
    """The x with a x = b, for a triangle a."""
    a, b = floating(a), floating(b)
    vector = b.ndim == a.ndim - 1
    found = minidl.linalg.solve_triangular(a, b.unsqueeze(-1) if vector else b, upper=not lower)
    return found.squeeze(-1) if vector else found


@operation
def lstsq(a, b, rcond=None):
    """The x that makes |a x - b| smallest."""
    a, b = floating(a), floating(b)
    vector = b.ndim == a.ndim - 1
    found = minidl.linalg.lstsq(a, b.unsqueeze(-1) if vector else b, rcond)[0]
    return found.squeeze(-1) if vector else found


@operation
def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of vectors along one axis or of matrices in two; of everything by its squares by default."""
    return minidl.linalg.norm(floating(x), ord, axis, keepdims)


@operation
def lu_factor(x):
    """The factors L and U in one matrix, and the rows that were exchanged, counted from 0."""
    found, rows = minidl.linalg.lu_factor(floating(x))
    return found, (rows - 1).int()


@operation
def cholesky_inverse(x, upper=False):
    """The inverse of the matrix whose Cholesky factor is x."""
    return minidl.cholesky_inverse(floating(x), upper)


@operation
def corrcoef(x):
    """The correlations between the rows of x.

    >>> from minidl.keras import ops
    >>> ops.corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    return minidl.corrcoef(floating(x))


@operation
def correlate(x1, x2, mode="valid"):
    """The sliding products of two vectors: where they overlap wholly ('valid'), as long as the longer, or 'full'."""
    a, b = (v if v.is_floating_point() else floating(v) for v in _typed(x1, x2))
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(
            f"Expected 1-dimensional inputs. Received: x1.shape={tuple(a.shape)}, x2.shape={tuple(b.shape)}"
        )
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"Invalid mode: '{mode}'. Mode must be one of: 'full', 'same', 'valid'.")
    back = a.shape[0] < b.shape[0]
    long, short = (b, a) if back else (a, b)
    n, m = long.shape[0], short.shape[0]
    around = F.pad(long, (m - 1, m - 1)).unfold(0, m, 1)
    found = around @ short
    found = found.flip(0) if back else found
    if mode == "same":
        found = found.narrow(0, (m - 1 + back * (1 - m % 2)) // 2, n)
    return found.narrow(0, m - 1, n - m + 1) if mode == "valid" else found
