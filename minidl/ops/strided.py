"""Views by strides and windows, and in-place changes of a tensor's shape."""

import math

from minidl import backends
from minidl.autograd import function, op
from minidl.autograd.inplace import bump, check_writable
from minidl.autograd.tensor import Tensor, make
from minidl.backends import of
from minidl.ops.common import as_index, wrap_dim
from minidl.ops.create import empty
from minidl.ops.indexing import mul_zero
from minidl.ops.memory_formats import clone
from minidl.ops.shapes import sizes, squeeze, t, transpose, unsqueeze


def _flow_back(g, size, stride, offset, geometry):
    return _move(g, (size, stride, offset), geometry[:3], geometry[3])


@op(input=_flow_back, view="memory", shown="AsStrided", faces=(), method=False)
def _as_strided(input, size, stride, offset, geometry):
    return of(input).as_strided(input, size, stride, offset)


@op(input=lambda g, source, target, length: _move(g, target, source, length), faces=(), method=False)
def _move(input, source, target, length):
    """What lies by geometry ``source``, read by geometry ``target``: the gradient of ``as_strided``, and its own."""
    return of(input).move_strided(input, source, target, length)


@function(tensors="input")
def as_strided(input, size, stride, storage_offset=None):
    """A view of the tensor's memory with these sizes and strides, from element ``storage_offset`` on.

    Raises ``RuntimeError`` where it would reach beyond the memory. Source: ``torch.as_strided``.

    >>> import minidl
    >>> minidl.arange(6).as_strided((2, 2), (3, 1))
    tensor([[0, 1],
            [3, 4]])
    """
    size, stride = sizes((size,), "size"), sizes((stride,), "stride")
    space, array = of(input._array), input._array
    start = space.storage_offset(array)
    offset = start if storage_offset is None else as_index(storage_offset, "storage_offset")
    if len(size) != len(stride):
        raise RuntimeError(f"mismatch in length of strides and shape: {list(stride)} and {list(size)}")
    if any(s < 0 for s in stride):
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}"
        )
    length = space.owner(array).nbytes // array.dtype.itemsize
    needed = offset + 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if 0 not in size else 0
    if offset < 0 or needed > length:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize "
            f"{array.dtype.itemsize} requiring a storage size of {needed * array.dtype.itemsize} are out of bounds for "
            f"storage of size {length * array.dtype.itemsize}"
        )
    return _as_strided(input, size, stride, offset, (tuple(input.shape), input.stride(), start, length))


@function(tensors="input src")
def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """A copy of ``input`` with ``src`` written where ``as_strided`` reads. Source: ``torch.as_strided_scatter``.

    >>> import minidl
    >>> minidl.zeros(4).as_strided_scatter(minidl.ones(2), (2,), (2,))
    tensor([1., 0., 1., 0.])
    """
    size, stride = sizes((size,), "size"), sizes((stride,), "stride")
    offset = input.storage_offset() if storage_offset is None else as_index(storage_offset, "storage_offset")
    part = as_strided(clone(input.detach()), size, stride, offset)
    if src.shape != part.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
            f"{list(part.shape)}"
        )
    return _write(input, src, size, stride, offset)


def _read(input, size, stride, offset):
    """The elements that ``as_strided`` reads of a contiguous tensor."""
    shape = tuple(input.shape)
    steps = tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))
    return _move(input, (shape, steps, 0), (size, stride, offset), math.prod(shape))


@op(
    input=lambda g, size, stride, offset: _write(g, mul_zero(_read(g, size, stride, offset)), size, stride, offset),
    src=lambda g, size, stride, offset: _read(g, size, stride, offset), shown="AsStridedScatter",
    faces=(), method=False,
)  # fmt: skip
def _write(input, src, size, stride, offset):
    space = of(input)
    out = space.copy(input)
    space.assign(space.as_strided(out, size, stride, offset), src)
    return out


@op(
    input=lambda g, input_shape, dim, size, step: _fold(g, tuple(input_shape), dim, size, step), view=True,
    shown="Unfold", faces=(), method=False,
)  # fmt: skip
def _unfold(input, dim, size, step):
    return of(input).unfold(input, dim, size, step)


@op(g=lambda g0, dim, size, step: _unfold(g0, dim, size, step), faces=(), method=False)
def _fold(g, shape, dim, size, step):
    return of(g).fold_windows(g, shape, dim, size, step)


@function(faces=(), tensors="self", shown="Unfold")
def unfold(self, dimension, size, step):
    """A view of all windows of ``size`` along ``dimension``, every ``step``; the place in a window is the new last
    dimension. Source: ``torch.Tensor.unfold``.

    >>> import minidl
    >>> minidl.arange(5).unfold(0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    dim = wrap_dim(dimension, self.ndim)
    length = self.shape[dim] if self.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > length:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {length} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return _unfold(self, dim, size, step) if self.ndim else self.reshape(1)[:size]


@function(tensors="input")
def swapaxes(input, axis0, axis1):
    """``transpose`` under NumPy's name. Source: ``torch.swapaxes``.

    >>> import minidl
    >>> minidl.zeros(2, 3).swapaxes(0, 1).shape
    torch.Size([3, 2])
    """
    return transpose(input, axis0, axis1)


def _in_place(name, reshaped, text):
    """A method that changes the tensor's own shape, as ``x.t_()`` does."""

    def method(self, *args, **kwargs):
        check_writable(self, name)
        before = make(self._array, self._edge)
        before._cell, before._view = self._cell, self._view
        after = reshaped(before, *args, **kwargs)
        self._array, self._edge, self._view = after._array, after._edge, after._view
        bump(self)
        if self._view is not None:  # the tensor keeps its place on the tape: nothing was written
            root, steps, version, kind = self._view
            self._view = (root, steps, version + 1, kind)
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"""{text}, of the tensor itself. Source: ``torch.Tensor.{name}``."""
    return function(faces=("torch",) if name == "as_strided_" else (), tensors="self")(method)


