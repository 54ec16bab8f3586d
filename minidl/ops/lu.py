"""LU factors with partial pivoting, and what is computed from them."""

from minidl import dtypes, return_types
from minidl.autograd import Saved, function, op
from minidl.backends import of
from minidl.ops.arithmetic import add, mul
from minidl.ops.create import eye
from minidl.ops.indexing import index_with
from minidl.ops.joining import cat, tril, triu
from minidl.ops.linalg import _identity, _product, _solve, _swapped, matrices
from minidl.ops.linear_systems import solve_triangular
from minidl.ops.shapes import expand
from minidl.ops.splitting import broadcast_shapes

_LINALG = {"faces": ("linalg",), "method": False}
LUFactor = return_types.define("linalg_lu_factor", "LU pivots")
LUFactorEx = return_types.define("linalg_lu_factor_ex", "LU pivots info")
LU = return_types.define("linalg_lu", "P L U")
OldLU = return_types.define("lu_unpack", "P L U")


def _block(x, rows, columns):
    return index_with(x, (Ellipsis, rows, columns))


def _square_back(lower, upper, g):
    """L^-T (tril(L^T gL, -1) + triu(gU U^T)) U^-T of the square part, g being that of both factors in one matrix."""
    first = tril(_product(_swapped(lower), tril(g, -1)), -1)
    second = triu(_product(triu(g, 0), _swapped(upper)), 0)
    inner = _solve(_swapped(lower), add(first, second))
    return _swapped(_solve(upper, _swapped(inner)))


def _lu_rule(g0, result0, order):
    """The gradient of A from that of the packed factors: of the square part, corrected by what lies beside it."""
    rows, columns = result0.shape[-2], result0.shape[-1]
    n = rows if rows < columns else columns
    head, rest = slice(0, n), slice(n, None)
    packed = _block(result0, head, head)
    lower, upper = add(tril(packed, -1), _identity(packed)), triu(packed, 0)
    g = _block(g0, head, head)
    if columns > n:  # U2 = L^-1 A2
        beside = _solve(_swapped(lower), _block(g0, head, rest))
        spread = _product(beside, _swapped(_block(result0, head, rest)))
        g = add(g, mul(tril(spread, -1), -1.0))
        out = cat([_square_back(lower, upper, g), beside], -1)
    elif rows > n:  # L2 = A2 U^-1
        below = _swapped(_solve(upper, _swapped(_block(g0, rest, head))))
        spread = _product(_swapped(_block(result0, rest, head)), below)
        g = add(g, mul(triu(spread, 0), -1.0))
        out = cat([_square_back(lower, upper, g), below], -2)
    else:
        out = _square_back(lower, upper, g)
    return _put_back(out, order, True)


@op(input=lambda g, order, back: _put_back(g, order, not back), constant="order", faces=(), method=False)
def _put_back(input, order, back):
    """The rows of ``input`` written to the places ``order`` (``back``), or read from there."""
    space = of(input)
    wide = space.broadcast_to(space.unsqueeze(order, order.ndim), input.shape)
    if not back:
        return space.take_along(input, input.ndim - 2, wide)
    return space.put_along(input, input.ndim - 2, wide, input)


@op(input=_lu_rule, returns=LUFactor, shown="LinalgLuFactorEx", faces=(), method=False)
def _lu(input):
    space = of(input)
    packed, pivots = space.lu_factor(input)
    return (packed, pivots), Saved(order=space.pivots_to_rows(pivots, input.shape[-2]))


@function(tensors="A", **_LINALG)
def lu_factor(A, *, pivot=True):
    """(LU, pivots): L below the diagonal and U on and above it, and the rows exchanged (from 1).
    Source: ``torch.linalg.lu_factor``.

    >>> import minidl
    >>> minidl.linalg.lu_factor(minidl.eye(2)).pivots
    tensor([1, 2], dtype=minidl.int32)
    """
    matrices("torch.lu_factor", A._array)
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    return _lu(A)


@function(tensors="A", **_LINALG)
def lu_factor_ex(A, *, pivot=True, check_errors=False):
    """``lu_factor`` with info, the first zero on U's diagonal (0: there is none). Source:
    ``torch.linalg.lu_factor_ex``.

    >>> import minidl
    >>> minidl.linalg.lu_factor_ex(minidl.eye(2)).info
    tensor(0, dtype=minidl.int32)
    """
    packed, pivots = lu_factor(A, pivot=pivot)
    zero = packed.detach().diagonal(0, -2, -1) == 0
    info = (zero.int().argmax(-1) + 1) * zero.any(-1) if zero.shape[-1] else zero.sum(-1)
    return LUFactorEx(packed, pivots, info.int())


