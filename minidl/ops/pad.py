"""Padding at the borders: constant, mirrored, repeated, or wrapped around."""

from minidl.autograd import function
from minidl.ops.joining import cat, constant_pad, flip, narrow
from minidl.ops.windows import ints, is_tensor

_MODES = ("constant", "reflect", "replicate", "circular")


def _reflected(input, dim, before, after):
    n = input.shape[dim]
    head = [flip(narrow(input, dim, 1, before), (dim,))] if before else []
    tail = [flip(narrow(input, dim, n - 1 - after, after), (dim,))] if after else []
    return [*head, input, *tail]


def _replicated(input, dim, before, after):
    def edge(start, count):
        shape = [-1] * input.ndim
        shape[dim] = count
        return [narrow(input, dim, start, 1).expand(shape)] if count else []

    return [*edge(0, before), input, *edge(input.shape[dim] - 1, after)]


def _wrapped(input, dim, before, after):
    n = input.shape[dim]
    head = [narrow(input, dim, n - before, before)] if before else []
    return [*head, input, *([narrow(input, dim, 0, after)] if after else [])]


def _check_room(input, mode, dim, before, after):
    n = input.shape[dim]
    if mode == "reflect" and max(before, after) >= n:
        raise RuntimeError(
            f"Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {dim} of input {list(input.shape)}"
        )
    if mode == "circular" and max(before, after) > n:
        raise RuntimeError(
            f"Padding value causes wrapping around more than once: padding ({before}, {after}) at dimension {dim} "
            f"of input {list(input.shape)}"
        )
    if mode == "replicate" and n == 0:
        raise RuntimeError(
            f"Expected a non-empty dimension {dim} to replicate, but got input {list(input.shape)}"
        )


def _bordered(input, widths, mode):
    border = {"reflect": _reflected, "replicate": _replicated, "circular": _wrapped}[mode]
    for dim, (before, after) in enumerate(widths):
        _check_room(input, mode, dim, before, after)
        if before < 0 or after < 0:
            kept = input.shape[dim] + min(before, 0) + min(after, 0)
            input = narrow(input, dim, max(-before, 0), kept)
        before, after = max(before, 0), max(after, 0)
        if before or after:
            input = cat(border(input, dim, before, after), dim)
    return input


@function(faces=("functional",), method=False)
def pad(input, pad, mode="constant", value=None):
    """``input`` with elements added at both ends of its last dimensions; negative counts take elements away.

    ``pad`` = (before, after) of the last dimension, then of the one before it, and so on. ``mode``: 'constant' adds
    ``value`` (0 by default); 'reflect' mirrors without repeating the border, 'replicate' repeats it, 'circular' wraps
    around. Shapes: any; the modes beside 'constant' do not pad the batch and channel dimensions of (N, C, *size).

    Raises ``RuntimeError`` for an odd number of counts, more of them than dimensions, or too little to mirror or wrap;
    ``NotImplementedError`` for another mode. Source: ``torch.nn.functional.pad``.

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
    for n, (before, after) in zip(input.shape, widths, strict=True):
        if n + before + after < 0:
            raise RuntimeError(
                f"The input size {n}, plus negative padding {before} and {after}, resulted in a negative output size, "
                "which is invalid. Check dimension sizes of your input."
            )
    if mode == "constant":
        return constant_pad(input, widths, 0 if value is None else value)
    if value:
        raise RuntimeError(f"Padding mode '{mode}' doesn't take in value argument")
    if len(pairs) > max(input.ndim - 1, 0):
        raise NotImplementedError(
            "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now, but got "
            f"pad={list(counts)} for an input of dimension {input.ndim}"
        )
    return _bordered(input, widths, mode)
