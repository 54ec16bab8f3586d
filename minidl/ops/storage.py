"""The memory behind tensors: who shares it, how large it is, and memory that forked processes share."""

import math
import mmap
import os

import numpy as np

from minidl import backends, dtypes
from minidl.autograd import Tensor, registry
from minidl.autograd.inplace import bump
from minidl.backends import of


class UntypedStorage:
    """The memory that a tensor views, in bytes; of one memory all storages are equal.

    Made by ``Tensor.untyped_storage()`` or ``from_file``; ``asarray(storage, dtype)`` is a tensor on it.
    Source: ``torch.UntypedStorage``.
    """

    _dtype, _item = dtypes.uint8, 1

    def __init__(self, tensor):
        self._memory = of(tensor._array).owner(tensor._array)

    @classmethod
    def from_file(cls, filename, shared=False, nbytes=0):
        """The first ``nbytes`` of a file, mapped: read where they are used. With ``shared`` what is written reaches the
        file, which is made or grows where it is too short; else it stays in this process.

        Raises ``RuntimeError`` for a file that cannot be opened, or is too short. Source:
        ``torch.UntypedStorage.from_file``.
        """
        return _on(_mapped(filename, shared, nbytes))

    def untyped(self):
        """The same memory, in bytes."""
        return _on(self._bytes())

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

    def _bytes(self):
        return backends.to_numpy(self._memory).reshape(-1, order="A").view(np.uint8)

    def _values(self):
        return self._bytes().view(self._dtype.numpy)

    def viewed(self, dtype):
        """The memory as the array of a tensor of ``dtype``; of bytes, float32 by default."""
        return self._bytes().view(dtypes.get_default() if dtype is None else dtype)

    def tolist(self):
        """The elements."""
        return self._values().tolist()

    def __getitem__(self, index):
        if not isinstance(index, slice):
            self._check(index, "index {} out of range for storage of size {}")
            return self._values()[index].tolist()
        if index.step not in (None, 1):
            raise RuntimeError(
                f"Trying to slice with a step of {index.step}, but only a step of 1 is supported"
            )
        return _on(self._values()[index])

    def _check(self, index, beyond):
        """Refuses what is no index, or lies beyond the end."""
        if isinstance(index, slice):
            return
        if not hasattr(index, "__index__"):
            raise RuntimeError(f"can't index a {type(self)} with {type(index)}")
        if not -self.size() <= index < self.size():
            raise IndexError(beyond.format(index, self.size()))

    def __setitem__(self, index, value):
        """Writes elements; every tensor on this memory sees them, and no gradient is told."""
        if self.device.type != "cpu":
            raise NotImplementedError(
                f"a storage on {self.device} is not written. Hint: write to a tensor on it."
            )
        self._check(index, "index {} is out of bounds for dimension 0 with size {}")
        self._values()[index] = self._element(value)

    def _element(self, value):
        """A value as one of the elements: of bytes, the lowest eight bits."""
        if not isinstance(value, int):
            raise RuntimeError(
                f"can only set storage content with a int types, but got {type(value).__name__} instead"
            )
        return value % 256

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
        elements = "\n ".join(map(str, self.tolist()))
        return f" {elements}\n[minidl.{type(self).__name__}({self._kind()}device={self.device}) of size {self.size()}]"

    def _kind(self):
        return ""


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

    def __getitem__(self, index):
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        return super().__getitem__(index)

    def _element(self, value):
        if isinstance(value, Tensor):
            value = value.item()
        if not isinstance(value, (int, float, complex, np.generic)):
            raise TypeError(f"can't assign a {type(value).__name__} to a storage of {self._dtype!r}")
        return value

    def viewed(self, dtype):
        """The memory as the array of a tensor, of its own dtype by default."""
        return super().viewed(self._dtype.numpy if dtype is None else dtype)

    def _kind(self):
        return f"dtype={self._dtype!r}, "


class PrivateMapping(mmap.mmap):
    """A mapping whose writes stay in the process."""


def _mapped(filename, shared, nbytes):
    filename = os.fspath(filename)
    try:
        if shared and not os.path.exists(filename):
            open(filename, "xb").close()
        with open(filename, "r+b" if shared else "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < nbytes and not shared:
                raise RuntimeError(
                    f"file <{filename}> size <{size}> is smaller than the required mapping size <{nbytes}>"
                )
            if size < nbytes:
                file.truncate(nbytes)
            if not nbytes:
                return np.empty(0, np.uint8)
            kind, access = (mmap.mmap, mmap.ACCESS_WRITE) if shared else (PrivateMapping, mmap.ACCESS_COPY)
            return np.frombuffer(kind(file.fileno(), nbytes, access=access), np.uint8)
    except OSError as error:
        mode = "read-write" if shared else "read-only"
        raise RuntimeError(
            f"unable to open file <{filename}> in {mode} mode: {error.strerror} ({error.errno})"
        ) from None


def _on(memory):
    """The storage of a flat array, which may be a part of a longer one."""
    made = UntypedStorage.__new__(UntypedStorage)
    made._memory = memory
    return made


def is_storage(obj, /):
    """Whether ``obj`` is the memory of a tensor. Source: ``torch.is_storage``.

    >>> import minidl
    >>> minidl.is_storage(minidl.ones(2).storage())
    True
    """
    return isinstance(obj, UntypedStorage)


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
    memory = getattr(base, "obj", base)
    return isinstance(memory, mmap.mmap) and not isinstance(memory, PrivateMapping)


for _method in (untyped_storage, storage, share_memory_, is_shared):
    registry.attach(Tensor, _method.__name__, _method)
for _public in (UntypedStorage, TypedStorage, is_storage):
    registry.publish(_public, _public.__name__, Tensor, method=False)
