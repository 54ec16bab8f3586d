"""The bilinear form of two inputs."""

from minidl.autograd import function
from minidl.ops.arithmetic import add
from minidl.ops.matmul import matmul
from minidl.ops.shapes import reshape
from minidl.ops.windows import is_tensor


@function(faces=("functional",), method=False)
def bilinear(input1, input2, weight, bias=None):
    """y[..., o] = sum over i, j of input1[..., i] * weight[o, i, j] * input2[..., j], plus bias[o].

    Shapes: input1 (..., I), input2 (..., J) with equal leading dimensions, weight (O, I, J), bias (O,),
    result (..., O). Raises ``RuntimeError`` where they do not fit. Source: ``torch.nn.functional.bilinear``.

    >>> import minidl
    >>> minidl.nn.functional.bilinear(minidl.ones(5, 2), minidl.ones(5, 3), minidl.ones(4, 2, 3)).shape
    torch.Size([5, 4])
    """
    is_tensor(input1, "bilinear", "input1", 1)
    is_tensor(input2, "bilinear", "input2", 2)
    is_tensor(weight, "bilinear", "weight", 3)
    if weight.ndim != 3:
        raise RuntimeError(
            f"bilinear(): weight must have 3 dimensions (out, in1, in2), got shape {list(weight.shape)}"
        )
    out, first, second = weight.shape
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(
            f"bilinear(): input batch dimensions do not match: got {list(input1.shape)} and "
            f"{list(input2.shape)}"
        )
    for name, given, wanted in (("input1", input1, first), ("input2", input2, second)):
        if given.shape[-1] != wanted:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {given.shape[-1]} but expected "
                f"{wanted}"
            )
    if bias is not None and tuple(bias.shape) != (out,):
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {list(bias.shape)} but expected [{out}]"
        )
    lead = tuple(input1.shape[:-1])
    rows = reshape(input1, (-1, 1, 1, first)) if 0 not in lead else reshape(input1, (0, 1, 1, first))
    columns = reshape(input2, (rows.shape[0], 1, second, 1))
    result = reshape(matmul(matmul(rows, weight), columns), (*lead, out))
    return result if bias is None else add(result, bias)
