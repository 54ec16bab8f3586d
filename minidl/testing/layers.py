"""Hypothesis strategies of modules, by name from a registry, each with inputs that it takes."""

import dataclasses
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from minidl import nn
from minidl.ops.generator import manual_seed
from minidl.testing.geometries import conv_geometries, pool_geometries, recurrent_geometries
from minidl.testing.strategies import arrays, distinct_arrays, elements, index_arrays, shapes

REGISTRY = {}


@dataclasses.dataclass(frozen=True)
class ModuleExample:
    """A module and what to call it with: the name in ``nn``, arguments of the constructor, inputs as arrays.

    ``batch_dim`` is the dimension of the samples in the first input and in the result, None where there is none.
    """

    layer: str
    args: tuple
    kwargs: dict
    inputs: tuple
    batch_dim: Any = None

    def build(self, seed=0):
        """The module, with the same random weights for the same seed."""
        manual_seed(seed)
        return getattr(nn, self.layer)(*self.args, **self.kwargs)

    def __repr__(self):
        given = [*map(repr, self.args), *(f"{key}={value!r}" for key, value in self.kwargs.items())]
        return f"nn.{self.layer}({', '.join(given)}) on {', '.join(str(x.shape) for x in self.inputs)}"


def register_module(name, strategy):
    """Adds a strategy of ``ModuleExample`` to the registry that ``modules`` draws from, under ``name``."""
    if name in REGISTRY:
        raise ValueError(f"register_module: {name!r} is registered already")
    REGISTRY[name] = strategy


def modules(names=None):
    """``ModuleExample`` of the named entries of the registry, or of any.

    >>> from hypothesis import given
    >>> @given(modules(["Linear", "LayerNorm"]))
    ... def check(example):
    ...     assert example.build().double()(*map(minidl.tensor, example.inputs)).dim() >= 1
    >>> import minidl
    >>> check()
    """
    unknown = sorted(set(names or ()) - set(REGISTRY))
    if unknown:
        raise ValueError(
            f"modules: no entry named {', '.join(unknown)}; the registry has {', '.join(sorted(REGISTRY))}"
        )
    return st.sampled_from(sorted(names or REGISTRY)).flatmap(REGISTRY.get)


small = st.integers(1, 3)
KINKS = {
    "ReLU": (0,), "ReLU6": (0, 6), "LeakyReLU": (0,), "PReLU": (0,), "ELU": (0,), "CELU": (0,), "SELU": (0,),
    "Hardtanh": (-1, 1), "Hardsigmoid": (-3, 3), "Hardswish": (-3, 3), "Hardshrink": (-0.5, 0.5),
    "Softshrink": (-0.5, 0.5), "Tanhshrink": (), "Softsign": (0,), "Sigmoid": (), "Tanh": (), "GELU": (), "SiLU": (),
    "Mish": (), "Softplus": (), "LogSigmoid": (), "Identity": (),
}  # fmt: skip


def _entry(name, fixed=None):
    """Registers a function of ``draw`` that gives args, kwargs, inputs and, where there is one, the batch dimension."""

    def register(drawn):
        @st.composite
        def strategy(draw):
            return ModuleExample(name, *(drawn(draw) if fixed is None else drawn(draw, fixed)))

        register_module(name, strategy())
        return drawn

    return register


def _activation(draw, kinks):
    return (), {}, (draw(arrays(shapes(1, 3, max_side=3), elements=elements(-4, 4, kinks))),), 0


def _linear(draw):
    i, lead = draw(small), draw(shapes(0, 2, max_side=3))
    return (i, draw(small)), {"bias": draw(st.booleans())}, (draw(arrays((*lead, i))),), 0 if lead else None


def _bilinear(draw):
    i, j, n = draw(small), draw(small), draw(small)
    return (i, j, draw(small)), {}, (draw(arrays((n, i))), draw(arrays((n, j)))), 0


def _conv(draw, dims):
    g = draw(conv_geometries(dims=dims, max_side=2, max_channels=2))
    channels, (k, _, *kernel) = g.input_shape[1], g.weight_shape
    kwargs = {**g.kwargs, "bias": draw(st.booleans())}
    return (channels, k, tuple(kernel)), kwargs, (draw(arrays(g.input_shape)),), 0


def _max_pool(draw, dims):
    g = draw(pool_geometries(dims=dims, max_side=2))
    return (), dict(g.kwargs), (draw(distinct_arrays(g.input_shape)),), 0


def _avg_pool(draw, dims):
    g = draw(pool_geometries(dims=dims, max_side=2, dilated=False))
    kwargs = {key: value for key, value in g.kwargs.items() if key != "dilation"}
    return (), {**kwargs, "count_include_pad": draw(st.booleans())}, (draw(arrays(g.input_shape)),), 0


def _adaptive(draw, dims):
    sides = draw(shapes(dims, dims, max_side=4))
    return (draw(shapes(dims, dims, max_side=3)),), {}, (draw(distinct_arrays((draw(small), 2, *sides))),), 0


