"""Decompositions of matrices with their gradients: inv, solve, det, cholesky, qr, svd, eigh, LU, exp.

Gradients: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation",
and M. Seeger et al., "Auto-differentiating linear algebra".
"""

import numpy as np

from minidl import dtypes, return_types
from minidl.autograd import op
from minidl.backends import of
from minidl.errors import LinAlgError
from minidl.ops.arithmetic import add, div, mul, neg, sub
from minidl.ops.diagonals import _diagonal_zeros
from minidl.ops.indexing import index_with
from minidl.ops.joining import cat, tril, triu
from minidl.ops.matmul import _product, _swapped
from minidl.ops.shapes import _reshape

Eigh = return_types.define("linalg_eigh", "eigenvalues eigenvectors")
QR = return_types.define("linalg_qr", "Q R")
SVD = return_types.define("linalg_svd", "U S Vh")
Slogdet = return_types.define("linalg_slogdet", "sign logabsdet")
_PRIVATE = {"faces": (), "method": False}


def matrices(name, input, square=False, least="A"):
    """Raises PyTorch's errors for what is no batch of floating-point (square) matrices."""
    if input.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {least} must have at least 2 dimensions.")
    if not dtypes.is_floating(input.dtype):
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {dtypes.scalar_name(input.dtype)}"
        )
    if input.dtype.itemsize == 2:
        raise RuntimeError(
            f"{name}: Low precision dtypes not supported. Got {dtypes.scalar_name(input.dtype)}"
        )
    if square and input.shape[-1] != input.shape[-2]:
        raise RuntimeError(
            f"{name}: {least} must be batches of square matrices, but they are {input.shape[-2]} by {input.shape[-1]} "
            "matrices"
        )


def failed(name, what, input):
    """The error for matrices that have no such decomposition."""
    batch = "(Batch element 0): " if input.ndim > 2 else ""
    return LinAlgError(f"{name}: {batch}{what}")


def _singular(name, input):
    return failed(name, f"The diagonal element {input.shape[-1]} is zero, the inversion could not be completed because "
                  "the input matrix is singular.", input)  # fmt: skip


@op(
    input=lambda g, result: neg(_product(_product(_swapped(result), g), _swapped(result))),
    shown="LinalgInvEx",
    **_PRIVATE,
)
def _inv(input):
    matrices("linalg.inv", input, square=True)
    try:
        return of(input).inv(input)
    except np.linalg.LinAlgError:
        raise _singular("linalg.inv", input) from None


def _solve_A(g, A, result):
    return neg(_product(_solve(_swapped(A), g), _swapped(result)))


@op(A=_solve_A, B=lambda g, A: _solve(_swapped(A), g), shown="LinalgSolveEx", **_PRIVATE)
def _solve(A, B):
    """X with A X = B; both have matrices, whose batches broadcast."""
    matrices("linalg.solve", A, square=True)
    try:
        return of(A).solve_matrix(A, B)
    except np.linalg.LinAlgError:
        text = "The solver failed because the input matrix is singular."
        raise failed("torch.linalg.solve", text, A) from None


def _det_rule(g, input, result):
    """g cofactor(A), which is det(A) A^-T where A is regular."""
    shape = (*tuple(result.shape), 1, 1)
    if has_zero(result):
        return mul(_reshape(g, shape), _cofactor(input))
    return mul(_reshape(mul(g, result), shape), _swapped(_inv(input)))


def has_zero(result):
    """Whether some determinant is zero."""
    return bool(_any_zero(result))


@op(constant="input", **_PRIVATE)
def _any_zero(input):
    space = of(input)
    return space.any(space.eq(input, space.zeros((), input.dtype)), tuple(range(input.ndim)), False)


@op(constant="input", **_PRIVATE)
def _cofactor(input):
    return of(input).cofactor(input)


@op(input=_det_rule, shown="LinalgDet", **_PRIVATE)
def _det(input):
    matrices("linalg.det", input, square=True)
    return of(input).det(input)


def _slogdet_rule(g1, input):
    if g1 is None:  # only the sign was used, which is constant
        return None
    return mul(_reshape(g1, (*tuple(g1.shape), 1, 1)), _swapped(_inv(input)))


@op(input=_slogdet_rule, returns=Slogdet, shown="LinalgSlogdet", **_PRIVATE)
def _slogdet(input):
    matrices("linalg.slogdet", input, square=True)
    return of(input).slogdet(input)


