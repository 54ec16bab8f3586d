"""The errors of convolution, in PyTorch's words."""

from minidl.backends.geometry import span
from minidl.ops.windows import by, ints, is_tensor, refuse_dtype

_TYPE_NAMES = {"float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16"}


def per_dimension(value, rank, name, argument):
    """An int, or a list of one or ``rank`` ints, as ``rank`` ints. Raises ``RuntimeError`` for another count."""
    found = ints(value, name, argument)
    if len(found) == 1:
        return found * rank
    if len(found) != rank:
        raise RuntimeError(
            f"expected {argument} to be a single integer value or a list of {rank} values to match the convolution "
            f"dimensions, but got {argument}={list(found)}"
        )
    return found


def _check_ranks(name, input, weight, rank):
    """In PyTorch's order; a weight of a lower rank it notices by the settings, one for each dimension of the call."""
    if input.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to {name}, but got input of size: "
            f"{list(input.shape)}. Hint: dimensions are (batch, channels, *size)."
        )
    hint = f"Hint: the weight of {name} has {rank + 2} dimensions, two of channels and {rank} of the kernel."
    if weight.ndim < 3:
        raise RuntimeError(
            f"weight should have at least three dimensions, but got {list(weight.shape)}. {hint}"
        )
    if weight.ndim != rank + 2:
        batched = rank + 2
        raise RuntimeError(
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional weight {list(weight.shape)}, "
            f"but got {batched}-dimensional input of size {[1] * (batched - input.ndim) + list(input.shape)} "
            f"instead. {hint}"
        )


def _check_dtypes(name, input, weight, bias):
    for argument, other in (("weight", weight), ("bias", bias)):
        if other is not None and other._array.dtype != input._array.dtype:
            mine, its = (_TYPE_NAMES.get(t.dtype.name, t.dtype.name) for t in (input, other))
            raise RuntimeError(
                f"Input type ({mine}) and {argument} type ({its}) should be the same. Hint: convert one of them, "
                f"for example with .to({input.dtype!r})."
            )
    refuse_dtype(input, name, "b")


def _check_settings(stride, padding, dilation, groups):
    if min(padding) < 0:
        raise RuntimeError(f"negative padding is not supported, but got padding={list(padding)}")
    if min(stride) <= 0:
        raise RuntimeError(f"non-positive stride is not supported, but got stride={list(stride)}")
    if min(dilation) <= 0:
        raise RuntimeError(f"dilation should be greater than zero, but got {list(dilation)}")
    if groups.__class__ is not int:
        raise TypeError(f"groups must be int, not {groups.__class__.__name__}")
    if groups <= 0:
        raise RuntimeError(f"non-positive groups is not supported, but got groups={groups}")


def _check_weight(input, weight, groups):
    shape = list(weight.shape)
    if shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, "
            f"but got weight of size {shape} instead"
        )
    if shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size [{shape}] instead"
        )
    if min(shape[2:]) == 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got weight of size {shape}")
    size = list(input.shape)
    if min(size[2 - len(shape) :]) == 0:
        raise RuntimeError(
            f"Only zero batch or zero channel inputs are supported, but got input shape: {size}"
        )


def _check_channels(input, weight, groups, wanted, given):
    channels = input.shape[1 - weight.ndim]
    if channels != wanted:
        raise RuntimeError(
            f"Given {given}, weight of size {list(weight.shape)}, expected input{list(input.shape)} to have "
            f"{wanted} channels, but got {channels} channels instead"
        )


def _check_bias(weight, bias, channels, given):
    if bias is not None and tuple(bias.shape) != (channels,):
        raise RuntimeError(
            f"Given {given}weight of size {list(weight.shape)}, expected bias to be 1-dimensional with {channels} "
            f"elements, but got bias of size {list(bias.shape)} instead"
        )


def check_conv(name, input, weight, bias, stride, padding, extra, dilation, groups):
    """Raises where the arguments of a convolution do not fit; ``extra`` is padding on the right only."""
    rank = len(stride)
    if bias is not None:
        is_tensor(bias, name, "bias", 3)
    _check_ranks(name, input, weight, rank)
    _check_settings(stride, padding, dilation, groups)
    _check_weight(input, weight, groups)
    _check_channels(input, weight, groups, weight.shape[1] * groups, f"groups={groups}")
    _check_bias(weight, bias, weight.shape[0], "")
    padded = [n + 2 * p + e for n, p, e in zip(input.shape[-rank:], padding, extra, strict=True)]
    spans = [span(k, d) for k, d in zip(weight.shape[2:], dilation, strict=True)]
    if any(n < k for n, k in zip(padded, spans, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({by(padded)}). Kernel size: ({by(spans)}). "
            "Kernel size can't be greater than actual input size. Hint: pad the input, or use a smaller kernel."
        )
    _check_dtypes(name, input, weight, bias)


def check_transposed(name, input, weight, bias, stride, padding, output_padding, groups, dilation):
    """The output sizes of a transposed convolution. Raises where its arguments do not fit."""
    rank = len(stride)
    if bias is not None:
        is_tensor(bias, name, "bias", 3)
    _check_ranks(name, input, weight, rank)
    _check_settings(stride, padding, dilation, groups)
    if min(output_padding) < 0:
        raise RuntimeError(f"negative output_padding is not supported, but got {list(output_padding)}")
    _check_weight(input, weight, groups)
    _check_channels(input, weight, groups, weight.shape[0], "transposed=1")
    _check_bias(weight, bias, weight.shape[1] * groups, "transposed=1, ")
    if any(o >= s and o >= d for o, s, d in zip(output_padding, stride, dilation, strict=True)):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got output_padding: "
            f"{list(output_padding)} stride: {list(stride)} dilation: {list(dilation)}"
        )
    size = tuple(input.shape[-rank:])
    steps = zip(size, weight.shape[2:], stride, padding, output_padding, dilation, strict=True)
    out = tuple((n - 1) * s - 2 * p + span(k, d) + o for n, k, s, p, o, d in steps)
    if min(out) <= 0:
        raise RuntimeError(
            f"Given input size per channel: ({by(size)}). Calculated output size per channel: ({by(out)}). "
            "Output size is too small"
        )
    _check_dtypes(name, input, weight, bias)
    return out
