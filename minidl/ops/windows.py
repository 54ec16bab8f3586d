"""What convolution and pooling share: arguments with one entry a spatial dimension, batches, dtypes that they take."""

from minidl import dtypes
from minidl.autograd import Tensor
from minidl.ops.common import as_index
from minidl.ops.shapes import squeeze, unsqueeze

_LARGEST = 1 << 60  # sums of a few sizes of this order still fit 64 bits
COUNTS = {1: "one int", 2: "two ints", 3: "three ints"}


def is_tensor(value, name, argument, position):
    """Raises ``TypeError`` where an argument is no Tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{name}(): argument '{argument}' (position {position}) must be Tensor, not {value.__class__.__name__}. "
            "Hint: minidl.tensor(...) makes one."
        )


def ints(value, name, argument):
    """An int or several as a tuple of ints. Raises ``TypeError`` for others, ``RuntimeError`` above 2^60."""
    if value.__class__ is int:
        found = (value,)
    elif isinstance(value, (tuple, list)):
        found = tuple(v if v.__class__ is int else as_index(v, argument) for v in value)
    elif isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(
            f"{name}(): argument '{argument}' must be tuple of ints, not {value.__class__.__name__}"
        )
    else:
        found = (value.__index__(),)
    if max(found, default=0) > _LARGEST:
        raise RuntimeError(
            f"value cannot be converted to type int without overflow: {name}() takes {argument} up to 2^60, "
            f"got {argument}={list(found)}"
        )
    return found


def refuse_dtype(input, name, kinds):
    """Raises ``NotImplementedError`` for an input whose dtype is among ``kinds``: letters of NumPy's dtype kinds."""
    dtype = input._array.dtype
    if dtype.kind in kinds and not dtypes.is_floating(dtype):
        kind = dtypes.scalar_name(dtype)
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{kind}'. Hint: convert the input with .float()."
        )


def batched(input, rank):
    """The input with a batch dimension, and whether it had none: (C, *size) or (N, C, *size)."""
    single = input.ndim == rank + 1
    return (unsqueeze(input, 0) if single else input), single


def unbatched(output, single):
    """The output without the batch dimension that ``batched`` added."""
    return squeeze(output, 0) if single else output


def by(sizes):
    """Sizes as PyTorch prints them in messages: ``3 x 3``."""
    return " x ".join(map(str, sizes))