def _halved(x):
    """The lower triangle with half of the diagonal."""
    return sub(tril(x, 0), mul(_on_diagonal(x), 0.5))


def _on_diagonal(x):
    """Zero beside the diagonal."""
    return tril(triu(x, 0), 0)


def _symmetric(x):
    return mul(add(x, _swapped(x)), 0.5)


def _cholesky_rule(g, result):
    """sym(L^-T phi(L^T g) L^-1)"""
    transposed = _swapped(result)
    inner = _halved(_product(transposed, g))
    left = _solve(transposed, inner)
    return _symmetric(_swapped(_solve(transposed, _swapped(left))))


@op(input=_cholesky_rule, shown="LinalgCholeskyEx", **_PRIVATE)
def _cholesky(input):
    matrices("linalg.cholesky", input, square=True)
    try:
        return of(input).cholesky(input)
    except np.linalg.LinAlgError:
        text = (
            "The factorization could not be completed because the input is not positive-definite (the leading minor of "
            f"order {_minor(input)} is not positive-definite)."
        )
        raise failed("linalg.cholesky", text, input) from None


def _minor(input):
    """The order of the first leading minor that is not positive definite."""
    for matrix in input.reshape(-1, *input.shape[-2:]):
        for k in range(1, matrix.shape[0] + 1):
            try:
                of(input).cholesky(matrix[:k, :k])
            except np.linalg.LinAlgError:
                return k
    return 0


def _zeros_like(x):
    return mul(x, 0.0)


def _qr_square(gq, gr, q, r):
    """The gradient where R is square: (gQ + Q copyltu(R gR^T - gQ^T Q)) R^-T."""
    m = sub(_product(r, _swapped(gr)), _product(_swapped(gq), q))
    copied = add(tril(m, 0), _swapped(tril(m, -1)))
    return _swapped(_solve(r, _swapped(add(gq, _product(q, copied)))))


def _columns(x, start, stop):
    return index_with(x, (Ellipsis, slice(start, stop)))


def _qr_rule(g0, g1, input, result0, result1, mode):
    q, r = result0, result1
    rows, columns = r.shape[-2], r.shape[-1]
    if mode == "complete" and q.shape[-1] > columns:
        raise RuntimeError(
            "linalg.qr: the QR decomposition is not differentiable when mode='complete' and nrows > ncols. "
            "Hint: use mode='reduced'."
        )
    gq = _zeros_like(q) if g0 is None else g0
    gr = _zeros_like(r) if g1 is None else g1
    if rows == columns:
        return _qr_square(gq, gr, q, r)
    right, g_right = _columns(input, rows, columns), _columns(gr, rows, columns)
    moved = add(gq, _product(right, _swapped(g_right)))
    left = _qr_square(moved, _columns(gr, 0, rows), q, _columns(r, 0, rows))
    return cat([left, _product(q, g_right)], -1)


@op(input=_qr_rule, returns=QR, shown="LinalgQr", **_PRIVATE)
def _qr(input, mode):
    matrices("linalg.qr", input)
    return of(input).qr(input, mode)


def _outer_differences(s):
    """s_j - s_i, with 1 on the diagonal: [..., i, j]."""
    shape = tuple(s.shape)
    rows, columns = _reshape(s, (*shape, 1)), _reshape(s, (*shape[:-1], 1, shape[-1]))
    differences = sub(columns, rows)
    return add(differences, _identity(differences))


@op(constant="like", **_PRIVATE)
def _identity(like):
    space, n = of(like), like.shape[-1]
    return space.broadcast_to(space.eye(n, n, like.dtype), like.shape)


def _diagonal_matrix(x):
    n = x.shape[-1]
    return _diagonal_zeros(x, (*tuple(x.shape), n), 0, len(x.shape) - 1, len(x.shape))


def _eigh_rule(g0, g1, result0, result1):
    """V (diag(gL) + (V^T gV) / (l_j - l_i)) V^T"""
    values, vectors = result0, result1
    inner = None if g0 is None else _diagonal_matrix(g0)
    if g1 is not None:
        turned = _product(_swapped(vectors), g1)
        turned = div(sub(turned, _on_diagonal(turned)), _outer_differences(values))
        inner = turned if inner is None else add(inner, turned)
    return _symmetric(_product(_product(vectors, inner), _swapped(vectors)))


@op(input=_eigh_rule, returns=Eigh, shown="LinalgEigh", **_PRIVATE)
def _eigh(input, lower):
    matrices("linalg.eigh", input, square=True)
    return of(input).eigh(input, lower)


