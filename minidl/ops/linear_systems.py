"""Inverses, determinants, factors and solutions, as ``torch.linalg`` has them and as ``torch`` had them before."""

from minidl import dtypes, return_types
from minidl.autograd import function
from minidl.errors import LinAlgError
from minidl.ops.common import as_index
from minidl.ops.create import eye
from minidl.ops.joining import tril, triu
from minidl.ops.linalg import (
    _det,
    _inv,
    _matrix_exp,
    _pinv,
    _slogdet,
    _solve,
    _svd,
    matrices,
)
from minidl.ops.matmul import matmul
from minidl.ops.memory_formats import clone
from minidl.ops.selection import where
from minidl.ops.shapes import expand, squeeze, unsqueeze
from minidl.ops.splitting import broadcast_shapes

_LINALG = {"faces": ("linalg",), "method": False}
InvEx = return_types.define("linalg_inv_ex", "inverse info")
SolveEx = return_types.define("linalg_solve_ex", "result info")
Lstsq = return_types.define("linalg_lstsq", "solution residuals rank singular_values")


def _as_linalg(name):
    """Shows a function under its own name in the face ``linalg``, where its parameter is called A."""

    def decorate(fn):
        fn.__name__ = fn.__qualname__ = name
        fn.__doc__ = f"""``minidl.{name}``. Source: ``torch.linalg.{name}``."""
        return function(tensors="A", **_LINALG)(fn)

    return decorate


def _info(input):
    """The status of a decomposition that went well, one a matrix."""
    return input.new_zeros(input.shape[:-2], dtype=dtypes.int32)


@function(tensors="A", **_LINALG)
def inv(A):
    """The inverses of square matrices (..., N, N). Raises ``LinAlgError`` for a singular one.
    Source: ``torch.linalg.inv``.

    >>> import minidl
    >>> minidl.linalg.inv(minidl.tensor([[2.0]]))
    tensor([[0.5000]])
    """
    return _inv(A)


@function(tensors="input")
def inverse(input):
    """The inverses of square matrices. Source: ``torch.inverse``.

    >>> import minidl
    >>> minidl.inverse(minidl.tensor([[2.0]]))
    tensor([[0.5000]])
    """
    return _inv(input)


def checked_info(name, compute, input, make, check_errors):
    """The result with status 0, or what is no result with status 1 where errors are not to be raised."""
    try:
        return make(compute(), _info(input))
    except LinAlgError:
        if check_errors:
            raise
        return make(input * float("nan"), _info(input) + 1)


@function(tensors="A", **_LINALG)
def inv_ex(A, *, check_errors=False):
    """(inverse, info): info is not 0 where a matrix is singular. Source: ``torch.linalg.inv_ex``.

    >>> import minidl
    >>> minidl.linalg.inv_ex(minidl.eye(2)).info
    tensor(0, dtype=minidl.int32)
    """
    return checked_info("inv_ex", lambda: _inv(A), A, InvEx, check_errors)


@function(tensors="A B", shown="LinalgSolveEx", **_LINALG)
def solve(A, B, *, left=True):
    """X with A X = B, or X A = B without ``left``. B has matrices (..., N, K), or vectors where it has A's batch
    without the last dimension. Raises ``LinAlgError`` for a singular A. Source: ``torch.linalg.solve``.

    >>> import minidl
    >>> minidl.linalg.solve(minidl.tensor([[2.0]]), minidl.tensor([4.0]))
    tensor([2.])
    """
    matrices("linalg.solve", A._array, square=True)
    if A.dtype is not B.dtype:
        raise RuntimeError(
            f"linalg.solve: Expected A and B to have the same dtype, but found A of type "
            f"{dtypes.scalar_name(A._array.dtype)} and B of type {dtypes.scalar_name(B._array.dtype)} instead"
        )
    vector = B.ndim == 1 or (A.ndim - 1 == B.ndim and A.shape[:-1] == B.shape)
    if vector:
        if not left:
            raise RuntimeError(
                "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False."
            )
        B = unsqueeze(B, -1)
    size = B.shape[-2] if left else B.shape[-1]
    if size != A.shape[-1]:
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({A.shape[-2]}x{A.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})"
        )
    batch = tuple(broadcast_shapes(A.shape[:-2], B.shape[:-2]))
    A, B = expand(A, (*batch, *A.shape[-2:])), expand(B, (*batch, *B.shape[-2:]))
    out = _solve(A, B) if left else _solve(A.mT, B.mT).mT
    return squeeze(out, -1) if vector else out


