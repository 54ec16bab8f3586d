"""Batches, features and sequences of size zero: layers run forward and backward, gradients have the right shapes."""

import pytest

import minidl
from minidl import nn

LAYERS = {
    "linear": (lambda: nn.Linear(3, 2), (0, 3)),
    "linear with two batch dimensions": (lambda: nn.Linear(3, 2), (4, 0, 3)),
    "linear without features": (lambda: nn.Linear(0, 2), (4, 0)),
    "linear without features, two batch dimensions": (lambda: nn.Linear(0, 2), (4, 5, 0)),
    "linear without outputs": (lambda: nn.Linear(3, 0), (4, 3)),
    "conv": (lambda: nn.Conv2d(2, 4, 3), (0, 2, 5, 5)),
    "transposed conv": (lambda: nn.ConvTranspose1d(2, 4, 3), (0, 2, 5)),
    "max-pool": (lambda: nn.MaxPool2d(2), (0, 2, 4, 4)),
    "average pool": (lambda: nn.AvgPool1d(2), (0, 2, 4)),
    "adaptive pool": (lambda: nn.AdaptiveAvgPool2d(2), (0, 2, 4, 4)),
    "batch norm": (lambda: nn.BatchNorm2d(3), (0, 3, 2, 2)),
    "batch norm in evaluation": (lambda: nn.BatchNorm1d(3).eval(), (0, 3)),
    "layer norm": (lambda: nn.LayerNorm(3), (0, 3)),
    "group norm": (lambda: nn.GroupNorm(2, 4), (0, 4, 3)),
    "softmax": (lambda: nn.Softmax(1), (0, 3)),
    "log-softmax of no class": (lambda: nn.LogSoftmax(1), (2, 0)),
    "dropout": (lambda: nn.Dropout(), (0, 3)),
    "rnn": (lambda: nn.RNN(3, 4), (5, 0, 3)),
    "lstm": (lambda: nn.LSTM(3, 4, 2, bidirectional=True), (5, 0, 3)),
    "gru": (lambda: nn.GRU(3, 4), (5, 0, 3)),
    "gru cell": (lambda: nn.GRUCell(3, 4), (0, 3)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    make, shape = LAYERS[name]
    layer, x = make(), minidl.zeros(shape, requires_grad=True)
    output = layer(x)
    (output[0] if isinstance(output, tuple) else output).sum().backward()
    assert x.grad.shape == shape
    for parameter in layer.parameters():
        assert parameter.grad.shape == parameter.shape
        if 0 in shape and "features" not in name:
            assert not parameter.grad.any()


def test_a_product_over_no_elements_has_gradients():
    a, b = minidl.ones(2, 3, 0, requires_grad=True), minidl.ones(0, 4, requires_grad=True)
    (a @ b).sum().backward()
    assert a.grad.shape == (2, 3, 0) and b.grad.shape == (0, 4)
