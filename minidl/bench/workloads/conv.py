"""Convolutions: shapes of ResNet-18, a first layer, depthwise, transposed, in PyTorch's two memory formats."""

from minidl.bench.registry import BACKWARD, BOTH, FORWARD, Case, Target, workload

_CHANNELS_LAST = {
    "minidl channels_last": {"channels_last": True},
    "torch channels_last": {"channels_last": True},
}
_RESNET = {FORWARD: Target(1.2, 1.8), BOTH: Target(1.1, 1.5)}
_EVEN = {FORWARD: Target(1.0, 1.15), BOTH: Target(1.0, 1.15)}
_NARROW = {FORWARD: Target(1.1, 1.5), BOTH: Target(1.1, 1.5)}
_PASSES = {
    FORWARD: 1,
    BACKWARD: 2,
    BOTH: 3,
}  # products of the same size: output, input's and weight's gradient


def shape(n, c, k, size, kernel, stride=1, padding=None, groups=1):
    return {
        "batch": n, "channels": c, "filters": k, "size": size, "kernel": kernel, "stride": stride,
        "padding": kernel // 2 if padding is None else padding, "groups": groups,
    }  # fmt: skip


def _out(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) // stride + 1


def cost(mode, batch, channels, filters, size, kernel, stride, padding, groups, dims=2, channels_last=False):
    out = _out(size, kernel, stride, padding) ** dims
    weight = filters * (channels // groups) * kernel**dims
    flops = 2 * batch * out * weight
    elements = batch * channels * size**dims + weight + batch * filters * out
    return _PASSES[mode] * flops, _PASSES[mode] * elements


@workload(
    "conv2d",
    [
        Case(
            "3x3-64-64-56-n32",
            shape(32, 64, 64, 56, 3),
            {FORWARD: Target(1.3, 2.0), BACKWARD: Target(1.2, 1.6)},
        ),
        Case("3x3-256-256-14-n16", shape(16, 256, 256, 14, 3), _RESNET),
        Case("3x3-512-512-7-n16", shape(16, 512, 512, 7, 3), _RESNET),
        Case("7x7s2-3-64-224-n8", shape(8, 3, 64, 224, 7, 2), _EVEN),
        Case("3x3s2-64-128-56-n16", shape(16, 64, 128, 56, 3, 2), _EVEN),
        Case("1x1-256-64-28-n16", shape(16, 256, 64, 28, 1), _EVEN),
        Case("5x5-1-32-28-n64", shape(64, 1, 32, 28, 5), _NARROW),
        Case("depthwise-3x3-128-28-n16", shape(16, 128, 128, 28, 3, groups=128), _NARROW),
    ],
    cost,
    modes=(FORWARD, BACKWARD, BOTH),
    variants=_CHANNELS_LAST,
)
def conv2d(kit, batch, channels, filters, size, kernel, stride, padding, groups, channels_last=False):
    """A square kernel on a square image, without bias; the gradients are the input's and the weight's."""
    scale = (channels // groups * kernel * kernel) ** -0.5
    x = kit.leaf(batch, channels, size, size, channels_last=channels_last)
    w = kit.leaf(filters, channels // groups, kernel, kernel, scale=scale, channels_last=channels_last)
    function = kit.lib.nn.functional.conv2d
    return lambda: function(x, w, None, stride, padding, 1, groups)


@workload(
    "conv1d",
    [Case("5-64-128-512-n16", shape(16, 64, 128, 512, 5))],
    lambda mode, **arguments: cost(mode, dims=1, **arguments),
)
def conv1d(kit, batch, channels, filters, size, kernel, stride, padding, groups):
    """A kernel on sequences of length ``size``."""
    x = kit.leaf(batch, channels, size)
    w = kit.leaf(filters, channels // groups, kernel, scale=(channels * kernel) ** -0.5)
    function = kit.lib.nn.functional.conv1d
    return lambda: function(x, w, None, stride, padding, 1, groups)


def _transposed_cost(mode, batch, channels, filters, size, kernel, stride, padding):
    out = (size - 1) * stride - 2 * padding + kernel
    weight = channels * filters * kernel**2
    elements = batch * channels * size**2 + weight + batch * filters * out**2
    return _PASSES[mode] * 2 * batch * size**2 * weight, _PASSES[mode] * elements


@workload(
    "conv_transpose2d",
    [
        Case(
            "4x4s2-128-64-14-n16",
            {"batch": 16, "channels": 128, "filters": 64, "size": 14, "kernel": 4, "stride": 2, "padding": 1},
        )
    ],
    _transposed_cost,
    variants=_CHANNELS_LAST,
)
def conv_transpose2d(kit, batch, channels, filters, size, kernel, stride, padding, channels_last=False):
    """The decoder's convolution, from ``channels`` to ``filters``."""
    x = kit.leaf(batch, channels, size, size, channels_last=channels_last)
    w = kit.leaf(
        channels, filters, kernel, kernel, scale=(channels * kernel) ** -0.5, channels_last=channels_last
    )
    function = kit.lib.nn.functional.conv_transpose2d
    return lambda: function(x, w, None, stride, padding)
