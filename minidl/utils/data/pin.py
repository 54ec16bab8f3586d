"""Page-locked batches: what a GPU copies without the host's help."""

from collections.abc import Mapping, Sequence

from minidl.autograd import Tensor
from minidl.utils.data.collate import _mapping_like, _sequence_like


def pin_memory(data, device=None):
    """``data`` with its tensors in page-locked memory for a kind of device, 'cuda' by default.

    Looks into mappings and sequences, whose types stay. An object with a method ``pin_memory`` (a batch of one's
    own class) gives what that returns; everything else stays as it is. Source: PyTorch's ``pin_memory`` of DataLoader.

    >>> from minidl.utils.data.pin import pin_memory
    >>> pin_memory({"name": "a", "sizes": [1, 2]})
    {'name': 'a', 'sizes': [1, 2]}
    """
    if isinstance(data, Tensor):
        return data.pin_memory(device)
    if hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, (str, bytes)):
        return data
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: pin_memory(value, device) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(pin_memory(item, device) for item in data))
    if isinstance(data, Sequence):
        return _sequence_like(data, [pin_memory(item, device) for item in data])
    return data