def _batch_norm(draw, dims):
    sides = draw(shapes(0, 1, min_side=2, max_side=2)) if dims == 1 else (2,) * dims
    shape = (draw(st.integers(2, 3)), draw(small), *sides)
    kwargs = {"affine": draw(st.booleans()), "track_running_stats": draw(st.booleans())}
    x = draw(distinct_arrays(shape))
    return (shape[1],), kwargs, (x,), 0 if kwargs["track_running_stats"] else None


def _layer_norm(draw):
    sides = draw(shapes(1, 2, min_side=2, max_side=3))
    lead = draw(shapes(0, 2, max_side=2))
    kwargs = {"elementwise_affine": draw(st.booleans())}
    return (sides,), kwargs, (draw(distinct_arrays((*lead, *sides))),), 0 if lead else None


def _group_norm(draw):
    groups, per = draw(st.integers(1, 2)), draw(small)
    x = distinct_arrays((draw(small), groups * per, 2, 2))
    return (groups, groups * per), {}, (draw(x),), 0


def _instance_norm(draw):
    channels = draw(small)
    return (
        (channels,),
        {"affine": draw(st.booleans())},
        (draw(distinct_arrays((draw(small), channels, 2, 2))),),
        0,
    )


def _recurrent(draw, layer):
    g = draw(recurrent_geometries().filter(lambda g: g.layer == layer))
    batch = None if len(g.input_shape) == 2 else 0 if g.kwargs["batch_first"] else 1
    return (), g.kwargs, (draw(arrays(g.input_shape)),), batch


def _embedding(draw):
    count, shape = draw(small), draw(shapes(1, 2, max_side=3))
    return (count, draw(small)), {}, (draw(index_arrays(count, shape)),), 0


def _attention(draw):
    heads, n, length = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(small)
    x = [draw(arrays((n, length, 2 * heads))) for _ in range(3)]
    return (2 * heads, heads), {"batch_first": True}, tuple(x), 0


def _encoder(draw):
    heads, n = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    kwargs = {"dim_feedforward": draw(small), "dropout": 0.1, "activation": "gelu", "batch_first": True}
    kwargs["norm_first"] = draw(st.booleans())
    return (2 * heads, heads), kwargs, (draw(distinct_arrays((n, draw(small), 2 * heads))),), 0


def _dropout(draw):
    return (draw(st.sampled_from([0.0, 0.3, 1.0])),), {}, (draw(arrays(shapes(1, 3, max_side=3))),), 0


def _pair_loss(draw, low_high):
    shape, (low, high) = draw(shapes(1, 2, max_side=3)), low_high
    pair = [draw(distinct_arrays(shape)) * 0.37, draw(arrays(shape, elements=elements(low, high)))]
    return (), {"reduction": draw(st.sampled_from(["mean", "sum", "none"]))}, tuple(pair)


def _class_loss(draw):
    n, c = draw(small), draw(st.integers(2, 4))
    kwargs = {"reduction": draw(st.sampled_from(["mean", "sum", "none"]))}
    return (), kwargs, (draw(arrays((n, c))), draw(index_arrays(c, (n,))))


def _multi_margin_loss(draw):
    args, kwargs, (x, targets) = _class_loss(draw)
    room = x - np.take_along_axis(x, targets[:, None], 1) + 1  # a kink where it is 0
    assume((np.abs(room) >= 0.05).all())
    return args, kwargs, (x, targets)


def _softmax(draw):
    shape = draw(shapes(2, 3, max_side=3))
    return (len(shape) - 1,), {}, (draw(arrays(shape)),), 0


for _name, _kinks in KINKS.items():
    _entry(_name, _kinks)(_activation)
for _dims in (1, 2, 3):
    _entry(f"Conv{_dims}d", _dims)(_conv)
    _entry(f"MaxPool{_dims}d", _dims)(_max_pool)
    _entry(f"AdaptiveAvgPool{_dims}d", _dims)(_adaptive)
    _entry(f"AdaptiveMaxPool{_dims}d", _dims)(_adaptive)
    _entry(f"BatchNorm{_dims}d", _dims)(_batch_norm)
for _name in ("RNN", "LSTM", "GRU"):
    _entry(_name, _name)(_recurrent)
for _name, _dims in (("AvgPool1d", 1), ("AvgPool2d", 2), ("AvgPool3d", 3)):
    _entry(_name, _dims)(_avg_pool)
for _name, _bounds in {"MSELoss": (-3, 3), "BCEWithLogitsLoss": (0, 1), "SoftMarginLoss": (1, 1)}.items():
    _entry(_name, _bounds)(_pair_loss)
for _name, _drawn in {
    "Linear": _linear, "Bilinear": _bilinear, "LayerNorm": _layer_norm, "RMSNorm": _layer_norm,
    "GroupNorm": _group_norm, "InstanceNorm2d": _instance_norm, "Embedding": _embedding,
    "MultiheadAttention": _attention, "TransformerEncoderLayer": _encoder, "Dropout": _dropout,
    "AlphaDropout": _dropout, "CrossEntropyLoss": _class_loss, "MultiMarginLoss": _multi_margin_loss,
    "Softmax": _softmax, "LogSoftmax": _softmax, "Softmin": _softmax,
}.items():  # fmt: skip
    _entry(_name)(_drawn)
