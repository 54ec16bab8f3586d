"""Activations with a learned slope or a gate: ``prelu`` and ``glu``."""

from minidl.autograd import function, op
from minidl.backends import of
from minidl.ops.arithmetic import mul
from minidl.ops.common import wrap_dim
from minidl.ops.comparison import gt
from minidl.ops.joining import narrow
from minidl.ops.pointwise import sigmoid
from minidl.ops.selection import where
from minidl.ops.shapes import reshape
from minidl.ops.windows import is_tensor


@op(
    input=lambda g, input, weight: where(gt(input, 0), g, mul(g, weight)),
    weight=lambda g, input: where(gt(input, 0), 0.0, mul(g, input)),
    shown="PreluKernel", faces=(), method=False,
)  # fmt: skip
def _prelu(input, weight):
    return of(input).prelu(input, weight)


@function(faces=("torch", "functional"), tensors="input weight", shown="PreluKernel")
def prelu(input, weight):
    """x where x > 0, weight * x elsewhere; one weight for all channels or one a channel (dimension 1).

    Shapes: input (N, C, ...), weight (C,), (1,) or (). Raises ``RuntimeError`` for another number of weights
    or another dtype. Source: K. He et al., "Delving deep into rectifiers", ICCV 2015;
    ``torch.nn.functional.prelu``.

    >>> import minidl
    >>> minidl.nn.functional.prelu(minidl.tensor([-1.0, 2.0]), minidl.tensor([0.25]))
    tensor([-0.2500,  2.0000])
    """
    if input.dtype is not weight.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {input.dtype!r} and {weight.dtype!r}")
    if weight.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}"
        )
    count = weight.numel()
    if count != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if input.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        if channels != count:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{count} and channel size = {channels}."
            )
    spread = (1, count) + (1,) * (input.ndim - 2) if count != 1 else (1,) * input.ndim
    return _prelu(input, reshape(weight, spread))


@function(faces=("functional",), method=False, shown="Glu")
def glu(input, dim=-1):
    """a * sigmoid(b), where a and b are the halves of ``input`` along ``dim``: (..., 2 n, ...) becomes (..., n, ...).

    Raises ``RuntimeError`` where the size along ``dim`` is odd, or for a 0-d input.
    Source: Y. Dauphin et al., "Language modeling with gated convolutional networks", ICML 2017;
    ``torch.nn.functional.glu``.

    >>> import minidl
    >>> minidl.nn.functional.glu(minidl.tensor([2.0, 0.0]))
    tensor([1.])
    """
    is_tensor(input, "glu", "input", 1)
    if input.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    axis = wrap_dim(dim, input.ndim)
    size = input.shape[axis]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {axis} is size {size}")
    return mul(narrow(input, axis, 0, size // 2), sigmoid(narrow(input, axis, size // 2, size // 2)))
