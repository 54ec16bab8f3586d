"""Activations of values that are no numbers: NaN stays NaN, and its gradient is what PyTorch's is."""

import math

import numpy as np
import pytest

import minidl
import minidl.nn.functional as F
from minidl import backends


@pytest.mark.parametrize("function", [F.relu, F.relu6, F.hardtanh, F.leaky_relu, F.hardswish, F.softplus])
def test_nan_stays_nan(function):
    assert math.isnan(function(minidl.tensor(math.nan)).item())


@pytest.mark.parametrize("function", [F.relu, F.relu6, F.hardtanh])
def test_the_gradient_passes_where_a_nan_was_clipped(function):
    x = minidl.tensor([math.nan, -9.0, 0.5, 9.0], requires_grad=True)
    function(x).sum().backward()
    assert x.grad.tolist() == [1, 0, 1, 1 if function is F.relu else 0]


def test_relu_keeps_the_sign_of_a_zero():
    for relu in (backends.reference.relu, lambda x: minidl.relu(minidl.tensor(x)).numpy()):
        found = relu(np.array([-0.0, 0.0, -1.0], np.float32))
        assert (found == 0).all() and np.signbit(found).tolist() == [True, False, False]
