"""Shape ops: views where strides allow."""

import math

import numpy as np

from minidl import dtypes
from minidl.autograd import Tensor, function, op
from minidl.autograd.conform import sum_to_shape
from minidl.autograd.node import named
from minidl.autograd.size import Size
from minidl.backends import of
from minidl.ops.common import as_index, broadcast_refused, wrap_dim


def sizes(args, name="shape", named=None):
    """``f(2, 3)``, ``f((2, 3))`` and ``f(Size)`` as one tuple of ints; ``named`` is what came as ``f(name=...)``."""
    if named is not None:
        args = (*args, named)
    if len(args) == 1 and not hasattr(args[0], "__index__"):
        args = args[0]
        if not hasattr(args, "__iter__"):
            raise TypeError(f"argument '{name}' must be tuple of ints, not {args.__class__.__name__}")
    for a in args:
        if a.__class__ is not int:
            return tuple(as_index(a, name) for a in args)
    return tuple(args)


def _filled(shape, count):
    """``shape`` with its -1 filled in. Raises ``RuntimeError`` where ``count`` elements do not fit."""
    known = math.prod(n for n in shape if n != -1)
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if any(n < -1 for n in shape):
        raise RuntimeError(f"invalid shape dimension {min(shape)}")
    if -1 in shape:
        if known == 0 and count == 0:
            raise RuntimeError(
                f"cannot reshape tensor of {count} elements into shape {list(shape)} because the "
                "unspecified dimension size "
                "-1 can be any value and is ambiguous"
            )
        if known and count % known == 0:
            return tuple(count // known if n == -1 else n for n in shape)
    elif known == count:
        return shape
    raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {count}")


@op(input=lambda g, input_shape: _reshape(g, input_shape), view=True, shown="View", faces=(), method=False)
def _reshape(input, shape):
    try:
        out = of(input).reshape(input, shape)
    except ValueError:
        _filled(shape, input.size)
        raise
    if out.shape != shape and min(shape) < -1:  # NumPy takes any negative size for -1
        _filled(shape, input.size)
    return out


_reshape.op.copied = "UnsafeView"


@function()
def reshape(input, *sizes_, shape=None):
    """The same elements in another shape; one size may be -1. A view where the strides allow it, else a copy.

    Raises ``RuntimeError`` for a shape of another number of elements. Source: ``torch.reshape``.

    >>> import minidl
    >>> minidl.arange(6).reshape(2, -1).shape
    torch.Size([2, 3])
    """
    return _reshape(input, sizes(sizes_, "shape", shape))


@function(faces=())
def view(input, *sizes_, size=None, dtype=None):
    """As ``reshape``, but never a copy: raises ``RuntimeError`` where the strides do not allow a view.

    ``view(dtype)`` reinterprets the bytes. Source: ``torch.Tensor.view``.

    >>> import minidl
    >>> minidl.arange(6).view(3, 2).shape
    torch.Size([3, 2])
    """
    if dtype is None and len(sizes_) == 1 and isinstance(sizes_[0], dtypes.dtype):
        dtype = sizes_[0]
    if dtype is not None:
        return _view_dtype(input, dtype)
    out = reshape(input, *sizes_, shape=size)
    if out._view is None and input._array.size:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return out


def _view_dtype(input, dtype):
    array = input.detach()._array
    if array.dtype.itemsize != dtype.itemsize and (
        array.ndim == 0 or array.strides[-1] != array.dtype.itemsize
    ):
        raise RuntimeError(f"view({dtype!r}) needs a contiguous last dimension to change the element size")
    out = input.detach()
    out._array = array.view(dtype.numpy)
    return out


@function(faces=())
def view_as(input, other):
    """``view(other.shape)``. Source: ``torch.Tensor.view_as``."""
    return view(input, other.shape)


@function(faces=())
def reshape_as(input, other):
    """``reshape(other.shape)``. Source: ``torch.Tensor.reshape_as``."""
    return reshape(input, other.shape)


@function(tensors="input")
def flatten(input, start_dim=0, end_dim=-1):
    """Dimensions ``start_dim`` to ``end_dim`` as one. Source: ``torch.flatten``.

    >>> import minidl
    >>> minidl.zeros(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    start, end = wrap_dim(start_dim, input.ndim), wrap_dim(end_dim, input.ndim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    shape = input._array.shape
    if input.ndim == 0:
        return _reshape(input, (1,))
    if start == end:
        return input
    return _reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


@function(tensors="input")
def unflatten(input, dim, sizes):
    """Dimension ``dim`` as several; one size may be -1. Source: ``torch.unflatten``.

    >>> import minidl
    >>> minidl.zeros(2, 12).unflatten(1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    dim = wrap_dim(dim, input.ndim)
    shape = input._array.shape
    try:
        filled = _filled(tuple(sizes), shape[dim])
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({shape[dim]}) in the input tensor"
        ) from None
    return _reshape(input, (*shape[:dim], *filled, *shape[dim + 1 :]))


def _inverse(dims):
    return tuple(sorted(range(len(dims)), key=dims.__getitem__))


def _reordered(shown):
    def forward(input, dims):
        return of(input).permute(input, dims)

    forward.__name__ = f"_{shown.lower()}_view"
    rules = {"input": lambda g, dims: _permute(g, _inverse(dims))}
    return op(view=True, shown=shown, faces=(), method=False, **rules)(forward)


_permute, _transposed, _t = map(_reordered, ("Permute", "Transpose", "T"))


@function(tensors="input")
def permute(input, *order_, dims=None):
    """A view with its dimensions in the order ``dims``. Source: ``torch.permute``.

    >>> import minidl
    >>> minidl.zeros(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    order = sizes(order_, "dims", dims)
    if len(order) != input.ndim:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) = {len(order)}"
        )
    wrapped = tuple(wrap_dim(d, input.ndim) for d in order)
    if len(set(wrapped)) != len(wrapped):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _permute(input, wrapped)


@function(aliases=("swapdims",), tensors="input")
def transpose(input, dim0, dim1):
    """A view with two dimensions exchanged. Source: ``torch.transpose``.

    >>> import minidl
    >>> minidl.zeros(2, 3).transpose(0, 1).shape
    torch.Size([3, 2])
    """
    order = list(range(input.ndim))
    a, b = wrap_dim(dim0, input.ndim), wrap_dim(dim1, input.ndim)
    if order:
        order[a], order[b] = order[b], order[a]
    return _transposed(input, tuple(order))


@function(tensors="input")
def t(input):
    """The transpose of a matrix; a vector or number is returned as it is. Source: ``torch.t``.

    >>> import minidl
    >>> minidl.zeros(2, 3).t().shape
    torch.Size([3, 2])
    """
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return _t(input, tuple(reversed(range(input.ndim))))


@function(aliases=("moveaxis",), tensors="input")
def movedim(input, source, destination):
    """A view with dimensions ``source`` moved to the places ``destination``. Source: ``torch.movedim``.

    >>> import minidl
    >>> minidl.zeros(2, 3, 4).movedim(0, -1).shape
    torch.Size([3, 4, 2])
    """
    source = [source] if isinstance(source, int) else list(source)
    destination = [destination] if isinstance(destination, int) else list(destination)
    if len(source) != len(destination):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({source} dims) should contain the "
            "same number of dims as "
            f"destination ({destination} dims)"
        )
    given = {"source": source, "destination": destination}
    source, destination = ([wrap_dim(d, input.ndim) for d in dims] for dims in given.values())
    for (name, dims), wrapped in zip(given.items(), (source, destination), strict=True):
        if len(set(wrapped)) < len(wrapped):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({dims})")
    order = [None] * input.ndim
    for s, d in zip(source, destination, strict=True):
        order[d] = s
    rest = iter(d for d in range(input.ndim) if d not in source)
    return _permute(input, tuple(next(rest) if d is None else d for d in order))


def _transposed_last(self):
    if self.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D tensor."
        )
    return transpose(self, -2, -1)


Tensor.T = property(
    lambda self: _permute(self, tuple(reversed(range(self.ndim)))), doc="Dimensions in reverse order."
)
Tensor.mT = property(_transposed_last, doc="The last two dimensions exchanged.")


@op(input=lambda g, input_shape: _reshape(g, input_shape), view=True, faces=(), method=False)
def _squeeze(input, dims):
    return of(input).squeeze(input, dims)


@function(tensors="input")
def squeeze(input, dim=None):
    """A view without its dimensions of size 1: all of them, or those in ``dim``. Source: ``torch.squeeze``.

    >>> import minidl
    >>> minidl.zeros(1, 2, 1).squeeze(0).shape
    torch.Size([2, 1])
    """
    shape = input._array.shape
    chosen = (
        range(input.ndim)
        if dim is None
        else [wrap_dim(d, input.ndim) for d in ((dim,) if isinstance(dim, int) else dim)]
    )
    out = _squeeze(input, tuple(d for d in chosen if shape and shape[d] == 1))
    return out if dim is None else named(out, f"SqueezeBackward{1 if isinstance(dim, int) else 2}")


@op(input=lambda g, input_shape: _reshape(g, input_shape), view=True)
def unsqueeze(input, dim):
    """A view with a dimension of size 1 at ``dim``. Source: ``torch.unsqueeze``.

    >>> import minidl
    >>> minidl.zeros(2, 3).unsqueeze(-1).shape
    torch.Size([2, 3, 1])
    """
    return of(input).unsqueeze(input, wrap_dim(dim, input.ndim + 1))


@function(method=False)
def broadcast_shapes(*shapes):
    """The size to which sizes broadcast. Raises ``RuntimeError`` where they do not. Source: ``torch.broadcast_shapes``.

    >>> import minidl
    >>> minidl.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    shapes = [sizes((s,), "shapes") for s in shapes]
    if any(n < 0 for s in shapes for n in s):
        raise RuntimeError("Trying to create tensor with negative dimension")
    try:
        return Size(np.broadcast_shapes(*shapes))
    except ValueError:
        raise broadcast_refused(shapes) from None


@op(input=lambda g, input_shape: sum_to_shape(g, input_shape), view=True, faces=(), method=False)
def _expand(input, shape):
    return of(input).broadcast_to(input, shape)


@function(faces=())
def expand(input, *sizes_, size=None):
    """A view broadcast to ``size``; -1 keeps a size. Not to be written in place. Source: ``torch.Tensor.expand``.

    >>> import minidl
    >>> minidl.zeros(3, 1).expand(-1, 4).shape
    torch.Size([3, 4])
    """
    wanted, shape = sizes(sizes_, "size", size), input._array.shape
    if len(wanted) < len(shape):
        raise RuntimeError(
            f"expand({input.dtype!r}{list(shape)}, size={list(wanted)}): the number of sizes provided "
            f"({len(wanted)}) must be "
            f"greater or equal to the number of dimensions in the tensor ({len(shape)})"
        )
    padded = (None,) * (len(wanted) - len(shape)) + tuple(shape)
    out = []
    for i, (have, want) in enumerate(zip(padded, wanted, strict=True)):
        if want == -1 and have is None:
            raise RuntimeError(
                f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
            )
        if want not in (-1, have) and have not in (None, 1):
            raise RuntimeError(
                f"The expanded size of the tensor ({want}) must match the existing size ({have}) at "
                f"non-singleton dimension {i}.  "
                f"Target sizes: {list(wanted)}.  Tensor sizes: {list(shape)}"
            )
        if want < -1:
            raise RuntimeError(f"expand: sizes must be -1 or not negative, but got {list(wanted)}")
        out.append(have if want == -1 else want)
    return _expand(input, tuple(out))


@function(faces=())
def expand_as(input, other):
    """``expand(other.shape)``. Source: ``torch.Tensor.expand_as``."""
    return expand(input, other.shape)


@function(method=False, tensors="input")
def broadcast_to(input, size):
    """A view broadcast to ``size``. Source: ``torch.broadcast_to``.

    >>> import minidl
    >>> minidl.broadcast_to(minidl.zeros(3), (2, 3)).shape
    torch.Size([2, 3])
    """
    return expand(input, size)
