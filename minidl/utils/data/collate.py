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


def collate_tensor_fn(batch, *, collate_fn_map=None):
    """Tensors, stacked."""
    return stack(batch, 0)


def collate_numpy_array_fn(batch, *, collate_fn_map=None):
    """Arrays of numbers, as one tensor."""
    first = batch[0]
    if first.dtype.kind in "OSU":
        raise TypeError(_REFUSED.format(f"an array of dtype {first.dtype}"))
    if all(
        isinstance(each, np.ndarray) and each.shape == first.shape and each.dtype == first.dtype
        for each in batch
    ):
        return as_tensor(np.stack(batch))
    return stack([as_tensor(each) for each in batch], 0)


def collate_numpy_scalar_fn(batch, *, collate_fn_map=None):
    """NumPy's numbers, as one tensor."""
    return collate_numpy_array_fn([np.asarray(each) for each in batch])


def collate_float_fn(batch, *, collate_fn_map=None):
    """Python floats, as a float64 tensor."""
    return tensor(batch, dtype=dtypes.float64)


def collate_int_fn(batch, *, collate_fn_map=None):
    """Python ints or bools, as a tensor."""
    return tensor(batch)


def collate_str_fn(batch, *, collate_fn_map=None):
    """Text or bytes, as they are."""
    return batch


default_collate_fn_map = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}
_REFUSED = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}. "
    "Hint: pass your own collate_fn."
)


def collate(batch, *, collate_fn_map=None):
    """Joins samples by the function that ``collate_fn_map`` has for their type, dicts and sequences entry by entry.

    A key of the map is a type or a tuple of types; a function takes the list of samples and, by name, the map. Raises
    ``TypeError`` for samples of other types, ``IndexError`` for none, ``RuntimeError`` where lengths differ.
    Source: ``torch.utils.data._utils.collate.collate``.

    >>> from minidl.utils.data._utils.collate import collate
    >>> collate([{"a": 1}, {"a": 2}], collate_fn_map={int: lambda batch, *, collate_fn_map: sum(batch)})
    {'a': 3}
    """
    if not batch:
        raise IndexError("default_collate: the batch is empty. Hint: a batch_sampler gives non-empty lists.")
    first = batch[0]
    if collate_fn_map is not None:
        function = collate_fn_map.get(type(first)) or next(
            (fn for kind, fn in collate_fn_map.items() if isinstance(first, kind)), None
        )
        if function is not None:
            return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        joined = {key: collate([d[key] for d in batch], collate_fn_map=collate_fn_map) for key in first}
        return _mapping_like(first, joined)
    if isinstance(first, Sequence):
        return _collate_sequences(batch, collate_fn_map)
    raise TypeError(_REFUSED.format(type(first)))


def default_collate(batch):
    """Joins samples of one structure along a new first dimension.

    Tensors and NumPy arrays are stacked; floats become a float64 tensor, ints and bools int64 and bool tensors;
    strings and bytes stay as they are; dicts, named tuples, tuples and lists are joined entry by entry (tuples
    into lists, as PyTorch does). Raises ``TypeError`` for other samples, ``IndexError`` for none, ``RuntimeError``
    where shapes or lengths differ. ``default_collate_fn_map`` says what joins which type; a type may be added.
    Source: PyTorch's ``torch.utils.data.default_collate``.

    >>> from minidl.utils.data import default_collate
    >>> default_collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
    {'x': tensor([1, 2]), 'name': ['a', 'b']}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def _collate_sequences(batch, collate_fn_map):
    first, length = batch[0], len(batch[0])
    for i, sample in enumerate(batch):
        if len(sample) != length:
            raise RuntimeError(
                "each element in list of batch should be of equal size, "
                f"but sample 0 has {length} entries and sample {i} has {len(sample)}"
            )
    columns = [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch, strict=True)]
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
