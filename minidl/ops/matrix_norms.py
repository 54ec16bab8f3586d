"""Norms of vectors and matrices, ranks and condition numbers, and tensors seen as matrices."""

import math

from minidl import dtypes
from minidl.autograd import Tensor, function
from minidl.autograd.node import named
from minidl.errors import LinAlgError
from minidl.ops.arithmetic import add, mul
from minidl.ops.common import wrap_dim, wrap_dims
from minidl.ops.diagonals import diagonal as _diagonal
from minidl.ops.factors import eigvalsh, svdvals
from minidl.ops.joining import cat, flip
from minidl.ops.linear_systems import inv, solve
from minidl.ops.matmul import matmul as _matmul
from minidl.ops.reductions import norm as _plain_norm
from minidl.ops.reductions import sum
from minidl.ops.shapes import movedim
from minidl.ops.splitting import broadcast_shapes

_LINALG = {"faces": ("linalg",), "method": False}


def _floating(name, x, dtype):
    if not x.is_floating_point():
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {_word(x)}")
    if dtype is None:
        return x
    if not dtype.is_floating_point:
        raise RuntimeError(
            f"{name}: dtype should be floating point or complex. Got {dtypes.scalar_name(dtype.numpy)}"
        )
    if dtype.itemsize < x.dtype.itemsize:
        raise RuntimeError(
            f"{name}: the dtype of the input ({_word(x)}) should be convertible without narrowing to the specified "
            f"dtype ({dtypes.scalar_name(dtype.numpy)})"
        )
    return x.to(dtype)


def _word(x):
    return dtypes.scalar_name(x._array.dtype)


@function(tensors="x", **_LINALG)
def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """The ``ord``-norm over ``dim`` (an int, several, None for all elements). Source: ``torch.linalg.vector_norm``.

    >>> import minidl
    >>> minidl.linalg.vector_norm(minidl.tensor([3.0, 4.0]))
    tensor(5.)
    """
    x = _floating("linalg.vector_norm", x, dtype)
    if isinstance(ord, str):
        raise TypeError(
            f"linalg_vector_norm(): argument 'ord' (position 2) must be Number, not {ord.__class__.__name__}"
        )
    dims = wrap_dims(dim, x.ndim)
    if ord < 0 or ord == math.inf:
        for d in dims:
            if x.shape[d] == 0:
                raise RuntimeError(
                    f"linalg.vector_norm cannot compute the {ord} norm on the dimension {d} because this dimension is "
                    "empty and the operation does not have an identity"
                    if dim is not None
                    else f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the operation "
                    "does not have an identity"
                )
    dim = None if dim is None or dim == () else dims or None
    if ord == 0:
        none = mul(sum(x, dim, keepdim), 0.0)  # on the tape, with a gradient of 0
        return named(add(_plain_norm(x, 0, dim, keepdim), none), "LinalgVectorNorm")
    return _plain_norm(x, ord, dim, keepdim)


def _two_dims(name, A, dim):
    if len(dim) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    first, second = (wrap_dim(d, A.ndim) for d in dim)
    if first == second:
        raise RuntimeError(f"{name}: dims must be different. Got ({dim[0]}, {dim[1]})")
    return first, second


@function(tensors="A", **_LINALG)
def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """A norm of matrices: 'fro', 'nuc' (sum of singular values), 2 and -2 (largest and smallest), 1 and -1 (sums of
    columns), inf and -inf (sums of rows). Source: ``torch.linalg.matrix_norm``.

    >>> import minidl
    >>> minidl.linalg.matrix_norm(minidl.eye(2), "nuc")
    tensor(2.)
    """
    name = "linalg.matrix_norm"
    if A.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    A = _floating(name, A, dtype)
    rows, columns = _two_dims(name, A, dim)
    if ord == "fro":
        return _plain_norm(A, 2, (rows, columns), keepdim)
    if ord == "nuc" or (not isinstance(ord, str) and abs(ord) == 2):
        s = svdvals(movedim(A, (rows, columns), (-2, -1)))
        empty = not s.shape[-1]  # a matrix without singular values: its largest counts as 0
        out = sum(s, -1) if ord == "nuc" or (ord > 0 and empty) else s.amax(-1) if ord > 0 else s.amin(-1)
        if not keepdim:
            return out
        return named(
            out.reshape([1 if d in (rows, columns) else n for d, n in enumerate(A.shape)]), "Permute"
        )
    if isinstance(ord, str) or abs(ord) not in (1, math.inf):
        raise RuntimeError(
            f"{name}: Order {ord} not supported."
            if isinstance(ord, str)
            else f"{name}: The order must be one of 1, 2 or inf in absolute value. Got {ord}"
        )
    if abs(ord) == math.inf:
        rows, columns = columns, rows
    sums = sum(A.abs(), rows, True)
    if ord > 0 and not sums.shape[columns]:
        out = sums.sum(columns, True)
    else:
        out = sums.amax(columns, True) if ord > 0 else sums.amin(columns, True)
    return out if keepdim else named(out.squeeze((rows, columns)), "Amax" if ord > 0 else "Amin")


