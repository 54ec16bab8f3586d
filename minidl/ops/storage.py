"""The memory behind tensors: who shares it, how large it is, and memory that forked processes share."""

import math
import mmap

import numpy as np

from minidl import backends, dtypes
from minidl.autograd import Tensor, registry
from minidl.autograd.inplace import bump
from minidl.backends import of


class UntypedStorage:
    """The memory that a tensor views, in bytes; of one memory all storages are equal.

    Made by ``Tensor.untyped_storage()``. Source: ``torch.UntypedStorage``.
    """

    _dtype, _item = dtypes.uint8, 1

    def __init__(self, tensor):
        self._memory = of(tensor._array).owner(tensor._array)

    @property
    def device(self):
        """Where the memory lies."""
        return backends.device_of(self._memory)

    is_cuda = property(lambda self: self.device.type == "cuda")

    def nbytes(self):
        """Bytes of the memory."""
        return self._memory.size * self._memory.dtype.itemsize

    def size(self):
        """Number of elements."""
        return self.nbytes() // self._item

    __len__ = size

    def element_size(self):
        """Bytes of an element."""
        return self._item

    def data_ptr(self):
        """Address of the first byte."""
        return of(self._memory).address(self._memory)

    def _values(self):
        flat = backends.to_numpy(self._memory).reshape(-1, order="A")
        return flat.view(np.uint8).view(self._dtype.numpy)

    def tolist(self):
        """The elements."""
        return self._values().tolist()

    def __getitem__(self, index):
        return self._values()[index].tolist()

    def __setitem__(self, index, value):
        """Writes elements; every tensor on this memory sees them, and no gradient is told."""
        if self.device.type != "cpu":
            raise NotImplementedError(
                f"a storage on {self.device} is not written. Hint: write to a tensor on it."
            )
        if isinstance(index, int) and not -self.size() <= index < self.size():
            raise IndexError(f"index {index} is out of bounds for dimension 0 with size {self.size()}")
        self._values()[index] = value

    def fill_(self, value):
        """Sets every element to ``value``. Returns the storage."""
        self[:] = value
        return self

    def __eq__(self, other):
        if not isinstance(other, UntypedStorage):
            return NotImplemented
        return (self.data_ptr(), self.nbytes()) == (other.data_ptr(), other.nbytes())

    def __hash__(self):
        return hash((self.data_ptr(), self.nbytes()))

    def __repr__(self):
        return f"<minidl.{type(self).__name__} of {self.size()} {self._dtype.name} on {self.device}>"


class TypedStorage(UntypedStorage):
    """The memory that a tensor views, in elements of the tensor's dtype. Made by ``Tensor.storage()``.

    Source: ``torch.TypedStorage``.
    """

    def __init__(self, tensor):
        super().__init__(tensor)
        self._dtype, self._item = tensor.dtype, tensor.dtype.itemsize

    @property
    def dtype(self):
        """The type of the elements."""
        return self._dtype


def untyped_storage(self):
    """The memory that the tensor views. Source: ``torch.Tensor.untyped_storage``.

    >>> import minidl
    >>> x = minidl.zeros(2, 3)
    >>> x[1].untyped_storage().nbytes(), x[1].untyped_storage() == x.untyped_storage()
    (24, True)
    """
    return UntypedStorage(self)


def storage(self):
    """The memory that the tensor views, in its dtype. Source: ``torch.Tensor.storage``.

    >>> import minidl
    >>> minidl.arange(4)[2:].storage().tolist()
    [0, 1, 2, 3]
    """
    return TypedStorage(self)


def share_memory_(self):
    """Moves the tensor's elements to memory that processes forked from now on share. Returns the tensor.

    Views that were made before keep the old memory. Nothing is moved where the memory is shared already, or is a GPU's.
    Processes that are spawned instead get a copy. Source: ``torch.Tensor.share_memory_``.

    >>> import minidl
    >>> minidl.zeros(2).share_memory_().is_shared()
    True
    """
    if is_shared(self):
        return self
    array = self._array
    memory = mmap.mmap(-1, max(array.nbytes, 1))
    shared = np.frombuffer(memory, array.dtype, math.prod(array.shape)).reshape(array.shape)
    shared[...] = array
    self._array = shared
    bump(self)
    return self


def is_shared(self):
    """Whether the memory is one that forked processes share; a GPU's always is. Source: ``torch.Tensor.is_shared``."""
    base = self._array
    if not isinstance(base, np.ndarray):
        return True
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(getattr(base, "obj", base), mmap.mmap)


for _method in (untyped_storage, storage, share_memory_, is_shared):
    registry.attach(Tensor, _method.__name__, _method)
for _class in (UntypedStorage, TypedStorage):
    registry.publish(_class, _class.__name__, Tensor, method=False)
