"""Set functions of the standard. NaN is no duplicate of NaN; 0 and -0 are one value."""

from typing import NamedTuple

import minidl
from minidl.array_api.operands import as_array

__all__ = ["unique_all", "unique_counts", "unique_inverse", "unique_values"]


class UniqueAll(NamedTuple):
    """What ``unique_all`` gives."""

    values: minidl.Tensor
    indices: minidl.Tensor
    inverse_indices: minidl.Tensor
    counts: minidl.Tensor


class UniqueCounts(NamedTuple):
    """What ``unique_counts`` gives."""

    values: minidl.Tensor
    counts: minidl.Tensor


class UniqueInverse(NamedTuple):
    """What ``unique_inverse`` gives."""

    values: minidl.Tensor
    inverse_indices: minidl.Tensor


def unique_all(x, /):
    """Distinct values in order, index of each one's first occurrence, the place of every element's, and counts.

    >>> from minidl import array_api as xp
    >>> found = xp.unique_all(xp.asarray([3, 1, 3]))
    >>> found.values, found.indices, found.inverse_indices, found.counts
    (tensor([1, 3]), tensor([1, 0]), tensor([1, 0, 1]), tensor([1, 2]))
    """
    flat = as_array(x).detach().reshape((-1,))
    order = minidl.argsort(flat, stable=True)
    ordered = flat[order]
    begins = minidl.ones(flat.shape, dtype=minidl.bool, device=x.device)
    begins[1:] = ordered[1:] != ordered[:-1]
    first = minidl.nonzero(begins, as_tuple=True)[0]
    inverse = minidl.empty_like(order)
    inverse[order] = minidl.cumsum(begins, 0) - 1
    end = minidl.full((1,), flat.numel(), dtype=first.dtype, device=x.device)
    return UniqueAll(ordered[first], order[first], inverse.reshape(x.shape), minidl.diff(first, append=end))


def unique_counts(x, /):
    """Distinct values in order, and how often each occurs."""
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x, /):
    """Distinct values in order, and the place of every element's among them."""
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x, /):
    """Distinct values in order."""
    return unique_all(x).values
