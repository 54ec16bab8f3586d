"""The errors of pooling, in PyTorch's words, and its arguments as tuples."""

from minidl import dtypes
from minidl.backends.geometry import pool_output, span
from minidl.ops.windows import COUNTS, ints, is_tensor, refuse_dtype

_DIRECTIONS = {1: ("H", "W"), 2: ("H", "W"), 3: ("T", "H", "W")}
# What an argument may be besides a tuple, where its length is wrong; and in one dimension, in that kernel's words.
_SINGLE = {
    "kernel_size": "either be a single int",
    "stride": "either be omitted, a single int",
    "padding": "either be a single int",
    "dilation": "be either a single int",
}
_LISTED = {
    "kernel_size": "an int, list of ints or",
    "stride": "None, an int, list of ints, or",
    "padding": "an int, list of ints, or",
    "dilation": "an int, list of ints or",
}


def _per_dimension(value, rank, name, argument):
    found = ints(value, name, argument)
    if len(found) == 1:
        return found * rank
    if len(found) != rank and rank == 1:
        raise RuntimeError(
            f"{name}() {argument} must be {_LISTED[argument]} tuple of ints of size 1 but got size {len(found)}"
        )
    if len(found) != rank:
        raise RuntimeError(
            f"{name}: {argument} must {_SINGLE[argument]}, or a tuple of {COUNTS[rank]}. Got {list(found)}."
        )
    return found


def _ranks(input, rank, name):
    """PyTorch's check of what has a path for one dimension only."""
    if input.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"Expected {rank + 1} to {rank + 2} dimensions, but got {input.ndim}-dimensional tensor for argument #1 "
            f"'self' (while checking arguments for {name})"
        )


def _check_input(name, rank, input, always):
    """``always``: the words of max_pool1d for every fault, otherwise those of the kernels of more dimensions."""
    shape = list(input.shape)
    wrong = input.ndim not in (rank + 1, rank + 2)
    if wrong and not always:
        raise RuntimeError(
            f"non-empty {rank + 1}D or {rank + 2}D (batch mode) tensor expected for input, but got:{shape}"
        )
    if not wrong and rank == 3 and min(shape[-rank - 1 :]) == 0:
        inner = shape[-rank - 1 :].index(0)
        raise RuntimeError(
            f"{name}(): Expected input's non-batch dimensions to have positive length, but input has a shape of "
            f"{shape} and non-batch dimension {inner} has length zero!"
        )
    if wrong or min(shape[-rank - 1 :]) == 0:
        raise RuntimeError(
            f"{name}: Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{shape}"
        )


def _directed(rank, sizes, prefix):
    sizes = (1, *sizes) if rank == 1 else sizes
    return " ".join(f"{prefix}{d}: {n}" for d, n in zip(_DIRECTIONS[rank], sizes, strict=True))


def _check_settings(rank, kernel, stride, padding, dilation):
    if 0 in stride:
        raise RuntimeError("stride should not be zero")
    if min(kernel) <= 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got {_directed(rank, kernel, 'k')}")
    if min(stride) < 0:
        raise RuntimeError(f"stride should be greater than zero, but got {_directed(rank, stride, 'd')}")
    if min(dilation) <= 0:
        raise RuntimeError(
            f"dilation should be greater than zero, but got {_directed(rank, dilation, 'dilation')}"
        )
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > span(k, d) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} "
                f"and dilation={d}"
            )
        if p > k // 2:
            raise RuntimeError(
                f"pad should be smaller than or equal to half of kernel size, but got pad={p}, kernel_size={k}"
            )


def _check_line(input, kernel, stride, padding, dilation, ceil_mode):
    """The checks of ``max_pool1d`` without indices, which has a kernel and words of its own."""
    _check_input("max_pool1d", 1, input, True)
    for name, (value,) in (("kernel_size", kernel), ("stride", stride)):
        if value <= 0:
            raise RuntimeError(f"max_pool1d() {name} must be greater than zero, but got {value}")
    if padding[0] < 0:
        raise RuntimeError(f"max_pool1d() padding must be non-negative, but got {padding[0]}")
    if padding[0] > kernel[0] // 2:
        raise RuntimeError(
            "max_pool1d() padding should be at most half of kernel size, but got "
            f"padding={padding[0]} and kernel_size={kernel[0]}"
        )
    if dilation[0] <= 0:
        raise RuntimeError(f"max_pool1d() dilation must be greater than zero, but got {dilation[0]}")
    (out,) = pool_output(tuple(input.shape[-1:]), kernel, stride, padding, dilation, ceil_mode)
    if out < 1:
        raise RuntimeError(
            f"max_pool1d() Invalid computed output size: {out}. Hint: use a smaller kernel, or ceil_mode=True."
        )


