"""Places: what stands there, where it stands, what order it is in."""

import minidl
from minidl.keras.ops.operation import floating, operation, tensor
from minidl.nn import functional as F


def _places(indices, size):
    """Places as int64, negative ones counted from the end. ``IndexError`` for one outside."""
    at = tensor(indices).long()
    if at.numel() and not -size <= int(at.min()) <= int(at.max()) < size:
        raise IndexError(
            f"index {int(at.min())} or {int(at.max())} is out of bounds for a dimension of size {size}"
        )
    return minidl.where(at < 0, at + size, at)


@operation
def take(x, indices, axis=None):
    """The entries at ``indices`` along ``axis``; of all, counted through, where that is None.

    >>> from minidl.keras import ops
    >>> ops.take([[1, 2], [3, 4]], [1, 0], axis=1).tolist()
    [[2, 1], [4, 3]]
    """
    x = tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis %= x.ndim
    at = _places(indices, x.shape[axis])
    found = minidl.index_select(x, axis, at.reshape(-1))
    return found.reshape(*x.shape[:axis], *at.shape, *x.shape[axis + 1 :])


@operation
def take_along_axis(x, indices, axis=None):
    """The entries at the places that ``indices`` name along ``axis``, one for each."""
    x = tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    return minidl.take_along_dim(x, _places(indices, x.shape[axis]), axis)


@operation
def get_item(x, key):
    """x[key]."""
    return tensor(x)[key]


def nonzero(x):
    """The places of what is not 0, a row for each dimension, int32."""
    return minidl.nonzero(tensor(x)).transpose(0, 1).int()


@operation
def sort(x, axis=-1):
    """The entries in rising order along ``axis``."""
    x = tensor(x)
    return minidl.sort(x.reshape(-1) if axis is None else x, axis if axis is not None else 0)[0]


@operation
def argsort(x, axis=-1):
    """The places, int32, that would sort x along ``axis``."""
    x = tensor(x)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    return minidl.argsort(x, axis, stable=True).int()


@operation
def top_k(x, k, sorted=True):
    """(values, places) of the ``k`` largest of the last dimension."""
    values, places = minidl.topk(tensor(x), k, -1, True, True)
    return values, places.int()


@operation
def in_top_k(targets, predictions, k):
    """Whether the prediction at the target is among the ``k`` largest."""
    predictions = tensor(predictions)
    at = predictions.gather(-1, tensor(targets).long().unsqueeze(-1))
    return (predictions > at).sum(-1) < k


@operation
def searchsorted(sorted_sequence, values, side="left"):
    """Where the values would go into a sorted vector, int32."""
    return minidl.searchsorted(tensor(sorted_sequence), tensor(values), right=side == "right").int()


@operation
def digitize(x, bins):
    """The number of the bin that each x lies in: bins[i - 1] <= x < bins[i]."""
    return minidl.bucketize(tensor(x), tensor(bins).to(tensor(x).dtype), right=True).int()


@operation
def bincount(x, weights=None, minlength=0, sparse=False):
    """How often each number occurs; along the last dimension. int32, or the sum of ``weights``."""
    x = tensor(x).long()
    size = max(int(x.max()) + 1 if x.numel() else 0, minlength or 0)
    hot = F.one_hot(x, max(size, 1))
    if weights is None:
        return hot.sum(-2).int()
    weights = tensor(weights)
    return (hot.to(weights.dtype) * weights.unsqueeze(-1)).sum(-2)


def unique(
    x, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, **kwargs
):
    """The different values in rising order; with their counts, and the place of each entry's among them."""
    if return_index or kwargs:
        raise NotImplementedError("unique(return_index, size, fill_value) is not supported: use np.unique")
    return minidl.unique(tensor(x), sorted, return_inverse, return_counts, axis)


@operation
def slice(inputs, start_indices, shape):
    """The block of ``shape`` from ``start_indices`` on."""
    return tensor(inputs)[_block(start_indices, shape)]


