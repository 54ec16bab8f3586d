"""Products, decompositions and solutions of matrices."""

import minidl
from minidl.keras.ops.operation import both, floating, operation, tensor


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
