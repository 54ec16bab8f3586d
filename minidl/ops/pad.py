"""Padding at the borders: constant, mirrored, repeated, or wrapped around."""

import functools

import numpy as np

from minidl.autograd import function
from minidl.autograd.node import named
from minidl.ops.common import check_fits
from minidl.ops.joining import constant_pad
from minidl.ops.resample import Taps, resample
from minidl.ops.windows import ints, is_tensor, refuse_dtype

_MODES = ("constant", "reflect", "replicate", "circular")
_KERNELS = {"reflect": "reflection_pad", "replicate": "replication_pad"}
_NODES = {"reflect": "ReflectionPad", "replicate": "ReplicationPad"}
_ROOM = """Padding size {} is not supported for {}D input tensor.
Supported combinations for non-constant padding:
  - 2D or 3D input: padding size = 2 (pads last dimension)
  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)
  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"""


@functools.lru_cache(256)
def _border(mode, n, before, after):
    """Where every element along a padded dimension comes from."""
    at = np.arange(-before, n + after)
    if mode == "reflect":
        at = np.abs(at)
        at = np.where(at >= n, 2 * (n - 1) - at, at)
    elif mode == "replicate":
        at = np.clip(at, 0, n - 1)
    else:  # what is cut away does not come back at the other end
        first, kept = max(-before, 0), n + min(before, 0) + min(after, 0)
        at = first + (at - first) % max(kept, 1)  # nothing kept: no element asks
    return Taps(len(at), n, ((at, None, None),))


def _check_room(input, mode, rank, widths):
    """Raises where there is too little to mirror or to wrap, or nothing is left."""
    shape = tuple(input.shape)
    if mode != "circular" and 0 in (shape[1:] if input.ndim == rank + 2 else shape):
        raise RuntimeError(
            f"Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(shape)}"
        )
    for place, dim in enumerate(range(input.ndim - 1, input.ndim - 1 - rank, -1)):
        n, (before, after) = shape[dim], widths[dim]
        if mode == "reflect" and max(before, after) >= n:
            raise RuntimeError(
                f"Argument #{4 + 2 * place}: Padding size should be less than the corresponding input dimension, but "
                f"got: padding ({before}, {after}) at dimension {dim} of input {list(shape)}"
            )
        kept = n + min(before, 0) + min(after, 0)
        if mode == "circular" and (n == 0 or max(before, after) > max(kept, 0)):
            raise RuntimeError("Padding value causes wrapping around more than once.")
    out = [n + sum(w) for n, w in zip(shape, widths, strict=True)]
    if min(out) < 0 or (mode != "circular" and max(out[-rank:]) < 1):
        given, made = (
            " ".join(f"{axis}: {n}" for axis, n in zip("DHW"[-rank:], sizes[-rank:], strict=True))
            for sizes in (shape, out)
        )
        raise RuntimeError(f"input ({given}) is too small. Calculated output {made}")


def _bordered(input, rank, widths, mode):
    _check_room(input, mode, rank, widths)
    if mode in _KERNELS:
        refuse_dtype(input, f"{_KERNELS[mode]}{rank}d", "b")
    out = input
    for dim in range(input.ndim - rank, input.ndim):
        if any(widths[dim]):
            out = resample(out, dim, _border(mode, input.shape[dim], *widths[dim]))
    out = input.clone() if out is input else out
    return named(out, "CopySlices" if mode == "circular" else f"{_NODES[mode]}{rank}D")


@function(faces=("functional",), method=False)
def pad(input, pad, mode="constant", value=None):
    """``input`` with elements added at both ends of its last dimensions; negative counts take elements away.

    ``pad`` = (before, after) of the last dimension, then of the one before it, and so on. ``mode``: 'constant' adds
    ``value`` (0 by default); 'reflect' mirrors without repeating the border, 'replicate' repeats it, 'circular' wraps
    around. Shapes: any for 'constant'; the other modes pad all of ``size`` of (N, C, *size) or (C, *size), one to three
    dimensions.

    Raises ``RuntimeError`` for an odd number of counts, more of them than dimensions, too little to mirror or wrap,
    or a ``value`` beside another mode; ``NotImplementedError`` for another mode, or ranks that a mode does not pad.
    Source: ``torch.nn.functional.pad``.

    >>> import minidl
    >>> minidl.nn.functional.pad(minidl.tensor([1.0, 2.0]), (1, 2), value=9.0)
    tensor([9., 1., 2., 9., 9.])
    """
    is_tensor(input, "pad", "input", 1)
    counts = ints(pad, "pad", "pad")
    if len(counts) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, but got pad={list(counts)}")
    if len(counts) > 2 * input.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(counts)} and input of dimension {input.ndim}"
        )
    if mode not in _MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}. Hint: use one of {', '.join(_MODES)}.")
    pairs = [(counts[i], counts[i + 1]) for i in range(0, len(counts), 2)]
    widths = ((0, 0),) * (input.ndim - len(pairs)) + tuple(reversed(pairs))
    if mode == "constant":
        for n, (before, after) in zip(input.shape, widths, strict=True):
            if n + min(before, 0) + min(after, 0) < 0:
                raise RuntimeError(
                    f"narrow(): length must be non-negative. The input size {n}, plus negative padding {before} and "
                    f"{after}, resulted in a negative output size."
                )
        if value.__class__ in (int, float):
            check_fits(input._array.dtype, value)
        return constant_pad(input, widths, 0 if value is None else value)
    if value:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    rank = len(pairs)
    if rank not in (1, 2, 3) or input.ndim not in (rank + 1, rank + 2):
        raise NotImplementedError(_ROOM.format(len(counts), input.ndim))
    return _bordered(input, rank, widths, mode)
