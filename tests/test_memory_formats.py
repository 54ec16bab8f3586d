"""Channels-last tensors on every device: the same values in another order, and training in it (PyTorch beside it:
tests/oracle/test_memory_formats_oracle.py)."""

import copy

import numpy as np

import minidl
from minidl import nn


def test_there_and_back(device):
    x = minidl.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5).float().to(device)
    pixels = x.contiguous(memory_format=minidl.channels_last)
    assert pixels.stride() == (60, 1, 15, 3) and pixels.is_contiguous(memory_format=minidl.channels_last)
    assert not pixels.is_contiguous() and pixels.contiguous(memory_format=minidl.channels_last) is pixels
    assert pixels.clone().stride() == minidl.zeros_like(pixels).stride() == pixels.stride()
    back = pixels.contiguous()
    assert back.stride() == x.stride()
    for each in (pixels, back, pixels.clone()):
        np.testing.assert_array_equal(each.cpu().numpy(), x.cpu().numpy())


def test_deep_copies(device):
    net = nn.Conv2d(3, 4, 3).to(device, memory_format=minidl.channels_last)
    other = copy.deepcopy(net)
    assert other.weight.is_contiguous(memory_format=minidl.channels_last)
    images = minidl.ones(2, 3, 4, 4, device=device).contiguous(memory_format=minidl.channels_last)
    assert copy.deepcopy(images).stride() == images.stride()


def test_gradients_of_a_copy(device):
    x = minidl.randn(2, 3, 4, 4, dtype=minidl.float64).to(device).requires_grad_()
    y = x.contiguous(memory_format=minidl.channels_last)
    (y * y).sum().backward()
    np.testing.assert_allclose(x.grad.cpu().numpy(), 2 * x.detach().cpu().numpy())


def test_training_is_the_same(device):
    """Two steps of a small network in either format, from equal weights."""

    def weights_after(memory_format):
        minidl.manual_seed(0)
        net = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Conv2d(8, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(4, 2),
        )  # fmt: skip
        images, labels = minidl.randn(4, 3, 8, 8), minidl.tensor([0, 1, 1, 0])
        net = net.to(device, memory_format=memory_format)
        images = images.to(device).contiguous(memory_format=memory_format)
        optimizer = minidl.optim.Adam(net.parameters(), lr=1e-2)
        for _ in range(2):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images), labels.to(device)).backward()
            for parameter in net.parameters():
                assert parameter.dim() < 4 or parameter.grad.is_contiguous(memory_format=memory_format)
            optimizer.step()
        assert net[0].weight.is_contiguous(memory_format=memory_format)
        return [parameter.detach().cpu().numpy() for parameter in net.parameters()]

    for rows, pixels in zip(
        weights_after(minidl.contiguous_format), weights_after(minidl.channels_last), strict=True
    ):
        np.testing.assert_allclose(pixels, rows, rtol=2e-3, atol=2e-4)
