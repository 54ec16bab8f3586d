"""``Parameter`` and ``Buffer``: tensors that a module owns; and those that have no shape yet."""

from minidl.autograd.tensor import Tensor, make
from minidl.ops.create import empty

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter"]


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


_HELD = (
    Tensor._array
)  # where a tensor keeps its array; an uninitialized one keeps an empty array of its dtype there


class UninitializedTensorMixin:
    """What a parameter and a buffer without a shape share: dtype and device are known, everything else is an error.

    ``materialize`` gives the shape, and with it the class ``cls_to_become``. Source: PyTorch's
    ``torch.nn.parameter.UninitializedTensorMixin``.
    """

    __slots__ = ()
    cls_to_become = None

    def materialize(self, shape, device=None, dtype=None):
        """Gives the tensor its shape and memory, uninitialised, and makes it an ordinary one."""
        dtype = self.data.dtype if dtype is None else dtype
        device = self.data.device if device is None else device
        self.data = empty(shape, device=device, dtype=dtype)
        self.__class__ = self.cls_to_become

    @property
    def _array(self):
        raise ValueError(
            "Attempted to use an uninitialized parameter in an operation. This error happens when you are using a "
            "`LazyModule` or explicitly manipulating `minidl.nn.parameter.UninitializedParameter` objects. When using "
            "LazyModules Call `forward` with a dummy batch to initialize the parameters before calling minidl functions"
        )

    @_array.setter
    def _array(self, value):
        _HELD.__set__(self, value)

    @property
    def shape(self):
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    @property
    def data(self):
        """The empty tensor in the place of values: it has the dtype and the device."""
        return make(_HELD.__get__(self), None)

    @data.setter
    def data(self, value):
        Tensor.data.__set__(self, value.data if is_lazy(value) else value)

    dtype = property(lambda self: self.data.dtype)
    device = property(lambda self: self.data.device)

    def is_floating_point(self):
        """Whether the dtype is a floating-point one."""
        return self.data.is_floating_point()

    def to(self, *args, **kwargs):
        """One of another dtype, on another device, or both."""
        return self._like(self.data.to(*args, **kwargs))

    def cpu(self):
        """One on the host."""
        return self.to("cpu")

    def float(self):
        """One of float32."""
        return self._like(self.data.float())

    def double(self):
        """One of float64."""
        return self._like(self.data.double())

    def half(self):
        """One of float16."""
        return self._like(self.data.half())

    def _like(self, data):
        out = _uninitialized(self.__class__, self.requires_grad, data)
        out.__dict__.update(self.__dict__)
        return out

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = self._like(self.data.clone())
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        return _uninitialized, (self.__class__, self.requires_grad, self.data)

    def __repr__(self, *, tensor_contents=None):
        return f"<{self.__class__.__name__}>"

    __str__ = __repr__
    __hash__ = object.__hash__


def _uninitialized(cls, requires_grad, data):
    out = make(data._array, None, cls.cls_to_become).requires_grad_(requires_grad)
    out.__class__ = cls
    return out


def is_lazy(tensor):
    """Whether a value is a parameter or a buffer that has no shape yet. Source: ``torch.nn.parameter.is_lazy``."""
    return isinstance(tensor, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet; ``materialize(shape)`` makes it a ``Parameter``.

    Has a dtype, a device and ``requires_grad``, and can be moved, copied and saved; any operation raises
    ``ValueError``, and its shape ``RuntimeError``. Source: PyTorch's ``torch.nn.parameter.UninitializedParameter``.

    >>> from minidl import nn
    >>> weight = nn.UninitializedParameter()
    >>> weight
    <UninitializedParameter>
    >>> weight.materialize((2, 3))
    >>> type(weight).__name__, weight.shape
    ('Parameter', torch.Size([2, 3]))
    """

    __slots__ = ()
    cls_to_become = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        return _uninitialized(cls, requires_grad, empty(0, device=device, dtype=dtype))


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is not known yet; ``materialize(shape)`` makes it a ``Tensor``.

    Raises as ``UninitializedParameter``. Source: PyTorch's ``torch.nn.parameter.UninitializedBuffer``.

    >>> from minidl import nn
    >>> nn.UninitializedBuffer()
    <UninitializedBuffer>
    """

    __slots__ = ()
    cls_to_become = Tensor

    def __new__(cls, requires_grad=False, device=None, dtype=None, persistent=True):
        out = _uninitialized(cls, requires_grad, empty(0, device=device, dtype=dtype))
        out.persistent = persistent
        return out
