"""autograd.Function: gradients of users' own operations, what ctx keeps, mistakes named."""

import gc
import weakref

import numpy as np
import pytest

import minidl
from minidl.autograd import Function, grad, gradcheck, gradgradcheck


def leaf(values):
    return minidl.tensor(values, dtype=minidl.float64, requires_grad=True)


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        result = x.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, g):
        (result,) = ctx.saved_tensors
        return g * result


class Scale(Function):
    """The form with ``setup_context``; ``factor`` is no tensor."""

    @staticmethod
    def forward(x, factor):
        return x * factor

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.factor = inputs[1]

    @staticmethod
    def backward(ctx, g):
        return g * ctx.factor, None


class SumAndProduct(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a + b, a * b

    @staticmethod
    def backward(ctx, to_sum, to_product):
        a, b = ctx.saved_tensors
        return to_sum + to_product * b, to_sum + to_product * a


@pytest.mark.parametrize("function", [Exp.apply, lambda x: Scale.apply(x, 3.0)], ids=["ctx", "setup_context"])
def test_gradients_of_both_orders(function):
    x = leaf([[0.5, -1.0], [2.0, 0.1]])
    assert gradcheck(function, x)
    assert gradgradcheck(function, x)


def test_several_outputs():
    a, b = leaf([1.0, 2.0]), leaf([3.0, -1.0])
    assert gradcheck(SumAndProduct.apply, (a, b))
    assert gradgradcheck(SumAndProduct.apply, (a, b))
    total, product = SumAndProduct.apply(a, b)
    assert grad(product.sum(), [a, b])[0].tolist() == [3.0, -1.0]
    assert not total.is_leaf


def test_forward_is_not_recorded_and_needs_input_grad_tells():
    seen = []

    class Probe(Function):
        @staticmethod
        def forward(ctx, a, b, c):
            seen.append((minidl.is_grad_enabled(), ctx.needs_input_grad))
            return a + b

        @staticmethod
        def backward(ctx, g):
            return g, None, None

    out = Probe.apply(leaf([1.0]), minidl.ones(1, dtype=minidl.float64), "text")
    assert seen == [(False, (True, False, False))]
    assert "ProbeBackward" in repr(out.grad_fn)
    with minidl.no_grad():
        assert not Probe.apply(leaf([1.0]), leaf([1.0]), None).requires_grad


def test_an_unused_output_arrives_as_zeros_or_as_none():
    seen = []

    class Two(Function):
        materialize = True

        @classmethod
        def forward(cls, ctx, x):
            ctx.set_materialize_grads(cls.materialize)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, a, b):
            seen.append(None if b is None else b.tolist())
            return a if b is None else a + 2 * b

    x = leaf([1.0])
    Two.apply(x)[0].backward()
    Two.materialize = False
    Two.apply(x)[0].backward()
    assert seen == [[0.0], None]


def test_non_differentiable_outputs():
    class TopPlace(Function):
        @staticmethod
        def forward(ctx, x):
            doubled, floats = x * 2, x * 0
            ctx.mark_non_differentiable(floats)
            return doubled, floats, x.argmax()

        @staticmethod
        def backward(ctx, g, *_):
            return g * 2

    doubled, floats, place = TopPlace.apply(leaf([1.0, 5.0]))
    assert (doubled.requires_grad, floats.requires_grad, place.requires_grad) == (True, False, False)


def test_an_input_that_is_returned_is_a_new_tensor():
    class Identity(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 7

    x = leaf([1.0])
    y = Identity.apply(x)
    assert y is not x
    y.backward()
    assert x.grad.item() == 7.0


def test_writing_in_place_is_marked_dirty():
    class AddOne(Function):
        @staticmethod
        def forward(ctx, x):
            x.add_(1)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf([1.0])
    y = x * 3
    z = AddOne.apply(y)
    assert z is y
    assert z.tolist() == [4.0]
    z.backward()
    assert x.grad.item() == 3.0


def test_saved_tensors_are_checked_and_freed():
    x = leaf([1.0, 2.0])
    y = Exp.apply(x)
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    y = Exp.apply(x)
    y.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()


def test_a_function_leaves_no_reference_cycle():
    gc.collect()
    gc.disable()
    try:
        y = Exp.apply(leaf([1.0, 2.0]))
        alive = weakref.ref(y), weakref.ref(y.grad_fn)
        del y
        assert [each() for each in alive] == [None, None]
    finally:
        gc.enable()


def broken(forward=None, backward=None):
    members = {}
    if forward is not None:
        members["forward"] = staticmethod(forward)
    if backward is not None:
        members["backward"] = staticmethod(backward)
    return type("Broken", (Function,), members)


@pytest.mark.parametrize(
    ("backward", "error", "message"),
    [
        (lambda ctx, g: (g, g), RuntimeError, r"incorrect number of gradients \(expected 1, got 2\)"),
        (lambda ctx, g: np.ones(2), RuntimeError, "expected Variable or None"),
        (lambda ctx, g: g[0], RuntimeError, "invalid gradient"),
        (None, NotImplementedError, "must implement either the backward"),
    ],
)
def test_mistakes_in_backward_are_named(backward, error, message):
    function = broken(lambda ctx, x: x * 2, backward)
    with pytest.raises(error, match=message):
        function.apply(leaf([1.0, 2.0])).sum().backward()


def test_other_mistakes_are_named():
    with pytest.raises(NotImplementedError, match="must implement the forward"):
        broken().apply(leaf([1.0]))
    with pytest.raises(RuntimeError, match="should not be instantiated"):
        Exp()
    with pytest.raises(TypeError, match="save_for_backward can only save variables"):
        broken(lambda ctx, x: ctx.save_for_backward(3)).apply(leaf([1.0]))
