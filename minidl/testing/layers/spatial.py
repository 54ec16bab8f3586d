"""Examples of layers of images and signals (N, C, *spatial): convolutions, pools, norms, padding, resizing."""

import numpy as np
from hypothesis import strategies as st

from minidl.testing.geometries import conv_geometries, pool_geometries
from minidl.testing.layers.registry import entry, small
from minidl.testing.strategies import arrays, distinct_arrays, elements, shapes


def _conv(draw, dims):
    g = draw(conv_geometries(dims=dims, max_side=2, max_channels=2))
    channels, (k, _, *kernel) = g.input_shape[1], g.weight_shape
    kwargs = {**g.kwargs, "bias": draw(st.booleans())}
    return (channels, k, tuple(kernel)), kwargs, (draw(arrays(g.input_shape)),), 0


def _transposed_conv(draw, dims):
    """A transposed convolution goes from the output of a convolution to its input."""
    g = draw(conv_geometries(dims=dims, max_side=2, max_channels=2))
    (k, _, *kernel), (_, channels, *sides) = g.weight_shape, g.input_shape
    kwargs = {**g.kwargs, "bias": draw(st.booleans())}
    back = [
        (out - 1) * s - 2 * p + d * (w - 1) + 1
        for out, s, p, d, w in zip(g.output_shape[2:], g.stride, g.padding, g.dilation, kernel, strict=True)
    ]
    kwargs["output_padding"] = tuple(side - least for side, least in zip(sides, back, strict=True))
    return (k, channels, tuple(kernel)), kwargs, (draw(arrays(g.output_shape)),), 0


def _max_pool(draw, dims):
    g = draw(pool_geometries(dims=dims, max_side=2))
    return (), dict(g.kwargs), (draw(distinct_arrays(g.input_shape)),), 0


def _avg_pool(draw, dims):
    g = draw(pool_geometries(dims=dims, max_side=2, dilated=False))
    kwargs = {key: value for key, value in g.kwargs.items() if key != "dilation"}
    return (), {**kwargs, "count_include_pad": draw(st.booleans())}, (draw(arrays(g.input_shape)),), 0


def _power_pool(draw, dims):
    sides = draw(shapes(dims, dims, min_side=2, max_side=3))
    x = arrays((draw(small), 2, *sides), elements=elements(0.5, 3))
    return (draw(st.sampled_from([2, 3])), 2), {"stride": draw(st.sampled_from([1, 2]))}, (draw(x),), 0


def _adaptive_pool(draw, dims):
    sides = draw(shapes(dims, dims, max_side=4))
    return (draw(shapes(dims, dims, max_side=3)),), {}, (draw(distinct_arrays((draw(small), 2, *sides))),), 0


def _fractional_pool(draw, dims):
    x = draw(distinct_arrays((draw(small), 2, *(4,) * dims)))
    return (2,), {"output_size": draw(shapes(dims, dims, max_side=2))}, (x,)  # where it pools is random


def _unpool(draw, dims):
    """Maxima and where they were: as many places of each map of (4,) * dims."""
    n, channels, sides = draw(small), draw(small), (2,) * dims
    count = 2**dims
    places = st.lists(st.integers(0, 4**dims - 1), min_size=count, max_size=count, unique=True)
    indices = np.array([draw(places) for _ in range(n * channels)]).reshape(n, channels, *sides)
    return (2,), {}, (draw(arrays((n, channels, *sides))), indices), 0


def _batch_norm(draw, dims):
    sides = draw(shapes(0, 1, min_side=2, max_side=2)) if dims == 1 else (2,) * dims
    shape = (draw(st.integers(2, 3)), draw(small), *sides)
    kwargs = {"affine": draw(st.booleans()), "track_running_stats": draw(st.booleans())}
    x = draw(distinct_arrays(shape))
    return (shape[1],), kwargs, (x,), 0 if kwargs["track_running_stats"] else None


def _instance_norm(draw, dims):
    channels, sides = draw(small), (4,) if dims == 1 else (2,) * dims
    x = draw(distinct_arrays((draw(small), channels, *sides)))
    return (channels,), {"affine": draw(st.booleans())}, (x,), 0


