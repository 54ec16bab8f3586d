"""Gradients of convolutions by their input and by their weight, as functions. Source: ``torch.nn.grad``."""

from minidl.autograd import enable_grad, grad, is_grad_enabled
from minidl.nn import functional
from minidl.ops.create import zeros

__all__ = [f"conv{rank}d_{by}" for rank in (1, 2, 3) for by in ("input", "weight")]


def _gradient(rank, input, weight, by, grad_output, options):
    """A convolution is linear in either operand, so it may be differentiated at zeros in the other's place."""
    with enable_grad():
        out = getattr(functional, f"conv{rank}d")(input, weight, None, *options)
        (found,) = grad(out, by, grad_output, create_graph=is_grad_enabled())
    return found


def _like(tensor, size):
    return zeros(tuple(size), dtype=tensor.dtype, device=tensor.device, requires_grad=True)


def _recorded(found, *given):
    """``found`` with its graph where one of what it was made of asks for that."""
    return found if is_grad_enabled() and any(t.requires_grad for t in given) else found.detach()


def _by_input(rank):
    def of_rank(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
        input = _like(weight, input_size)
        found = _gradient(rank, input, weight, input, grad_output, (stride, padding, dilation, groups))
        return _recorded(found, weight, grad_output)

    return _named(
        of_rank, rank, "input", "(1, 1, {n}), minidl.ones(1, 1, {k}), minidl.ones(1, 1, {o})", "{n}"
    )


def _by_weight(rank):
    def of_rank(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
        weight = _like(input, weight_size)
        found = _gradient(rank, input, weight, weight, grad_output, (stride, padding, dilation, groups))
        return _recorded(found, input, grad_output)

    return _named(
        of_rank, rank, "weight", "minidl.ones(1, 1, {n}), (1, 1, {k}), minidl.ones(1, 1, {o})", "{k}"
    )


def _named(fn, rank, by, call, size):
    sizes = {key: ", ".join([value] * rank) for key, value in {"n": "4", "k": "2", "o": "3"}.items()}
    fn.__name__ = fn.__qualname__ = f"conv{rank}d_{by}"
    fn.__doc__ = f"""The gradient of ``nn.functional.conv{rank}d`` by its {by}, from that of its output.

    ``{by}_size`` is the shape of the {by}; stride, padding, dilation and groups are those of the convolution.
    Source: ``torch.nn.grad.conv{rank}d_{by}``.

    >>> import minidl
    >>> minidl.nn.grad.conv{rank}d_{by}({call.format(**sizes)}).shape
    torch.Size([1, 1, {size.format(**sizes)}])
    """
    return fn


conv1d_input, conv2d_input, conv3d_input = map(_by_input, (1, 2, 3))
conv1d_weight, conv2d_weight, conv3d_weight = map(_by_weight, (1, 2, 3))
