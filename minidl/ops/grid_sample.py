"""Images and volumes read at any places, and the places that an affine map gives."""

import itertools
import warnings
from math import prod

from minidl import dtypes
from minidl.autograd import function, modes
from minidl.autograd.node import named
from minidl.ops.comparison import isfinite
from minidl.ops.create import arange, linspace, ones, zeros
from minidl.ops.embedding_bag import bag_rows
from minidl.ops.joining import cat, stack
from minidl.ops.matmul import matmul
from minidl.ops.resample import cubic_weights
from minidl.ops.selection import clamp, where
from minidl.ops.windows import is_tensor, refuse_dtype

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def _corners(align_corners):
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please "
            "specify align_corners=True if the old behavior is desired. See the documentation of grid_sample for "
            "details.",
            stacklevel=3,
        )
    return bool(align_corners)


def _check(input, grid, mode, padding_mode):
    name = "nn.functional.grid_sample()"
    if mode not in _MODES:
        raise ValueError(f"{name}: expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'")
    if padding_mode not in _PADDINGS:
        raise ValueError(
            f"{name}: expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '{padding_mode}'"
        )
    shape, places, rank = list(input.shape), list(grid.shape), input.ndim - 2
    if shape[:1] != places[:1]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{shape} and grid with sizes {places}"
        )
    if places[-1] != rank:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {rank} in last dimension, but got grid with sizes {places}"
        )
    if rank not in (2, 3) or grid.ndim != input.ndim:
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with "
            f"sizes {shape} and grid with sizes {places}"
        )
    for dim, n in enumerate(shape[2:], 2):
        if n == 0:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
                f"{shape} with dimension {dim} being empty"
            )
    if mode == "bicubic" and rank == 3:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if grid.dtype is not input.dtype:
        kinds = [dtypes.scalar_name(tensor.dtype.numpy) for tensor in (input, grid)]
        raise RuntimeError(f"expected scalar type {kinds[0]} but found {kinds[1]}")
    refuse_dtype(input, f"grid_sampler_{rank}d_cpu_kernel_impl", "biu")


def _clipped(at, n):
    """``at`` limited to [0, n - 1], without gradient at the limits and beyond; what is no number goes to 0."""
    with modes.no_grad():
        fixed = clamp(where(at == at, at, 0.0), 0, n - 1)
        inside = (at > 0).logical_and(at < n - 1)
    return where(inside, at, fixed)


def _reflected(at, n, corners):
    """``at`` mirrored until it lies between the borders: the outer elements, or with no ``corners`` their edges."""
    low, span = (0.0, n - 1.0) if corners else (-0.5, float(n))
    if span == 0:
        return at * 0.0
    with modes.no_grad():
        away = at - low
        sign = where(away < 0, -1.0, 1.0)
        away = away * sign
        turns = (away / span).floor()
        rest = away - turns * span
        odd = turns.remainder(2.0) == 1
        found = where(odd, span - rest, rest) + low
        slope = where(odd, -sign, sign)
        shift = found - at * slope
    return at * slope + shift


def _placed(at, n, padding_mode, corners):
    """Where along a dimension of n elements the place ``at`` counts as."""
    if padding_mode == "reflection":
        at = _reflected(at, n, corners)
    return at if padding_mode == "zeros" else _clipped(at, n)


def _usable(at):
    """Places that fit an int64; those that do not, and what is no number, go far outside."""
    return where(isfinite(at).logical_and(at.abs() < 2.0**31), at, -100.0)


