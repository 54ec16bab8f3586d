"""Searching sorted sequences, counting, distinct values."""

import numbers

import numpy as np

from minidl import dtypes, return_types
from minidl.autograd import Tensor, function, op
from minidl.autograd.boxing import not_a_tensor
from minidl.backends import of
from minidl.ops.common import promote, wrap_dim
from minidl.ops.create import full, linspace, zeros
from minidl.ops.ordering import sort
from minidl.ops.shapes import movedim

Histogram = return_types.define("histogram", "hist bin_edges")


@op(constant="boundaries values", faces=(), method=False)
def _searchsorted(boundaries, values, right, dtype):
    boundaries, values = promote(boundaries, values)
    space = of(values)
    return space.astype(space.searchsorted(boundaries, values, right), dtype)


def _sided(name, right, side):
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(f"torch.{name}(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            f"torch.{name}(): side and right can't be set to opposites, got side of left while right was True"
        )
    return right or side == "right"


@function(method=False, tensors="sorted_sequence")
def searchsorted(sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None):
    """Where each value of ``input`` would be inserted into ``sorted_sequence``, sorted along its last dimension.

    ``right``: after equal elements. The leading dimensions must be equal, unless the sequence has one dimension.
    Source: ``torch.searchsorted``.

    >>> import minidl
    >>> minidl.searchsorted(minidl.tensor([1, 3, 5]), minidl.tensor([3, 4]))
    tensor([1, 2])
    """
    right = _sided("searchsorted", right, side)
    values = (
        input
        if isinstance(input, Tensor)
        else Tensor._from_array(np.asarray(input)).to(sorted_sequence.device)
    )
    if sorter is not None:
        if sorter.shape != sorted_sequence.shape:
            raise RuntimeError(
                "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
                f"{list(sorted_sequence.shape)} and got sorter tensor {list(sorter.shape)}"
            )
        sorted_sequence = sorted_sequence.gather(-1, sorter)
    if sorted_sequence.ndim == 0:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension"
        )
    if sorted_sequence.ndim > 1 and sorted_sequence.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(sorted_sequence.shape)} and "
            f"input value tensor {list(values.shape)}"
        )
    if not values.numel() or not sorted_sequence.numel():
        return zeros(values.shape, dtype=dtypes.int32 if out_int32 else dtypes.int64, device=values.device)
    return _searchsorted(sorted_sequence, values, right, dtypes.int32.numpy if out_int32 else dtypes.INT64)