def _skew(x):
    return sub(x, _swapped(x))


def _svd_rule(g0, g1, g2, result0, result1, result2, full):
    """U (diag(gS) + skew(U^T gU) / E S + S skew(V^T gV) / E) V^T and what is beside the ranges; E = s_j^2 - s_i^2."""
    if full:  # the further columns are any that complete the basis: their gradients say nothing
        count = result1.shape[-1]
        rows = (Ellipsis, slice(0, count), slice(None))
        result0, result2 = _columns(result0, 0, count), index_with(result2, rows)
        g0 = None if g0 is None else _columns(g0, 0, count)
        g2 = None if g2 is None else index_with(g2, rows)
    u, s, vh = result0, result1, result2
    v, shape = _swapped(vh), tuple(s.shape)
    row, column = _reshape(s, (*shape[:-1], 1, shape[-1])), _reshape(s, (*shape, 1))
    gaps = _outer_differences(mul(s, s))
    inner = None if g1 is None else _diagonal_matrix(g1)
    for g, base, left in ((g0, u, False), (None if g2 is None else _swapped(g2), v, True)):
        if g is not None:
            turned = div(_skew(_product(_swapped(base), g)), gaps)
            turned = mul(column, turned) if left else mul(turned, row)
            inner = turned if inner is None else add(inner, turned)
    out = _product(_product(u, inner), vh)
    if g0 is not None and u.shape[-2] > s.shape[-1]:
        scaled = div(g0, row)
        out = add(out, _product(sub(scaled, _product(u, _product(_swapped(u), scaled))), vh))
    if g2 is not None and v.shape[-2] > s.shape[-1]:
        scaled = div(g2, column)
        out = add(out, _product(u, sub(scaled, _product(_product(scaled, v), vh))))
    return out


@op(input=_svd_rule, returns=SVD, shown="LinalgSvd", **_PRIVATE)
def _svd(input, full):
    matrices("linalg.svd", input)
    return of(input).svd(input, full)


def _pinv_rule(g, input, result):
    """-P^T g P^T + (I - A P) g^T P P^T + P^T P g^T (I - P A)"""
    p, pt, gt = result, _swapped(result), _swapped(g)
    out = neg(_product(_product(pt, g), pt))
    right = _product(_product(gt, p), pt)
    out = add(out, sub(right, _product(_product(input, p), right)))
    left = _product(_product(pt, p), gt)
    return add(out, sub(left, _product(_product(left, p), input)))


@op(input=_pinv_rule, shown="LinalgPinv", **_PRIVATE)
def _pinv(input, atol, rtol, hermitian=False):
    """V S^+ U^T, where singular values below max(atol, rtol * largest) count as zero; ``hermitian`` reads the lower
    triangle only, while the gradient, as PyTorch's, is that of the whole matrix.
    """
    matrices("linalg.pinv", input)
    space = of(input)
    if hermitian:
        order = (*range(input.ndim - 2), input.ndim - 1, input.ndim - 2)
        input = space.add(space.tril(input, 0), space.permute(space.tril(input, -1), order))
    u, s, vh = space.svd(input, False)
    largest = space.amax(s, (s.ndim - 1,), True) if s.shape[-1] else s
    zero = space.zeros((), s.dtype)
    limit = space.maximum(space.mul(largest, space.full((), rtol, s.dtype)), space.full((), atol, s.dtype))
    inverse = space.where(
        space.gt(s, limit), space.reciprocal(space.where(space.gt(s, limit), s, limit + 1)), zero
    )
    v = space.permute(vh, (*range(vh.ndim - 2), vh.ndim - 1, vh.ndim - 2))
    ut = space.permute(u, (*range(u.ndim - 2), u.ndim - 1, u.ndim - 2))
    return space.matmul(space.mul(v, space.unsqueeze(inverse, inverse.ndim - 1)), ut)


def _matrix_exp_rule(g, input):
    """The upper right block of exp([[A^T, g], [0, A^T]])."""
    n, transposed = input.shape[-1], _swapped(input)
    top = cat([transposed, g], -1)
    bottom = cat([_zeros_like(g), transposed], -1)
    whole = _matrix_exp(cat([top, bottom], -2))
    return index_with(whole, (Ellipsis, slice(0, n), slice(n, 2 * n)))


@op(input=_matrix_exp_rule, shown="LinalgMatrixExp", **_PRIVATE)
def _matrix_exp(input):
    return of(input).matrix_exp(input)
