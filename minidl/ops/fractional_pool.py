"""Maximum pooling over windows whose places are drawn, so that the output may be any size below the input's."""

from math import prod

from minidl.autograd import function, modes
from minidl.ops.create import arange
from minidl.ops.indexing import gather
from minidl.ops.random import rand
from minidl.ops.selection import where
from minidl.ops.windows import ints, is_tensor, refuse_dtype

_NAMES = {2: ("height", "width"), 3: ("time", "height", "width")}


def _settings(input, rank, kernel_size, output_size, output_ratio):
    """Kernel and output sizes, one entry a spatial dimension."""
    name = f"fractional_max_pool{rank}d"
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if input.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got: {list(input.shape)}"
        )
    refuse_dtype(input, name, "biu")
    size = tuple(input.shape[-rank:])
    kernel = ints(kernel_size, name, "kernel_size")
    kernel = kernel * rank if len(kernel) == 1 else kernel
    if output_size is None:
        ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * rank
        output_size = tuple(int(n * ratio) for n, ratio in zip(size, ratios, strict=True))
    out = ints(output_size, name, "output_size")
    out = out * rank if len(out) == 1 else out
    where = name if rank == 2 else f"{name}_out"
    for axis, n, k, o in zip(_NAMES[rank], size, kernel, out, strict=True):
        if o + k - 1 > n - (rank == 3):  # PyTorch wants one more of volumes
            raise RuntimeError(f"{where}(): pool {axis} {k} too large relative to input {axis} {n}")
    return size, kernel, out


def _starts(u, n, k, out):
    """Where the windows of every plane begin along one dimension (N, C, out): floor((i + u) a) - floor(u a)."""
    step = (n - k) / (out - 1) if out > 1 else 0.0
    at = arange(out, dtype=u.dtype, device=u.device)
    drawn = ((at + u[..., None]) * step).long() - (u * step).long()[..., None]
    return where(at < out - 1, drawn, n - k)  # the last window ends with the input


def _winners(input, samples, size, kernel, out):
    """The flat position of the largest value of every window, (N, C, windows)."""
    rank, planes = len(size), tuple(input.shape[:2])
    columns = [1, 0] if rank == 2 else [0, 1, 2]  # PyTorch's order: width first of two
    flat = None
    for dim, (n, k, o) in enumerate(zip(size, kernel, out, strict=True)):
        taps = arange(k, device=input.device)
        places = _starts(samples[:, :, columns[dim]], n, k, o)[..., None] + taps
        shape = [1] * (2 * rank)
        shape[dim], shape[rank + dim] = o, k
        places = places.reshape(*planes, *shape)
        flat = places if flat is None else flat * n + places
    flat = flat.expand(*planes, *out, *kernel).reshape(*planes, prod(out), prod(kernel))
    values = gather(input.reshape(*planes, prod(size)), 2, flat.reshape(*planes, prod(out) * prod(kernel)))
    best = values.reshape(flat.shape).argmax(3, True)
    return gather(flat, 3, best).reshape(*planes, prod(out))


def _pool(rank, input, kernel_size, output_size, output_ratio, return_indices, samples):
    is_tensor(input, f"fractional_max_pool{rank}d", "input", 1)
    size, kernel, out = _settings(input, rank, kernel_size, output_size, output_ratio)
    single = input.ndim == rank + 1
    batch = input.unsqueeze(0) if single else input
    planes = tuple(batch.shape[:2])
    if samples is None:
        samples = rand(*planes, rank, dtype=input.dtype, device=input.device)
    elif samples.ndim != 3 or samples.shape[2] != rank or samples.shape[:2] < planes:
        raise RuntimeError(
            f"Expect _random_samples.size(2) equals to {rank}; got {list(samples.shape)} for {planes[0]} x {planes[1]} "
            "planes."
        )
    with modes.no_grad():
        indices = _winners(batch.detach(), samples[: planes[0], : planes[1]], size, kernel, out)
    values = gather(batch.reshape(*planes, prod(size)), 2, indices)
    shape = (*(planes[1:] if single else planes), *out)
    return (values.reshape(shape), indices.reshape(shape)) if return_indices else values.reshape(shape)


@function(faces=("functional",), method=False, shown="FractionalMaxPool2D")
def fractional_max_pool2d(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """The largest value of each of P x Q windows of ``kernel_size`` that lie over the image at drawn places.

    Along each dimension the window i begins at floor((i + u) a) - floor(u a), a = (n - k) / (m - 1), u uniform in
    [0, 1) a plane, and the last one ends with the input. ``_random_samples`` (N, C, 2) gives the u.
    Shapes: input (N, C, H, W) or (C, H, W), output (N, C, P, Q) or (C, P, Q), (P, Q) = ``output_size`` or
    (H, W) times ``output_ratio``. With ``return_indices``: also the positions in the flattened H x W (int64).

    Raises ``ValueError`` where neither size nor ratio is given, ``RuntimeError`` for what does not fit.
    Source: B. Graham, "Fractional max-pooling", 2015; ``torch.nn.functional.fractional_max_pool2d``.

    >>> import minidl
    >>> minidl.nn.functional.fractional_max_pool2d(minidl.ones(1, 7, 7), 2, output_size=(4, 5)).shape
    torch.Size([1, 4, 5])
    """
    return _pool(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


@function(faces=("functional",), method=False, shown="FractionalMaxPool3D")
def fractional_max_pool3d(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """``fractional_max_pool2d`` of volumes; ``_random_samples`` is (N, C, 3).

    Shapes: input (N, C, D, H, W) or (C, D, H, W), output with the sizes ``output_size``, or the input's times
    ``output_ratio``. Source: ``torch.nn.functional.fractional_max_pool3d``.

    >>> import minidl
    >>> minidl.nn.functional.fractional_max_pool3d(
    ...     minidl.ones(1, 7, 7, 7), 2, output_ratio=(0.5, 0.5, 0.5)
    ... ).shape
    torch.Size([1, 3, 3, 3])
    """
    return _pool(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


@function(faces=("functional",), method=False)
def fractional_max_pool2d_with_indices(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """``fractional_max_pool2d`` and the positions of the maxima, whatever ``return_indices`` says.

    Source: ``torch.nn.functional.fractional_max_pool2d_with_indices``.
    """
    return _pool(2, input, kernel_size, output_size, output_ratio, True, _random_samples)


@function(faces=("functional",), method=False)
def fractional_max_pool3d_with_indices(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """``fractional_max_pool3d`` and the positions of the maxima, whatever ``return_indices`` says.

    Source: ``torch.nn.functional.fractional_max_pool3d_with_indices``.
    """
    return _pool(3, input, kernel_size, output_size, output_ratio, True, _random_samples)
