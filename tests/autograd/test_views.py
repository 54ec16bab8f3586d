"""Views and in-place writes against central differences; refusals with their texts; versions."""

import driving
import numpy as np
import pytest
from refusals import REFUSALS
from scenarios import RESULTS

import minidl
from minidl import autograd

X = np.random.default_rng(0).uniform(-1, 1, (3, 4))
Y = np.random.default_rng(1).uniform(0.5, 1.5, 4)
# Their values are not the gradients' antiderivatives: a write behind the tape's back.
OFF_TAPE = {"detach_shares_memory", "no_grad_write_into_a_leaf"}


@pytest.mark.parametrize("name", sorted(set(RESULTS) - OFF_TAPE))
def test_gradients_agree_with_central_differences(name):
    arrays = [X.copy(), Y.copy()]

    def run():
        x, y = (minidl.tensor(array, requires_grad=True) for array in arrays)
        return x, y, RESULTS[name](minidl, x, y)

    x, y, out = run()
    (weight,) = driving.directions([tuple(out.shape)], 3)
    found = autograd.grad(out, [x, y], minidl.tensor(weight), allow_unused=True)
    numeric = driving.central_differences(lambda: float((driving.host(run()[2]) * weight).sum()), arrays)
    for gradient, wanted in zip(found, numeric, strict=True):
        gradient = np.zeros_like(wanted) if gradient is None else gradient.numpy()
        driving.assert_near(gradient, wanted, 1e-6, 1e-7)


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_refusals_leave_a_message_that_helps(name):
    x, y = (minidl.tensor(array, requires_grad=True) for array in (X, Y))
    with pytest.raises((RuntimeError, TypeError, ValueError, UserWarning)) as caught:
        REFUSALS[name](minidl, x, y)
    assert len(str(caught.value)) > 30


def test_versions_count_writes_of_the_storage():
    a = minidl.ones(3)
    view, detached, copy = a[1:], a.detach(), a.clone()
    assert a._version == 0
    a.add_(1)
    view.mul_(2)
    detached[0] = 5
    assert (a._version, view._version, detached._version, copy._version) == (3, 3, 3, 0)
    assert a.tolist() == [5, 4, 4]


def test_a_view_knows_its_base():
    a = minidl.ones(2, 3, requires_grad=True) * 1
    view = a[0][1:]
    assert view._base is a
    assert view._is_view() and not a._is_view()
    assert a.clone()._base is None


def test_grad_fn_of_a_stale_view_is_derived_again():
    a = minidl.ones(2, 3, requires_grad=True) * 1
    view = a[0]
    before = view.grad_fn
    a.mul_(2)
    assert view.grad_fn is not before
    view.sum().backward()


def test_writing_under_no_grad_keeps_the_graph_of_the_values_before():
    x = minidl.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    with minidl.no_grad():
        y.add_(100)
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_a_saved_tensor_that_is_not_read_may_change():
    x = minidl.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    z = y + 1  # addition reads neither operand again
    y.mul_(5)
    (z.sum() + y.sum()).backward()
    assert x.grad.tolist() == [6, 6]


def test_a_tensor_may_multiply_itself_in_place():
    x = minidl.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.mul_(y)
    y.sum().backward()
    assert x.grad.tolist() == [18, 36]
