"""Memory formats beside PyTorch: strides, what keeps them, values and gradients."""

import numpy as np
import pytest
import torch

import minidl

SHAPES = {"channels_last": (2, 3, 4, 5), "channels_last_3d": (2, 3, 2, 4, 5)}


def both(call, shape):
    array = np.random.default_rng(0).standard_normal(shape)
    return call(minidl, minidl.tensor(array)), call(torch, torch.tensor(array))


CALLS = {
    "to": lambda m, x, f: x.to(memory_format=f),
    "to a dtype": lambda m, x, f: x.to(m.float32, memory_format=f),
    "float": lambda m, x, f: x.float(memory_format=f),
    "contiguous": lambda m, x, f: x.contiguous(memory_format=f),
    "clone": lambda m, x, f: x.clone(memory_format=f),
    "clone of it": lambda m, x, f: x.to(memory_format=f).clone(),
    "rows of it": lambda m, x, f: x.to(memory_format=f).contiguous(),
    "back": lambda m, x, f: x.to(memory_format=f).to(memory_format=m.contiguous_format),
    "kept": lambda m, x, f: x.to(memory_format=f).to(memory_format=m.preserve_format),
    "sum of it": lambda m, x, f: x.to(memory_format=f) + 1,
    "zeros_like": lambda m, x, f: m.zeros_like(x, memory_format=f),
    "one channel": lambda m, x, f: x[:, :1].contiguous(memory_format=f),
}


@pytest.mark.parametrize("format", SHAPES)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_strides_and_values(call, format):
    ours, theirs = both(lambda m, x: call(m, x, getattr(m, format)), SHAPES[format])
    assert ours.stride() == theirs.stride() and np.array_equal(ours.numpy(), theirs.numpy())
    assert ours.is_contiguous() == theirs.is_contiguous()
    for name in SHAPES:
        told = [t.is_contiguous(memory_format=getattr(m, name)) for m, t in ((minidl, ours), (torch, theirs))]
        assert told[0] == told[1]


def test_modules_and_empty_tensors():
    def call(m, x):
        net = m.nn.Sequential(m.nn.Conv2d(3, 4, 3), m.nn.Flatten(), m.nn.Linear(24, 2)).double()
        assert net.to(memory_format=m.channels_last) is net
        return [p.stride() for p in net.parameters()], m.empty(
            2, 3, 4, 5, memory_format=m.channels_last
        ).stride()

    ours, theirs = both(call, (1,))
    assert ours == theirs


def test_a_net_whose_channels_lie_last_gives_the_same_numbers():
    def call(m, x):
        net = m.nn.Sequential(
            m.nn.Conv2d(3, 4, 3), m.nn.BatchNorm2d(4), m.nn.MaxPool2d(2), m.nn.Flatten(), m.nn.Linear(4, 2)
        )
        net.double().load_state_dict(
            {n: m.tensor(np.linspace(-1, 1, t.numel())).reshape(t.shape) for n, t in net.state_dict().items()}
        )
        net.to(memory_format=m.channels_last)
        optimizer = m.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(2):
            optimizer.zero_grad()
            net(x.to(memory_format=m.channels_last)).square().sum().backward()
            optimizer.step()
        return [p.detach().numpy() for p in net.parameters()]

    for ours, theirs in zip(*both(call, SHAPES["channels_last"]), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("format", SHAPES)
def test_rank_is_checked(format):
    for m in (minidl, torch):
        with pytest.raises(
            RuntimeError, match=f"required rank {len(SHAPES[format])} tensor to use {format} format"
        ):
            m.ones(3).to(memory_format=getattr(m, format))
    with pytest.raises(TypeError, match="memory_format"):
        minidl.ones(3).clone(memory_format=3)
