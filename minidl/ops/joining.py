"""Joining, splitting, repeating and reordering."""

from minidl import dtypes
from minidl.autograd import Tensor, function, op
from minidl.autograd.node import named
from minidl.backends import of
from minidl.backends.memory_order import joined
from minidl.ops.common import as_index, wrap_dim, wrap_dims
from minidl.ops.indexing import _pick, index_with
from minidl.ops.shapes import expand, sizes


def _narrow_all(g, shapes, dim, needs):
    """The parts of a concatenation's gradient."""
    dim, start, out = wrap_dim(dim, g.ndim), 0, []
    for shape, need in zip(shapes, needs, strict=True):
        stop = start + (shape[dim] if len(shape) > 1 or shape[0] or g.ndim == 1 else 0)
        out.append(index_with(g, (slice(None),) * dim + (slice(start, stop),)) if need else None)
        start = stop
    return out


@op(
    tensors=lambda g, tensors_shape, dim, needs: _narrow_all(g, tensors_shape, dim, needs),
    sequence="tensors", method=False, aliases=("concat", "concatenate"),
)  # fmt: skip
def cat(tensors, dim=0):
    """The tensors one after the other along ``dim``; all other sizes must be equal, dtypes promote.

    Empty 1-D tensors are skipped. Raises ``RuntimeError`` for sizes that differ. Source: ``torch.cat``.

    >>> import minidl
    >>> minidl.cat([minidl.zeros(1, 2), minidl.ones(1, 2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    if not tensors:
        raise ValueError("expected a non-empty list of Tensors")
    try:
        result = of(tensors[0]).concatenate(_promoted(tensors, tensors), wrap_dim(dim, tensors[0].ndim))
        return joined(result, tensors)
    except (ValueError, IndexError):
        return _cat_unlike(tensors, dim)


def _cat_unlike(tensors, dim):
    """Concatenates beside empty 1-D tensors, which are skipped; else raises PyTorch's error for what does not fit."""
    arrays = [a for a in tensors if a.shape != (0,)] or list(tensors)
    first = arrays[0]
    dim = wrap_dim(dim, first.ndim)
    if first.ndim == 0:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    for i, a in enumerate(arrays):
        if a.ndim != first.ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {first.ndim} and {a.ndim}")
        for d in range(a.ndim):
            if d != dim and a.shape[d] != first.shape[d]:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size "
                    f"{first.shape[d]} but got size "
                    f"{a.shape[d]} for tensor number {i} in the list."
                )
    return joined(of(first).concatenate(_promoted(arrays, tensors), dim), arrays)


def _promoted(arrays, tensors):
    """``arrays`` in the common dtype of ``tensors``."""
    target = tensors[0].dtype
    if all(a.dtype is target for a in tensors):
        return arrays
    for a in tensors:
        target = dtypes.promote(target, a.dtype)
    return [a if a.dtype == target else a.astype(target) for a in arrays]


@op(
    tensors=lambda g, tensors_shape, dim, needs: [
        index_with(g, (slice(None),) * wrap_dim(dim, g.ndim) + (i,)) if need else None for i, need in enumerate(needs)
    ],
    sequence="tensors", method=False,
)  # fmt: skip
def stack(tensors, dim=0):
    """The tensors along a new dimension ``dim``; all sizes must be equal. Source: ``torch.stack``.

    >>> import minidl
    >>> minidl.stack([minidl.zeros(2), minidl.ones(2)], dim=1)
    tensor([[0., 1.],
            [0., 1.]])
    """
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    for i, a in enumerate(tensors):
        if a.shape != tensors[0].shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(tensors[0].shape)} at "
                f"entry 0 and {list(a.shape)} at entry {i}"
            )
    dim = wrap_dim(dim, tensors[0].ndim + 1)
    return joined(of(tensors[0]).stack(_promoted(tensors, tensors), dim), tensors, dim)


def _slices(input, dim, lengths):
    dim, start, out = wrap_dim(dim, input.ndim), 0, []
    for n in lengths:
        out.append((slice(None),) * dim + (slice(start, start + n),))
        start += n
    return out


@function(method=False, tensors="tensor")
def split(tensor, split_size_or_sections, dim=0):
    """Views of ``tensor`` along ``dim``: of a given size (the last may be smaller), or of given sizes. The method
    calls the second argument ``split_size``, as PyTorch does. Source: ``torch.split``.

    >>> import minidl
    >>> [len(part) for part in minidl.arange(5).split(2)]
    [2, 2, 1]
    """
    total = tensor.size(wrap_dim(dim, tensor.ndim))
    size = split_size_or_sections
    if isinstance(size, int):
        if size < 0 or (size == 0 and total):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
        lengths = [min(size, total - i) for i in range(0, total, size)] if total else [0]
    else:
        lengths = [as_index(n, "split_sizes") for n in size]
        if sum(lengths) != total or any(n < 0 for n in lengths):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {total} (input tensor's size "
                f"at dimension {dim}), but "
                f"got split_sizes={lengths}"
            )
    return _parts(
        "Split" if isinstance(size, int) else "SplitWithSizes", tensor, _slices(tensor, dim, lengths)
    )


