"""Pooling on 32x64x56x56: what moves is the input and the output; the arithmetic is little."""

from minidl.bench.registry import BOTH, FORWARD, Case, Target, workload

_SHAPE = {"batch": 32, "channels": 64, "size": 56}
_MAX = {FORWARD: Target(4.0, aim_bandwidth=0.7), BOTH: Target(3.0, aim_bandwidth=0.7)}
_AVERAGE = {FORWARD: Target(2.0, aim_bandwidth=0.7), BOTH: Target(2.0, aim_bandwidth=0.7)}
_GLOBAL = {FORWARD: Target(0.95, aim_bandwidth=0.7), BOTH: Target(2.0, aim_bandwidth=0.7)}


def cost(mode, batch, channels, size, kernel, stride, padding):
    out = (size + 2 * padding - kernel) // stride + 1
    images = batch * channels
    passes = 1 if mode == FORWARD else 2
    return passes * images * (out * kernel) ** 2, passes * images * (size**2 + out**2)


def _windows(kernel, stride, padding=0):
    return {**_SHAPE, "kernel": kernel, "stride": stride, "padding": padding}


@workload("max_pool2d", [Case("2x2", _windows(2, 2), _MAX), Case("3x3s2", _windows(3, 2, 1), _MAX)], cost)
def max_pool2d(kit, batch, channels, size, kernel, stride, padding, channels_last=False):
    """The largest value of each window."""
    x, function = (
        kit.leaf(batch, channels, size, size, channels_last=channels_last),
        kit.lib.nn.functional.max_pool2d,
    )
    return lambda: function(x, kernel, stride, padding)


@workload("avg_pool2d", [Case("2x2", _windows(2, 2), _AVERAGE)], cost)
def avg_pool2d(kit, batch, channels, size, kernel, stride, padding, channels_last=False):
    """The mean of each window."""
    x, function = (
        kit.leaf(batch, channels, size, size, channels_last=channels_last),
        kit.lib.nn.functional.avg_pool2d,
    )
    return lambda: function(x, kernel, stride, padding)


@workload(
    "global_avg_pool2d",
    [Case("56x56", _SHAPE, _GLOBAL)],
    lambda mode, **arguments: cost(mode, **arguments, kernel=arguments["size"], stride=1, padding=0),
)
def global_avg_pool2d(kit, batch, channels, size, channels_last=False):
    """The mean of each image."""
    x, function = (
        kit.leaf(batch, channels, size, size, channels_last=channels_last),
        kit.lib.nn.functional.adaptive_avg_pool2d,
    )
    return lambda: function(x, 1)
