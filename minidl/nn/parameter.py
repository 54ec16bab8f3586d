"""``Parameter`` and ``Buffer``: tensors that a module owns."""

from minidl.autograd.tensor import Tensor, make

__all__ = ["Buffer", "Parameter"]


def _owned(cls, data):
    """``data``'s storage as a leaf of class ``cls``."""
    if data is None:
        return Tensor.__new__(cls)
    if not isinstance(data, Tensor):
        raise TypeError(
            f"{cls.__name__}(): argument 'data' must be Tensor, not {data.__class__.__name__}. "
            "Hint: minidl.tensor(...) makes one."
        )
    out = make(data._array, None, cls)
    out._cell = data._cell
    return out


class Parameter(Tensor):
    """A tensor that a module trains: assigned to an attribute of a module, it appears in ``module.parameters()``.

    Shares the memory of ``data`` and is a leaf of the tape, whatever ``data`` was. Raises ``TypeError`` where
    ``data`` is no tensor, ``RuntimeError`` where gradients are asked of a dtype that has none (integers,
    bool). Source: PyTorch's ``torch.nn.Parameter``.

    >>> import minidl
    >>> from minidl import nn
    >>> nn.Parameter(minidl.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()

    def __new__(cls, data=None, requires_grad=True):
        return _owned(cls, data).requires_grad_(requires_grad)

    def __repr__(self, *, tensor_contents=None):
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo):
        out = super().__deepcopy__(memo)
        out.grad = None  # as in PyTorch: a copy of a module begins without gradients
        return out

    __str__ = __repr__
    __hash__ = object.__hash__


class Buffer(Tensor):
    """A tensor that is a module's state but is not trained, such as a running mean.

    Assigned to an attribute of a module it is registered as a buffer; ``persistent=False`` keeps it out of
    ``state_dict()``. Shares the memory of ``data``. Source: PyTorch's ``torch.nn.Buffer``.

    >>> import minidl
    >>> from minidl import nn
    >>> module = nn.Identity()
    >>> module.mean = nn.Buffer(minidl.zeros(2))
    >>> list(module.state_dict())
    ['mean']
    """

    __slots__ = ()

    def __new__(cls, data=None, *, persistent=True):
        out = _owned(cls, data)
        out.persistent = persistent
        return out
