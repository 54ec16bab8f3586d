"""What tests/oracle asks of minidl and PyTorch alike: values, gradients of two orders, texts of errors."""

import warnings

import driving
import numpy as np
import torch

import minidl


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


def second_derivatives(library, function, arrays):
    """Value, gradients, and the gradients of a weighted sum of those, of a function of float64 arrays."""
    inputs = [library.tensor(array, requires_grad=True) for array in arrays]
    out = function(library, *inputs)
    seed = library.tensor(np.linspace(0.5, 1.5, out.numel()).reshape(tuple(out.shape)), requires_grad=True)
    first = library.autograd.grad([out], inputs, [seed], create_graph=True)
    total = sum((gradient * (i + 1) * gradient.detach().sin()).sum() for i, gradient in enumerate(first))
    second = library.autograd.grad([total], [*inputs, seed], allow_unused=True)
    zeros = [np.zeros(tuple(x.shape)) for x in (*inputs, seed)]
    values = [zero if s is None else s.detach().numpy() for s, zero in zip(second, zeros, strict=True)]
    return [out.detach().numpy(), *(gradient.detach().numpy() for gradient in first), *values]


def refusal(call):
    """The class and text of what ``call`` raises, or else warns."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call()
        except Exception as error:
            return type(error), str(error)
    return caught[0].category, str(caught[0].message)


def answered(questions):
    """What is answered to each question: arrays, texts, numbers; or that it is not implemented."""
    found = {}
    for name, ask in questions.items():
        try:
            answer = ask()
            found[name] = answer.numpy() if hasattr(answer, "numpy") else answer
        except NotImplementedError:
            found[name] = "not implemented"
    return found


def assert_alike(ours, theirs, rtol=1e-9):
    """Whether two libraries gave the same answers; arrays up to rounding."""
    assert ours.keys() == theirs.keys()
    for name, wanted in theirs.items():
        if isinstance(wanted, np.ndarray):
            assert ours[name].shape == wanted.shape and ours[name].dtype == wanted.dtype, name
            np.testing.assert_allclose(ours[name], wanted, rtol=rtol, atol=1e-12, err_msg=name)
        else:
            assert ours[name] == wanted, name
