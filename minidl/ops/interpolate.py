"""Signals, images and volumes in another size."""

import warnings

import numpy as np

from minidl import dtypes
from minidl.autograd import function
from minidl.autograd.node import named
from minidl.ops import resample as tables
from minidl.ops.common import as_index
from minidl.ops.pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from minidl.ops.resample import resample

_MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"
_RANKS = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2, "lanczos": 2}
_AXES = {1: "W", 2: "HW", 3: "DHW"}


def _refused(input, mode):
    wanted = _RANKS.get(mode)
    if wanted and mode not in ("bicubic", "lanczos") and input.ndim in (3, 4, 5):
        return NotImplementedError(f"Got {input.ndim}D input, but {mode} mode needs {wanted + 2}D input")
    return NotImplementedError(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the modes: {_MODES} "
        f"(got {mode})"
    )


def _check_options(input, mode, align_corners, antialias):
    if mode not in _RANKS and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if antialias and not (mode in tables.FILTERS and input.ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if mode == "lanczos" and not antialias:
        raise ValueError("Lanczos mode requires antialias=True")
    if mode == "lanczos" and align_corners:
        raise ValueError("Lanczos mode does not support align_corners=True")


def _each(value, rank, what, shape):
    """One entry a spatial dimension."""
    if not isinstance(value, (tuple, list)):
        return (value,) * rank
    if len(value) != rank:
        named = {"output size": "output size of", "scale_factor": "scale_factor of shape"}[what]
        letter, place = {"output size": ("o", "output size"), "scale_factor": ("s", "scale_factor")}[what]
        both = "Input and output" if what == "output size" else "Input and scale_factor"
        raise ValueError(
            f"{both} must have the same number of spatial dimensions, but got input with spatial dimensions of "
            f"{list(shape)} and {named} {value}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
            f"{place} in ({letter}1, {letter}2, ...,{letter}K) format."
        )
    return tuple(value)


def _sizes(input, size, scale_factor, recompute):
    """Output sizes, and the factors that positions are computed with (None: the ratio of the sizes)."""
    spatial = tuple(input.shape[2:])
    rank = len(spatial)
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    if size is not None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        given = _each(size, rank, "output size", spatial)
        return tuple(as_index(n, "size") for n in given), (None,) * rank
    factors = tuple(float(f) for f in _each(scale_factor, rank, "scale_factor", spatial))
    return tables.sizes_by(spatial, factors), (None,) * rank if recompute else factors


def _check_sizes(input, sizes):
    rank, spatial = len(sizes), tuple(input.shape[2:])
    axes = _AXES[rank]
    if min(*spatial, *sizes, 1) <= 0:
        before, after = (
            ", ".join(f"{a}: {n}" for a, n in zip(axes, ns, strict=True)) for ns in (spatial, sizes)
        )
        also = "and " if rank == 1 else ""
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({before}) {also}output ({after})"
        )
    if input.shape[1] == 0 and input.shape[0] != 0:
        raise RuntimeError(
            f"Non-empty {input.ndim}D data tensor expected but got a tensor with sizes {list(input.shape)}"
        )


def _check_dtype(input, mode):
    if input.is_floating_point() or (input.dtype is dtypes.uint8 and mode not in ("linear", "trilinear")):
        return
    kind = dtypes.scalar_name(input.dtype.numpy)
    raise NotImplementedError(
        f"\"interpolate_{mode}\" not implemented for '{kind}'. Hint: convert the input with .float()."
    )


def _table(mode, antialias, inputs, size, factor, align_corners, rank, dtype):
    """The table of one dimension; None where it stays as it is."""
    if mode in ("nearest", "nearest-exact"):
        same = inputs == size and (factor is None or (rank == 2 and mode == "nearest"))
        return None if same else tables.nearest(inputs, size, factor, mode == "nearest-exact")
    if antialias:
        return tables.filtered(inputs, size, align_corners, factor, mode)
    if mode == "bicubic":
        return tables.cubic(inputs, size, align_corners, factor, dtype)
    return None if inputs == size else tables.linear(inputs, size, align_corners, factor, dtype)


@function(faces=("functional",), method=False, tensors="input")
def interpolate(
    input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None,
    antialias=False,
):  # fmt: skip
    """``input`` resampled to ``size``, or to floor(size * ``scale_factor``).

    Output i lies at (i + 1/2) / scale - 1/2 of the input, scale = ``scale_factor`` or the ratio of the sizes; with
    ``align_corners`` at i (n - 1) / (m - 1). ``mode``: 'nearest' floor(i / scale), 'nearest-exact' the nearest centre,
    'linear' (3-D input), 'bilinear' (4-D), 'trilinear' (5-D) the neighbours weighted by nearness, 'bicubic' (4-D) the
    4 x 4 around by Keys's kernel (a = -0.75), 'area' the mean of bins (``adaptive_avg_pool``). ``antialias``
    ('bilinear', 'bicubic', 'lanczos') widens the kernel where the output is smaller. ``recompute_scale_factor`` takes
    the ratio of the sizes for the scale.
    Shapes: input (N, C, L), (N, C, H, W) or (N, C, D, H, W); ``size`` and ``scale_factor`` a number or one a spatial
    dimension. Floating point; uint8 for the modes but 'linear', 'trilinear' and 'area' (rounded).

    Raises ``ValueError`` for options that do not go together, ``NotImplementedError`` for a mode that does not take the
    input, ``RuntimeError`` for sizes below 1. Source: ``torch.nn.functional.interpolate``; R. Keys, "Cubic convolution
    interpolation for digital image processing", 1981.

    >>> import minidl
    >>> x = minidl.tensor([[[1.0, 3.0]]])
    >>> minidl.nn.functional.interpolate(x, scale_factor=2, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    _check_options(input, mode, align_corners, antialias)
    rank = input.ndim - 2
    if rank not in (1, 2, 3) or mode not in _MODES.split(" | "):
        raise _refused(input, mode)
    sizes, factors = _sizes(input, size, scale_factor, recompute_scale_factor)
    if _RANKS.get(mode, rank) != rank:
        raise _refused(input, mode)
    if mode == "area":
        pool = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}[rank]
        return pool(input, sizes[0] if rank == 1 else sizes)
    _check_dtype(input, mode)
    _check_sizes(input, sizes)
    dtype = np.float64 if input.dtype in (dtypes.float64, dtypes.uint8) else np.float32
    out = input
    for dim in reversed(range(2, input.ndim)):
        setting = input.shape[dim], sizes[dim - 2], factors[dim - 2], bool(align_corners)
        taps = _table(mode, antialias, *setting, rank, dtype)
        out = out if taps is None else resample(out, dim, taps)
    name = f"Upsample{mode.title().replace('-', '')}{rank}D{'Aa' if antialias else ''}"
    return named(input.clone() if out is input else out, name)


def _deprecated(name):
    warnings.warn(
        f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=4
    )


@function(faces=("functional",), method=False, tensors="input")
def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """The old name of ``interpolate``; warns. Source: ``torch.nn.functional.upsample``."""
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


@function(faces=("functional",), method=False, tensors="input")
def upsample_nearest(input, size=None, scale_factor=None):
    """``interpolate`` with mode 'nearest'; warns. Source: ``torch.nn.functional.upsample_nearest``."""
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


@function(faces=("functional",), method=False, tensors="input")
def upsample_bilinear(input, size=None, scale_factor=None):
    """``interpolate`` with mode 'bilinear' and ``align_corners``; warns.
    Source: ``torch.nn.functional.upsample_bilinear``.
    """
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
