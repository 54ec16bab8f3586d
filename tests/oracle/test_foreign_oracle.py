"""PyTorch's functions under minidl's gradient checks, by ``from_torch``."""

import numpy as np
import pytest
import torch

import minidl
from minidl.errors import GradcheckError, NotDifferentiableError
from minidl.testing import check_gradients, from_torch, given_gradients, strided, tensors


class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        return g * 2.02 * ctx.saved_tensors[0]


def test_right_functions_pass_in_both_orders():
    check_gradients(
        from_torch(lambda x, y, n: (x @ y * n, x.square().sum())),
        np.ones((2, 3)),
        np.ones((3, 2)),
        3,
        order=2,
    )
    check_gradients(from_torch(torch.nn.functional.embedding), np.array([1, 0]), np.ones((2, 3)))


def test_wrong_ones_and_kinks_are_caught():
    with pytest.raises(GradcheckError, match=r"analytical 1\.01, numerical 1;"):
        check_gradients(from_torch(Wrong.apply), np.array([0.5]))
    with pytest.raises(NotDifferentiableError):
        check_gradients(from_torch(torch.relu), np.array([0.0]))


def test_what_torch_functions_take_and_where_they_end():
    check_gradients(lambda x: from_torch(torch.nn.functional.gelu)(x, approximate="tanh"), np.array([0.3]))
    check_gradients(from_torch(lambda x: x * x), strided(np.array([0.5, 2.0]), "negative"))
    with pytest.raises(GradcheckError, match="analytical 0, numerical 2"):
        check_gradients(from_torch(lambda x: x.detach() * 2), np.array([0.5]))
    with pytest.raises(GradcheckError) as caught:
        check_gradients(from_torch(Wrong.apply), np.array([0.5]))
    assert "Wrong, call 1 of 1" in caught.value.__notes__[0]
    strides = []
    from_torch(lambda x: strides.append(x.stride()) or x)(minidl.ones(2, 3).T)
    assert strides == [(1, 3)]


def test_a_property_of_a_torch_function():
    @given_gradients(x=tensors(), order=2, modes=["directional"])
    def smooth(x):
        return from_torch(lambda x: torch.nn.functional.silu(x) * x)(x)

    smooth()
