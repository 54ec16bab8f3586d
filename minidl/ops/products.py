"""Products of vectors, matrices and tensors beside matmul: the add* family, tensordot, kron, cross."""

import math

from minidl import dtypes
from minidl.autograd import Tensor, function
from minidl.ops.arithmetic import add, mul
from minidl.ops.bilinear import bilinear as _bilinear
from minidl.ops.common import as_index, wrap_dim
from minidl.ops.joining import require_tensors, roll
from minidl.ops.matmul import bmm, dot, matmul, mm, mv, outer
from minidl.ops.reductions import sum
from minidl.ops.splitting import broadcast_shapes


def _weighed(input, product, beta, alpha):
    """beta * input + alpha * product; what is in ``input`` does not matter for beta = 0."""
    if not product.is_floating_point():
        beta, alpha = int(beta), int(alpha)
    if product.dtype is dtypes.bool_:
        return (input & bool(beta)) | (product & bool(alpha))
    if beta == 0:
        return mul(product, alpha)
    return add(input if beta == 1 else mul(input, beta), product, alpha=alpha)


def _fits(name, input, product):
    """Raises where ``input`` does not broadcast to the product's shape."""
    shape = tuple(product.shape)
    padded = (1,) * (len(shape) - input.ndim) + tuple(input.shape)
    if len(padded) != len(shape) or any(n not in (1, m) for n, m in zip(padded, shape, strict=True)):
        raise RuntimeError(
            f"The expanded size of the tensor ({shape[-1]}) must match the existing size "
            f"({input.shape[-1] if input.ndim else 1}) at non-singleton dimension {len(shape) - 1}.  Target sizes: "
            f"{list(shape)}.  Tensor sizes: {list(input.shape)}"
        )


def _like(name, tensors):
    first = tensors[0]
    for other in tensors[1:]:
        if other.dtype is not first.dtype:
            raise RuntimeError(
                f"{name}: expected all tensors to have the same dtype, but got {first.dtype!r} and {other.dtype!r}. "
                "Hint: convert one with .to()."
            )


def _add_family(name, parameters, product, what, example):
    first, second = parameters

    def compute(input, a, b, beta, alpha):
        _like(name, (a, b))
        out = product(a, b)
        _fits(name, input, out)
        return _weighed(input, out, beta, alpha)

    space = {"compute": compute}
    exec(
        f"def {name}(input, {first}, {second}, *, beta=1, alpha=1):\n"
        f"    return compute(input, {first}, {second}, beta, alpha)\n",
        space,
    )
    forward = space[name]
    forward.__module__ = __name__
    forward.__doc__ = f"""beta * input + alpha * {what}. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}({example}).sum()
    tensor(2.)
    """
    return function(tensors=f"input {first} {second}", shown=name.capitalize())(forward)


addmv = _add_family(
    "addmv", ("mat", "vec"), mv, "(mat @ vec)", "minidl.ones(1), minidl.ones(1, 1), minidl.ones(1)"
)
addr = _add_family(
    "addr", ("vec1", "vec2"), outer, "(vec1 outer vec2)", "minidl.ones(1, 1), minidl.ones(1), minidl.ones(1)"
)
baddbmm = _add_family(
    "baddbmm",
    ("batch1", "batch2"),
    bmm,
    "(batch1 @ batch2)",
    "minidl.ones(1, 1, 1), minidl.ones(1, 1, 1), minidl.ones(1, 1, 1)",
)
addbmm = _add_family(
    "addbmm",
    ("batch1", "batch2"),
    lambda a, b: sum(bmm(a, b), 0).to(a.dtype),
    "sum of (batch1 @ batch2) over the batch",
    "minidl.ones(1, 1), minidl.ones(1, 1, 1), minidl.ones(1, 1, 1)",
)


@function(tensors="input other", shown="Vdot")
def vdot(input, other):
    """The inner product of two vectors. Source: ``torch.vdot``.

    >>> import minidl
    >>> minidl.vdot(minidl.ones(2), minidl.ones(2))
    tensor(2.)
    """
    if input.dtype is not other.dtype:
        first, second = (dtypes.scalar_name(t._array.dtype) for t in (input, other))
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {first} and {second}")
    return dot(input, other)


