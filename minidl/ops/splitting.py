"""Splitting and joining by places, raising the number of dimensions, and products of sequences."""

import itertools

import numpy as np

from minidl.autograd import Tensor, function
from minidl.ops.common import as_index, common_shape, wrap_dim
from minidl.ops.create import empty, zeros
from minidl.ops.indexing import gather, index_select
from minidl.ops.joining import cat, chunk, narrow, split, stack
from minidl.ops.reductions import sum
from minidl.ops.selection import where
from minidl.ops.shapes import broadcast_shapes, expand, sizes


def _tensor_list(tensors, name, argument="tensors"):
    """PyTorch's variadic tensors: ``f(a, b)`` or ``f([a, b])``."""
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tensors[0]
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"{name}(): argument '{argument}' (position 1) must be tuple of Tensors, not tuple with "
                f"{tensor.__class__.__name__} at {i}"
            )
    return tuple(tensors)


def _only(name, *given):
    """The one argument that was given, under whichever of its names. Raises ``TypeError`` for none or several."""
    found = [value for value in given if value is not None]
    if len(found) != 1:
        kinds = ", ".join(value.__class__.__name__ for value in found)
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got (Tensor{kinds and ', ' + kinds})"
        )
    return found[0]


@function(tensors="input")
def tensor_split(
    input, indices_or_sections=None, dim=0, *, indices=None, sections=None, tensor_indices_or_sections=None
):
    """Views along ``dim``: in that many parts as equal as can be, or cut before the given indices.
    The keywords name the second argument by what it is. Source: ``torch.tensor_split``.

    >>> import minidl
    >>> [len(part) for part in minidl.arange(5).tensor_split(2)]
    [3, 2]
    """
    if input.ndim == 0:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    cuts = _only("tensor_split", indices_or_sections, indices, sections, tensor_indices_or_sections)
    dim = wrap_dim(dim, input.ndim)
    if isinstance(cuts, Tensor):
        if cuts.dtype.name != "int64" or cuts.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor "
                f"of int64, but got a tensor with {cuts.ndim} dims of {cuts.dtype!r}"
            )
        cuts = cuts.tolist()
    total = input.shape[dim]
    if isinstance(cuts, int):
        if cuts <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {cuts}")
        size, longer = divmod(total, cuts)
        ends = [size * i + min(i, longer) for i in range(1, cuts)]
    else:
        cuts = [as_index(c, "indices") for c in cuts]
        ends = [min(max(c + total if c < 0 else c, 0), total) for c in cuts]
    parts = zip([0, *ends], [*ends, total], strict=True)
    return tuple(narrow(input, dim, start, max(end - start, 0)) for start, end in parts)


def _nd_split(name, least, dim_of):
    def forward(input, indices_or_sections=None, *, indices=None, sections=None):
        if input.ndim < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor "
                f"with {input.ndim} dimensions!"
            )
        dim, cuts = dim_of(input.ndim), _only(name, indices_or_sections, indices, sections)
        if not isinstance(cuts, (int, tuple, list, Tensor)):
            kind = cuts.__class__.__name__
            raise TypeError(f"{name}() received an invalid combination of arguments - got (Tensor, {kind})")
        if isinstance(cuts, int) and (cuts <= 0 or input.shape[dim] % cuts):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
                f"{input.shape[dim]} is not divisible by the split_size {cuts}!"
            )
        return tensor_split(input, cuts, dim)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""``tensor_split`` along dimension {dim_of(3)} in parts of equal size, or before indices.
    Source: ``torch.{name}``.

    >>> import minidl
    >>> len(minidl.{name}(minidl.ones(2, 2, 2), 2))
    2
    """
    return function(tensors="input")(forward)


hsplit = _nd_split("hsplit", 1, lambda ndim: 0 if ndim == 1 else 1)
vsplit, dsplit = _nd_split("vsplit", 2, lambda ndim: 0), _nd_split("dsplit", 3, lambda ndim: 2)


@function(tensors="input")
def split_with_sizes(input, split_sizes, dim=0):
    """``split`` in parts of given sizes. Source: ``torch.split_with_sizes``.

    >>> import minidl
    >>> [len(part) for part in minidl.arange(5).split_with_sizes([2, 3])]
    [2, 3]
    """
    return split(input, list(split_sizes), dim)


def _own(parts):
    return tuple(part.clone() for part in parts)


@function(tensors="input", shown="UnsafeSplit")
def unsafe_chunk(input, chunks, dim=0):
    """``chunk``, in parts that may be written in place. Source: ``torch.unsafe_chunk``.

    >>> import minidl
    >>> len(minidl.arange(4).unsafe_chunk(2))
    2
    """
    return _own(chunk(input, chunks, dim))


@function(tensors="input", shown="UnsafeSplit")
def unsafe_split(input, split_size, dim=0):
    """``split``, in parts that may be written in place. Source: ``torch.unsafe_split``.

    >>> import minidl
    >>> len(minidl.arange(4).unsafe_split(2))
    2
    """
    return _own(split(input, split_size, dim))


@function(tensors="input", shown="UnsafeSplitWithSizes")
def unsafe_split_with_sizes(input, split_sizes, dim=0):
    """``split_with_sizes``, in parts that may be written in place. Source: ``torch.unsafe_split_with_sizes``.

    >>> import minidl
    >>> len(minidl.arange(4).unsafe_split_with_sizes([1, 3]))
    2
    """
    return _own(split(input, list(split_sizes), dim))


def _raised(tensor, least):
    """A tensor with at least that many dimensions, as NumPy adds them."""
    if least == 3 and tensor.ndim == 0:
        return tensor.reshape(1, 1, 1)
    if least == 3 and tensor.ndim < 3:
        return _raised(tensor, 2).unsqueeze(-1)
    if least >= 2 and tensor.ndim < 2:
        return tensor.unsqueeze(0) if tensor.ndim else tensor.reshape(1, 1)
    return tensor if tensor.ndim else tensor.reshape(1)


def _at_least(least):
    name = f"atleast_{least}d"

    def forward(*tensors):
        several = len(tensors) != 1 or isinstance(tensors[0], (list, tuple))
        raised = tuple(_raised(t, least) for t in _tensor_list(tensors, name))
        return raised if several else raised[0]

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""Tensors with at least {least} dimensions; of one tensor a tensor. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor(1.0)).ndim
    {least}
    """
    return function(method=False)(forward)