@function(tensors="A B", **_LINALG)
def solve_ex(A, B, *, left=True, check_errors=False):
    """(result, info): info is not 0 where A is singular. Source: ``torch.linalg.solve_ex``.

    >>> import minidl
    >>> minidl.linalg.solve_ex(minidl.eye(2), minidl.ones(2)).result
    tensor([1., 1.])
    """
    try:
        return SolveEx(solve(A, B, left=left), _info(A))
    except LinAlgError:
        if check_errors:
            raise
        return SolveEx(B * float("nan"), _info(A) + 1)


@function(tensors="A B", shown="LinalgSolveTriangular", **_LINALG)
def solve_triangular(A, B, *, upper, left=True, unitriangular=False):
    """X with A X = B for triangular A, of which the other triangle is not read. Source:
    ``torch.linalg.solve_triangular``.

    >>> import minidl
    >>> minidl.linalg.solve_triangular(minidl.tensor([[2.0]]), minidl.tensor([[4.0]]), upper=True)
    tensor([[2.]])
    """
    matrices("linalg.solve_triangular", A._array, square=True)
    if B.ndim < 2:
        raise RuntimeError("linalg.solve_triangular: The input tensor B must have at least 2 dimensions.")
    if A.dtype is not B.dtype:
        raise RuntimeError(
            f"linalg.solve_triangular: Expected A and B to have the same dtype, but found A of type "
            f"{dtypes.scalar_name(A._array.dtype)} and B of type {dtypes.scalar_name(B._array.dtype)} instead"
        )
    size = B.shape[-2] if left else B.shape[-1]
    if size != A.shape[-1]:
        raise RuntimeError(
            f"linalg.solve_triangular: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({A.shape[-2]}x{A.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})"
        )
    kept = triu(A, int(unitriangular)) if upper else tril(A, -int(unitriangular))
    if unitriangular:
        kept = kept + eye(A.shape[-1], dtype=A.dtype, device=A.device)
    batch = tuple(broadcast_shapes(A.shape[:-2], B.shape[:-2]))
    kept, B = expand(kept, (*batch, *A.shape[-2:])), expand(B, (*batch, *B.shape[-2:]))
    return _solve(kept, B) if left else _solve(kept.mT, B.mT).mT


Triangular = return_types.define("triangular_solve", "solution cloned_coefficient")


@function(tensors="input A", shown="TriangularSolve")
def triangular_solve(input, A, upper=True, transpose=False, unitriangular=False):
    """(X, A) with A X = input for triangular A. Source: ``torch.triangular_solve``.

    >>> import minidl
    >>> minidl.triangular_solve(minidl.ones(1, 1), minidl.eye(1)).solution
    tensor([[1.]])
    """
    kept = triu(A, int(unitriangular)) if upper else tril(A, -int(unitriangular))
    if unitriangular:
        kept = kept + eye(A.shape[-1], dtype=A.dtype, device=A.device)
    batch = tuple(broadcast_shapes(A.shape[:-2], input.shape[:-2]))
    kept, B = expand(kept, (*batch, *A.shape[-2:])), expand(input, (*batch, *input.shape[-2:]))
    return Triangular(_solve(kept.mT if transpose else kept, B), clone(expand(A, (*batch, *A.shape[-2:]))))


@function(tensors="input")
def det(input):
    """The determinants of square matrices. Source: ``torch.linalg.det``.

    >>> import minidl
    >>> minidl.det(minidl.eye(2))
    tensor(1.)
    """
    return _det(input)


@_as_linalg("det")
def _linalg_det(A):
    return _det(A)


@function(tensors="input")
def slogdet(input):
    """(sign, logabsdet) of the determinants. Source: ``torch.linalg.slogdet``.

    >>> import minidl
    >>> minidl.slogdet(minidl.eye(2)).sign
    tensor(1.)
    """
    return _slogdet(input)


@_as_linalg("slogdet")
def _linalg_slogdet(A):
    return _slogdet(A)


@function(tensors="input")
def logdet(input):
    """log of the determinants: NaN where they are negative, -inf where they are 0. Source: ``torch.logdet``.

    >>> import minidl
    >>> minidl.logdet(minidl.eye(2))
    tensor(0.)
    """
    matrices("logdet", input._array, square=True)
    sign, size = _slogdet(input)
    return where(sign < 0, float("nan"), where(sign == 0, -float("inf"), size))


def _tolerances(A, atol, rtol):
    """Below what a singular value counts as zero, as numbers."""
    eps = dtypes.finfo(A.dtype).eps
    atol = 0.0 if atol is None else float(atol)
    if rtol is None:
        rtol = max(A.shape[-2:]) * eps if atol == 0 else 0.0
    return atol, float(rtol)


