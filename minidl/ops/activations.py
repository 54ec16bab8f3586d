"""Activation functions: elementwise, floating-point; ``relu``, ``tanh`` and ``sigmoid`` live in ``pointwise``."""

import math

from minidl import dtypes
from minidl.autograd import function, op
from minidl.backends import of
from minidl.ops.arithmetic import add, div, mul, neg, sub
from minidl.ops.common import require_floating
from minidl.ops.comparison import ge, gt, le
from minidl.ops.pointwise import abs, erf, expm1, sigmoid, tanh
from minidl.ops.selection import clamp, where

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946
_GELU_CUBIC = 0.044715
_GELU_SLOPE = math.sqrt(2 / math.pi)
_FUNCTIONAL = {"faces": ("functional",), "method": False}


def _real(name, input):
    """The input's backend. Raises ``NotImplementedError`` for a dtype that is not floating-point."""
    require_floating(input, name)
    return of(input)


@op(
    input=lambda g, input, negative_slope: of(g).leaky_relu_grad(g, input, float(negative_slope)),
    composed=lambda input, negative_slope: where(gt(input, 0), input, mul(input, negative_slope)),
    inplace=True,
    **_FUNCTIONAL,
)
def leaky_relu(input, negative_slope=0.01, inplace=False):
    """x where x > 0, negative_slope * x elsewhere. Any shape. Source: ``torch.nn.functional.leaky_relu``.

    Raises ``NotImplementedError`` for integers and bool, here and for the other functions of this family.

    >>> import minidl
    >>> minidl.nn.functional.leaky_relu(minidl.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return _real("leaky_relu_cpu", input).leaky_relu(input, float(negative_slope))


def _elu_composed(input, alpha, scale, input_scale):
    low = expm1(mul(clamp(input, None, 0.0), input_scale))
    return where(gt(input, 0), mul(input, scale), mul(low, alpha * scale))


@op(
    input=lambda g, input, alpha: of(g).elu_grad(g, input, float(alpha), 1.0, 1.0),
    composed=lambda input, alpha: _elu_composed(input, alpha, 1.0, 1.0),
    inplace=True,
    **_FUNCTIONAL,
)
def elu(input, alpha=1.0, inplace=False):
    """x where x > 0, alpha * (e^x - 1) elsewhere.

    Source: D.-A. Clevert, T. Unterthiner, S. Hochreiter, "Fast and accurate deep network learning by exponential linear
    units", ICLR 2016; ``torch.nn.functional.elu``.

    >>> import minidl
    >>> minidl.nn.functional.elu(minidl.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _real("elu_cpu", input).elu(input, float(alpha), 1.0, 1.0)


@op(
    input=lambda g, input: of(g).elu_grad(g, input, _SELU_ALPHA, _SELU_SCALE, 1.0),
    composed=lambda input: _elu_composed(input, _SELU_ALPHA, _SELU_SCALE, 1.0),
    shown="Elu", inplace=True, faces=("torch", "functional"), method=False,
)  # fmt: skip
def selu(input, inplace=False):
    """scale * elu(x, alpha) with the constants that keep mean 0 and variance 1.

    Source: G. Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017; ``torch.nn.functional.selu``.

    >>> import minidl
    >>> minidl.nn.functional.selu(minidl.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return _real("elu_cpu", input).elu(input, _SELU_ALPHA, _SELU_SCALE, 1.0)


@op(
    input=lambda g, input, alpha: of(g).elu_grad(g, input, float(alpha), 1.0, 1.0 / alpha),
    composed=lambda input, alpha: _elu_composed(input, alpha, 1.0, 1.0 / alpha),
    inplace=True, faces=("torch", "functional"), method=False,
)  # fmt: skip
def celu(input, alpha=1.0, inplace=False):
    """max(0, x) + min(0, alpha * (e^(x / alpha) - 1)). Raises ``RuntimeError`` for alpha 0.

    Source: J. T. Barron, "Continuously differentiable exponential linear units", 2017; ``torch.nn.functional.celu``.

    >>> import minidl
    >>> minidl.nn.functional.celu(minidl.tensor([-1.0, 2.0]), 0.5)
    tensor([-0.4323,  2.0000])
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _real("elu_cpu", input).elu(input, float(alpha), 1.0, 1.0 / alpha)


def _gelu_composed(input, approximate):
    if approximate == "tanh":
        cubic = add(mul(mul(input, input), _GELU_CUBIC), 1.0)
        gate = tanh(mul(mul(input, cubic), _GELU_SLOPE))
    else:
        gate = erf(mul(input, math.sqrt(0.5)))
    return mul(input, mul(add(gate, 1.0), 0.5))


@op(
    input=lambda g, input, approximate: of(g).gelu_grad(g, input, approximate),
    composed=_gelu_composed,
    inplace=False,
    **_FUNCTIONAL,
)
def gelu(input, approximate="none"):
    """x * P(X <= x) for a standard normal X.

    ``approximate="tanh"`` takes 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) for it. Raises
    ``RuntimeError`` for another ``approximate``.
    Source: D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016; ``torch.nn.functional.gelu``.

    >>> import minidl
    >>> minidl.nn.functional.gelu(minidl.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, got {approximate!r}.")
    return _real("GeluKernelImpl", input).gelu(input, approximate)


@op(
    input=lambda g, input: of(g).silu_grad(g, input),
    composed=lambda input: mul(input, sigmoid(input)),
    inplace=True,
    **_FUNCTIONAL,
)
def silu(input, inplace=False):
    """x * sigmoid(x), also called swish.

    Source: S. Elfwing, E. Uchibe, K. Doya, "Sigmoid-weighted linear units", 2017; ``torch.nn.functional.silu``.

    >>> import minidl
    >>> minidl.nn.functional.silu(minidl.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    return _real("silu_cpu", input).silu(input)


def _softplus_composed(input, beta, threshold):
    scaled = mul(input, beta)
    return where(gt(scaled, threshold), input, div(neg(logsigmoid(neg(scaled))), beta))


@op(
    input=lambda g, input, beta, threshold: of(g).softplus_grad(g, input, float(beta), float(threshold)),
    composed=_softplus_composed,
    **_FUNCTIONAL,
)
def softplus(input, beta=1.0, threshold=20.0):
    """log(1 + e^(beta x)) / beta, x itself where beta x > threshold. Source: ``torch.nn.functional.softplus``.

    >>> import minidl
    >>> minidl.nn.functional.softplus(minidl.tensor([-1.0, 2.0]))
    tensor([0.3133, 2.1269])
    """
    return _real("softplus_cpu", input).softplus(input, float(beta), float(threshold))


@op(
    input=lambda g, input: of(g).mish_grad(g, input),
    composed=lambda input: mul(input, tanh(softplus(input))),
    inplace=True,
    **_FUNCTIONAL,
)
def mish(input, inplace=False):
    """x * tanh(log(1 + e^x)).

    Source: D. Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020;
    ``torch.nn.functional.mish``.

    >>> import minidl
    >>> minidl.nn.functional.mish(minidl.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    return _real("mish_cpu", input).mish(input)


@op(input=lambda g, input: _log_sigmoid_grad(g, input), shown="LogSigmoid", **_FUNCTIONAL)
def logsigmoid(input):
    """log(sigmoid(x)), without overflow. Source: ``torch.nn.functional.logsigmoid``.

    >>> import minidl
    >>> minidl.nn.functional.logsigmoid(minidl.tensor([-1000.0, 0.0]))
    tensor([-1.0000e+03, -6.9315e-01])
    """
    return _real("log_sigmoid_cpu", input).log_sigmoid(input)


@op(
    grad=lambda g, input: _log_sigmoid_grad(g, input),
    input=lambda g, grad, input: neg(mul(g, mul(_log_sigmoid_grad(grad, input), sigmoid(input)))),
    method=False, faces=(),
)  # fmt: skip
def _log_sigmoid_grad(grad, input):
    return of(grad).log_sigmoid_grad(grad, input)


def _ramp(input, low, high, inside):
    """``low`` up to -3, ``inside`` between, ``high`` from 3 on."""
    return where(le(input, -3.0), low, where(ge(input, 3.0), high, inside))


@op(
    input=lambda g, input: of(g).hardsigmoid_grad(g, input),
    composed=lambda input: _ramp(input, 0.0, 1.0, mul(add(input, 3.0), 1 / 6)),
    inplace=True,
    **_FUNCTIONAL,
)
def hardsigmoid(input, inplace=False):
    """min(max(x + 3, 0), 6) / 6. Source: ``torch.nn.functional.hardsigmoid``.

    >>> import minidl
    >>> minidl.nn.functional.hardsigmoid(minidl.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _real("hardsigmoid_cpu", input).hardsigmoid(input)


@op(
    input=lambda g, input: of(g).hardswish_grad(g, input),
    composed=lambda input: _ramp(input, 0.0, input, mul(input, mul(add(input, 3.0), 1 / 6))),
    inplace=True,
    **_FUNCTIONAL,
)
def hardswish(input, inplace=False):
    """x * min(max(x + 3, 0), 6) / 6.

    Source: A. Howard et al., "Searching for MobileNetV3", ICCV 2019; ``torch.nn.functional.hardswish``.

    >>> import minidl
    >>> minidl.nn.functional.hardswish(minidl.tensor([-4.0, 1.0, 4.0]))
    tensor([-0.0000,  0.6667,  4.0000])
    """
    return _real("hardswish_cpu", input).hardswish(input)


def _hardtanh_rule(g, input, min_val, max_val):
    return of(g).hardtanh_grad(g, input, float(min_val), float(max_val))


def _hardtanh_composed(input, min_val, max_val):
    return where(le(input, min_val), min_val, where(ge(input, max_val), max_val, input))


@op(
    input=_hardtanh_rule,
    composed=_hardtanh_composed,
    inplace=True,
    **_FUNCTIONAL,
)
def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """x limited to [min_val, max_val]; the gradient is 0 at and beyond the limits.

    Source: ``torch.nn.functional.hardtanh``. Raises ``ValueError`` where min_val > max_val, ``RuntimeError`` for bool.

    >>> import minidl
    >>> minidl.nn.functional.hardtanh(minidl.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, got {min_val} and {max_val}")
    if input.dtype == dtypes.BOOL:
        raise RuntimeError("Bool inputs not supported for hardtanh")
    space = of(input)
    if dtypes.is_floating(input.dtype):
        return space.hardtanh(input, float(min_val), float(max_val))
    return space.clamp(input, space.full((), min_val, input.dtype), space.full((), max_val, input.dtype))


@function(faces=("functional",), method=False)
def relu6(input, inplace=False):
    """min(max(x, 0), 6). Source: ``torch.nn.functional.relu6``.

    >>> import minidl
    >>> minidl.nn.functional.relu6(minidl.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


@op(input=lambda g, input, lambd: where(le(abs(input), lambd), 0.0, g), **_FUNCTIONAL)
def softshrink(input, lambd=0.5):
    """x - lambd above lambd, x + lambd below -lambd, 0 between. Raises ``RuntimeError`` for a negative lambd.

    Source: ``torch.nn.functional.softshrink``.

    >>> import minidl
    >>> minidl.nn.functional.softshrink(minidl.tensor([-1.0, 0.2, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    space = _real("softshrink_check", input)
    largest = dtypes.finfo(dtypes.of(input.dtype)).max
    if not 0 <= lambd <= largest:
        raise RuntimeError(
            f"lambda must be in range [0, {largest:.6g}] for input dtype {dtypes.scalar_name(input.dtype)}, but found "
            f"{lambd:.6g}"
        )
    return space.softshrink(input, float(lambd))


@op(input=lambda g, input, lambd: where(le(abs(input), lambd), 0.0, g), faces=("torch", "functional"))
def hardshrink(input, lambd=0.5):
    """x where abs(x) > lambd, 0 elsewhere. Source: ``torch.nn.functional.hardshrink``.

    >>> import minidl
    >>> minidl.nn.functional.hardshrink(minidl.tensor([-1.0, 0.2, 2.0]))
    tensor([-1.,  0.,  2.])
    """
    return _real("hardshrink_cpu", input).hardshrink(input, float(lambd))


@op(
    input=lambda g, input, threshold: where(le(input, threshold), 0.0, g),
    inplace=True, faces=("torch", "functional"), method=False,
)  # fmt: skip
def threshold(input, threshold, value, inplace=False):
    """x where x > threshold, value elsewhere; NaN stays. Source: ``torch.nn.functional.threshold``.

    >>> import minidl
    >>> minidl.nn.functional.threshold(minidl.tensor([0.5, 2.0]), 1.0, -7.0)
    tensor([-7.,  2.])
    """
    return of(input).threshold(input, threshold, value)


@function(faces=("functional",), method=False)
def tanhshrink(input):
    """x - tanh(x). Source: ``torch.nn.functional.tanhshrink``.

    >>> import minidl
    >>> minidl.nn.functional.tanhshrink(minidl.tensor([-1.0, 2.0]))
    tensor([-0.2384,  1.0360])
    """
    return sub(input, tanh(input))


@function(faces=("functional",), method=False)
def softsign(input):
    """x / (1 + abs(x)). Source: ``torch.nn.functional.softsign``.

    >>> import minidl
    >>> minidl.nn.functional.softsign(minidl.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return div(input, add(abs(input), 1))