squeeze_ = _in_place("squeeze_", squeeze, "``squeeze``")
unsqueeze_ = _in_place("unsqueeze_", unsqueeze, "``unsqueeze``")
t_ = _in_place("t_", t, "``t``")
transpose_ = _in_place("transpose_", transpose, "``transpose``")
swapaxes_ = _in_place("swapaxes_", swapaxes, "``swapaxes``")
swapdims_ = _in_place("swapdims_", transpose, "``swapdims``")
as_strided_ = _in_place("as_strided_", as_strided, "``as_strided``")


@function(faces=())
def resize_(self, *sizes_, memory_format=None):
    """Other sizes for the tensor itself: its memory stays where it is large enough, else it is copied into more.
    Source: ``torch.Tensor.resize_``.

    >>> import minidl
    >>> minidl.arange(4).resize_(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    shape = sizes(sizes_, "size")
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    space, array, count = of(self._array), self._array, math.prod(shape)
    memory = space.owner(array)
    start = space.storage_offset(array)
    if memory.flags.c_contiguous and start + count <= memory.nbytes // array.dtype.itemsize:
        strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
        self._array = space.as_strided(array, shape, strides, start)
        return self
    grown = space.zeros((count,), array.dtype)
    kept = space.reshape(space.copy(array), (array.size,))
    grown[: min(count, array.size)] = kept[: min(count, array.size)]
    self._array, self._view = space.reshape(grown, shape), None
    return self


@function(tensors="self the_template")
def resize_as_(self, the_template, *, memory_format=None):
    """``resize_`` to the sizes of another tensor. Source: ``torch.Tensor.resize_as_``.

    >>> import minidl
    >>> minidl.zeros(4).resize_as_(minidl.ones(2, 2)).shape
    torch.Size([2, 2])
    """
    return resize_(self, tuple(the_template.shape))


@function(faces=())
def set_(self, source=None):
    """Makes the tensor one of the memory, sizes and strides of ``source``, or empty. Source: ``torch.Tensor.set_``.

    >>> import minidl
    >>> minidl.zeros(4).set_(minidl.ones(2))
    tensor([1., 1.])
    """
    check_writable(self, "set_")
    if self.requires_grad and not self.is_leaf:
        raise RuntimeError(
            "set_() is not allowed on a tensor that was computed and requires grad. Hint: detach() it"
        )
    if source is None:
        self._array = of(self._array).empty((0,), self._array.dtype)
    elif not isinstance(source, Tensor):
        raise TypeError(f"set_(): argument 'source' must be Tensor, not {type(source).__name__}")
    elif source.dtype is not self.dtype:
        raise RuntimeError(f"Expected a Tensor of type {self.dtype!r} but got a type {source.dtype!r}")
    else:
        self._array = source._array
        self._cell = source._cell
    self._view = None
    bump(self)
    return self


@function(faces=())
def storage_offset(self) -> int:
    """Elements from the start of the tensor's memory to its first element. Source: ``torch.Tensor.storage_offset``.

    >>> import minidl
    >>> minidl.arange(4)[2:].storage_offset()
    2
    """
    return int(of(self._array).storage_offset(self._array))


@function(method=False)
def empty_strided(size, stride, *, dtype=None, device=None, requires_grad=False):
    """An uninitialised tensor of these sizes and strides. Source: ``torch.empty_strided``.

    >>> import minidl
    >>> minidl.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    size, stride = sizes((size,), "size"), sizes((stride,), "stride")
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides ({len(stride)})"
        )
    count = 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if 0 not in size else 0
    flat = empty((count,), dtype=dtype, device=device)
    space = backends.of(flat._array)
    out = make(space.as_strided(flat._array, size, stride, 0), None)
    return out.requires_grad_(requires_grad)


@function(faces=())
def new_empty_strided(self, size, stride, *, dtype=None, device=None, requires_grad=False):
    """``empty_strided`` of this tensor's dtype and device. Source: ``torch.Tensor.new_empty_strided``.

    >>> import minidl
    >>> minidl.ones(1).new_empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    where = {"dtype": dtype or self.dtype, "device": device or self.device, "requires_grad": requires_grad}
    return empty_strided(size, stride, **where)


@function(method=False)
def empty_permuted(size, physical_layout, *, dtype=None, device=None, requires_grad=False):
    """An uninitialised tensor whose dimensions lie in memory in the order ``physical_layout``.
    Source: ``torch.empty_permuted``.

    >>> import minidl
    >>> minidl.empty_permuted((2, 3), (1, 0)).stride()
    (1, 2)
    """
    layout = [as_index(d, "physical_layout") for d in physical_layout]
    if len(layout) != len(size):
        raise RuntimeError(
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(size)} is not equal to len(physical_layout) = {len(layout)}"
        )
    if any(not 0 <= d < len(size) for d in layout):
        raise RuntimeError(
            f"Dimension out of range (expected to be between 0 and {len(size) - 1}, but got {layout}): negative dims "
            "are not allowed here"
        )
    if len(set(layout)) != len(layout):
        raise RuntimeError("Duplicate dim not allowed")
    stride, step = [0] * len(size), 1
    for d in reversed(layout):
        stride[d], step = step, step * size[d]
    return empty_strided(size, stride, dtype=dtype, device=device, requires_grad=requires_grad)
