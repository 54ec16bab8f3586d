"""``func`` beside PyTorch's: structures, numbers, what has a graph, and the words of refusals."""

import numpy as np
import pytest
import torch

import minidl

LIBRARIES = (minidl, torch)
DATA = np.random.default_rng(0).normal(size=(3, 4))


def described(value):
    """Nested values as arrays and whether each has a graph."""
    if isinstance(value, dict):
        return {name: described(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(described, value)]
    return value.detach().numpy().round(10).tolist(), bool(value.requires_grad)


def loss(p, x):
    return (p["w"] @ x).tanh().sum() * p["b"], {"x": x * 2}


def passes(library, x):
    """The columns of a Jacobian by ``grad``, over one graph that is made before."""
    x = x.detach().requires_grad_()
    y = x**2 * x.sum()
    rows = library.func.vmap(lambda v: library.autograd.grad(y, x, v)[0])(library.eye(4).double())
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.sum().backward()
    return rows


def tensors(library):
    w, b = library.tensor(DATA), library.tensor(0.5, dtype=library.float64)
    return {"w": w, "b": b}, library.tensor(DATA[0])


CALLS = {
    "grad": lambda m, p, x: m.func.grad(loss, has_aux=True)(p, x),
    "grad_and_value": lambda m, p, x: m.func.grad_and_value(loss, (0, 1), has_aux=True)(p, x),
    "one of a tuple": lambda m, p, x: m.func.grad(lambda x: x.sum(), (0,))(x),
    "nested": lambda m, p, x: m.func.grad(lambda x: m.func.grad(lambda y: (y**3).sum())(x).sum())(x),
    "of parameters": lambda m, p, x: m.func.grad(lambda y: (y**3).sum())(x.requires_grad_()),
    "vjp": lambda m, p, x: m.func.vjp(lambda a, b: (a * b, a.sum()), x, x + 1)[1]((x, x.sum())),
    "vjp's value": lambda m, p, x: m.func.vjp(lambda a: {"s": a.sin()}, x)[0],
    "jvp": lambda m, p, x: m.func.jvp(lambda a: {"s": a.sin(), "w": p["w"] @ a}, (x,), (x + 1,)),
    "jacrev": lambda m, p, x: m.func.jacrev(lambda a, b: (a * b, a.sum()), (0, 1))(x, x + 1),
    "jacrev of a dict": lambda m, p, x: m.func.jacrev(lambda q: loss(q, x)[0])(p),
    "jacfwd": lambda m, p, x: m.func.jacfwd(lambda a: (p["w"] @ a).exp())(x),
    "hessian": lambda m, p, x: m.func.hessian(lambda a: (p["w"] @ a).tanh().sum())(x),
    "stacked": lambda m, p, x: m.func.stack_module_state([m.nn.BatchNorm1d(2), m.nn.BatchNorm1d(2)]),
    "called": lambda m, p, x: m.func.functional_call(m.nn.Linear(4, 3), {"weight": p["w"], "bias": x[:3]}, x),
    "vmap": lambda m, p, x: m.func.vmap(m.dot, in_dims=(0, None))(p["w"], x),
    "vmap of dicts": lambda m, p, x: m.func.vmap(
        lambda q, y: {"a": q["w"] * y, "b": (y, y.sum())}, ({"w": 1, "b": None}, 0)
    )(p, x),
    "vmap along others": lambda m, p, x: m.vmap(lambda a, b: (a + b, b), (1, None), (-1, None))(
        p["w"], x[:3]
    ),
    "vmap of keywords": lambda m, p, x: m.vmap(lambda a, b: a * b)(p["w"], b=p["w"] * 2),
    "vmap of grad": lambda m, p, x: m.vmap(m.func.grad(lambda w, y: (w @ y).tanh().sum()), (None, 0))(
        p["w"], p["w"]
    ),
    "vmap of passes over one graph": lambda m, p, x: passes(m, x),
    "nested vmap": lambda m, p, x: m.vmap(m.vmap(m.mul, (None, 0)), (0, None))(x, p["w"][:, 0]),
    "buffers": lambda m, p, x: (
        m.func.functional_call(m.nn.BatchNorm1d(4, affine=False).double(), p | {"running_mean": x}, p["w"]),
        x,
    ),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's own, of its jit
@pytest.mark.parametrize("name", CALLS)
def test_same_answers(name):
    ours, theirs = (described(CALLS[name](library, *tensors(library))) for library in LIBRARIES)
    assert ours == theirs


REFUSED = {
    "no scalar": lambda m, p, x: m.func.grad(lambda x: x)(x),
    "no tensor": lambda m, p, x: m.func.grad(lambda x: 1.0)(x),
    "twice": lambda m, p, x: m.func.functional_call(m.nn.Linear(4, 1), [{"bias": x}, {"bias": x}], x),
    "strict": lambda m, p, x: m.func.functional_call(m.nn.Linear(4, 1), {"a": x, "bias": x}, x, strict=True),
    "no models": lambda m, p, x: m.func.stack_module_state([]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_in_the_same_words(name):
    errors = []
    for library in LIBRARIES:
        with pytest.raises((RuntimeError, ValueError)) as caught:
            REFUSED[name](library, *tensors(library))
        errors.append((caught.type, str(caught.value).replace("minidl", "torch")))
    assert errors[0] == errors[1]
