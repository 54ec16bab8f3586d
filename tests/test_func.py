"""Functions of functions: their gradients against formulas, modules called with other tensors, what is refused."""

import numpy as np
import pytest

import minidl
from minidl import func, nn
from minidl.nn.utils import stateless


def test_gradients_of_trees_of_arguments():
    def loss(parameters, x, scale=1.0):
        value = ((parameters["w"] * x).sum() + parameters["b"]) * scale
        return value, {"doubled": value * 2}

    parameters = {"w": minidl.tensor([1.0, 2.0]), "b": minidl.tensor(3.0)}
    x = minidl.tensor([4.0, 5.0])
    (found, by_x), (value, aux) = func.grad_and_value(loss, (0, 1), has_aux=True)(parameters, x, scale=2.0)
    assert found["w"].tolist() == [8, 10] and float(found["b"]) == 2 and by_x.tolist() == [2, 4]
    assert float(value) == 34 and float(aux["doubled"]) == 68
    assert not any(t.requires_grad for t in (found["w"], by_x, value, aux["doubled"], parameters["w"], x))
    found, aux = func.grad(loss, has_aux=True)(parameters, x)
    assert found["w"].tolist() == [4, 5] and float(aux["doubled"]) == 34
    assert func.grad(lambda x, y: x.sum(), 1)(x, x).tolist() == [0, 0]


def test_gradients_are_differentiated_by_what_surrounds_them():
    cube = func.grad(func.grad(func.grad(lambda x: x**3)))
    assert float(cube(minidl.tensor(2.0))) == 6 and not cube(minidl.tensor(2.0)).requires_grad
    weight = minidl.tensor(3.0, requires_grad=True)
    slope = func.grad(lambda x: weight * x**2)(minidl.tensor(5.0))
    slope.backward()
    assert float(slope) == 30 and float(weight.grad) == 10
    x = minidl.tensor(2.0, requires_grad=True)
    func.grad(lambda x: x**3)(x).backward()
    assert float(x.grad) == 12
    mixed = func.grad(lambda y: func.grad(lambda x: x**2 * y)(minidl.tensor(3.0)))(minidl.tensor(1.0))
    assert float(mixed) == 6


def test_products_and_jacobians():
    matrix = minidl.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    x, v = minidl.tensor([1.0, 1.0]), minidl.tensor([1.0, 10.0, 100.0])
    value, pull = func.vjp(lambda x: matrix @ x, x)
    assert (
        value.tolist() == [3, 7, 11]
        and pull(v)[0].tolist() == [531, 642]
        and pull(v)[0].tolist() == [531, 642]
    )
    (value, by_y), aux = func.jvp(
        lambda x, y: ((matrix @ x, x * y), "aux"), (x, x), (x, minidl.tensor([2.0, 3.0])), has_aux=True
    )[1:]
    assert value.tolist() == [3, 7, 11] and by_y.tolist() == [3, 4] and aux == "aux"
    assert func.jvp(lambda x: (x * 0 + 1).detach(), (x,), (x,))[1].tolist() == [0, 0]
    found = func.jacrev(lambda x: {"product": matrix @ x, "sum": x.sum()})(x)
    assert found["product"].tolist() == matrix.tolist() and found["sum"].tolist() == [1, 1]
    by_both = func.jacfwd(lambda x, y: x * y, (0, 1))(x, minidl.tensor([2.0, 3.0]))
    assert [t.tolist() for t in by_both] == [[[2, 0], [0, 3]], [[1, 0], [0, 1]]]
    found, aux = func.jacrev(lambda x: (x * x, x.sum()), has_aux=True)(x)
    assert found.tolist() == [[2, 0], [0, 2]] and float(aux) == 2 and not aux.requires_grad
    assert func.hessian(lambda x: x[0] ** 2 * x[1])(minidl.tensor([2.0, 3.0])).tolist() == [[6, 4], [4, 0]]


@pytest.mark.parametrize("call", [func.functional_call, stateless.functional_call])
def test_modules_are_called_with_other_tensors(call):
    layer = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    own = {name: each.detach().clone() for name, each in layer.state_dict().items()}
    other = {name: each + 1 for name, each in own.items()}
    x = minidl.randn(5, 2)
    twin = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    twin.load_state_dict(other)
    assert np.array_equal(call(layer, other, x).detach().numpy(), twin(x).detach().numpy())
    assert np.array_equal(other["1.running_mean"].numpy(), twin[1].running_mean.numpy())
    for name, each in layer.state_dict().items():
        assert np.array_equal(each.numpy(), own[name].numpy()), name
    weight = other["0.weight"].requires_grad_()
    call(layer, {"0.weight": weight}, (x,)).square().sum().backward()
    assert weight.grad is not None
    call(layer, {"unknown": weight}, x)
    assert not hasattr(layer, "unknown")
    with pytest.raises(ValueError, match="bad input"):
        call(Failing(), {"weight": minidl.ones(1)}, x)


