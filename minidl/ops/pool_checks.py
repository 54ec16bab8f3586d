"""The errors of pooling, in PyTorch's words, and its arguments as tuples."""

from minidl.backends.geometry import pool_output, span
from minidl.ops.windows import COUNTS, ints, is_tensor, refuse_dtype


def _per_dimension(value, rank, name, argument):
    found = ints(value, name, argument)
    if len(found) == 1:
        return found * rank
    if len(found) != rank:
        kind = f", or a tuple of {COUNTS[rank]}" if rank > 1 else ""
        raise RuntimeError(f"{name}: {argument} must either be a single int{kind}, but got {list(found)}")
    return found


def _check_input(name, rank, input):
    is_tensor(input, name, "input", 1)
    shape = list(input.shape)
    if input.ndim not in (rank + 1, rank + 2) or min(shape[-rank - 1 :]) == 0:
        raise RuntimeError(
            f"{name}: Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{shape}"
        )


def _check_settings(kernel, stride, padding, dilation):
    if min(kernel) <= 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got kernel_size={list(kernel)}")
    if 0 in stride:
        raise RuntimeError("stride should not be zero")
    if min(stride) < 0:
        raise RuntimeError(f"stride should be greater than zero, but got stride={list(stride)}")
    if min(dilation) <= 0:
        raise RuntimeError(f"dilation should be greater than zero, but got dilation={list(dilation)}")
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


def _check_output(input, rank, kernel, stride, padding, dilation, ceil_mode):
    size = tuple(input.shape[-rank:])
    out = pool_output(size, kernel, stride, padding, dilation, ceil_mode)
    if min(out) < 1:
        channels = input.shape[-rank - 1]
        given, computed = ("x".join(map(str, (channels, *sizes))) for sizes in (size, out))
        raise RuntimeError(
            f"Given input size: ({given}). Calculated output size: ({computed}). Output size is too small. "
            "Hint: use a smaller kernel, or ceil_mode=True."
        )


def _geometry(name, rank, input, kernel_size, stride, padding, dilation, ceil_mode):
    _check_input(name, rank, input)
    kernel = _per_dimension(kernel_size, rank, name, "kernel_size")
    stride = kernel if stride is None or stride in ((), []) else _per_dimension(stride, rank, name, "stride")
    padding = _per_dimension(padding, rank, name, "padding")
    dilation = _per_dimension(dilation, rank, name, "dilation")
    _check_settings(kernel, stride, padding, dilation)
    _check_output(input, rank, kernel, stride, padding, dilation, ceil_mode)
    return kernel, stride, padding, dilation


def check_max(name, rank, input, kernel_size, stride, padding, dilation, ceil_mode):
    """Kernel, stride, padding and dilation as tuples. Raises where they do not fit."""
    geometry = _geometry(name, rank, input, kernel_size, stride, padding, dilation, ceil_mode)
    refuse_dtype(input, name, "b")
    return geometry


def check_avg(name, rank, input, kernel_size, stride, padding, ceil_mode, divisor_override):
    """Kernel, stride and padding as tuples. Raises where they do not fit."""
    geometry = _geometry(name, rank, input, kernel_size, stride, padding, 1, ceil_mode)
    refuse_dtype(input, name, "biu")
    if divisor_override is not None:
        (divisor,) = ints(divisor_override, name, "divisor_override")
        if divisor == 0:
            raise RuntimeError("divisor must be not zero")
    return geometry[:3]


def check_adaptive(name, rank, input, output_size, refused):
    """The output sizes as a tuple. Raises where they do not fit, and for dtypes of the ``refused`` kinds."""
    is_tensor(input, name, "input", 1)
    shape = list(input.shape)
    if input.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got {shape}")
    for dim in range(input.ndim - rank - 1, input.ndim):
        if shape[dim] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{shape} with dimension {dim} being empty"
            )
    if not isinstance(output_size, (tuple, list)):
        output_size = (output_size,) * rank
    if len(output_size) != rank:
        raise RuntimeError(f"{name}: output_size must be {COUNTS[rank]}, but got {list(output_size)}")
    kept = [n if o is None else o for n, o in zip(shape[-rank:], output_size, strict=True)]
    size = ints(kept, name, "output_size")
    if min(size) < 0:
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received {list(size)}"
        )
    refuse_dtype(input, name, refused)
    return size
