"""Whole training steps: forward, loss, gradients, optimizer; networks of ``networks.py``."""

import itertools

from minidl.bench.registry import STEP, Case, Target, workload
from minidl.bench.workloads import networks

_TABLE = {STEP: Target(1.2, 1.6)}
_IMAGES = {"torch best": {"fused": True, "channels_last": True}}
_FUSED = {"torch best": {"fused": True}}


def _trainer(kit, model, loss, fused):
    """A function that does a step with Adam and returns the loss and the gradients."""
    parameters = list(model.parameters())
    adam = kit.lib.optim.Adam(parameters, lr=1e-4, **({"fused": True} if fused else {}))

    def step():
        adam.zero_grad()
        value = loss()
        value.backward()
        adam.step()
        return value, *(parameter.grad for parameter in parameters)

    return step


def _classifier(kit, model, images, labels, fused, channels_last=False):
    model = kit.module(model, channels_last)
    cross_entropy = kit.lib.nn.functional.cross_entropy
    return _trainer(kit, model, lambda: cross_entropy(model(images), labels), fused)


def _dense_cost(mode, batch, layers):
    weights = sum(a * b for a, b in itertools.pairwise(layers))
    return 6 * batch * weights, 10 * weights


@workload(
    "train",
    [Case("mlp", {"batch": 64, "layers": (784, 256, 128, 10)})],
    _dense_cost,
    modes=(STEP,),
    variants=_FUSED,
)
def mlp(kit, batch, layers, fused=False):
    """A multilayer perceptron on rows of pixels."""
    images, labels = kit.normal(batch, layers[0]), kit.integers(layers[-1], batch)
    return _classifier(kit, networks.mlp(kit.lib.nn, layers), images, labels, fused)


@workload(
    "train",
    [Case("lenet", {"batch": 64}, _TABLE)],
    lambda mode, batch: (batch * networks.LENET_FLOPS * 3, 10 * networks.LENET_WEIGHTS),
    modes=(STEP,),
    variants=_IMAGES,
)
def lenet(kit, batch, fused=False, channels_last=False):
    """LeNet on 28x28 images."""
    images, labels = kit.normal(batch, 1, 28, 28), kit.integers(10, batch)
    if channels_last:
        images = images.contiguous(memory_format=kit.lib.channels_last)
    return _classifier(kit, networks.lenet(kit.lib.nn), images, labels, fused, channels_last)


@workload(
    "train",
    [Case("resnet", {"batch": 32}, _TABLE)],
    lambda mode, batch: (batch * networks.RESNET_FLOPS * 3, 10 * networks.RESNET_WEIGHTS),
    modes=(STEP,),
    variants=_IMAGES,
)
def resnet(kit, batch, fused=False, channels_last=False):
    """A small residual network on 3x32x32 images: stages of 16, 32, 64 channels, two blocks each."""
    images, labels = kit.normal(batch, 3, 32, 32), kit.integers(10, batch)
    if channels_last:
        images = images.contiguous(memory_format=kit.lib.channels_last)
    return _classifier(kit, networks.resnet(kit.lib.nn), images, labels, fused, channels_last)


@workload(
    "train",
    [Case("lstm", {"batch": 32, "steps": 28, "inputs": 28, "hidden": 128}, _TABLE)],
    lambda mode, batch, steps, inputs, hidden: (
        3 * 2 * batch * (steps * 4 * hidden * (inputs + hidden) + 10 * hidden),
        10 * (4 * hidden * (inputs + hidden) + 10 * hidden),
    ),
    modes=(STEP,),
    variants=_FUSED,
)
def lstm(kit, batch, steps, inputs, hidden, fused=False):
    """A classifier that reads rows of pixels with an LSTM and looks at its last output."""
    rows, labels = kit.normal(batch, steps, inputs), kit.integers(10, batch)
    model = networks.lstm_classifier(kit.lib.nn, inputs, hidden, 10)
    return _classifier(kit, model, rows, labels, fused)


@workload(
    "train",
    [
        Case(
            "transformer",
            {"batch": 16, "steps": 128, "width": 128, "layers": 4, "heads": 4, "words": 65},
            _TABLE,
        )
    ],
    lambda mode, **shape: networks.transformer_cost(**shape),
    modes=(STEP,),
    variants={
        "torch best": {"fused": True, "fused_attention": True},
        "minidl best": {"fused_attention": True},
    },
)
def transformer(kit, batch, steps, width, layers, heads, words, fused=False, fused_attention=False):
    """A character model: causal self-attention of 4 heads, GELU layers of four times the width, layer norms first."""
    text, following = kit.integers(words, batch, steps), kit.integers(words, batch * steps)
    attend = kit.lib.nn.functional.scaled_dot_product_attention if fused_attention else None
    model = kit.module(networks.transformer(kit.lib, steps, width, layers, heads, words, attend))
    mask = kit.lib.ones(steps, steps).tril() == 0
    model.mask = mask if kit.device == "cpu" else mask.to(kit.device)
    cross_entropy = kit.lib.nn.functional.cross_entropy
    return _trainer(kit, model, lambda: cross_entropy(model(text).reshape(-1, words), following), fused)