def _unpacked(packed, pivots):
    rows, columns = packed.shape[-2:]
    n = min(rows, columns)
    lower = tril(packed[..., :n], -1) + eye(rows, n, dtype=packed.dtype, device=packed.device)
    upper = triu(packed[..., :n, :])
    space = of(pivots._array)
    order = pivots.new_tensor(0).__class__._from_array(space.pivots_to_rows(pivots._array, rows))
    one = eye(rows, dtype=packed.dtype, device=packed.device)
    return one[order].mT, lower, upper


@function(tensors="A", shown="LinalgLu", **_LINALG)
def lu(A, *, pivot=True):
    """P, L, U with A = P L U: a permutation, unit lower and upper triangular. Source: ``torch.linalg.lu``.

    >>> import minidl
    >>> minidl.linalg.lu(minidl.tensor([[2.0]])).U
    tensor([[2.]])
    """
    matrices("linalg.lu", A._array)
    packed, pivots = lu_factor(A, pivot=pivot)
    return LU(*_unpacked(packed, pivots))


@function(tensors="LU_data LU_pivots", method=False, shown="LuUnpack")
def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True):
    """P, L, U from what ``lu_factor`` gives; empty where not asked for. Source: ``torch.lu_unpack``.

    >>> import minidl
    >>> minidl.lu_unpack(*minidl.linalg.lu_factor(minidl.tensor([[2.0]]))).U
    tensor([[2.]])
    """
    if LU_pivots.dtype is not dtypes.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype. Note: this "
            "function is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    P, L, U = _unpacked(LU_data, LU_pivots)
    nothing = LU_data.new_empty(0)
    return OldLU(P if unpack_pivots else nothing, *((L, U) if unpack_data else (nothing, nothing)))


@function(tensors="LU pivots B", **_LINALG, shown="LinalgLuSolve")
def lu_solve(LU, pivots, B, *, left=True, adjoint=False):
    """X with A X = B (X A = B without ``left``; A^T for ``adjoint``) from what ``lu_factor`` gives for A.
    Source: ``torch.linalg.lu_solve``.

    >>> import minidl
    >>> minidl.linalg.lu_solve(*minidl.linalg.lu_factor(minidl.tensor([[2.0]])), minidl.tensor([[4.0]]))
    tensor([[2.]])
    """
    matrices("linalg.lu_solve", LU._array, square=True)
    batch = tuple(broadcast_shapes(LU.shape[:-2], B.shape[:-2]))
    P, L, U = (expand(m, (*batch, *m.shape[-2:])) for m in _unpacked(LU, pivots))
    B = expand(B, (*batch, *B.shape[-2:]))
    if not left:
        return lu_solve(LU, pivots, B.mT, adjoint=not adjoint).mT
    if adjoint:
        inner = solve_triangular(U.mT, B, upper=False)
        return P @ solve_triangular(L.mT, inner, upper=True, unitriangular=True)
    return solve_triangular(U, solve_triangular(L, P.mT @ B, upper=False, unitriangular=True), upper=True)


def _old_lu_solve(input, LU_data, LU_pivots):
    """``linalg.lu_solve`` with the right side first. Source: ``torch.lu_solve``.

    >>> import minidl
    >>> minidl.lu_solve(minidl.tensor([[4.0]]), *minidl.linalg.lu_factor(minidl.tensor([[2.0]])))
    tensor([[2.]])
    """
    return lu_solve(LU_data, LU_pivots, input)


_old_lu_solve.__name__ = _old_lu_solve.__qualname__ = "lu_solve"
function(tensors="input LU_data LU_pivots")(_old_lu_solve)


def _old_lu(A, pivot=True, get_infos=False):
    """``linalg.lu_factor``, with infos where asked. Source: ``torch.lu``.

    >>> import minidl
    >>> minidl.lu(minidl.eye(2))[1]
    tensor([1, 2], dtype=minidl.int32)
    """
    packed, pivots, info = lu_factor_ex(A, pivot=pivot)
    return (packed, pivots, info) if get_infos else (packed, pivots)


_old_lu.__name__ = _old_lu.__qualname__ = "lu"
function(tensors="A")(_old_lu)
