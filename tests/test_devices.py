"""Tensors on devices: creation, moves that carry gradients, refusals to mix."""

import numpy as np
import pytest

import minidl
from minidl import autograd
from minidl.errors import DeviceError


def test_creation_and_arithmetic_stay_on_the_device(device):
    x = minidl.ones(2, 3, device=device)
    y = (x * 2 + minidl.full((3,), 0.5, device=device)).sum(0)
    assert {t.device.type for t in (x, y, x[0], x.reshape(-1), minidl.zeros_like(x))} == {device}
    assert y.cpu().tolist() == [5.0] * 3


def test_backward_stays_on_the_device(device):
    w = minidl.tensor([[1.0, -2.0], [0.5, 3.0]], device=device, requires_grad=True)
    ((w @ w).tanh() * w).sum().backward()
    assert w.grad.device.type == device
    host = w.detach().cpu().requires_grad_()
    ((host @ host).tanh() * host).sum().backward()
    np.testing.assert_allclose(w.grad.cpu().numpy(), host.grad.numpy(), rtol=1e-5)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_move_carries_the_gradient_back(emulated, create_graph):
    x = minidl.tensor([1.0, 2.0], requires_grad=True)
    y = x.to(emulated) * 3
    assert y.device.type == emulated
    (gradient,) = autograd.grad((y * y).sum().cpu(), x, create_graph=create_graph)
    assert gradient.device.type == "cpu"
    assert gradient.tolist() == [18.0, 36.0]
    if create_graph:
        assert autograd.grad(gradient.sum(), x)[0].tolist() == [18.0, 18.0]


def test_a_move_to_the_same_device_is_the_tensor_itself(device):
    x = minidl.ones(2, device=device)
    assert x.to(device) is x
    assert x.to(device, copy=True) is not x


def test_devices_do_not_mix(emulated):
    x, y = minidl.ones(2), minidl.ones(2, device=emulated)
    calls = {
        "add": lambda: x + y,
        "matmul": lambda: y @ x,
        "cat": lambda: minidl.cat([x, y]),
        "where": lambda: minidl.where(x > 0, y, y),
        "in place": lambda: x.add_(y),
    }
    for name, call in calls.items():
        with pytest.raises(DeviceError, match=rf"cpu.*{emulated}|{emulated}.*cpu"):
            pytest.fail(f"{name} gave {call()}")
    assert (y * 2.0 + 1).cpu().tolist() == [3.0, 3.0]


def test_numpy_of_another_device_is_refused(emulated):
    with pytest.raises(TypeError, match=rf"can't convert {emulated}.* device type tensor to numpy.*cpu"):
        minidl.ones(2, device=emulated).numpy()
    assert minidl.ones(2, device=emulated).numpy(force=True).tolist() == [1, 1]


def test_a_device_that_is_missing_says_why():
    try:
        minidl.zeros(1, device="cuda")
    except DeviceError as error:
        assert "cuda" in str(error) and "minidl doctor" in str(error)
    with pytest.raises(RuntimeError, match="device type at start of device string"):
        minidl.zeros(1, device="tpu")


def test_the_same_random_numbers_on_every_device(device):
    minidl.manual_seed(3)
    found = minidl.randn(5, device=device).cpu()
    minidl.manual_seed(3)
    np.testing.assert_allclose(found.numpy(), minidl.randn(5).numpy(), rtol=1e-6)
