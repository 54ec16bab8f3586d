"""``Variable``: what tensors were called before PyTorch 0.4. Programs of that time run."""

import warnings

from minidl.autograd.tensor import Tensor


class _IsTensor(type):
    def __instancecheck__(cls, value):
        return isinstance(value, Tensor)


class Variable(metaclass=_IsTensor):
    """``Variable(data)`` is a tensor of the same storage, with or without gradient. ``volatile`` only warns.

    Source: ``torch.autograd.Variable``.

    >>> import minidl
    >>> x = minidl.autograd.Variable(minidl.ones(2), requires_grad=True)
    >>> x
    tensor([1., 1.], requires_grad=True)
    >>> isinstance(x, minidl.autograd.Variable)
    True
    """

    def __new__(cls, data, requires_grad=False, volatile=False):
        if volatile:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
                stacklevel=2,
            )
        if not isinstance(data, Tensor):
            raise TypeError(
                f"Variable data has to be a tensor, but got {type(data).__name__}. Hint: minidl.tensor(...) makes one."
            )
        return data.detach().requires_grad_(requires_grad)