class Failing(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(minidl.zeros(1))

    def forward(self, x):
        assert float(self.weight) == 1
        raise ValueError("bad input")


def test_tied_weights_are_replaced_together():
    layer = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    layer[1].weight = layer[0].weight
    x, two = minidl.ones(1), minidl.full((1, 1), 2.0)
    assert float(func.functional_call(layer, {"0.weight": two}, x)) == 4
    alone = func.functional_call(layer, {"0.weight": two}, x, tie_weights=False)
    assert float(alone) == pytest.approx(2 * float(layer[0].weight))
    with pytest.raises(ValueError, match="multiple values for keys"):
        func.functional_call(layer, {"0.weight": two, "1.weight": two + 1}, x)
    recurrent = nn.LSTM(2, 3)
    zero = {name: minidl.zeros(each.shape) for name, each in recurrent.named_parameters()}
    assert func.functional_call(recurrent, zero, minidl.ones(4, 2))[0].abs().sum() == 0


def test_models_are_stacked():
    models = [nn.BatchNorm1d(2) for _ in range(3)]
    parameters, buffers = func.stack_module_state(models)
    assert (
        parameters["weight"].shape == (3, 2)
        and parameters["weight"].requires_grad
        and parameters["weight"].is_leaf
    )
    assert buffers["running_var"].shape == (3, 2)


ONE = minidl.ones(2)
REFUSALS = [
    (lambda: func.grad(lambda x: x)(ONE), RuntimeError, "return a scalar Tensor, got tensor with 1 dims"),
    (lambda: func.grad(lambda x: 1.0)(ONE), RuntimeError, "Expected f.* to return a Tensor, got"),
    (
        lambda: func.grad(lambda x: x.sum(), 1)(ONE),
        RuntimeError,
        "Got argnum=1, but only 1 positional inputs",
    ),
    (lambda: func.grad(lambda x: x)(1.0), RuntimeError, "to be Tensors, got"),
    (lambda: func.grad(lambda x: x.sum(), has_aux=True)(ONE), RuntimeError, "output, aux"),
    (lambda: func.vjp(lambda x: x, ONE)[1]((ONE, ONE)), RuntimeError, "structure of cotangents"),
    (lambda: func.jvp(lambda x: x, ONE, ONE), RuntimeError, "to be tuples"),
    (lambda: func.jvp(lambda x: x, (ONE,), (ONE, ONE)), RuntimeError, "same structure"),
    (lambda: func.vmap(lambda x: x, None)(ONE), ValueError, "expected `in_dims` to be int or a"),
    (lambda: func.vmap(lambda x: x, (None,))(ONE), ValueError, "at least one input"),
    (lambda: func.vmap(lambda x: x, (0, 0))(ONE), ValueError, "not compatible with the structure"),
    (lambda: func.vmap(lambda x: x, 1)(ONE), ValueError, "dimensionality 1"),
    (lambda: func.vmap(lambda x: x)(1.0), ValueError, "non-Tensor arguments"),
    (lambda: func.vmap(lambda x, y: x)(ONE, minidl.ones(3)), ValueError, r"got sizes \[2, 3\]"),
    (lambda: func.vmap(lambda x: 1.0)(ONE), ValueError, "must only return Tensors, got type"),
    (lambda: func.vmap(lambda x: x, randomness="no")(ONE), RuntimeError, "'error', 'different', or 'same'"),
    (lambda: minidl.vmap(lambda x: x)(minidl.ones(0)), NotImplementedError, "size 0"),
    (
        lambda: func.functional_call(nn.Linear(2, 1), [{"bias": ONE}] * 2, ONE),
        ValueError,
        "multiple dictionaries",
    ),
    (lambda: func.functional_call(nn.Linear(2, 1), ONE, ONE), ValueError, "to be a dict"),
    (lambda: func.functional_call(nn.Linear(2, 1), {"a.b": ONE}, ONE), AttributeError, "no attribute `a`"),
    (
        lambda: func.functional_call(nn.Linear(2, 1), {"a": ONE, "bias": ONE}, ONE, strict=True),
        RuntimeError,
        r"Linear:\s+Unexpected key\(s\): 'a'.\s+Missing key\(s\): 'weight'",
    ),
    (lambda: func.stack_module_state([]), RuntimeError, "at least one model"),
    (lambda: func.stack_module_state([nn.ReLU(), nn.Linear(1, 1)]), RuntimeError, "same class"),
]


@pytest.mark.parametrize(("call", "error", "text"), REFUSALS, ids=range(len(REFUSALS)))
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call()
