"""autograd.gradcheck and gradgradcheck: what passes, what is refused, how failures read."""

import numpy as np
import pytest

import minidl
from minidl.autograd import Function, gradcheck, gradgradcheck
from minidl.errors import GradcheckError


def leaf(values, dtype=None):
    return minidl.tensor(values, dtype=dtype or minidl.float64, requires_grad=True)


class Faulty(Function):
    """x ** 2 whose gradient is scaled by ``factor`` at one element."""

    @staticmethod
    def forward(ctx, x, place, factor):
        ctx.save_for_backward(x)
        ctx.place, ctx.factor = place, factor
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        scale = np.ones(x.shape)
        scale[ctx.place] = ctx.factor
        return g * 2 * x * minidl.tensor(scale), None, None


@pytest.mark.parametrize("fast_mode", [False, True])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (2, 0)])
def test_right_gradients_pass(shape, fast_mode):
    x = minidl.tensor(np.linspace(0.5, 1.5, int(np.prod(shape))).reshape(shape), requires_grad=True)
    assert gradcheck(lambda x: x * x, x, fast_mode=fast_mode)
    assert gradgradcheck(lambda x: x * x * x, x, fast_mode=fast_mode)
    assert gradgradcheck(lambda x: x * x * x, x, gen_non_contig_grad_outputs=True)


def test_several_outputs_inputs_and_unused_ones():
    x, y, unused = leaf([1.0, 2.0]), leaf([[3.0], [4.0]]), leaf([5.0])
    assert gradcheck(
        lambda x, y, _: (x * y, x.sum(), y.detach(), x.argmax()), (x, y, unused), check_grad_dtypes=True
    )
    assert gradgradcheck(lambda x, y, _: (x * y, (x * x).sum()), (x, y, unused))


def test_the_worst_element_is_named_with_both_values():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda x: Faulty.apply(x, (1, 0), 1.5), x)
    message = str(caught.value)
    assert "Jacobian mismatch for output 0 with respect to input 0" in message
    assert "at input element (1, 0) and output element (1, 0): analytical 9, numerical 6" in message
    assert "1 of 16 elements differ" in message


def test_false_instead_of_raising():
    assert gradcheck(lambda x: Faulty.apply(x, 0, 1.01), leaf([1.0, 2.0]), raise_exception=False) is False
    assert gradcheck(lambda x: Faulty.apply(x, 0, float("nan")), leaf([1.0]), raise_exception=False) is False
    assert (
        gradcheck(lambda x: Faulty.apply(x, 0, 1.01), leaf([1.0]), raise_exception=False, fast_mode=True)
        is False
    )


def test_a_gradient_where_there_should_be_one_is_missed():
    with pytest.raises(GradcheckError, match="analytical 0, numerical 2"):
        gradcheck(lambda x: x.detach() * x.detach(), leaf([1.0]))


def test_inputs_are_left_as_they_were():
    x = leaf([1.0, 2.0])
    gradcheck(lambda x: x.exp(), x)
    assert x.tolist() == [1.0, 2.0]
    assert x.grad is None
    with pytest.raises(ZeroDivisionError):
        gradcheck(lambda x: x * (1 / (x.tolist()[0] == 1.0)), x)
    assert x.tolist() == [1.0, 2.0]


def test_backward_that_differs_from_run_to_run():
    calls = []

    class Jumpy(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            calls.append(1)
            return g * (2 + 1e-7 * (len(calls) % 2))

    with pytest.raises(GradcheckError, match="not reentrant"):
        gradcheck(Jumpy.apply, leaf([1.0, 2.0]))
    assert gradcheck(Jumpy.apply, leaf([1.0, 2.0]), nondet_tol=1e-5)


def test_a_rule_that_needs_every_output_gradient_is_caught():
    class Two(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            return a * 2 + b * 3 + a * b

    with pytest.raises(GradcheckError, match="undefined output grads"):
        gradcheck(Two.apply, leaf([1.0, 2.0]))
    assert gradcheck(Two.apply, leaf([1.0, 2.0]), check_undefined_grad=False)


def test_refusals():
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(lambda x: x, minidl.ones(2))
    with pytest.raises(ValueError, match="dimension with stride 0"):
        gradcheck(lambda x: x * 2, minidl.ones(1, dtype=minidl.float64).expand(3).requires_grad_())
    for option in ("check_batched_grad", "check_forward_ad", "check_batched_forward_grad"):
        with pytest.raises(NotImplementedError, match=option):
            gradcheck(lambda x: x, leaf([1.0]), **{option: True})
    with pytest.raises(ValueError, match="check_backward_ad"):
        gradcheck(lambda x: x, leaf([1.0]), check_backward_ad=False)
    with pytest.raises(NotImplementedError, match="check_fwd_over_rev"):
        gradgradcheck(lambda x: x, leaf([1.0]), check_fwd_over_rev=True)


def test_float32_is_warned_of():
    with pytest.warns(UserWarning, match="not a double precision floating point"):
        gradcheck(lambda x: x * 2, leaf([1.0], minidl.float32), eps=1e-3, atol=1e-2)


def test_non_contiguous_inputs():
    x = minidl.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    backwards = minidl.from_numpy(np.arange(1.0, 4.0)[::-1]).requires_grad_()
    assert gradcheck(lambda x: x.t() * 2, x)
    assert gradcheck(lambda x: x * x, backwards)