def _taps(at, n, mode, padding_mode, corners):
    """The elements along one dimension that a place is read from: (index, weight, whether inside) a tap."""
    if mode == "bicubic":
        with modes.no_grad():
            low = where(isfinite(at), at, -100.0).floor()
            places = [_placed(low + k, n, padding_mode, corners) for k in (-1.0, 0.0, 1.0, 2.0)]
        weights = cubic_weights(at - low)
    elif mode == "nearest":
        with modes.no_grad():
            places = [_usable(_placed(at, n, padding_mode, corners)).round()]
            never = at != at
            never = never.logical_and(never.logical_not())
        weights = [where(never, at, 1.0)]  # the gradient by the place is 0
    else:
        at = _placed(at, n, padding_mode, corners)
        with modes.no_grad():
            low = _usable(at).floor()
            places = [low, low + 1.0]
        weights = [1.0 - (at - low), at - low]
    found = []
    for place, weight in zip(places, weights, strict=True):
        with modes.no_grad():
            inside = (place >= 0).logical_and(place <= n - 1)
            index = clamp(place, 0, n - 1).long()
        found.append((index, weight, inside))
    return found


def _read(input, grid, mode, padding_mode, corners):
    """(N, C, *size) at (N, L, rank) places as (N, C, L): one look-up of all taps, and one weighted sum."""
    size = tuple(input.shape[2:])
    samples, channels = input.shape[:2]
    every = []
    for column, n in enumerate(reversed(size)):  # the grid has x first, the sizes last
        at = grid[:, :, column]
        at = (at + 1) * ((n - 1) / 2) if corners else ((at + 1) * n - 1) / 2
        every.insert(0, _taps(at, n, mode, padding_mode, corners))
    indices, weights, insides = [], [], []
    for taps in itertools.product(*every):
        flat, weight, inside = taps[0]
        for n, (index, w, i) in zip(size[1:], taps[1:], strict=True):
            flat, weight, inside = flat * n + index, weight * w, inside.logical_and(i)
        indices.append(flat)
        weights.append(weight)
        insides.append(inside)
    count = samples * prod(size)
    rows = input.reshape(samples, channels, prod(size)).transpose(1, 2).reshape(count, channels)
    rows = cat(
        [rows, zeros(1, channels, dtype=input.dtype, device=input.device)]
    )  # the last is what lies outside
    own = arange(samples, device=input.device).reshape(samples, 1, 1) * prod(size)  # a sample's first row
    places = where(stack(insides, 2), stack(indices, 2) + own, count)  # (N, L, taps)
    taps = (samples * places.shape[1], places.shape[2])
    out = bag_rows(places.reshape(taps), stack(weights, 2).reshape(taps), rows)
    return out.reshape(samples, places.shape[1], channels).transpose(1, 2)


@function(faces=("functional",), method=False)
def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """``input`` read at the places of ``grid``.

    A place (x, y) or (x, y, z) is relative: -1 and 1 are the borders, that is the centres of the outer elements with
    ``align_corners``, else their outer edges. ``mode``: 'bilinear' weighs the neighbours by nearness, 'nearest' takes
    the nearest (halves to even), 'bicubic' weighs 4 x 4 by Keys's kernel (a = -0.75). ``padding_mode`` says what lies
    outside: 'zeros', the 'border' element, or the input mirrored ('reflection').
    Shapes: input (N, C, H, W), grid (N, P, Q, 2), output (N, C, P, Q); or (N, C, D, H, W), (N, P, Q, R, 3) and
    (N, C, P, Q, R). Floating point, of one dtype. Differentiable by both; by a grid for 'nearest' the gradient is 0.

    Raises ``ValueError`` for unknown modes, ``RuntimeError`` for shapes or dtypes that do not fit.
    Source: M. Jaderberg et al., "Spatial transformer networks", 2015; ``torch.nn.functional.grid_sample``.

    >>> import minidl
    >>> x = minidl.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> minidl.nn.functional.grid_sample(x, minidl.zeros(1, 1, 1, 2), align_corners=False)
    tensor([[[[2.5000]]]])
    """
    is_tensor(input, "grid_sample", "input", 1)
    is_tensor(grid, "grid_sample", "grid", 2)
    corners = _corners(align_corners)
    _check(input, grid, mode, padding_mode)
    size, dtype = tuple(grid.shape[1:-1]), input.dtype
    if dtype.itemsize < 4:
        input, grid = input.float(), grid.float()
    flat = grid.reshape(grid.shape[0], prod(size), len(size))
    out = _read(input, flat, mode, padding_mode, corners)
    return named(out.reshape(*input.shape[:2], *size).to(dtype), f"GridSampler{len(size)}D")


