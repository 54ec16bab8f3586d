"""The further forms of functions: ``out=``, operators beside foreign classes, methods that change a tensor's shape."""

import warnings

import numpy as np
import pytest

import minidl
from minidl import autograd


class Foreign:
    def __radd__(self, other):
        return "radd"

    def __rmatmul__(self, other):
        return "rmatmul"


def test_operators_give_way_to_foreign_classes():
    x = minidl.ones(2, 2)
    assert x + Foreign() == "radd"
    assert x @ Foreign() == "rmatmul"


@pytest.mark.parametrize("value", ["text", None, [1.0], {}])
def test_operators_refuse_what_no_class_knows(value):
    with pytest.raises(TypeError, match="unsupported operand type"):
        minidl.ones(2) + value
    with pytest.raises(TypeError):
        value - minidl.ones(2)


def test_out_is_written_and_returned():
    out = minidl.empty(2, dtype=minidl.float64)
    given = out.numpy()
    assert minidl.add(minidl.ones(2), 1, out=out) is out
    assert given.tolist() == [2.0, 2.0]


def test_out_of_several_results():
    values, indices = minidl.empty(0), minidl.empty(0, dtype=minidl.int64)
    found = minidl.sort(minidl.tensor([3.0, 1.0]), out=(values, indices))
    assert found.values is values
    assert indices.tolist() == [1, 0]


def test_out_of_another_size_is_resized_with_a_warning():
    out = minidl.empty(3)
    with pytest.warns(UserWarning, match="was resized"):
        minidl.exp(minidl.zeros(2), out=out)
    assert out.tolist() == [1.0, 1.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        minidl.exp(minidl.zeros(2), out=minidl.empty(0))


def test_out_refuses_gradients_and_narrower_categories():
    with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
        minidl.exp(minidl.zeros(2, requires_grad=True), out=minidl.empty(2))
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        minidl.exp(minidl.zeros(2), out=minidl.empty(2, dtype=minidl.int64))
    with pytest.raises(TypeError, match="'out' must be Tensor"):
        minidl.exp(minidl.zeros(2), out=[1.0])


@pytest.mark.parametrize("name", ["eq", "lt", "greater_equal", "cumsum", "addcmul", "lerp", "index_add"])
def test_in_place_forms_are_there(name):
    assert callable(getattr(minidl.Tensor, name + "_"))


def test_a_comparison_in_place_keeps_the_dtype():
    x = minidl.tensor([1.0, 2.0])
    assert x.eq_(2.0) is x
    assert x.tolist() == [0.0, 1.0]
    assert x.dtype is minidl.float32


@pytest.mark.parametrize("name", ["t_", "squeeze_", "transpose_", "unsqueeze_"])
def test_a_shape_changed_in_place_keeps_its_gradient(name):
    arguments = {"transpose_": (0, 1), "unsqueeze_": (0,)}.get(name, ())
    x = minidl.arange(6.0).reshape(2, 3).requires_grad_()
    y = x * 2
    assert getattr(y, name)(*arguments) is y
    weights = minidl.arange(6.0).reshape(y.shape)
    (found,) = autograd.grad([(y * weights).sum()], [x])
    plain = getattr(x * 2, name[:-1])(*arguments)
    (wanted,) = autograd.grad([(plain * weights).sum()], [x])
    assert minidl.equal(found, wanted)


def test_a_shape_changed_in_place_shares_the_memory():
    x = minidl.zeros(2, 3)
    y = x.t()
    x.t_()
    x[0, 1] = 5.0
    assert y[0, 1] == 5.0
    assert x.shape == (3, 2)


def test_the_shape_of_a_leaf_is_not_changed_in_place():
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        minidl.ones(2, 3, requires_grad=True).t_()


def test_memory_that_numpy_holds_as_bytes_is_counted_in_elements():
    x = minidl.from_numpy(np.zeros(96, np.uint8).view(np.float32))
    with pytest.raises(RuntimeError, match="out of bounds for storage of size 96"):
        x.as_strided((48,), (1,))
    x.resize_(48).fill_(1)
    assert x.sum().item() == 48


def test_as_strided_writes_through_to_its_base():
    base = minidl.zeros(6, requires_grad=True)
    y = base * 1
    y.as_strided((2,), (3,), 1).copy_(minidl.ones(2))
    assert y.tolist() == [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]
    y.sum().backward()
    assert base.grad.tolist() == [1.0, 0.0, 1.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda: minidl.kron([1.0], minidl.ones(1)),
        lambda: minidl.diag([1.0]),
        lambda: minidl.linalg.inv([[1.0]]),
        lambda: minidl.quantile([1.0], 0.5),
        lambda: minidl.lerp(minidl.ones(1), [1.0], 0.5),
    ],
)
def test_composed_functions_name_what_is_no_tensor(call):
    with pytest.raises(TypeError, match=r"argument '\w+' \(position \d\) must be Tensor, not list"):
        call()


