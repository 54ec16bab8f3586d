"""Softmax, log-softmax, softmin, logsumexp and logaddexp."""

import math
import warnings

from minidl import dtypes
from minidl.autograd import function, op
from minidl.backends import of
from minidl.ops.arithmetic import binary, mul, neg, sub
from minidl.ops.common import floating, promote, require_floating, wrap_dim, wrap_dims
from minidl.ops.comparison import eq
from minidl.ops.pointwise import exp, sigmoid
from minidl.ops.reductions import sum, with_kept
from minidl.ops.selection import where
from minidl.ops.shapes import reshape
from minidl.ops.windows import is_tensor


@op(input=lambda g, result, dim: softmax_backward(g, result, dim), faces=("torch", "functional"))
def softmax(input, dim=None, dtype=None):
    r"""softmax(x)_i = exp(x_i) / sum_j exp(x_j) along dimension ``dim``.

    Shapes: input (*), output (*). Computed from x - max(x), so that large logits do not overflow; a slice with NaN
    or +inf, or with -inf only, gives NaN. ``dtype`` casts the input first. ``dim=None`` is deprecated as in PyTorch
    (it means 0 for 0, 1 and 3 dimensions, else 1) and warns.

    Raises ``IndexError`` for a dim out of range, ``NotImplementedError`` for integer input without ``dtype``.

    >>> import minidl
    >>> minidl.softmax(minidl.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])

    Source: J. Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.
    """
    return _along(of(input).softmax, input, dim, dtype, "softmax")


@op(input=lambda g, result, dim: log_softmax_backward(g, result, dim), faces=("torch", "functional"))
def log_softmax(input, dim=None, dtype=None):
    r"""log_softmax(x)_i = x_i - log sum_j exp(x_j) along dimension ``dim``: exact where softmax underflows to 0.

    Shapes, arguments and errors as ``softmax``.

    >>> import minidl
    >>> minidl.log_softmax(minidl.tensor([0.0, -1000.0]), dim=0)
    tensor([    0., -1000.])
    """
    return _along(of(input).log_softmax, input, dim, dtype, "log_softmax")


@function(faces=("functional",), method=False)
def softmin(input, dim=None, dtype=None):
    r"""softmin(x)_i = exp(-x_i) / sum_j exp(-x_j). Shapes, arguments and errors as ``softmax``.

    >>> import minidl
    >>> minidl.nn.functional.softmin(minidl.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    is_tensor(input, "softmin", "input", 1)
    dim = _implicit_dim("softmin", input.ndim) if dim is None else dim
    return softmax(neg(input), dim, dtype)


def _softmax_backward_output(g, grad_output, output, dim):
    """y (h - sum(h y)) by y: g (h - sum(h y)) - h sum(g y)."""
    centered = sub(grad_output, sum(mul(grad_output, output), dim, True))
    return sub(mul(g, centered), mul(grad_output, sum(mul(g, output), dim, True)))


@op(
    grad_output=lambda g, output, dim: softmax_backward(g, output, dim),
    output=_softmax_backward_output,
    faces=(),
    method=False,
)
def softmax_backward(grad_output, output, dim):
    """Gradient of ``softmax`` by its input, from its output y and the gradient h of y: y (h - sum(h y))."""
    return _backward_along(of(output).softmax_backward, grad_output, output, dim)


@op(
    grad_output=lambda g, output, dim: sub(g, sum(mul(g, exp(output)), dim, True)),
    output=lambda g, grad_output, output, dim: neg(mul(mul(g, exp(output)), sum(grad_output, dim, True))),
    faces=(),
    method=False,
)
def log_softmax_backward(grad_output, output, dim):
    """Gradient of ``log_softmax`` by its input, from its output y and the gradient h of y: h - exp(y) sum(h)."""
    return _backward_along(of(output).log_softmax_backward, grad_output, output, dim)


def _logsumexp_rule(g, input, result, dim):
    shape = with_kept(input.shape, dim)
    result = where(eq(result, -math.inf), 0.0, result)  # -inf everywhere: exp(-inf - 0) = 0 is the gradient
    return mul(exp(sub(input, reshape(result, shape))), reshape(g, shape))


@op(input=_logsumexp_rule, faces=("torch",))
def logsumexp(input, dim, keepdim=False):
    r"""log sum_j exp(x_j) over ``dim`` (an int or several), without overflow.

    Shapes: input (*), output (*) without ``dim`` (of size 1 there with ``keepdim``). Integers count as floats of the
    default dtype. The result is -inf where everything is -inf. Raises ``IndexError`` for a dim out of range.

    >>> import minidl
    >>> minidl.logsumexp(minidl.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    input = floating(input)
    return of(input).logsumexp(input, wrap_dims(dim, input.ndim), bool(keepdim))


@op(
    input=lambda g, input, other: mul(g, sigmoid(sub(input, other))),
    other=lambda g, input, other: mul(g, sigmoid(sub(other, input))),
    number="",
)
def logaddexp(input, other):
    """log(exp(input) + exp(other)), elementwise, without overflow.

    Shapes: input and other broadcast. Floating point, in the promoted dtype. The gradient is NaN where both are the
    same infinity, as PyTorch's. Raises ``NotImplementedError`` for integers and bool, ``TypeError`` for numbers.
    Source: ``torch.logaddexp``.

    >>> import minidl
    >>> minidl.logaddexp(minidl.tensor([1000.0]), minidl.tensor([1000.0]))
    tensor([1000.6932])
    """
    input, other = promote(input, other)
    require_floating(input, "logaddexp_cpu")
    return binary("logaddexp", input, other)


def _implicit_dim(name, ndim):
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=4,
    )
    return 0 if ndim in (0, 1, 3) else 1


def _along(compute, input, dim, dtype, name):
    """``compute(array, dim)`` with the arguments of softmax settled; a 0-d input counts as one element."""
    if dim is None:
        dim = _implicit_dim(name, input.ndim)
    if dtype is not None:
        input = input.astype(dtypes.numpy_dtype(dtype))
    require_floating(input, f"{name}_lastdim_kernel_impl")
    dim = wrap_dim(dim, input.ndim)
    return compute(input, dim) if input.ndim else compute(input.reshape(1), 0).reshape(())


def _backward_along(compute, grad, output, dim):
    if dim is None:
        dim = 0 if output.ndim in (0, 1, 3) else 1
    dim = wrap_dim(dim, output.ndim)
    if output.ndim == 0:
        return compute(grad.reshape(1), output.reshape(1), 0).reshape(())
    return compute(grad, output, dim)