@function(method=False, tensors="boundaries")
def bucketize(input, boundaries, *, out_int32=False, right=False):
    """The bucket of each value between sorted ``boundaries`` (1-D). Source: ``torch.bucketize``.

    >>> import minidl
    >>> minidl.bucketize(minidl.tensor([2, 6]), minidl.tensor([1, 3, 5]))
    tensor([1, 3])
    """
    if not isinstance(input, (Tensor, numbers.Real)):
        raise not_a_tensor("bucketize", "input", 1, input)
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@op(constant="input weights")
def bincount(input, weights=None, minlength=0):
    """How often each number from 0 on occurs in a vector, or the sum of its ``weights``. Source: ``torch.bincount``.

    >>> import minidl
    >>> minidl.bincount(minidl.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    if input.dtype.kind not in "iu":
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{dtypes.scalar_name(input.dtype)}'")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if input.ndim != 1 or (input.size and int(input.min()) < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights.shape != input.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    space = of(input)
    if weights is not None and weights.dtype != dtypes.FLOAT32:
        weights = space.astype(weights, dtypes.FLOAT64)
    out = space.bincount(input, weights, minlength)
    return space.astype(out, dtypes.INT64 if weights is None else weights.dtype)


def _limits(name, values, low, high):
    """The range of a histogram: that of the values where none was given; never empty."""
    if low == high == 0 and values.numel():
        low, high = float(values.min()), float(values.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise RuntimeError(f"{name}: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError(f"{name}: max must be larger than min")
    return (low - 1, high + 1) if low == high and name == "torch.histc" else (low, high)


@op(constant="input edges weights", faces=(), method=False)
def _counts(input, edges, dtype, weights=None):
    space = of(input)
    flat = None if weights is None else space.reshape(weights, (weights.size,))
    out = space.histogram_counts(space.reshape(input, (input.size,)), edges, flat)
    return space.astype(out, dtype)


@function(tensors="input")
def histc(input, bins=100, min=0, max=0):
    """Counts in ``bins`` bins of equal width from ``min`` to ``max``, by default those of the values.
    Source: ``torch.histc``.

    >>> import minidl
    >>> minidl.histc(minidl.tensor([1.0, 2.0, 1.0]), bins=2, min=0, max=3)
    tensor([2., 1.])
    """
    if not input.is_floating_point():
        raise NotImplementedError(
            f"\"histogram_cpu\" not implemented for '{dtypes.scalar_name(input._array.dtype)}'"
        )
    if bins <= 0:
        raise RuntimeError("bins must be > 0")
    low, high = _limits("torch.histc", input, float(min), float(max))
    if input.dtype.itemsize == 2:  # in PyTorch the bin is a formula whose every step rounds
        values = input.detach().reshape(-1)
        low, high = (full((), v, dtype=input.dtype, device=input.device) for v in (low, high))
        places = ((values - low) * bins / (high - low)).float().clamp(0, bins - 1).long()
        inside = (values >= low) & (values <= high)
        return bincount(places[inside], minlength=int(bins)).to(input.dtype)
    edges = linspace(low, high, bins + 1, dtype=input.dtype, device=input.device)
    return _counts(input.detach(), edges, input._array.dtype)


@function(tensors="input")
def histogram(input, bins=100, *, range=None, weight=None, density=False):
    """Counts (or sums of ``weight``) in bins, and the edges: of equal width, or given. Source: ``torch.histogram``.

    >>> import minidl
    >>> minidl.histogram(minidl.tensor([1.0, 2.0, 1.0]), 2, range=(0.0, 3.0)).hist
    tensor([2., 1.])
    """
    if isinstance(bins, Tensor):
        edges = bins
    else:
        if bins <= 0:
            raise RuntimeError("torch.histogram(): bins must be > 0, but got " + str(bins))
        low, high = (0.0, 0.0) if range is None else range
        if range is None and not input.numel():
            low, high = 0.0, 1.0
        elif range is None:
            low, high = _limits("torch.histogram", input, low, high)
        low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
        edges = linspace(low, high, bins + 1, dtype=input.dtype, device=input.device)
    counts = _counts(input.detach(), edges, input._array.dtype, None if weight is None else weight.detach())
    if density:
        counts = counts / counts.sum() / (edges[1:] - edges[:-1])
    return Histogram(counts, edges)


def _rows(name, input, dim, return_inverse, return_counts):
    """Distinct slices along ``dim``, as rows of a matrix."""
    dim = wrap_dim(dim, input.ndim)
    moved = movedim(input.detach(), dim, 0)
    empty = tuple(moved.shape).count(0)
    if empty > 1:
        raise RuntimeError("Number of zero sized dimensions is more than one, so unique cannot be applied ")
    if moved.shape[0] and moved.numel() == 0:
        raise RuntimeError(
            "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"
        )
    if empty:
        none = zeros(0, dtype=dtypes.int64, device=input.device)
        return _asked(input.detach().clone(), none, none, return_inverse, return_counts)
    flat = moved.reshape(moved.shape[0], -1)
    found = [Tensor._from_array(a) for a in getattr(of(flat._array), name)(flat._array)]
    values = movedim(found[0].reshape(-1, *moved.shape[1:]), 0, dim)
    return _asked(values, found[1], found[2], return_inverse, return_counts)


def _asked(values, inverse, counts, return_inverse, return_counts):
    out = (values, *[inverse.long()] * return_inverse, *[counts.long()] * return_counts)
    return out if len(out) > 1 else values


@function(tensors="input")
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The first of each run of equal values (or slices along ``dim``), with each element's run and the runs' lengths
    where asked. Source: ``torch.unique_consecutive``.

    >>> import minidl
    >>> minidl.unique_consecutive(minidl.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    if dim is not None:
        return _rows("unique_consecutive_rows", input, dim, return_inverse, return_counts)
    flat = input.detach().reshape(-1, 1)
    found = [Tensor._from_array(a) for a in of(flat._array).unique_consecutive_rows(flat._array)]
    return _asked(
        found[0].reshape(-1), found[1].reshape(input.shape), found[2], return_inverse, return_counts
    )


@function(tensors="input")
def msort(input):
    """Sorted along the first dimension. Source: ``torch.msort``.

    >>> import minidl
    >>> minidl.msort(minidl.tensor([3, 1, 2]))
    tensor([1, 2, 3])
    """
    return sort(input, 0).values if input.ndim else input.clone()
