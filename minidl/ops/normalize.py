"""Vectors of length one."""

from minidl.autograd import function
from minidl.ops.arithmetic import div
from minidl.ops.matrix_norms import vector_norm


@function(faces=("functional",), method=False, tensors="input")
def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """x / max(||x||_p, eps) along ``dim``, an int or several.

    Any shape; floating point. A vector shorter than ``eps`` is divided by ``eps``. ``out`` takes the result.
    Raises ``IndexError`` for a dimension that is not there. Source: ``torch.nn.functional.normalize``.

    >>> import minidl
    >>> minidl.nn.functional.normalize(minidl.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    length = vector_norm(input, p, dim, True).clamp_min(eps)
    return div(input, length, out=out)
