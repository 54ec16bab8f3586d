"""Activations of values that are no numbers: NaN stays NaN, and its gradient is what PyTorch's is."""

import math

import pytest

import minidl
import minidl.nn.functional as F


@pytest.mark.parametrize("function", [F.relu, F.relu6, F.hardtanh, F.leaky_relu, F.hardswish, F.softplus])
def test_nan_stays_nan(function):
    assert math.isnan(function(minidl.tensor(math.nan)).item())


@pytest.mark.parametrize("function", [F.relu, F.relu6, F.hardtanh])
def test_the_gradient_passes_where_a_nan_was_clipped(function):
    x = minidl.tensor([math.nan, -9.0, 0.5, 9.0], requires_grad=True)
    function(x).sum().backward()
    assert x.grad.tolist() == [1, 0, 1, 1 if function is F.relu else 0]
