"""Symmetric, possibly indefinite systems by A = L D L^T."""

from minidl import dtypes, return_types
from minidl.autograd import function, op
from minidl.backends import of
from minidl.ops.linalg import matrices
from minidl.ops.shapes import expand
from minidl.ops.splitting import broadcast_shapes

_LINALG = {"faces": ("linalg",), "method": False}
_PRIVATE = {"faces": (), "method": False}
LDLFactor = return_types.define("linalg_ldl_factor", "LD pivots")
LDLFactorEx = return_types.define("linalg_ldl_factor_ex", "LD pivots info")


def _no_gradient(g0, input_shape):
    raise NotImplementedError(
        "the derivative for 'linalg_ldl_factor_ex' is not implemented. Hint: linalg.solve has one, as has linalg.eigh."
    )


@op(input=_no_gradient, returns=LDLFactorEx, **_PRIVATE)
def _ldl_factor(input):
    return of(input).ldl_factor(input)


@op(B=lambda g, factors, pivots: _ldl_solve(factors, pivots, g), constant="factors pivots", **_PRIVATE)
def _ldl_solve(factors, pivots, B):
    return of(B).ldl_solve(factors, pivots, B)


@function(tensors="A", **_LINALG)
def ldl_factor(A, *, hermitian=False):
    """(LD, pivots) of symmetric matrices (..., N, N), of which the lower triangles are read: L and D in one matrix and
    the rows exchanged, as LAPACK's ``sytrf`` stores them. Its gradient raises ``NotImplementedError``.
    Raises ``RuntimeError`` for what is no square matrix or has a zero pivot. Source: ``torch.linalg.ldl_factor``.

    >>> import minidl
    >>> minidl.linalg.ldl_factor(minidl.tensor([[2.0, 2.0], [2.0, 5.0]])).LD
    tensor([[2., 0.],
            [1., 3.]])
    """
    return LDLFactor(*ldl_factor_ex(A, hermitian=hermitian, check_errors=True)[:2])


@function(tensors="A", **_LINALG)
def ldl_factor_ex(A, *, hermitian=False, check_errors=False):
    """``ldl_factor`` with info, the first zero pivot (0: there is none), which ``check_errors`` makes an error.
    Source: ``torch.linalg.ldl_factor_ex``.

    >>> import minidl
    >>> minidl.linalg.ldl_factor_ex(minidl.zeros(2, 2)).info
    tensor(1, dtype=minidl.int32)
    """
    matrices("torch.linalg.ldl_factor_ex", A._array, square=True)
    found = _ldl_factor(A)
    if check_errors and bool((found.info != 0).any()):
        raise RuntimeError(
            f"torch.linalg.ldl_factor: Unknown error code: {int(found.info.max())}. Hint: that pivot is zero, "
            "the matrix is singular."
        )
    return found


@function(tensors="LD pivots B", **_LINALG)
def ldl_solve(LD, pivots, B, *, hermitian=False):
    """X with A X = B, both (..., N, K), from what ``ldl_factor`` gives for A. Only B has a gradient.
    Raises ``RuntimeError`` for shapes and dtypes that do not fit. Source: ``torch.linalg.ldl_solve``.

    >>> import minidl
    >>> factors = minidl.linalg.ldl_factor(minidl.tensor([[0.0, 1.0], [1.0, 0.0]]))
    >>> minidl.linalg.ldl_solve(*factors, minidl.tensor([[1.0], [2.0]]))
    tensor([[2.],
            [1.]])
    """
    name = "torch.linalg.ldl_solve"
    matrices(name, LD._array, square=True)
    if B.ndim < 2:
        raise RuntimeError(
            f"{name}: Expected B to have at least 2 dimensions, but it has {B.ndim} dimensions instead"
        )
    if tuple(pivots.shape) != tuple(LD.shape[:-1]):
        raise RuntimeError(
            f"{name}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.shape)} instead"
        )
    if pivots.is_floating_point() or pivots.dtype is dtypes.bool_:
        raise RuntimeError(
            f"{name}: Expected pivots to be integers. Got {dtypes.scalar_name(pivots._array.dtype)}"
        )
    if LD.dtype is not B.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {dtypes.scalar_name(B._array.dtype)} and A "
            f"of type {dtypes.scalar_name(LD._array.dtype)} instead."
        )
    if LD.shape[-1] != B.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for {name}: each A matrix is {LD.shape[-1]} by {LD.shape[-1]} but each b "
            f"matrix is {B.shape[-2]} by {B.shape[-1]}"
        )
    batch = tuple(broadcast_shapes(LD.shape[:-2], B.shape[:-2]))
    factors, rows = expand(LD, (*batch, *LD.shape[-2:])), expand(pivots, (*batch, LD.shape[-1]))
    return _ldl_solve(factors.detach(), rows, expand(B, (*batch, *B.shape[-2:])))
