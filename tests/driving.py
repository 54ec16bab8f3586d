"""Runs a row of ``tests/cases``: on tensors, numerically, on another backend."""

import functools

import numpy as np

import minidl
from minidl import autograd, backends
from minidl.autograd import registry
from minidl.autograd.tensor import Tensor, leaf
from minidl.testing.kernels import serving as cpu_backend  # noqa: F401

EPS = 1e-6  # central differences in float64: truncation ~1e-12, rounding ~1e-10 of the result


def public(name):
    """The function that users call by an op's or a function's registered name, or by ``face.name``."""
    face, dot, own = name.partition(".")
    if dot:
        return registry.METHODS[own] if face == "Tensor" else registry.FACES[face][own]
    for home in (*registry.FACES.values(), registry.METHODS):
        if name in home:
            return home[name]
    if name in registry.OPS:
        return registry.OPS[name].public
    raise LookupError(f"no op or function named {name!r} is registered")


def flat(result):
    """The tensors, arrays and numbers of a possibly nested result, in order; None is left out."""
    if isinstance(result, (tuple, list)):
        return [value for item in result for value in flat(item)]
    return [] if result is None else [result]


def host(value):
    """A result as an array on the host."""
    return backends.to_numpy(value._array) if isinstance(value, Tensor) else np.asarray(value)


def tensors(case, arrays, device="cpu", grad=()):
    """Tensors on the very memory of ``arrays``; those at places ``grad`` require a gradient."""
    where = minidl.device(device)
    return [leaf(backends.transfer(array, where), requires_grad=i in grad) for i, array in enumerate(arrays)]


def outputs(case, inputs):
    """The row's results, from the same random numbers on every call."""
    minidl.manual_seed(0)
    args, kwargs = case.arguments(inputs, minidl)
    return flat(public(case.op)(*spared(case, args), **kwargs))


def spared(case, args):
    """The arguments; an op that writes into its first one gets a clone of it."""
    return (args[0].clone(), *args[1:]) if case.op.endswith("_") else args


def differentiable(results):
    return [result for result in results if isinstance(result, Tensor) and result.requires_grad]


def directions(shapes, seed):
    """Fixed random weights, one array a shape, that make a scalar of several results."""
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape)) for shape in shapes]


def weighted(results, weights):
    return sum(float((host(result) * weight).sum()) for result, weight in zip(results, weights, strict=True))


def pull_back(case, arrays, device="cpu", create_graph=False):
    """Gradients of the weighted sum of the results: ``(gradients, leaves, weights)`` as tensors."""
    wanted = case.differentiable
    inputs = tensors(case, arrays, device, wanted)
    results = differentiable(outputs(case, inputs))
    assert results, f"{case.name}: no result requires a gradient; a row of integer results says grad=False"
    floating = arrays[wanted[0]].dtype
    drawn = directions([tuple(result.shape) for result in results], 1)
    cotangents = [w.astype(host(r).dtype) for w, r in zip(drawn, results, strict=True)]
    weights = tensors(case, cotangents, device, range(len(cotangents)) if create_graph else ())
    leaves = [inputs[i] for i in wanted]
    found = autograd.grad(results, leaves, weights, create_graph=create_graph, allow_unused=True)
    zeros = [leaf(backends.transfer(np.zeros(x.shape, floating), minidl.device(device))) for x in leaves]
    return [z if g is None else g for g, z in zip(found, zeros, strict=True)], leaves, weights


def gradients(case, arrays, device="cpu", create_graph=False):
    """As ``pull_back``, the gradients alone, on the host."""
    return [host(gradient) for gradient in pull_back(case, arrays, device, create_graph)[0]]


def central_differences(function, arrays):
    """Gradients of a scalar function of float64 arrays, which are changed element by element and restored."""
    found = []
    for array in arrays:
        gradient = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            before = float(array[index])
            array[index] = before + EPS
            high = function()
            array[index] = before - EPS
            low = function()
            array[index] = before
            gradient[index] = (high - low) / (2 * EPS)
        found.append(gradient)
    return found


@functools.cache
def numeric_gradients(case):
    """Central differences of the weighted sum of the results, one array for each differentiable input."""
    arrays = case.arrays()
    wanted = case.differentiable
    marks = [result.requires_grad for result in _tensor_results(case, arrays, wanted)]

    def scalar():
        results = [r for r, mark in zip(_tensor_results(case, arrays), marks, strict=True) if mark]
        return weighted(results, directions([tuple(result.shape) for result in results], 1))

    return central_differences(scalar, [arrays[i] for i in wanted])


def second_gradients(case):
    """Gradients of a weighted sum of the first gradients, for the differentiable inputs and the results' weights.

    Gives ``(analytic, numeric)``, lists of arrays; the numeric ones are computed once a row.
    """
    arrays = case.arrays()
    first, leaves, cotangents = pull_back(case, arrays, create_graph=True)
    live = differentiable(first)
    targets = leaves + cotangents
    found = [None] * len(targets)
    if live:
        weights = tensors(case, directions([tuple(gradient.shape) for gradient in live], 2))
        found = autograd.grad(live, targets, weights, allow_unused=True)
    analytic = [np.zeros(t.shape) if g is None else host(g) for g, t in zip(found, targets, strict=True)]
    if case not in _numeric_seconds:
        _numeric_seconds[case] = _second_differences(case, first, leaves, cotangents)
    return analytic, _numeric_seconds[case]


_numeric_seconds = {}


def _second_differences(case, first, leaves, cotangents):
    marks = [gradient.requires_grad for gradient in first]
    weights = directions([tuple(gradient.shape) for gradient in differentiable(first)], 2)

    def scalar():
        return weighted(
            [g for g, mark in zip(_plain_first(case, leaves, cotangents), marks, strict=True) if mark],
            weights,
        )

    return central_differences(scalar, [host(target) for target in leaves + cotangents])


def _plain_first(case, leaves, cotangents):
    """First gradients at the present values of ``leaves`` and ``cotangents``, by the fast path."""
    arrays = case.arrays()
    for place, tensor in zip(case.differentiable, leaves, strict=True):
        arrays[place] = host(tensor)
    inputs = tensors(case, arrays, grad=case.differentiable)
    results = differentiable(outputs(case, inputs))
    at = [inputs[i] for i in case.differentiable]
    found = autograd.grad(results, at, [cotangent.detach() for cotangent in cotangents], allow_unused=True)
    return [np.zeros(x.shape) if g is None else g for g, x in zip(found, at, strict=True)]


def _tensor_results(case, arrays, grad=()):
    return [r for r in outputs(case, tensors(case, arrays, grad=grad)) if isinstance(r, Tensor)]


def assert_near(actual, expected, rtol, atol, label="", *, nan=False):
    """Closeness relative to the largest element of ``expected``. NaN fails; with ``nan``, only on one side alone."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    finite = (
        np.abs(expected[np.isfinite(expected)].astype(np.float64)) if expected.dtype.kind == "f" else None
    )
    scale = max(1.0, float(finite.max())) if finite is not None and finite.size else 1.0
    np.testing.assert_allclose(
        actual, expected, rtol=rtol, atol=atol * scale, equal_nan=nan, err_msg=label, strict=False
    )
    assert actual.shape == expected.shape, f"{label}: shape {actual.shape}, expected {expected.shape}"
