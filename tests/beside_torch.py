"""A function of ``nn.functional`` and its gradients of two orders, by minidl and by PyTorch; for tests/oracle."""

import driving
import numpy as np
import pytest

import minidl

torch = pytest.importorskip("torch")


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def both(function, arrays, kwargs):
    """Results, gradients, and gradients of a weighted sum of those, by minidl and by PyTorch."""
    found = []
    for library, wrap in ((minidl, minidl.tensor), (torch, torch.tensor)):
        inputs = [wrap(array, requires_grad=True) for array in arrays]
        out = getattr(library.nn.functional, function)(*inputs, **kwargs)
        weight = wrap(normal(*out.shape, seed=5), requires_grad=True)
        first = library.autograd.grad((out * weight).sum(), inputs, create_graph=True)
        scalar = sum((g * wrap(normal(*g.shape, seed=6 + i))).sum() for i, g in enumerate(first))
        second = library.autograd.grad(scalar, [*inputs, weight], allow_unused=True)
        found.append([out, *first, *second])
    return found


def assert_same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        if b is None or a is None:
            zeros = a if b is None else b
            assert zeros is None or not zeros.detach().numpy().any()
            continue
        driving.assert_near(driving.host(a), b.detach().numpy(), 1e-11, 1e-11)