@function(tensors="input other")
def inner(input, other):
    """The inner products over the last dimensions. Source: ``torch.inner``.

    >>> import minidl
    >>> minidl.inner(minidl.ones(2, 3), minidl.ones(4, 3)).shape
    torch.Size([2, 4])
    """
    if input.ndim == 0 or other.ndim == 0:
        return mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, dims=([-1], [-1]))


@function(method=False, tensors="a b")
def tensordot(a, b, dims=2):
    """Sums of products over the last ``dims`` dimensions of ``a`` and the first of ``b``, or over two lists of
    dimensions. Source: ``torch.tensordot``.

    >>> import minidl
    >>> minidl.tensordot(minidl.ones(2, 3), minidl.ones(3, 4), dims=1).shape
    torch.Size([2, 4])
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = list(range(-dims, 0)), list(range(dims))
    left, right = (
        [as_index(d, "dims") for d in ([side] if isinstance(side, int) else side)] for side in dims
    )
    if len(left) != len(right):
        raise RuntimeError("both dimension lists should have same length")
    left, right = [wrap_dim(d, a.ndim) for d in left], [wrap_dim(d, b.ndim) for d in right]
    for x, y in zip(left, right, strict=True):
        if a.shape[x] != b.shape[y] and 1 not in (a.shape[x], b.shape[y]):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[x]} in dim {x} and second has size "
                f"{b.shape[y]} in dim {y}"
            )
    for x, y in zip(left, right, strict=True):
        if a.shape[x] != b.shape[y]:
            a, b = (sum(a, x, True).to(a.dtype), b) if b.shape[y] == 1 else (a, sum(b, y, True).to(b.dtype))
    free_a = [d for d in range(a.ndim) if d not in left]
    free_b = [d for d in range(b.ndim) if d not in right]
    shape = [a.shape[d] for d in free_a] + [b.shape[d] for d in free_b]
    count = math.prod(a.shape[d] for d in left)
    rows, columns = (math.prod(t.shape[d] for d in free) for t, free in ((a, free_a), (b, free_b)))
    flat_a = a.permute(free_a + left).reshape(rows, count)
    flat_b = b.permute(right + free_b).reshape(count, columns)
    return mm(flat_a, flat_b).reshape(shape)


@function(tensors="input other", shown="UnsafeView")
def kron(input, other):
    """The Kronecker product. Source: ``torch.kron``.

    >>> import minidl
    >>> minidl.kron(minidl.eye(2), minidl.ones(1, 2)).shape
    torch.Size([2, 4])
    """
    ndim = max(input.ndim, other.ndim)
    a = input.reshape((1,) * (ndim - input.ndim) + tuple(input.shape))
    b = other.reshape((1,) * (ndim - other.ndim) + tuple(other.shape))
    wide = mul(
        a.reshape([n for size in a.shape for n in (size, 1)]),
        b.reshape([n for size in b.shape for n in (1, size)]),
    )
    return wide.reshape([m * n for m, n in zip(a.shape, b.shape, strict=True)])


def _cross(name, input, other, dim):
    if input.ndim != other.ndim:
        raise RuntimeError(f"{name}: inputs must have the same number of dimensions.")
    given, dim = dim, wrap_dim(dim, input.ndim)
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(
            f"{name}: inputs dimension {given} must have length 3. Got {input.shape[dim]} and {other.shape[dim]}"
        )
    broadcast_shapes(input.shape, other.shape)
    ahead = [(roll(t, -1, dim), roll(t, -2, dim)) for t in (input, other)]
    return mul(ahead[0][0], ahead[1][1]) - mul(ahead[0][1], ahead[1][0])


@function(tensors="input other", shown="LinalgCross")
def cross(input, other, dim=None):
    """The cross products of vectors along ``dim``, by default the first of size 3. Source: ``torch.cross``.

    >>> import minidl
    >>> minidl.cross(minidl.tensor([1, 0, 0]), minidl.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    if dim is None:
        shape = broadcast_shapes(input.shape, other.shape)
        if 3 not in shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = tuple(shape).index(3)
    return _cross("linalg.cross", input, other, dim)


def _linalg_cross(input, other, *, dim=-1):
    """The cross products of vectors along ``dim``. Source: ``torch.linalg.cross``.

    >>> import minidl
    >>> minidl.linalg.cross(minidl.tensor([1, 0, 0]), minidl.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    return _cross("linalg.cross", input, other, dim)


_linalg_cross.__name__ = _linalg_cross.__qualname__ = "cross"
function(faces=("linalg",), method=False, tensors="input other", shown="LinalgCross")(_linalg_cross)


@function(method=False, shown="View")
def chain_matmul(*matrices):
    """The product of matrices. Source: ``torch.chain_matmul``.

    >>> import minidl
    >>> minidl.chain_matmul(minidl.ones(2, 3), minidl.ones(3, 4)).shape
    torch.Size([2, 4])
    """
    if len(matrices) == 1 and isinstance(matrices[0], (list, tuple)):
        matrices = matrices[0]
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for m in matrices:
        if m.ndim != 2:
            raise RuntimeError(f"Tensor dimension is {m.ndim}, expected 2 instead.")
    return matrices[0] if len(matrices) == 1 else _in_best_order(list(matrices))


def _in_best_order(matrices):
    """The product in the order with the fewest multiplications (Cormen et al., "Introduction to Algorithms", 15.2)."""
    n, sizes = len(matrices), [matrices[0].shape[0], *(m.shape[1] for m in matrices)]
    cost = [[0] * n for _ in range(n)]
    cut = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            options = [
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            ]
            cost[i][j], cut[i][j] = min(options)

    def product(i, j):
        return matrices[i] if i == j else matmul(product(i, cut[i][j]), product(cut[i][j] + 1, j))

    return product(0, n - 1)


@function(faces=("linalg",), method=False, shown="View")
def multi_dot(tensors):
    """The product of matrices, in the order with the fewest multiplications; the first and the last may be vectors.
    Source: ``torch.linalg.multi_dot``.

    >>> import minidl
    >>> minidl.linalg.multi_dot([minidl.ones(2, 3), minidl.ones(3, 4), minidl.ones(4)]).shape
    torch.Size([2])
    """
    require_tensors(tensors, "multi_dot")
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    first, last = tensors[0], tensors[-1]
    for i, t in enumerate(tensors):
        ends = i in (0, len(tensors) - 1)
        if t.ndim != 2 and not (ends and t.ndim == 1):
            raise RuntimeError(
                f"multi_dot(): tensor {i} must be {'1D or ' if ends else ''}2D but got {t.ndim}D"
            )
        if t.dtype is not first.dtype:
            raise RuntimeError(
                f"multi_dot(): all tensors must have the same dtype but tensor 0 is {first.dtype.name} and tensor "
                f"{i} {t.dtype.name}"
            )
    parts = list(tensors)
    parts[0] = first.reshape(1, -1) if first.ndim == 1 else first
    parts[-1] = last.reshape(-1, 1) if last.ndim == 1 else last
    for i in range(len(parts) - 1):
        if parts[i].shape[1] != parts[i + 1].shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(parts[i].shape)} and "
                f"{list(parts[i + 1].shape)} cannot be multiplied"
            )
    out = _in_best_order(parts)
    if first.ndim == 1:
        out = out.squeeze(0)
    return out.squeeze(-1) if last.ndim == 1 else out


def _torch_bilinear(input1, input2, weight, bias=None):
    """``nn.functional.bilinear``. Source: ``torch.bilinear``.

    >>> import minidl
    >>> minidl.bilinear(minidl.ones(2), minidl.ones(3), minidl.ones(1, 2, 3))
    tensor([6.])
    """
    return _bilinear(input1, input2, weight, bias)


_torch_bilinear.__name__ = _torch_bilinear.__qualname__ = "bilinear"
function(method=False, tensors="input1 input2 weight")(_torch_bilinear)