atleast_1d, atleast_2d, atleast_3d = map(_at_least, (1, 2, 3))


@function(method=False)
def dstack(tensors):
    """Concatenates along the third dimension. Source: ``torch.dstack``.

    >>> import minidl
    >>> minidl.dstack((minidl.ones(2), minidl.ones(2))).shape
    torch.Size([1, 2, 2])
    """
    if not tensors:
        raise RuntimeError("dstack expects a non-empty TensorList")
    return cat([_raised(t, 3) for t in _tensor_list((tensors,), "dstack")], 2)


@function(method=False)
def column_stack(tensors):
    """Concatenates as columns: vectors and numbers become columns first. Source: ``torch.column_stack``.

    >>> import minidl
    >>> minidl.column_stack((minidl.ones(2), minidl.zeros(2))).shape
    torch.Size([2, 2])
    """
    tensors = _tensor_list((tensors,), "column_stack")
    return cat([t.reshape(-1, 1) if t.ndim < 2 else t for t in tensors], 1)


@function(method=False, shown="BlockDiag")
def block_diag(*tensors):
    """The matrix with the given matrices on its diagonal. Source: ``torch.block_diag``.

    >>> import minidl
    >>> minidl.block_diag(minidl.ones(1, 2), minidl.ones(2, 1)).shape
    torch.Size([3, 3])
    """
    for i, t in enumerate(_tensor_list(tensors, "block_diag")):
        if t.ndim > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{i} has {t.ndim} dimensions"
            )
    blocks = [_raised(t, 2) for t in _tensor_list(tensors, "block_diag")]
    if not blocks:
        return empty(1, 0)
    width, left, rows = np.sum([b.shape[1] for b in blocks]).item(), 0, []
    for block in blocks:
        height, n = block.shape
        sides = [zeros(height, w, dtype=block.dtype, device=block.device) for w in (left, width - left - n)]
        rows.append(cat([sides[0], block, sides[1]], 1))
        left += n
    return cat(rows, 0)


@function(method=False)
def broadcast_tensors(*tensors):
    """The tensors as views of the size to which they broadcast. Source: ``torch.broadcast_tensors``.

    >>> import minidl
    >>> [tuple(t.shape) for t in minidl.broadcast_tensors(minidl.ones(2, 1), minidl.ones(3))]
    [(2, 3), (2, 3)]
    """
    tensors = _tensor_list(tensors, "broadcast_tensors")
    shape = common_shape(*(tuple(t.shape) for t in tensors))
    return tuple(expand(t, tuple(shape)) for t in tensors)