def _check_theta(theta, size):
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype!r}")
    rank = len(size) - 2
    if rank not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{size}."
        )
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (rank, rank + 1):
        raise ValueError(
            f"Expected a batch of {rank}D affine matrices of shape Nx{rank}x{rank + 1} for size {size}. Got "
            f"{theta.shape}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    if theta.shape[0] != size[0]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{size[0]}, {rank + 1}] but got: "
            f"[{theta.shape[0]}, {rank + 1}]."
        )


@function(faces=("functional",), method=False)
def affine_grid(theta, size, align_corners=None):
    """The grid of places of ``grid_sample`` that the affine map ``theta`` gives for an output of ``size``.

    grid[n, h, w] = theta[n] (x_w, y_h, 1), with x and y from -1 to 1 over the centres of the outer elements with
    ``align_corners``, else over their outer edges.
    Shapes: theta (N, 2, 3), size (N, C, H, W), output (N, H, W, 2); or (N, 3, 4), (N, C, D, H, W) and (N, D, H, W, 3).

    Raises ``ValueError`` for a ``theta`` that does not fit, ``NotImplementedError`` for other ranks.
    Source: M. Jaderberg et al., "Spatial transformer networks", 2015; ``torch.nn.functional.affine_grid``.

    >>> import minidl
    >>> same = minidl.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> minidl.nn.functional.affine_grid(same, (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    is_tensor(theta, "affine_grid", "theta", 1)
    corners = _corners(align_corners)
    size = tuple(int(n) for n in size)
    _check_theta(theta, size)
    if corners and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This "
            "is not an intended use case of affine_grid. See the documentation of affine_grid for details.",
            stacklevel=3,
        )
    own = {"dtype": theta.dtype, "device": theta.device}
    rank, columns = len(size) - 2, []
    for dim, n in enumerate(size[2:]):
        line = zeros(1, **own) if n == 1 else linspace(-1, 1, n, **own)
        if not corners and n > 1:
            line = line * (n - 1) / n
        columns.insert(0, line.reshape([n if d == dim else 1 for d in range(rank)]).expand(size[2:]))
    base = stack([*columns, ones(size[2:], **own)], -1).reshape(1, prod(size[2:]), rank + 1)
    return matmul(base, theta.transpose(1, 2)).reshape(size[0], *size[2:], rank)


def _sampler(name, rank, shape):
    def forward(input, grid, interpolation_mode, padding_mode, align_corners):
        if rank and input.ndim != rank + 2:
            raise RuntimeError(
                f"grid_sampler(): expected {rank + 2}D input and grid with same number of dimensions, but got input "
                f"with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}"
            )
        if not 0 <= padding_mode < 3 or not 0 <= interpolation_mode < 3:
            raise ValueError(
                f"{name}(): modes are 0, 1 or 2, but got {interpolation_mode} and {padding_mode}"
            )
        return grid_sample(
            input, grid, _MODES[interpolation_mode], _PADDINGS[padding_mode], bool(align_corners)
        )

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""``nn.functional.grid_sample`` with its modes by number: 0 bilinear, 1 nearest, 2 bicubic;
    padding 0 with zeros, 1 with the border, 2 by reflection. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.ones({shape}), minidl.zeros({shape[:-4]}1, {2 if rank != 3 else 3}), 0, 0, False).ndim
    {4 if rank != 3 else 5}
    """
    return function(method=False, tensors="input grid")(forward)


grid_sampler = _sampler("grid_sampler", None, "1, 1, 2, 2")
grid_sampler_2d = _sampler("grid_sampler_2d", 2, "1, 1, 2, 2")
grid_sampler_3d = _sampler("grid_sampler_3d", 3, "1, 1, 2, 2, 2")
