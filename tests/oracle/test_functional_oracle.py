"""``autograd.functional`` beside PyTorch: values, graphs of every order, strict mode, errors."""

import re

import numpy as np
import pytest
import torch

import minidl

MODULES = (minidl, torch)

FUNCTIONS = {  # function, shapes of the inputs, whether they are a tuple, whether it returns one number
    "one to one": (lambda m: lambda x: (x**3).sin(), [(2, 3)], False, False),
    "one to number": (lambda m: lambda x: (x**3).sum(), [(2, 3)], False, True),
    "two to one": (lambda m: lambda x, y: (x @ y).exp(), [(2, 3), (3,)], True, False),
    "two to number": (lambda m: lambda x, y: ((x @ y) ** 3).sum(), [(2, 3), (3,)], True, True),
    "one to two": (lambda m: lambda x: (x.sum(0), x.exp()), [(2, 2)], False, False),
    "two to two": (lambda m: lambda x, y: (x * y, (x + y).sum()), [(2,), (2,)], True, False),
    "ignores the second": (lambda m: lambda x, y: (x**4).sum(), [(2,), (3,)], True, True),
    "constant": (lambda m: lambda x: m.ones(2), [(2,)], False, False),
    "linear": (lambda m: lambda x: (2 * x).sum(), [(3,)], False, True),
    "number": (lambda m: lambda x: x**3, [()], False, True),
    "empty": (lambda m: lambda x: x.sum() * 2, [(0,)], False, False),
}


def drawn(m, shapes, seed, many, requires_grad=False):
    rng = np.random.default_rng(seed)
    made = tuple(m.tensor(rng.uniform(0.5, 1, s)).requires_grad_(requires_grad) for s in shapes)
    return made if many else made[0]


def flat(value):
    return [t for v in value for t in flat(v)] if isinstance(value, tuple) else [value]


def shapes_of(value):
    return tuple(map(shapes_of, value)) if isinstance(value, tuple) else tuple(value.shape)


def same(ours, theirs):
    assert shapes_of(ours) == shapes_of(theirs)
    for mine, other in zip(flat(ours), flat(theirs), strict=True):
        assert mine.requires_grad == other.requires_grad
        np.testing.assert_allclose(mine.detach().numpy(), other.detach().numpy(), rtol=1e-10, atol=1e-12)


def computed(m, name, what, **options):
    fn, shapes, many, _ = FUNCTIONS[name]
    inputs = drawn(m, shapes, 0, many, options.get("create_graph", False))
    call = getattr(m.autograd.functional, what)
    if what in ("jacobian", "hessian"):
        return call(fn(m), inputs, **options), inputs
    outputs = fn(m)(*inputs) if many else fn(m)(inputs)
    like = outputs if what == "vjp" else inputs
    v = drawn(m, [tuple(t.shape) for t in flat(like)], 1, isinstance(like, tuple))
    return call(fn(m), inputs, v, **options), inputs


CASES = [
    (name, what)
    for name, (_, _, _, number) in FUNCTIONS.items()
    for what in ("jacobian", "vjp", "jvp", *(("hessian", "vhp", "hvp") if number else ()))
]


@pytest.mark.parametrize(("name", "what"), CASES)
def test_values(name, what):
    same(computed(minidl, name, what)[0], computed(torch, name, what)[0])


@pytest.mark.parametrize(("name", "what"), CASES)
def test_results_can_be_differentiated_again(name, what):
    found = []
    for m in MODULES:
        result, inputs = computed(m, name, what, create_graph=True)
        live = [(t**2).sum() for t in flat(result) if t.requires_grad]
        again = m.autograd.grad(live, flat(inputs), allow_unused=True) if live else ()
        found.append((result, tuple(m.zeros(1) if g is None else g for g in again)))
    same(*found)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(("name", "what"), CASES)
def test_strict_mode(name, what, create_graph):
    found = []
    for m in MODULES:
        try:
            found.append(computed(m, name, what, strict=True, create_graph=create_graph)[0])
        except RuntimeError as error:
            found.append(str(error))
    if isinstance(found[1], str):
        # PyTorch names an output where it says that it names an input.
        assert re.sub(r"input \d", "input", found[0]) == re.sub(r"input \d", "input", found[1])
    else:
        same(*found)


@pytest.mark.parametrize("options", [{"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}])
def test_vectorize_is_accepted(options):
    same(
        computed(minidl, "two to two", "jacobian", **options)[0], computed(torch, "two to two", "jacobian")[0]
    )


def test_vector_of_none():
    for m in MODULES:
        x = m.tensor(2.0)
        assert [float(t) for t in m.autograd.functional.vjp(lambda x: x**2, x)] == [4, 4]
        assert [float(t) for t in m.autograd.functional.jvp(lambda x: x**2, x)] == [4, 4]
        assert [float(t) for t in m.autograd.functional.vhp(lambda x: x**3, x)] == [8, 12]
        assert [float(t) for t in m.autograd.functional.hvp(lambda x: x**3, x)] == [8, 12]


ERRORS = {
    "inputs": lambda m, f: f.jacobian(lambda x: x, 3),
    "one of the inputs": lambda m, f: f.vjp(lambda x, y: x, (m.ones(1), None)),
    "outputs": lambda m, f: f.jacobian(lambda x: 3, m.ones(1)),
    "one of the outputs": lambda m, f: f.vjp(lambda x: (x, 3), m.ones(1)),
    "no v": lambda m, f: f.vjp(lambda x: x, m.ones(2)),
    "no v of the input": lambda m, f: f.jvp(lambda x: x, m.ones(2)),
    "size of v": lambda m, f: f.vjp(lambda x: x, m.ones(2), m.ones(3)),
    "sizes of v": lambda m, f: f.vjp(lambda x: (x, x), m.ones(2), (m.ones(2), m.ones(3))),
    "length of v": lambda m, f: f.vjp(lambda x: x, m.ones(2), (m.ones(2), m.ones(2))),
    "several outputs of a hessian": lambda m, f: f.hessian(lambda x: (x.sum(), x.sum()), m.ones(2)),
    "no number of a hessian": lambda m, f: f.hessian(lambda x: x, m.ones(2)),
    "no number of a vhp": lambda m, f: f.vhp(lambda x: x, m.ones(2), m.ones(2)),
    "several outputs of an hvp": lambda m, f: f.hvp(lambda x: (x.sum(), x.sum()), m.ones(2), m.ones(2)),
    "strategy": lambda m, f: f.jacobian(lambda x: x, m.ones(2), strategy="sideways"),
    "strict and vectorize": lambda m, f: f.jacobian(lambda x: x, m.ones(2), strict=True, vectorize=True),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    raised = []
    for m in MODULES:
        with pytest.raises((TypeError, RuntimeError, AssertionError)) as info:
            ERRORS[name](m, m.autograd.functional)
        raised.append(info.value)
    assert type(raised[0]) is type(raised[1])
    assert str(raised[0]).replace("minidl", "torch")[:60] == str(raised[1])[:60]