@entry("GroupNorm")
def _group_norm(draw):
    groups, per = draw(st.integers(1, 2)), draw(small)
    x = distinct_arrays((draw(small), groups * per, 2, 2))
    return (groups, groups * per), {}, (draw(x),), 0


@entry("LocalResponseNorm")
def _response_norm(draw):
    return (draw(small),), {"alpha": 0.1}, (draw(arrays(shapes(3, 4, max_side=3))),), 0


def _pad(draw, dims, *value):
    sides = draw(shapes(dims, dims, min_side=2, max_side=3))
    padding = tuple(draw(st.integers(0, 1)) for _ in range(2 * dims))
    return (padding, *value), {}, (draw(arrays((draw(small), draw(small), *sides))),), 0


def _to_space(draw, shape):
    n, channels, *sides = (draw(small) * factor for factor in shape)
    return (2,), {}, (draw(arrays((n, channels, *sides))),), 0


@entry("Upsample")
def _upsample(draw):
    dims = draw(st.integers(1, 3))
    smooth = {1: "linear", 2: draw(st.sampled_from(["bilinear", "bicubic"])), 3: "trilinear"}[dims]
    kwargs = {
        "scale_factor": draw(st.sampled_from([1.5, 2])),
        "mode": draw(st.sampled_from(["nearest", smooth])),
    }
    if kwargs["mode"] == smooth:
        kwargs["align_corners"] = draw(st.booleans())
    return (), kwargs, (draw(arrays((draw(small), 2, *draw(shapes(dims, dims, max_side=3))))),), 0


def _upsample_twice(draw):
    return (), {"scale_factor": 2}, (draw(arrays((draw(small), 2, *draw(shapes(2, 2, max_side=3))))),), 0


def _windows(draw):
    """A window and its stride, padding and dilation, with sides that it fits into."""
    g = draw(conv_geometries(dims=2, max_side=2, max_channels=1))
    keys = ("stride", "padding", "dilation")
    return g, tuple(g.weight_shape[2:]), {key: getattr(g, key) for key in keys}


@entry("Unfold")
def _unfold(draw):
    g, kernel, kwargs = _windows(draw)
    return (kernel,), kwargs, (draw(arrays(g.input_shape)),), 0


@entry("Fold")
def _fold(draw):
    g, kernel, kwargs = _windows(draw)
    n, channels, *sides = g.input_shape
    columns = (n, channels * int(np.prod(kernel)), int(np.prod(g.output_shape[2:])))
    return (tuple(sides), kernel), kwargs, (draw(arrays(columns)),), 0


for _dims in (1, 2, 3):
    for _name, _drawn in {
        "Conv": _conv, "ConvTranspose": _transposed_conv, "MaxPool": _max_pool, "AvgPool": _avg_pool,
        "LPPool": _power_pool, "AdaptiveAvgPool": _adaptive_pool, "AdaptiveMaxPool": _adaptive_pool,
        "MaxUnpool": _unpool, "BatchNorm": _batch_norm, "InstanceNorm": _instance_norm, "ZeroPad": _pad,
        "ReflectionPad": _pad, "ReplicationPad": _pad, "CircularPad": _pad,
    }.items():  # fmt: skip
        entry(f"{_name}{_dims}d", _dims)(_drawn)
    entry(f"ConstantPad{_dims}d", _dims, 1.5)(_pad)
entry("SyncBatchNorm", 2)(_batch_norm)
for _dims in (2, 3):
    entry(f"FractionalMaxPool{_dims}d", _dims)(_fractional_pool)
for _name in ("UpsamplingNearest2d", "UpsamplingBilinear2d"):
    entry(_name)(_upsample_twice)
for _name, _shape in {
    "PixelShuffle": (1, 4, 1, 1), "PixelUnshuffle": (1, 1, 2, 2), "ChannelShuffle": (1, 2, 1, 1),
}.items():  # fmt: skip
    entry(_name, _shape)(_to_space)
