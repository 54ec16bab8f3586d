"""Hypothesis strategies of calls of minidl's ops, by name: what the self-test draws from."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

from minidl.autograd import registry
from minidl.testing.geometries import conv_geometries, pool_geometries
from minidl.testing.strategies import (
    arrays,
    axes,
    broadcastable_shapes,
    distinct_arrays,
    elements,
    index_arrays,
    layouts,
    shapes,
)

# Elementwise functions of one input: the range to draw from, and the kinks and poles to stay away from.
ELEMENTWISE = {
    **dict.fromkeys(("sin", "cos", "tanh", "sigmoid", "exp", "exp2", "expm1", "erf", "sinh", "cosh"), (-2, 2, ())),
    **dict.fromkeys(("atan", "asinh", "square", "neg"), (-2, 2, ())),
    **dict.fromkeys(("log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal"), (0.3, 3, ())),
    **dict.fromkeys(("lgamma", "digamma"), (0.5, 3, ())),
    **dict.fromkeys(("asin", "acos", "atanh", "erfinv"), (-0.8, 0.8, ())),
    "acosh": (1.2, 3, ()), "tan": (-1, 1, ()), "abs": (-3, 3, (0,)), "sign": (-3, 3, (0,)), "logit": (0.1, 0.9, ()),
    "floor": (-3, 3, range(-3, 4)), "ceil": (-3, 3, range(-3, 4)), "trunc": (-3, 3, range(-3, 4)),
    "frac": (-3, 3, range(-3, 4)), "relu": (-3, 3, (0,)), "selu": (-3, 3, (0,)), "elu": (-3, 3, (0,)),
    "leaky_relu": (-3, 3, (0,)), "relu6": (-8, 8, (0, 6)), "hardtanh": (-3, 3, (-1, 1)), "gelu": (-3, 3, ()),
    "hardsigmoid": (-5, 5, (-3, 3)), "hardswish": (-5, 5, (-3, 3)), "silu": (-3, 3, ()), "mish": (-3, 3, ()),
    "softplus": (-3, 3, ()), "logsigmoid": (-3, 3, ()), "softsign": (-3, 3, (0,)), "tanhshrink": (-3, 3, ()),
    "hardshrink": (-3, 3, (-0.5, 0.5)), "softshrink": (-3, 3, (-0.5, 0.5)), "celu": (-3, 3, (0,)),
}  # fmt: skip

BINARY = {
    "add": (-3, 3), "sub": (-3, 3), "mul": (-3, 3), "div": (0.5, 3), "pow": (0.5, 2), "atan2": (0.5, 3),
    "hypot": (0.5, 3), "logaddexp": (-3, 3), "logaddexp2": (-3, 3), "xlogy": (0.5, 3),
}  # fmt: skip
CHOICES = ("maximum", "minimum", "fmax", "fmin")
REDUCTIONS = ("sum", "mean", "logsumexp", "prod", "var", "std", "amax", "amin", "norm")
ALONG = (
    "cumsum",
    "cumprod",
    "logcumsumexp",
    "softmax",
    "log_softmax",
    "flip",
    "max",
    "min",
    "sort",
    "median",
)
PRODUCTS = ("matmul", "mm", "bmm", "addmm", "outer", "dot", "mv", "linear", "einsum")
LOSSES = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits", "kl_div")
SPATIAL = ("conv1d", "conv2d", "max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d")
SHAPING = (
    "reshape", "transpose", "permute", "unsqueeze", "expand", "narrow", "roll", "tril", "triu", "repeat", "cat",
    "stack", "index_select", "gather", "where", "masked_fill", "clamp", "lerp", "layer_norm", "cross_entropy", "pad",
    "diagonal",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class OpExample:
    """A call of an op: its public name, arguments (arrays where it takes tensors), keyword arguments."""

    name: str
    args: tuple
    kwargs: dict = dataclasses.field(default_factory=dict)

    def __call__(self, *tensors):
        """The result, with ``tensors`` in the places of the arrays."""
        remaining = iter(tensors)
        return _function(self.name)(*_filled(self.args, remaining), **self.kwargs)

    @property
    def arrays(self):
        """The arrays among the arguments, also those in lists."""
        return [
            a for value in self.args for a in (value if isinstance(value, list) else [value]) if _is_array(a)
        ]


def _is_array(value):
    return isinstance(value, np.ndarray)


def _filled(args, remaining):
    for value in args:
        if isinstance(value, list):
            yield [next(remaining) if _is_array(each) else each for each in value]
        else:
            yield next(remaining) if _is_array(value) else value


def _function(name):
    for home in (
        registry.FACES["functional"],
        registry.FACES["torch"],
        registry.METHODS,
        registry.FACES["special"],
    ):
        if name in home:
            return home[name]
    raise LookupError(f"no op named {name!r} is registered")


def op_names():
    """Names of the ops that ``op_examples`` knows."""
    return sorted(
        {*ELEMENTWISE, *BINARY, *CHOICES, *REDUCTIONS, *ALONG, *PRODUCTS, *LOSSES, *SPATIAL, *SHAPING}
    )


def op_examples(name):
    """A strategy of ``OpExample`` for an op of ``op_names()``.

    >>> from hypothesis import given
    >>> from minidl.testing import check_gradients
    >>> @given(op_examples("logaddexp"))
    ... def check(example):
    ...     check_gradients(example, *example.arrays, modes=["directional"])
    >>> check()
    """
    for names, family in (
        (ELEMENTWISE, _elementwise), (BINARY, _binary), (CHOICES, _choice), (REDUCTIONS, _reduction), (ALONG, _along),
        (PRODUCTS, _product), (LOSSES, _loss), (SPATIAL, _spatial), (SHAPING, _shaping),
    ):  # fmt: skip
        if name in names:
            return family(name)
    raise ValueError(f"op_examples: no op {name!r}; there is {', '.join(op_names())}")


small = shapes(0, 3, max_side=3)


@st.composite
def _elementwise(draw, name):
    low, high, kinks = ELEMENTWISE[name]
    return OpExample(name, (draw(arrays(small, elements=elements(low, high, kinks), layout=layouts())),))


@st.composite
def _binary(draw, name):
    pair = draw(broadcastable_shapes(2, max_dims=3, max_side=3))
    return OpExample(
        name, tuple(draw(arrays(s, elements=elements(*BINARY[name]), layout=layouts())) for s in pair)
    )


@st.composite
def _choice(draw, name):
    shape = draw(small)
    both = draw(distinct_arrays((2, *shape)))
    return OpExample(name, (both[0, ...], both[1, ...]))


@st.composite
def _reduction(draw, name):
    shape = draw(shapes(1, 3, min_side=2 if name in ("var", "std") else 1, max_side=3))
    dim, keepdim = draw(axes(len(shape))), draw(st.booleans())
    drawn = distinct_arrays(shape) if name != "prod" else arrays(shape, elements=elements(-2, 2))
    x = draw(drawn.map(lambda x: x + 0.1))
    return OpExample(name, (x,), {"dim": dim, "keepdim": keepdim} if name != "norm" else {"dim": dim})


@st.composite
def _along(draw, name):
    x = draw(distinct_arrays(shapes(1, 3, max_side=3))) * 0.5
    dim = draw(axes(x.ndim))
    return OpExample(name, (x, [dim] if name == "flip" else dim))


@st.composite
def _product(draw, name):
    n, m, k, b = (draw(st.integers(1, 3)) for _ in range(4))
    side = {
        "matmul": [(b, n, m), (m, k)], "mm": [(n, m), (m, k)], "bmm": [(b, n, m), (b, m, k)], "outer": [(n,), (m,)],
        "addmm": [(k,), (n, m), (m, k)], "dot": [(n,), (n,)], "mv": [(n, m), (m,)], "linear": [(b, n), (m, n), (m,)],
        "einsum": [(n, m), (m, k)],
    }[name]  # fmt: skip
    operands = tuple(draw(arrays(shape, layout=layouts())) for shape in side)
    return OpExample(name, ("ij,jk->ki", *operands) if name == "einsum" else operands)


@st.composite
def _loss(draw, name):
    shape = draw(shapes(1, 2, max_side=3))
    x = draw(distinct_arrays(shape)) * 0.37
    low, high = (0, 1) if "cross" in name or name == "kl_div" else (-3, 3)
    target = draw(arrays(shape, elements=elements(low, high))) * 0.999 + 0.0007
    mean = "batchmean" if name == "kl_div" else "mean"
    return OpExample(name, (x, target), {"reduction": draw(st.sampled_from([mean, "sum", "none"]))})


@st.composite
def _spatial(draw, name):
    dims = int(name[-2])
    if name.startswith("conv"):
        g = draw(conv_geometries(dims=dims, max_side=2, max_channels=2))
        operands = tuple(draw(arrays(shape)) for shape in (g.input_shape, g.weight_shape, g.weight_shape[:1]))
        return OpExample(name, operands, g.kwargs)
    g = draw(pool_geometries(dims=dims, max_side=2, dilated="max" in name))
    kwargs = {key: value for key, value in g.kwargs.items() if key != "dilation" or "max" in name}
    return OpExample(name, (draw(distinct_arrays(g.input_shape)),), kwargs)


@st.composite
def _shaping(draw, name):
    shape = draw(shapes(2, 3, max_side=3))
    x, dim = draw(arrays(shape, layout=layouts())), draw(axes(len(shape)))
    y = draw(arrays(shape))
    size, positive = shape[dim], dim % len(shape)
    index = draw(index_arrays(size, st.integers(1, 3).map(lambda n: (n,))))
    mask = draw(arrays(shape, np.dtype(bool)))
    args = {
        "reshape": (x, (-1,)), "transpose": (x, dim, 0), "permute": (x, draw(st.permutations(range(len(shape))))),
        "unsqueeze": (x, dim), "expand": (x, (2, *shape)), "narrow": (x, dim, 0, size), "roll": (x, 1, positive),
        "tril": (x,), "triu": (x, 1), "repeat": (x, (2,) * len(shape)), "cat": ([x, y], dim), "stack": ([x, y], dim),
        "index_select": (x, dim, index), "gather": (x, dim, draw(index_arrays(size, shape))), "where": (mask, x, y),
        "masked_fill": (x, mask, 0.5), "clamp": (draw(arrays(shape, elements=elements(-3, 3, (-1, 1)))), -1.0, 1.0),
        "lerp": (x, y, 0.3), "layer_norm": (draw(distinct_arrays((2, 3))), (3,)), "pad": (x, (1, 2)),
        "cross_entropy": (draw(arrays((2, 3))), draw(index_arrays(3, (2,)))), "diagonal": (x,),
    }[name]  # fmt: skip
    return OpExample(name, tuple(args))
