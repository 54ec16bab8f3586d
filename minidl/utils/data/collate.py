"""From a list of samples to a batch."""

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence

import numpy as np

from minidl import dtypes
from minidl.autograd import Tensor
from minidl.ops.create import as_tensor, tensor
from minidl.ops.joining import stack


def default_convert(data):
    """NumPy arrays to tensors, also inside dicts and sequences; everything else as it is."""
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in "OSU" else as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(item) for item in data))
    if isinstance(data, tuple):
        return [default_convert(item) for item in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence_like(data, [default_convert(item) for item in data])
    return data


def default_collate(batch):
    """Joins samples of one structure along a new first dimension.

    Tensors and NumPy arrays are stacked; floats become a float64 tensor, ints and bools int64 and bool tensors;
    strings and bytes stay as they are; dicts, named tuples, tuples and lists are joined entry by entry (tuples
    into lists, as PyTorch does). Raises ``TypeError`` for other samples, ``IndexError`` for none, ``RuntimeError``
    where shapes or lengths differ.
    Source: PyTorch's ``torch.utils.data.default_collate``.

    >>> from minidl.utils.data import default_collate
    >>> default_collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
    {'x': tensor([1, 2]), 'name': ['a', 'b']}
    """
    if not batch:
        raise IndexError("default_collate: the batch is empty. Hint: a batch_sampler gives non-empty lists.")
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch, 0)
    if isinstance(first, (np.ndarray, np.generic)) and not isinstance(first, (str, bytes)):
        return _collate_arrays(batch)
    if isinstance(first, float):
        return tensor(batch, dtype=dtypes.float64)
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _mapping_like(first, {key: default_collate([d[key] for d in batch]) for key in first})
    if isinstance(first, Sequence):
        return _collate_sequences(batch)
    raise TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {type(first)}. "
        "Hint: pass your own collate_fn."
    )


def _collate_arrays(batch):
    if batch[0].dtype.kind in "OSU":
        raise TypeError(
            "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
            f"an array of dtype {batch[0].dtype}"
        )
    first = batch[0]
    if all(
        isinstance(each, np.ndarray) and each.shape == first.shape and each.dtype == first.dtype
        for each in batch
    ):
        return as_tensor(np.stack(batch))
    return stack([as_tensor(each) for each in batch], 0)


def _collate_sequences(batch):
    first, length = batch[0], len(batch[0])
    for i, sample in enumerate(batch):
        if len(sample) != length:
            raise RuntimeError(
                "each element in list of batch should be of equal size, "
                f"but sample 0 has {length} entries and sample {i} has {len(sample)}"
            )
    columns = [default_collate(column) for column in zip(*batch, strict=True)]
    if isinstance(first, tuple):
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    return _sequence_like(first, columns)


def _mapping_like(original, entries):
    """``entries`` in the type of ``original``, a dict where that type cannot be built from entries."""
    try:
        if isinstance(original, MutableMapping):
            out = copy.copy(original)  # keeps what a subclass holds besides: a default factory, say
            out.update(entries)
            return out
        return type(original)(entries)
    except TypeError:
        return entries


def _sequence_like(original, items):
    """``items`` in the type of ``original``, a list where that type cannot be built from items."""
    try:
        if isinstance(original, MutableSequence) and not isinstance(original, list):
            out = copy.copy(original)
            out[:] = items
            return out
        return type(original)(items)
    except TypeError:
        return items