@function(tensors="A", **_LINALG)
def norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """A matrix norm over two dimensions, a vector norm else; the 2-norm of all elements by default.
    Source: ``torch.linalg.norm``.

    >>> import minidl
    >>> minidl.linalg.norm(minidl.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is not None:
        dims = (dim,) if isinstance(dim, int) else tuple(dim)
        if len(dims) not in (1, 2):
            raise RuntimeError(
                f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}"
            )
        if len(dims) == 2 or isinstance(ord, str):
            return matrix_norm(A, ord, dims, keepdim, dtype=dtype)
        return vector_norm(A, ord, dims, keepdim, dtype=dtype)
    if A.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.ndim}D"
        )
    if A.ndim == 1 and not isinstance(ord, str):
        return vector_norm(A, ord, None, keepdim, dtype=dtype)
    if A.ndim == 1:
        raise RuntimeError(f"linalg.norm: Order {ord} is for matrices. Hint: give a number for a vector.")
    return matrix_norm(A, ord, (-2, -1), keepdim, dtype=dtype)


def _old_norm(name, kind):
    def forward(input, dim=(-2, -1), keepdim=False):
        return matrix_norm(input, kind, tuple(dim), keepdim)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""``linalg.matrix_norm`` of order {kind!r}. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.ones(1, 1))
    tensor(1.)
    """
    return function(method=False, tensors="input")(forward)


nuclear_norm, frobenius_norm = _old_norm("nuclear_norm", "nuc"), _old_norm("frobenius_norm", "fro")


def _limit(value):
    """A tolerance as a tensor that broadcasts against singular values."""
    return value.unsqueeze(-1) if isinstance(value, Tensor) else value


def _rank(A, tol, hermitian, atol, rtol):
    size = eigvalsh(A).abs() if hermitian else svdvals(A)
    if size.shape[-1] == 0:
        return sum(size, -1).long()
    if tol is not None:
        return sum(size > _limit(tol), -1)
    if rtol is None:
        given = atol is not None and (isinstance(atol, Tensor) or atol > 0)
        rtol = 0.0 if given else max(A.shape[-2:]) * dtypes.finfo(A.dtype).eps
    absolute = _limit(0.0 if atol is None else atol)
    relative = mul(size.amax(-1, keepdim=True), _limit(rtol))
    limit = relative.maximum(absolute if isinstance(absolute, Tensor) else relative * 0 + absolute)
    return sum(size > limit, -1)


@function(tensors="A", **_LINALG)
def matrix_rank(A, tol=None, hermitian=False, *, atol=None, rtol=None):
    """How many singular values are larger than max(atol, rtol * largest). Source: ``torch.linalg.matrix_rank``.

    >>> import minidl
    >>> minidl.linalg.matrix_rank(minidl.ones(2, 2))
    tensor(1)
    """
    if A.ndim < 2:
        raise RuntimeError("linalg.matrix_rank: The input tensor input must have at least 2 dimensions.")
    return _rank(A.detach(), tol, hermitian, atol, rtol)


@function(tensors="A", **_LINALG)
def cond(A, p=None):
    """The condition number |A| |A^-1| in a matrix norm, by default 2. Source: ``torch.linalg.cond``.

    >>> import minidl
    >>> minidl.linalg.cond(minidl.eye(2))
    tensor(1.)
    """
    if A.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor A must have at least 2 dimensions.")
    if p in (None, 2, -2):
        s = svdvals(A)
        first, last = (s[..., 0], s[..., -1]) if s.shape[-1] else (s.sum(-1), s.sum(-1) + 1)
        return named(last / first if p == -2 else first / last, "SqueezeBackward1")
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"linalg.cond: A must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} matrices"
        )
    try:
        return mul(matrix_norm(A, p), matrix_norm(inv(A), p))
    except LinAlgError:
        return A.new_full(A.shape[:-2], math.inf)