@function(tensors="A", **_LINALG)
def pinv(A, rcond=None, hermitian=False, *, atol=None, rtol=None):
    """The pseudo-inverses (Moore, Penrose); singular values below max(atol, rtol * largest) count as zero.
    Source: ``torch.linalg.pinv``.

    >>> import minidl
    >>> minidl.linalg.pinv(minidl.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    matrices("linalg.pinv", A._array, square=bool(hermitian))
    atol, rtol = _tolerances(A, atol, rcond if rtol is None else rtol)
    return _pinv(A, atol, rtol, bool(hermitian))


@function(tensors="input")
def pinverse(input, rcond=1e-15):
    """The pseudo-inverses. Source: ``torch.pinverse``.

    >>> import minidl
    >>> minidl.pinverse(minidl.tensor([[2.0]]))
    tensor([[0.5000]])
    """
    return pinv(input, rtol=rcond)


@function(tensors="input", faces=("torch", "linalg"))
def matrix_exp(input):
    """The exponentials of square matrices. Source: ``torch.matrix_exp``.

    >>> import minidl
    >>> minidl.matrix_exp(minidl.zeros(1, 1))
    tensor([[1.]])
    """
    if input.is_floating_point() and input.dtype.itemsize == 2:
        return matrix_exp(input.float()).to(input.dtype)
    matrices("linalg.matrix_exp", input._array, square=True)
    wide = (
        input.double() if input.dtype is dtypes.float32 else input
    )  # the squarings double the error of each step
    return _matrix_exp(wide).to(input.dtype)


@function(tensors="input", faces=("torch", "linalg"))
def matrix_power(input, n):
    """The ``n``-th powers of square matrices, of their inverses for n < 0. Source: ``torch.linalg.matrix_power``.

    >>> import minidl
    >>> minidl.matrix_power(minidl.tensor([[2.0]]), 3)
    tensor([[8.]])
    """
    n = as_index(n, "n")
    if input.ndim < 2:
        raise RuntimeError("linalg.matrix_power: The input tensor A must have at least 2 dimensions.")
    if input.shape[-1] != input.shape[-2]:
        raise RuntimeError(
            f"linalg.matrix_power: A must be batches of square matrices, but they are {input.shape[-2]} by "
            f"{input.shape[-1]} matrices"
        )
    if n == 0:
        one = expand(eye(input.shape[-1], dtype=input.dtype, device=input.device), tuple(input.shape))
        return where(one == one, one, input) if input.is_floating_point() else clone(one)
    base, out, n = (_inv(input) if n < 0 else input), None, abs(n)
    while n:
        if n % 2:
            out = base if out is None else matmul(out, base)
        n //= 2
        base = matmul(base, base) if n else base
    return clone(out) if out is input else out


@function(tensors="A B", shown="LinalgLstsq", **_LINALG)
def lstsq(A, B, rcond=None, *, driver=None):
    """(solution, residuals, rank, singular_values) of the least squares problem min |A X - B|.
    Source: ``torch.linalg.lstsq``.

    >>> import minidl
    >>> minidl.linalg.lstsq(minidl.tensor([[2.0], [0.0]]), minidl.tensor([[4.0], [0.0]])).solution
    tensor([[2.]])
    """
    matrices("linalg.lstsq", A._array)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            f"torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), provided {driver}"
        )
    if B.ndim == 0:
        raise RuntimeError(
            "torch.linalg.lstsq: input.dim() must be greater or equal to 2 and other.dim() to 1"
        )
    vector = A.ndim - 1 == B.ndim and A.shape[:-1] == B.shape
    wide = unsqueeze(B, -1) if vector else B
    if wide.ndim < 2 or wide.shape[-2] != A.shape[-2]:
        raise RuntimeError(
            "torch.linalg.lstsq: input.size(-2) should match other.size(-2)"
            if B.ndim > 1
            else "torch.linalg.lstsq: input.size(-2) should match other.size(-1)"
        )
    rtol = max(A.shape[-2:]) * dtypes.finfo(A.dtype).eps if rcond is None else rcond
    solution = matmul(_pinv(A, 0.0, float(rtol)), wide)
    s = _svd(A.detach(), False).S
    rank = (s > rtol * s.amax(-1, keepdim=True)).sum(-1) if s.shape[-1] else s.sum(-1).long()
    full = A.shape[-2] > A.shape[-1] and bool((rank == A.shape[-1]).all())
    residuals = solution.reshape(-1)[:0]
    if full and driver not in (None, "gelsy"):
        residuals = ((matmul(A, solution) - wide) ** 2).sum(-2)
    values = s if driver in ("gelsd", "gelss") else A.new_empty(0)
    rank = A.new_empty(0, dtype=dtypes.int64) if driver == "gels" else rank
    return Lstsq(squeeze(solution, -1) if vector else solution, residuals, rank, values)