def _block(starts, sizes):
    starts = [int(s) for s in (starts.tolist() if hasattr(starts, "tolist") else starts)]
    return tuple(_slice(start, start + int(size)) for start, size in zip(starts, sizes, strict=True))


_slice = __builtins__["slice"] if isinstance(__builtins__, dict) else __builtins__.slice


@operation
def slice_update(inputs, start_indices, updates):
    """``inputs`` with the block from ``start_indices`` on replaced by ``updates``."""
    out, updates = tensor(inputs).clone(), tensor(updates)
    out[_block(start_indices, updates.shape)] = updates.to(out.dtype)
    return out


@operation
def scatter(indices, values, shape):
    """Zeros of ``shape`` with ``values`` added at ``indices`` (..., K), which name the first K dimensions."""
    values = tensor(values)
    return _scattered(minidl.zeros(tuple(shape), dtype=values.dtype), indices, values, True)


@operation
def scatter_update(inputs, indices, updates, reduction=None):
    """``inputs`` with ``updates`` at ``indices``; ``reduction="add"`` adds them."""
    if reduction not in (None, "add"):
        raise NotImplementedError("scatter_update(reduction) is None or 'add'")
    return _scattered(tensor(inputs), indices, tensor(updates), reduction == "add")


def _scattered(base, indices, values, accumulate):
    at = tensor(indices).long()
    places = tuple(at[..., k] for k in range(at.shape[-1]))
    return minidl.index_put(base, places, values.to(base.dtype), accumulate)


def _segments(name, reduce, start, text):
    def body(data, segment_ids, num_segments=None, sorted=False):
        data, ids = tensor(data), tensor(segment_ids).long()
        count = int(ids.max()) + 1 if num_segments is None else num_segments
        inside = (ids >= 0) & (ids < count)
        ids = minidl.where(inside, ids, ids * 0 + count)
        spread = ids.reshape(-1, *[1] * (data.ndim - 1)).expand(data.shape)
        base = data.new_full((count + 1, *data.shape[1:]), start)
        return minidl.scatter_reduce(base, 0, spread, data, reduce, include_self=True)[:count]

    body.__name__, body.__doc__ = name, text
    return operation(body)


segment_sum = _segments("segment_sum", "sum", 0, "The sums of the rows of each segment.")
segment_prod = _segments("segment_prod", "prod", 1, "The products of the rows of each segment.")
segment_max = _segments("segment_max", "amax", float("-inf"), "The largest of the rows of each segment.")
segment_min = _segments("segment_min", "amin", float("inf"), "The smallest of the rows of each segment.")


@operation
def isin(x1, x2, assume_unique=False, invert=False):
    """Whether each entry of x1 is among those of x2."""
    return minidl.isin(tensor(x1), tensor(x2), invert=invert)


@operation
def select(condlist, choicelist, default=0):
    """The entry of the first choice whose condition holds, else ``default``."""
    found = tensor(default)
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        choice = tensor(choice)
        found = minidl.where(tensor(condition).bool(), choice, found.to(choice.dtype))
    return found


@operation
def unravel_index(indices, shape):
    """The places, one tensor a dimension, of entries that are counted through."""
    return tuple(at.int() for at in minidl.unravel_index(tensor(indices).long(), tuple(shape)))


def histogram(x, bins=10, range=None):
    """(counts, edges) of ``bins`` equal bins."""
    x = floating(x).reshape(-1)
    low, high = (float(x.min()), float(x.max())) if range is None else range
    counts, edges = minidl.histogram(x.cpu(), bins, range=(low, high))
    return counts.int(), edges


@operation
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral of y by trapezoids."""
    y = floating(y)
    return minidl.trapezoid(y, dx=dx, dim=axis) if x is None else minidl.trapezoid(y, floating(x), dim=axis)


@operation
def argpartition(x, kth, axis=-1):
    """Places of the entries along ``axis``, those of the ``kth`` smallest first, int32."""
    x = tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    if not -x.shape[axis] <= kth < x.shape[axis]:
        raise ValueError(f"kth(={kth}) out of bounds ({x.shape[axis]})")
    return minidl.argsort(x, axis, stable=True).int()