def _check_output(input, rank, kernel, stride, padding, dilation, ceil_mode):
    size = tuple(input.shape[-rank:])
    out = pool_output(size, kernel, stride, padding, dilation, ceil_mode)
    if min(out) < 1:
        channels = input.shape[-rank - 1]
        one = (1,) * (rank == 1)
        given, computed = ("x".join(map(str, (channels, *one, *sizes))) for sizes in (size, out))
        raise RuntimeError(
            f"Given input size: ({given}). Calculated output size: ({computed}). Output size is too small. "
            "Hint: use a smaller kernel, or ceil_mode=True."
        )


def _geometry(name, rank, input, kernel_size, stride, padding, dilation, ceil_mode, line=False):
    is_tensor(input, name, "input", 1)
    kernel = _per_dimension(kernel_size, rank, name, "kernel_size")
    stride = kernel if stride is None or stride in ((), []) else _per_dimension(stride, rank, name, "stride")
    padding = _per_dimension(padding, rank, name, "padding")
    dilation = _per_dimension(dilation, rank, name, "dilation")
    if line:
        _check_line(input, kernel, stride, padding, dilation, ceil_mode)
        return kernel, stride, padding, dilation
    if rank == 1:
        _ranks(input, 1, name)
    _check_settings(rank, kernel, stride, padding, dilation)
    _check_input(name, rank, input, False)
    _check_output(input, rank, kernel, stride, padding, dilation, ceil_mode)
    return kernel, stride, padding, dilation


def check_max(name, rank, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=False):
    """Kernel, stride, padding and dilation as tuples. Raises where they do not fit."""
    line = rank == 1 and not return_indices
    geometry = _geometry(name, rank, input, kernel_size, stride, padding, dilation, ceil_mode, line)
    refuse_dtype(input, name, "b")
    return geometry


def check_avg(name, rank, input, kernel_size, stride, padding, ceil_mode, divisor_override):
    """Kernel, stride and padding as tuples. Raises where they do not fit."""
    geometry = _geometry(name, rank, input, kernel_size, stride, padding, 1, ceil_mode)
    if input.dtype is not dtypes.int64:
        refuse_dtype(input, name, "biu")
    if divisor_override is not None:
        (divisor,) = ints(divisor_override, name, "divisor_override")
        if divisor == 0:
            raise RuntimeError("divisor must be not zero")
    return geometry[:3]


def _sized(name, rank, input, output_size):
    """The output sizes of an adaptive pooling, None where the input's stays."""
    if not isinstance(output_size, (tuple, list)):
        return (output_size,) * rank
    if rank == 1 and len(output_size) != 1:
        raise RuntimeError(f"{name}() argument 'output_size' should contain one int (got {len(output_size)})")
    if rank > 1 and input.ndim <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    if len(output_size) != rank:
        words = "" if "avg" in name else "(): internal error"
        raise RuntimeError(
            f"{name}{words}: output_size{'' if not words else '.size()'} must be {rank}, but got {list(output_size)}"
        )
    return output_size


def check_adaptive(name, rank, input, output_size, refused):
    """The output sizes as a tuple. Raises where they do not fit, and for dtypes of the ``refused`` kinds."""
    is_tensor(input, name, "input", 1)
    shape = list(input.shape)
    output_size = _sized(name, rank, input, output_size)
    if rank == 1:
        _ranks(input, 1, name)
    if input.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got {shape}")
    for dim in range(input.ndim - rank - 1, input.ndim):
        if shape[dim] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{shape} with dimension {dim} being empty"
            )
    kept = [n if o is None else o for n, o in zip(shape[-rank:], output_size, strict=True)]
    size = ints(kept, name, "output_size")
    if min(size) < 0 and "max" in name:
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(size)}: {[*shape[:-rank], *size]}"
        )
    if min(size) < 0:
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received {list(size)}"
        )
    refuse_dtype(input, name, refused)
    return size
