"""``Tensor``: an array with its place on the tape. Operations attach themselves; this file knows none."""

import warnings
import weakref

from minidl import backends, dtypes
from minidl.autograd import modes, printing
from minidl.autograd.convert import to_array
from minidl.autograd.interop import Interop
from minidl.autograd.node import AccumulateGrad, add_hook, classed
from minidl.autograd.size import Size
from minidl.autograd.views import fresh_edge, settled_edge
from minidl.backends.memory_order import copied, order_of, put_back
from minidl.layouts import strided

new = object.__new__
TENSORS = set()  # Tensor and its subclasses: one lookup tells whether a value is to be unboxed


class InferenceCell(list):
    """The version cell of an inference tensor: reading a version, as saving for backward does, is the error."""

    def __getitem__(self, index):
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
            "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use "
            "it in autograd, or use `minidl.no_grad()` instead of `minidl.inference_mode()`."
        )


class Tensor(Interop):
    """A strided array of one dtype on one device, and its edge on the gradient tape.

    ``Tensor(data)`` copies ``data`` as the default dtype, ``Tensor(2, 3)`` makes an uninitialised one; prefer
    ``minidl.tensor``. Views share memory. Source: PyTorch's ``torch.Tensor``.

    >>> import minidl
    >>> x = minidl.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __module__ = "minidl"  # where programs know it: <class 'minidl.Tensor'>
    __slots__ = ("__dict__", "__weakref__", "_array", "_cell", "_edge", "_grad", "_view")

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        TENSORS.add(cls)

    def __new__(cls, *data, device="cpu"):
        where = backends.device(device)
        if len(data) == 1 and not isinstance(data[0], int):
            source = data[0]
            if isinstance(source, Size):
                array = backends.on(where).empty(tuple(source), dtypes.get_default())
            else:
                array = to_array(source, dtypes.get_default(), where, copy=True)
        else:
            array = backends.on(where).empty(tuple(data) if data else (0,), dtypes.get_default())
        return make(array, None, cls)

    @staticmethod
    def _from_array(array):
        """A tensor of a raw array, off the tape."""
        return make(array, None)

    # --- what it is -------------------------------------------------------------------------------------------

    @property
    def shape(self):
        """Sizes of the dimensions."""
        return Size(self._array.shape)

    @property
    def dtype(self):
        """The element type."""
        return dtypes.of(self._array.dtype)

    @property
    def device(self):
        """Where the array lives."""
        return backends.device_of(self._array)

    @property
    def ndim(self):
        """Number of dimensions."""
        return self._array.ndim

    @property
    def itemsize(self):
        """Bytes of an element."""
        return self._array.dtype.itemsize

    @property
    def nbytes(self):
        """Bytes of all elements."""
        return self._array.size * self._array.dtype.itemsize

    is_cuda = property(lambda self: self.device.type == "cuda")
    is_cpu = property(lambda self: self.device.type == "cpu")
    is_meta = property(lambda self: self.device.type == "meta")
    is_sparse = is_quantized = is_mkldnn = is_nested = False
    is_mps = is_xpu = is_xla = is_ipu = is_hpu = is_mtia = is_maia = is_vulkan = (
        False  # other makers' devices
    )
    layout = strided

    def dim(self):
        """Number of dimensions."""
        return self._array.ndim

    def numel(self):
        """Number of elements."""
        return self._array.size

    def size(self, dim=None):
        """All sizes, or the size of dimension ``dim``."""
        if dim is None:
            return self.shape
        if not -max(self.ndim, 1) <= dim < max(self.ndim, 1) or self.ndim == 0:
            low, high = -max(self.ndim, 1), max(self.ndim, 1) - 1
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{low}, {high}], but got {dim})"
            )
        return self._array.shape[dim]

    def stride(self, dim=None):
        """Distance in elements between neighbours in each dimension, or in dimension ``dim``."""
        strides = tuple(s // self._array.dtype.itemsize for s in self._array.strides)
        if dim is None:
            return strides
        self.size(dim)  # raises for a dimension out of range
        return strides[dim]

    def element_size(self):
        """Bytes of an element."""
        return self._array.dtype.itemsize

    def is_floating_point(self):
        """Whether the dtype is a floating-point one."""
        return dtypes.is_floating(self._array.dtype)

    def is_complex(self):
        """False: complex tensors are not supported."""
        return False

    def is_inference(self):
        """Whether the tensor was made in inference mode."""
        return self._cell.__class__ is InferenceCell

    def data_ptr(self):
        """Address of the first element."""
        return backends.of(self._array).address(self._array)

    # --- its place on the tape -----------------------------------------------------------------------------------

    @property
    def requires_grad(self):
        """Whether gradients flow to this tensor. Settable on leaves."""
        return self._edge is not None or (self._view is not None and settled_edge(self) is not None)

    @requires_grad.setter
    def requires_grad(self, value):
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad=True):
        """Sets whether gradients are wanted; leaves and floating-point dtypes only. Returns the tensor."""
        if not self.is_leaf and not requires_grad:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in "
                "a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if requires_grad and not self.is_floating_point():
            raise RuntimeError(
                f"only Tensors of floating point dtype can require gradients, but this one is {self.dtype!r}. "
                "Hint: convert it first with .float()."
            )
        if requires_grad and self.is_inference() and not modes.is_inference_mode_enabled():
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
            )
        if bool(requires_grad) != self.requires_grad:
            self._edge = (AccumulateGrad(self), 0) if requires_grad else None
        return self

    @property
    def is_leaf(self):
        """Whether the tensor was made by the user rather than by a recorded op."""
        edge = settled_edge(self)
        return edge is None or edge[0].__class__ is AccumulateGrad

    @property
    def grad_fn(self):
        """The node of the op that made this tensor; None for leaves."""
        return None if self.is_leaf else classed(self._edge[0])

    @property
    def output_nr(self):
        """Which output of its op this tensor is."""
        return 0 if self._edge is None else self._edge[1]

    @property
    def grad(self):
        """The accumulated gradient, None before backward. Warns where backward keeps none: on what is no leaf."""
        if self._grad is None and self._edge is not None and not (self.is_leaf or self.retains_grad):
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                "won't be populated during autograd.backward(). Hint: call .retain_grad() on it before backward, or "
                "ask the leaf Tensor.",
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value):
        if value is None:
            self._grad = None
            return
        if not isinstance(value, Tensor):
            raise TypeError(
                f"assigned grad expected to be a Tensor or None but got grad of type {value.__class__.__name__}"
            )
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        if value._array.shape != self._array.shape:
            raise RuntimeError(
                f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size "
                f"'{list(self.shape)}'. Please ensure that the gradient and the tensor are the same size"
            )
        if value.dtype is not self.dtype or value.device != self.device:
            raise RuntimeError(
                f"attempting to assign a gradient with dtype {value.dtype!r} on {value.device} to a tensor with dtype "
                f"{self.dtype!r} on {self.device}. Hint: convert it with .to(tensor)."
            )
        self._grad = value

    @grad.deleter
    def grad(self):
        self._grad = None

    @property
    def data(self):
        """The same storage without the tape; assigning replaces the storage."""
        return make(self._array, None)

    @data.setter
    def data(self, value):
        if not isinstance(value, Tensor):
            raise TypeError(f"data must be a Tensor, not {value.__class__.__name__}")
        self._array, self._cell, self._view = value._array, [0], None
        if self._edge is not None and self._edge[0].__class__ is AccumulateGrad:
            self._edge[0].shape, self._edge[0].dtype = value._array.shape, value._array.dtype

    @property
    def _version(self):
        if self.is_inference():
            raise RuntimeError("Inference tensors do not track version counter.")
        return list.__getitem__(self._cell, 0)

    @property
    def _base(self):
        return None if self._view is None else self._view[0]

    def _is_view(self):
        return self._view is not None

    def detach(self):
        """A tensor of the same storage that is off the tape. In-place changes of either are seen by both."""
        out = make(self._array, None)
        out._cell = self._cell
        return out

    def detach_(self):
        """Takes this tensor off the tape."""
        if self._view is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._edge = None
        return self

    def retain_grad(self):
        """Makes backward keep ``.grad`` on this tensor though it is no leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self.is_leaf or self.retains_grad:
            return
        mine = weakref.ref(self)

        def keep(grad):
            tensor = mine()
            if tensor is not None and tensor._grad is None:
                tensor._grad = make(backends.of(grad._array).copy(grad._array), grad._edge)
            elif tensor is not None:
                tensor._grad = make(backends.of(grad._array).add(tensor._grad._array, grad._array), None)

        self._retained = add_hook(self._edge[0], ("retained", self._edge[1]), keep)

    @property
    def retains_grad(self):
        """Whether ``retain_grad`` was called."""
        return "_retained" in self.__dict__

    def register_hook(self, hook):
        """Calls ``hook(grad)`` when this tensor's gradient is computed; what it returns, if anything, replaces it."""
        edge = fresh_edge(self)
        if edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return add_hook(edge[0], edge[1], hook)

    def register_post_accumulate_grad_hook(self, hook):
        """Calls ``hook(tensor)`` after the leaf's ``.grad`` was accumulated."""
        edge = fresh_edge(self)
        if edge is None or edge[0].__class__ is not AccumulateGrad:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return add_hook(edge[0], "accumulated", hook)

    # --- Python's protocols --------------------------------------------------------------------------------------

    def __repr__(self, *, tensor_contents=None):
        return printing.represent(self)

    __str__ = __repr__
    __hash__ = object.__hash__

    def __format__(self, spec):
        if self.ndim == 0 and self.__class__ is Tensor:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    def __len__(self):
        if self.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __bool__(self):
        if self._array.size == 1:
            return bool(self.item())
        if self._array.size == 0:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        raise RuntimeError(
            "Boolean value of Tensor with more than one value is ambiguous. Hint: use .any() or .all()."
        )

    def __deepcopy__(self, memo):
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment. Hint: use .detach().clone()."
            )
        if id(self) in memo:
            return memo[id(self)]
        out = make(copied(self._array), None, self.__class__)
        memo[id(self)] = out
        out.__dict__.update({k: v for k, v in self.__dict__.items() if k != "_retained"})
        out._grad = None if self._grad is None else make(copied(self._grad._array), None)
        return out.requires_grad_(self.requires_grad)

    def __reduce_ex__(self, protocol):
        state = {k: v for k, v in self.__dict__.items() if k != "_retained"}
        order = order_of(self._array, None)
        host = backends.to_numpy(self._array if order is None else self._array.transpose(order))
        return _unpickle, (self.__class__, host, str(self.device), self.requires_grad, state, order)


TENSORS.add(Tensor)


def make(array, edge, cls=Tensor):
    """A tensor of an array, on ``edge`` of the tape (None: off it)."""
    out = new(cls)
    out._array = array
    out._edge = edge
    out._cell = InferenceCell((0,)) if modes.special and modes.is_inference_mode_enabled() else [0]
    out._grad = None
    out._view = None
    return out


def leaf(array, requires_grad=False, cls=Tensor):
    """A leaf tensor of an array, its own version cell, with or without gradient."""
    out = make(array, None, cls)
    return out.requires_grad_() if requires_grad else out


def _unpickle(cls, array, where, requires_grad, state, order=None):
    """A pickled tensor; its array was laid with its axes in ``order``, from the slowest to the fastest."""
    array = backends.transfer(backends.owned(array), backends.device(where))
    out = make(array if order is None else put_back(array, order), None, cls)
    out.__dict__.update(state)
    return out.requires_grad_(requires_grad)