@function(tensors="x y", **_LINALG)
def vecdot(x, y, *, dim=-1):
    """Inner products of vectors along ``dim``. Source: ``torch.linalg.vecdot``.

    >>> import minidl
    >>> minidl.linalg.vecdot(minidl.ones(2, 3), minidl.ones(3))
    tensor([3., 3.])
    """
    broadcast_shapes(x.shape, y.shape)
    product = mul(x, y)
    out = sum(product, dim, dtype=product.dtype)
    return named(out, "Vdot") if x.ndim == y.ndim == 1 else out


@function(tensors="A", **_LINALG)
def diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """A view of the diagonal of matrices. Source: ``torch.linalg.diagonal``.

    >>> import minidl
    >>> minidl.linalg.diagonal(minidl.eye(2))
    tensor([1., 1.])
    """
    return _diagonal(A, offset, dim1, dim2)


def _matrix_product(input, other):
    """The matrix product. Source: ``torch.linalg.matmul``.

    >>> import minidl
    >>> minidl.linalg.matmul(minidl.ones(1, 2), minidl.ones(2, 1))
    tensor([[2.]])
    """
    return _matmul(input, other)


_matrix_product.__name__ = _matrix_product.__qualname__ = "matmul"
function(tensors="input other", **_LINALG)(_matrix_product)


@function(tensors="x", shown="Cat", **_LINALG)
def vander(x, *, N=None):
    """The powers 0 to N - 1 of each element, as rows. Source: ``torch.linalg.vander``.

    >>> import minidl
    >>> minidl.linalg.vander(minidl.tensor([2, 3]))
    tensor([[1, 2],
            [1, 3]])
    """
    if x.ndim == 0 and N is None:
        raise RuntimeError("linalg.vander: Expected dim() > 0. Got 0")
    x = x.reshape(1) if x.ndim == 0 else x
    n = x.shape[-1] if N is None else N
    if n <= 1:
        raise RuntimeError(f"N must be greater than 1. Got {n}.")
    return _powers(x, n)


def _powers(x, n):
    """The powers 0 to n - 1 along a new last dimension; integers as int64."""
    x = x if x.is_floating_point() else x.long()
    ones = x.new_ones((*x.shape, 1))
    return cat([ones, x.unsqueeze(-1).expand(*x.shape, max(n - 1, 0)).cumprod(-1)], -1)[..., :n]


@function(tensors="A", **_LINALG)
def tensorinv(A, ind=2):
    """The tensor B with tensordot(A, B, ind) the identity. Source: ``torch.linalg.tensorinv``.

    >>> import minidl
    >>> minidl.linalg.tensorinv(minidl.eye(4).reshape(2, 2, 4)).shape
    torch.Size([4, 2, 2])
    """
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    left, right = A.shape[:ind], A.shape[ind:]
    rows, columns = math.prod(left), math.prod(right)
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{columns} != {rows}"
        )
    return inv(A.reshape(rows, columns)).reshape(*right, *left)


@function(tensors="A B", **_LINALG)
def tensorsolve(A, B, dims=None):
    """X with tensordot(A, X, X.ndim) = B, after ``dims`` of A were moved to its end.
    Source: ``torch.linalg.tensorsolve``.

    >>> import minidl
    >>> minidl.linalg.tensorsolve(minidl.eye(4).reshape(2, 2, 4), minidl.ones(2, 2)).shape
    torch.Size([4])
    """
    if dims is not None:
        A = movedim(A, tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    right = A.shape[B.ndim :]
    rows, columns = B.numel(), math.prod(right)
    if rows != columns or math.prod(A.shape[: B.ndim]) != rows:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {columns} != {math.prod(A.shape[: B.ndim])}"
        )
    return solve(A.reshape(rows, columns), B.reshape(-1)).reshape(right)


def _old_vander(x, N=None, increasing=False):
    """The powers N - 1 to 0 of each element of a vector, as rows; 0 to N - 1 where ``increasing``.
    Source: ``torch.vander``.

    >>> import minidl
    >>> minidl.vander(minidl.tensor([2, 3]))
    tensor([[2, 1],
            [3, 1]])
    """
    if x.ndim != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, but has {x.ndim} dimensions")
    n = x.shape[0] if N is None else N
    if n < 0:
        raise RuntimeError("N must be non-negative.")
    out = _powers(x, n)
    return out if increasing else flip(out, (1,))


_old_vander.__name__ = _old_vander.__qualname__ = "vander"
function(method=False, tensors="x")(_old_vander)