@function(method=False)
def meshgrid(*tensors, indexing=None):
    """Coordinates of a grid: of n vectors n tensors with n dimensions; ``indexing='xy'`` exchanges the first two.
    Source: ``torch.meshgrid``.

    >>> import minidl
    >>> minidl.meshgrid(minidl.arange(2), minidl.arange(3), indexing="ij")[0].shape
    torch.Size([2, 3])
    """
    tensors = _tensor_list(tensors, "meshgrid")
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for t in tensors:
        if t.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {t.ndim}D"
            )
        if t.dtype is not tensors[0].dtype:
            raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype")
    swapped = indexing == "xy" and len(tensors) > 1
    order = [1, 0, *range(2, len(tensors))] if swapped else range(len(tensors))
    shape = [tensors[i].numel() for i in order]
    out = []
    for i, t in enumerate(tensors):
        lying = [1] * len(shape)
        lying[list(order).index(i)] = -1
        out.append(expand(t.reshape(lying), shape))
    return tuple(out)


@function(method=False)
def cartesian_prod(*tensors):
    """All tuples of elements of the vectors, as rows. Source: ``torch.cartesian_prod``.

    >>> import minidl
    >>> minidl.cartesian_prod(minidl.arange(2), minidl.arange(2)).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    tensors = _tensor_list(tensors, "cartesian_prod")
    for t in tensors:
        if t.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(t.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([t.reshape(-1) for t in meshgrid(*tensors, indexing="ij")], 1)


@function(method=False, tensors="input", shown="Stack")
def combinations(input, r=2, with_replacement=False):
    """All combinations of ``r`` elements of a vector, as rows. Source: ``torch.combinations``.

    >>> import minidl
    >>> minidl.combinations(minidl.tensor([1, 2, 3])).tolist()
    [[1, 2], [1, 3], [2, 3]]
    """
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    picked = np.array(list(choose(range(input.numel()), r)), np.int64).reshape(-1, r)
    if r == 0:
        return input.new_empty(0)
    places = Tensor._from_array(picked.reshape(-1)).to(input.device)
    return index_select(input, 0, places).reshape(-1, r)


@function(tensors="input")
def ravel(input):
    """All elements as one dimension. Source: ``torch.ravel``.

    >>> import minidl
    >>> minidl.ravel(minidl.ones(2, 2)).shape
    torch.Size([4])
    """
    return input.reshape(-1)


@function(faces=(), tensors="self", shown="SumBackward1")
def sum_to_size(self, *size):
    """Summed over what broadcasting from ``size`` would add. Source: ``torch.Tensor.sum_to_size``.

    >>> import minidl
    >>> minidl.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    shape, mine = sizes(size, "size"), tuple(self.shape)
    if not shape:
        return sum(self)
    lead = len(mine) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, mine[lead:], strict=True)):
        raise RuntimeError(f"size {{{list(shape)}}} is not expandable to size {{{list(mine)}}}.")
    dims = [*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 and mine[lead + i] != 1)]
    return sum(self, dims, True).reshape(shape) if dims else self


@function(tensors="input indices")
def take_along_dim(input, indices, dim=None):
    """Values at ``indices`` along ``dim``, both broadcast beside it; without ``dim``, of the flattened input.
    Source: ``torch.take_along_dim``.

    >>> import minidl
    >>> minidl.take_along_dim(minidl.tensor([3, 1]), minidl.tensor([1, 0]), 0)
    tensor([1, 3])
    """
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    if indices.dtype.name not in ("int64", "int32"):
        raise RuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype.name}"
        )
    dim = wrap_dim(dim, input.ndim)
    shape = broadcast_shapes(*([n for d, n in enumerate(t.shape) if d != dim] for t in (input, indices)))
    wide = [expand(t, (*shape[:dim], t.shape[dim], *shape[dim:])) for t in (input, indices)]
    places = wide[1].long()
    return gather(wide[0], dim, where(places < 0, places + input.shape[dim], places))


@function(method=False)
def unravel_index(indices, shape):
    """Coordinates of flat indices in ``shape``, one tensor a dimension. Source: ``torch.unravel_index``.

    >>> import minidl
    >>> minidl.unravel_index(minidl.tensor([5]), (2, 3))
    (tensor([1]), tensor([2]))
    """
    if not isinstance(indices, Tensor) or indices.dtype.is_floating_point or indices.dtype.name == "bool":
        raise ValueError(
            f"expected 'indices' to be integer dtype, but got {getattr(indices, 'dtype', indices)}"
        )
    shape = sizes((shape,), "shape")
    if any(n < 0 for n in shape):
        raise ValueError(f"'shape' cannot have negative values, but got {tuple(shape)}")
    out, indices = [], indices.long()
    for n in reversed(shape):
        out.append(indices % n)
        indices = indices // n
    return tuple(reversed(out))