def _split_method(self, split_size, dim=0):
    return split(self, split_size, dim)


_split_method.__name__ = _split_method.__qualname__ = "split"
_split_method.__doc__ = split.__doc__
function(faces=())(_split_method)


def _parts(function, tensor, indices):
    """Views that may not be written in place, as of one function that returns several."""
    out = named(tuple(index_with(tensor, index) for index in indices), function, (tensor,))
    for i, part in enumerate(out):
        if part._view is not None:
            part._view = (*part._view[:3], part._view[3] or f"Output {i} of {function}")
    return out


@function(tensors="input")
def chunk(input, chunks, dim=0):
    """Views of ``input`` along ``dim`` in at most ``chunks`` parts of equal size (the last may be smaller).
    Source: ``torch.chunk``.

    >>> import minidl
    >>> [len(part) for part in minidl.arange(5).chunk(3)]
    [2, 2, 1]
    """
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    total = input.size(wrap_dim(dim, input.ndim))
    if total == 0:
        return split(input, [0] * chunks, dim)
    return split(input, max(1, -(-total // chunks)), dim)


@function(tensors="input")
def unbind(input, dim=0):
    """Views of the slices of ``input`` along ``dim``. Source: ``torch.unbind``.

    >>> import minidl
    >>> minidl.tensor([[1, 2], [3, 4]]).unbind()
    (tensor([1, 2]), tensor([3, 4]))
    """
    if input.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    dim = wrap_dim(dim, input.ndim)
    return _parts("Unbind", input, [(slice(None),) * dim + (i, Ellipsis) for i in range(input.size(dim))])


def _iterate(self):
    if self.ndim == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter(unbind(self))


Tensor.__iter__ = _iterate


@op(input=lambda g, dims: flip(g, dims))
def flip(input, dims):
    """A copy with the order along ``dims`` reversed. Source: ``torch.flip``.

    >>> import minidl
    >>> minidl.tensor([1, 2, 3]).flip(0)
    tensor([3, 2, 1])
    """
    if input.ndim == 0:
        return of(input).copy(input)
    return of(input).flip(
        input, wrap_dims((dims,) if isinstance(dims, int) else tuple(dims), input.ndim) if dims != () else ()
    )


@op(input=lambda g, shifts, dims: roll(g, _opposite(shifts), dims))
def roll(input, shifts, dims=None):
    """A copy shifted along ``dims``, wrapping around; without ``dims``, of the flattened elements. Source:
    ``torch.roll``.

    >>> import minidl
    >>> minidl.tensor([1, 2, 3]).roll(1)
    tensor([3, 1, 2])
    """
    shifts = tuple(sizes((shifts,), "shifts"))
    dims = () if dims is None else tuple(wrap_dim(d, input.ndim) for d in sizes((dims,), "dims"))
    if not shifts:
        raise RuntimeError("`shifts` required")
    if dims and input.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    if len(shifts) != (len(dims) or 1):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    return of(input).roll(input, shifts, dims) if dims else of(input).roll(input, shifts[0], None)


def _opposite(shifts):
    return -shifts if isinstance(shifts, int) else tuple(-s for s in shifts)


@function(faces=(), shown="Repeat")
def repeat(input, *counts_, repeats=None):
    """``input`` repeated that often along each dimension, as a copy. Source: ``torch.Tensor.repeat``.

    >>> import minidl
    >>> minidl.tensor([1, 2]).repeat(2, 2).shape
    torch.Size([2, 4])
    """
    counts = sizes(counts_, "repeats", repeats)
    if len(counts) < input.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: got "
            f"{len(counts)} for {input.ndim} dimensions"
        )
    shape = (1,) * (len(counts) - input.ndim) + tuple(input.shape)
    paired = input.reshape(tuple(n for size in shape for n in (1, size)))
    spread = expand(paired, tuple(n for pair in zip(counts, shape, strict=True) for n in pair))
    return spread.reshape(tuple(c * s for c, s in zip(counts, shape, strict=True)))


@function(tensors="input", shown="Repeat")
def tile(input, *counts_, dims=None):
    """``input`` repeated along each dimension, missing leading counts being 1. Source: ``torch.tile``.

    >>> import minidl
    >>> minidl.tensor([1, 2]).tile(2)
    tensor([1, 2, 1, 2])
    """
    counts = sizes(counts_, "dims", dims)
    return repeat(input, (1,) * (input.ndim - len(counts)) + counts)


@function(tensors="input")
def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Each element (or slice along ``dim``) that often in a row. Source: ``torch.repeat_interleave``.

    >>> import minidl
    >>> minidl.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    """
    if repeats is None:  # positions, each as often as the counts in ``input`` say
        places = of(input._array).arange(0, input.numel(), 1, dtypes.INT64)
        input, repeats = Tensor._from_array(places), input
    if output_size is not None:
        total = input.size(dim) * repeats if isinstance(repeats, int) and dim is not None else None
        if total is not None and total != output_size:
            raise RuntimeError(
                f"repeat_interleave: Invalid output_size, expected {total} but got {output_size}"
            )
        if total is None and int(repeats.sum()) != output_size:
            raise RuntimeError("allocated size does not match required size")
    if dim is None:
        input, dim = input.reshape(-1), 0
    dim = wrap_dim(dim, input.ndim)
    space, shape = of(input._array), tuple(input.shape)
    if isinstance(repeats, int) and repeats > 0:
        spread = input.unsqueeze(dim + 1).expand(*shape[: dim + 1], repeats, *shape[dim + 1 :])
        return named(spread.reshape(*shape[:dim], shape[dim] * repeats, *shape[dim + 1 :]), "View")
    counts = repeats if isinstance(repeats, int) else repeats._array
    positions = space.repeat_interleave(space.arange(0, input.size(dim), 1, dtypes.INT64), counts, 0)
    out = _pick(input, (slice(None),) * dim + (positions,))
    return named(out, "View" if isinstance(repeats, int) else "IndexSelect")


def require_tensors(tensors, name):
    """Raises ``TypeError`` for what is no list of tensors, ``RuntimeError`` for an empty one."""
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {tensors.__class__.__name__}"
        )
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(tensor).__name__}")


@function(method=False)
def hstack(tensors):
    """Concatenates along the second dimension, along the first for 1-D tensors. Source: ``torch.hstack``."""
    require_tensors(tensors, "hstack")
    tensors = [t.reshape(1) if t.ndim == 0 else t for t in tensors]
    return cat(tensors, 0 if tensors[0].ndim == 1 else 1)


@function(method=False, aliases=("row_stack",))
def vstack(tensors):
    """Concatenates along the first dimension; 1-D tensors become rows. Source: ``torch.vstack``."""
    require_tensors(tensors, "vstack")
    return cat([t.reshape(1, -1) if t.ndim < 2 else t for t in tensors], 0)


@function(tensors="input")
def narrow(input, dim, start, length):
    """The view of ``length`` slices from ``start`` along ``dim``. Source: ``torch.narrow``.

    >>> import minidl
    >>> minidl.arange(5).narrow(0, 1, 2)
    tensor([1, 2])
    """
    if input.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if isinstance(start, Tensor) and (start.ndim or start.is_floating_point() or start.dtype is dtypes.bool_):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    dim = wrap_dim(dim, input.ndim)
    size, start = input.size(dim), as_index(start, "start")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [-{size}, {size}], but got {start})"
        )
    start = start + size if start < 0 else start
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return index_with(input, (slice(None),) * dim + (slice(start, start + length),))


@function(tensors="input")
def select(input, dim, index):
    """The view of slice ``index`` along ``dim``. Source: ``torch.select``.

    >>> import minidl
    >>> minidl.tensor([[1, 2], [3, 4]]).select(1, 0)
    tensor([1, 3])
    """
    dim = wrap_dim(dim, input.ndim)
    size = input.size(dim)
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {dim}"
        )
    return index_with(input, (slice(None),) * dim + (index,))


@op(
    input=lambda g, widths: constant_pad(g, tuple((-b, -a) for b, a in widths), 0), shown="ConstantPadNd",
    faces=(), method=False,
)  # fmt: skip
def constant_pad(input, widths, value):
    """``input`` with (before, after) elements of ``value`` added in each dimension; negative counts crop."""
    return of(input).pad(input, widths, value)


def _triangle(name, what):
    def forward(input, diagonal=0):
        if input.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        return getattr(of(input), name)(input, diagonal)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""The {what} triangle of the last two dimensions, zero elsewhere; ``diagonal`` shifts
    the border. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.ones(2, 2)).sum()
    tensor(3.)
    """
    rule = (
        (lambda g, diagonal: tril(g, diagonal)) if name == "tril" else (lambda g, diagonal: triu(g, diagonal))
    )
    return op(input=rule, inplace=True)(forward)


tril = _triangle("tril", "lower")
triu = _triangle("triu", "upper")