NUMPY_NAMED = [
    *(("sum", 1), ("mean", 1), ("all", 1), ("any", 1), ("max", 1), ("std", 1), ("argmax", 1), ("softmax", 1)),
    *(
        ("cumsum", 1),
        ("logsumexp", 1),
        ("prod", 1),
        ("unsqueeze", 1),
        ("sort", 0),
        ("unbind", 1),
        ("amax", (0, 1)),
    ),
]


@pytest.mark.parametrize("name, dim", NUMPY_NAMED, ids=str)
def test_axis_is_dim(name, dim):
    x = minidl.arange(6.0).reshape(2, 3) * minidl.tensor([1.0, -1.0, 2.0])
    for call in (lambda **given: getattr(minidl, name)(x, **given), getattr(x, name)):
        found, expected = call(axis=dim), call(dim=dim)
        for mine, theirs in zip(
            *((t if isinstance(t, tuple) else (t,)) for t in (found, expected)), strict=True
        ):
            assert mine.equal(theirs)


def test_keepdims_is_keepdim():
    x = minidl.ones(2, 3)
    assert x.sum(axis=0, keepdims=True).shape == minidl.max(x, axis=0, keepdims=True).values.shape == (1, 3)
    assert minidl.cat([x, x], axis=1).shape == (2, 6)


def test_an_argument_by_two_names():
    with pytest.raises(TypeError, match="multiple values for argument 'dim'"):
        minidl.sum(minidl.ones(2), 0, axis=0)
    with pytest.raises(TypeError, match='missing 1 required positional arguments: "dim"'):
        minidl.cumsum(minidl.ones(2))


SIZES_BY_NAME = {
    "zeros": lambda x: minidl.zeros(size=(2, 3)),
    "ones": lambda x: minidl.ones(size=[2, 3]),
    "empty": lambda x: minidl.empty(size=minidl.Size([2, 3])),
    "rand": lambda x: minidl.rand(size=(2, 3)),
    "randn": lambda x: minidl.randn(size=(2, 3)),
    "new_zeros": lambda x: x.new_zeros(size=(2, 3)),
    "new_full": lambda x: x.new_full(size=(2, 3), fill_value=1.0),
    "reshape": lambda x: minidl.reshape(x, shape=(2, -1)),
    "view": lambda x: x.view(size=(2, 3)),
    "view of a dtype": lambda x: x.view(2, 3).view(dtype=minidl.int32),
    "permute": lambda x: x.view(3, 2).permute(dims=(1, 0)),
    "expand": lambda x: x[:3].expand(size=(2, 3)),
    "broadcast_to": lambda x: x[:3].broadcast_to(size=(2, 3)),
    "repeat": lambda x: x[:3].repeat(repeats=(2, 1)),
    "tile": lambda x: minidl.tile(x[:3], dims=(2, 1)),
    "arange": lambda x: minidl.arange(end=6).view(2, 3),
}


@pytest.mark.parametrize("name", SIZES_BY_NAME)
def test_sizes_are_given_by_name(name):
    assert SIZES_BY_NAME[name](minidl.arange(6.0)).shape == (2, 3)


def test_sizes_are_given_once():
    with pytest.raises(TypeError, match="argument 'size'"):
        minidl.zeros((2,), size=(2,))
    with pytest.raises(TypeError, match="invalid combination of arguments"):
        minidl.arange()
    with pytest.raises(TypeError, match="unexpected keyword argument 'shape'"):
        minidl.zeros(shape=(2,))
