"""Normalisations of 1M elements."""

from minidl.bench.registry import BACKWARD, BOTH, FORWARD, Case, Target, workload

_TARGETS = {FORWARD: Target(1.0, 1.5), BACKWARD: Target(1.0, 1.5)}
_PASSES = {FORWARD: (6, 2), BACKWARD: (10, 3), BOTH: (16, 5)}  # flops, and elements moved, an element


def cost(mode, shape, **options):
    flops, moved = _PASSES[mode]
    size = 1
    for length in shape:
        size *= length
    return flops * size, moved * size


_MODES = (FORWARD, BACKWARD, BOTH)


@workload(
    "layer_norm",
    [Case("1024x1024", {"shape": (1024, 1024)}, _TARGETS), Case("2048x128", {"shape": (2048, 128)})],
    cost,
    modes=_MODES,
)
def layer_norm(kit, shape):
    """Each row to mean 0 and variance 1, scaled and shifted."""
    x, w, b = kit.leaf(*shape), kit.leaf(shape[-1]), kit.leaf(shape[-1])
    function = kit.lib.nn.functional.layer_norm
    return lambda: function(x, shape[-1:], w, b)


@workload(
    "batch_norm",
    [
        Case("16x64x32x32", {"shape": (16, 64, 32, 32)}, _TARGETS),
        Case("4096x256", {"shape": (4096, 256)}),
    ],
    cost,
    modes=_MODES,
    variants={f"{library} channels_last": {"channels_last": True} for library in ("minidl", "torch")},
)
def batch_norm(kit, shape, channels_last=False):
    """Each channel to mean 0 and variance 1 by the batch's statistics, which go into the running ones."""
    channels = shape[1]
    x = kit.leaf(*shape, channels_last=channels_last and len(shape) == 4)
    w, b = kit.leaf(channels), kit.leaf(channels)
    mean, variance = kit.normal(channels), kit.positive(channels)
    function = kit.lib.nn.functional.batch_norm
    return lambda: function(x, mean, variance, w, b, True)


@workload("group_norm", [Case("16x64x32x32", {"shape": (16, 64, 32, 32), "groups": 8})], cost)
def group_norm(kit, shape, groups):
    """Each group of channels of an image to mean 0 and variance 1."""
    x, w, b = kit.leaf(*shape), kit.leaf(shape[1]), kit.leaf(shape[1])
    function = kit.lib.nn.functional.group_norm
    return lambda: function(x, groups, w, b)


@workload("rms_norm", [Case("1024x1024", {"shape": (1024, 1024)})], cost)
def rms_norm(kit, shape):
    """Each row divided by the root of its mean square, scaled."""
    x, w = kit.leaf(*shape), kit.leaf(shape[-1])
    function = kit.lib.nn.functional.rms_norm
    return lambda: function(x, shape[-1:], w)
