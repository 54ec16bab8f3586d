"""Householder reflections as LAPACK packs them, and products of groups of matrices."""

from minidl import return_types
from minidl.autograd import function
from minidl.ops.create import eye
from minidl.ops.joining import cat, stack
from minidl.ops.linear_systems import matrices
from minidl.ops.matmul import matmul
from minidl.ops.memory_formats import clone
from minidl.ops.selection import where

Geqrf = return_types.define("geqrf", "a tau")


def _reflector(column, k):
    """What maps a column's tail onto its first element: the packed column and tau. H = I - tau v v^T, v_0 = 1."""
    tail = column[..., k:]
    first, rest = tail[..., :1], tail[..., 1:]
    length = (rest * rest).sum(-1, True)
    done = length == 0
    size = where(done, 1.0, first * first + length) ** 0.5
    beta = where(first >= 0, -size, size)
    beta = where(done, first, beta)
    tau = where(done, 0.0, (beta - first) / where(beta == 0, 1.0, beta))
    rest = where(done, 0.0, rest / where(done, 1.0, first - beta))
    return cat([column[..., :k], beta, rest], -1), tau


@function(tensors="input")
def geqrf(input):
    """The QR factorisation as LAPACK's geqrf packs it: R in the upper triangle, the reflections below it, and tau.

    Shapes: input (*, M, N), a (*, M, N), tau (*, min(M, N)). Source: ``torch.geqrf``.

    >>> import minidl
    >>> minidl.geqrf(minidl.tensor([[3.0], [4.0]])).a
    tensor([[-5.0000],
            [ 0.5000]])
    """
    matrices("torch.geqrf", input._array, least="input")
    rows, columns = input.shape[-2:]
    if not min(rows, columns):
        return Geqrf(clone(input), input.new_zeros((*input.shape[:-2], 0)))
    left, done, taus = input, [], []
    for k in range(min(rows, columns)):
        packed, tau = _reflector(left[..., 0], k)
        v = cat([input.new_zeros((*input.shape[:-2], k)), tau * 0 + 1, packed[..., k + 1 :]], -1).unsqueeze(
            -1
        )
        left = left[..., 1:]
        left = left - tau.unsqueeze(-1) * matmul(v, matmul(v.mT, left))
        done.append(packed)
        taus.append(tau.squeeze(-1))
    return Geqrf(cat([stack(done, -1), left], -1), stack(taus, -1))


@function(tensors="input input2 input3", shown="Ormqr")
def ormqr(input, input2, input3, left=True, transpose=False):
    """Q times ``input3`` (or ``input3`` times Q, for ``left=False``), where Q is the product of the reflections that
    ``geqrf`` packs in ``input``, with tau in ``input2``; its transpose for ``transpose``.

    Shapes: input (*, M, K), input2 (*, K), input3 (*, M, N) or, for ``left=False``, (*, N, M). Source: ``torch.ormqr``.

    >>> import minidl
    >>> a, tau = minidl.geqrf(minidl.tensor([[3.0], [4.0]]))
    >>> minidl.ormqr(a, tau, minidl.tensor([[3.0], [4.0]]), transpose=True).abs().round()
    tensor([[5.],
            [0.]])
    """
    least = (
        min(input3.shape[-2:][0 if left else -1], input.shape[-1])
        if min(input.ndim, input3.ndim) > 1
        else None
    )
    if least is not None and input2.ndim and input2.shape[-1] > least:
        raise RuntimeError(
            "torch.ormqr: tau.shape[-1] must be equal to min(other.shape[-2], input.shape[-1])"
        )
    matrices("torch.ormqr", input._array, least="input")
    matrices("torch.ormqr", input3._array, least="other")
    rows, count = input.shape[-2], input2.shape[-1]
    if input3.shape[-2 if left else -1] != rows:
        raise RuntimeError(f"torch.ormqr: other.shape[{-2 if left else -1}] must be equal to input.shape[-2]")
    if count > input.shape[-1]:
        raise RuntimeError("torch.ormqr: other.shape[-2] must be greater than or equal to tau.shape[-1]")
    out, one = (input3 if left else input3.mT), eye(rows, dtype=input.dtype, device=input.device)
    forward = transpose if left else not transpose
    for i in range(count) if forward else reversed(range(count)):
        below = (one.cumsum(0)[:, i] - one[:, i]) * input[..., :, i] + one[:, i]
        v = below.unsqueeze(-1)
        out = out - input2[..., i, None, None] * matmul(v, matmul(v.mT, out))
    if not count:
        return input3.clone()
    return out if left else out.mT


def _groups(offs, end):
    stops = [min(int(v), end) for v in offs.tolist()]
    return list(zip([0, *stops], stops, strict=False))


@function(faces=("functional",), method=False, tensors="mat_a mat_b")
def grouped_mm(mat_a, mat_b, *, offs=None, bias=None, out_dtype=None):
    """Products of groups of matrices whose sizes along one dimension differ; ``offs`` holds where each group ends.

    Shapes: (M, K) with groups of rows times (G, K, N) gives (M, N); (G, M, K) times (K, N) with groups of columns
    gives (M, N); (M, K) times (K, N) with groups along K gives (G, M, N); (G, M, K) times (G, K, N), without ``offs``,
    gives (G, M, N). What lies behind the last group is zero. Source: ``torch.nn.functional.grouped_mm``.

    >>> import minidl
    >>> a, b = minidl.ones(3, 2), minidl.ones(2, 2, 1)
    >>> minidl.nn.functional.grouped_mm(a, b, offs=minidl.tensor([1, 3], dtype=minidl.int32)).tolist()
    [[2.0], [2.0], [2.0]]
    """
    if bias is not None:
        raise RuntimeError("Bias not supported yet")
    for name, x in (("mat_a", mat_a), ("mat_b", mat_b)):
        if x.ndim not in (2, 3):
            raise RuntimeError(f"{name} has to be 2 or 3d")
    if (offs is not None) != (mat_a.ndim == 2 or mat_b.ndim == 2):
        raise RuntimeError(
            "Have to provide offsets if there is a 2d matrix, or no offset if both matrices are 3d"
        )
    if mat_a.shape[-1] != mat_b.shape[-2]:
        raise RuntimeError("contraction dimension of mat_a and mat_b must match")
    if offs is None:
        out = matmul(mat_a, mat_b)
    elif mat_a.ndim == 2 and mat_b.ndim == 2:
        parts = _groups(offs, mat_a.shape[1])
        out = stack([matmul(mat_a[:, start:stop], mat_b[start:stop]) for start, stop in parts])
    else:
        rows = mat_a.ndim == 2
        end = mat_a.shape[0] if rows else mat_b.shape[1]
        parts = _groups(offs, end)
        if rows:
            done = [matmul(mat_a[start:stop], mat_b[g]) for g, (start, stop) in enumerate(parts)]
        else:
            done = [matmul(mat_a[g], mat_b[:, start:stop]) for g, (start, stop) in enumerate(parts)]
        left = end - parts[-1][1]
        done.append(mat_a.new_zeros((left, mat_b.shape[-1]) if rows else (mat_a.shape[-2], left)))
        out = cat(done, 0 if rows else 1)
    return out if out_dtype is None else out.to(out_dtype)
