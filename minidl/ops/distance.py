"""Similarity of vectors."""

import numpy as np

from minidl import dtypes
from minidl.autograd import function
from minidl.autograd.node import named
from minidl.ops.arithmetic import div, mul
from minidl.ops.common import broadcast_error, result_dtype, wrap_dim
from minidl.ops.reductions import norm, sum
from minidl.ops.selection import clamp
from minidl.ops.shapes import broadcast_to
from minidl.ops.windows import is_tensor


@function(faces=("torch", "functional"), method=False)
def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """The cosine of the angle between vectors: x1 · x2 / (max(|x1|, eps) max(|x2|, eps)), along ``dim``.

    Shapes: x1 and x2 broadcast to (*, D, *) with D at ``dim``, result (*, *). Floating point, in the promoted dtype.
    Vectors shorter than ``eps``, as zeros are, give a similarity nearer to 0. Raises ``RuntimeError`` where the shapes
    do not broadcast or both are integers, ``IndexError`` for a ``dim`` out of range.
    Source: ``torch.nn.functional.cosine_similarity``.

    >>> import minidl
    >>> minidl.cosine_similarity(minidl.tensor([[3.0, 4.0]]), minidl.tensor([[4.0, 3.0]]))
    tensor([0.9600])
    """
    is_tensor(x1, "cosine_similarity", "x1", 1)
    is_tensor(x2, "cosine_similarity", "x2", 2)
    dtype = dtypes.of(result_dtype(x1._array, x2._array))
    if not dtype.is_floating_point:
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {dtype.name}. "
            "Hint: convert one input with .float()."
        )
    error = broadcast_error(x1, x2)
    if error is not None:
        raise error
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    dim = wrap_dim(dim, len(shape))
    directions = []
    for x in (x1, x2):
        x = broadcast_to(x.to(dtype), shape)
        directions.append(div(x, clamp(norm(x, 2, dim, True), min=eps)))
    return sum(mul(*directions), dim)


@function(faces=("torch", "functional"), method=False, tensors="x1 x2")
def pairwise_distance(x1, x2, p=2.0, eps=1e-06, keepdim=False):
    """The p-norm of x1 - x2 + eps, over the last dimension. Shapes: x1 and x2 broadcast to (*, D), result (*) or, with
    ``keepdim``, (*, 1). Source: ``torch.nn.functional.pairwise_distance``.

    >>> import minidl
    >>> minidl.pairwise_distance(minidl.tensor([[3.0, 4.0]]), minidl.zeros(1, 2), eps=0.0)
    tensor([5.])
    """
    return named(norm(x1 - x2 + eps, p, -1, keepdim), "NormBackward1")
