"""Indices as PyTorch reads them: ints select before index arrays broadcast; masks; errors; what is a view."""

import gc
import weakref

import numpy as np
import pytest

import minidl


def numbers():
    return minidl.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ((0, slice(None), [1, 2]), lambda a: a[0][:, [1, 2]]),
        (([1, 0], slice(None), 2), lambda a: a[:, :, 2][[1, 0]]),
        ((0, None, [1, 2]), lambda a: a[0][None][:, [1, 2]]),
        ((Ellipsis, 1, [0, 0]), lambda a: a[:, 1][:, [0, 0]]),
        ((minidl.tensor(1), slice(1, None)), lambda a: a[1, 1:]),
        ((np.int64(-1),), lambda a: a[-1]),
        ((True, 1), lambda a: a[1][None]),
        ((False,), lambda a: a[None][:0]),
        ((slice(minidl.tensor(0), minidl.tensor(1)),), lambda a: a[:1]),
        ((1, 2, 3), lambda a: a[1, 2, 3]),
        ((minidl.tensor([True, False]), 0), lambda a: a[:1, 0]),
    ],
)
def test_reading_and_writing(index, expected):
    x = numbers().requires_grad_()
    array = x.detach().numpy().copy()
    out = x[index]
    assert tuple(out.shape) == expected(array).shape
    np.testing.assert_array_equal(out.detach().numpy(), expected(array))
    places = expected(np.arange(24).reshape(2, 3, 4)).ravel()
    (gradient,) = minidl.autograd.grad(out.sum(), x)
    assert gradient.reshape(-1).tolist() == np.bincount(places, minlength=24).tolist()
    for written in (x.detach().clone(), x * 1):
        written[index] = -1.0
        array.reshape(-1)[places] = -1
        np.testing.assert_array_equal(written.detach().numpy(), array)


@pytest.mark.parametrize("index", [minidl.tensor(1), np.int64(1), (0, np.int32(1)), (0, 1, 2), (Ellipsis, 0)])
def test_integers_of_every_kind_give_views(index):
    x = numbers()
    view = x[index]
    view.fill_(-5.0)
    assert view._is_view() and x.min() == -5


def test_selecting_every_dimension_gives_a_view_on_the_tape():
    x = minidl.ones(3, requires_grad=True)
    y = x * 1
    y.select(0, 1).mul_(5)
    y.unbind()[2].mul(2)
    y.squeeze().mul_(2)
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 10.0, 2.0]


def test_bytes_are_masks_with_a_warning():
    with pytest.warns(UserWarning, match="uint8 is now deprecated"):
        assert minidl.arange(3)[minidl.tensor([1, 0, 1], dtype=minidl.uint8)].tolist() == [0, 2]


def test_an_index_changed_later_does_not_change_the_gradient():
    x = minidl.ones(3, requires_grad=True)
    index = minidl.tensor([0, 1])
    y = x[index] * 2
    index.add_(1)
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 0.0]


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (5, "index 5 is out of bounds for dimension 0 with size 2"),
        ((0, [3]), "index 3 is out of bounds for dimension 1 with size 3"),
        ((0, 0, 0, 0), "too many indices for tensor of dimension 3"),
        (1.5, "only integers, slices"),
        ("a", "only integers, slices"),
        ([0.5], "tensors used as indices must be long"),
        (minidl.tensor([True]), r"The shape of the mask \[1\] at index 0 does not match"),
    ],
)
def test_wrong_indices_are_named(index, text):
    with pytest.raises(IndexError, match=text):
        numbers()[index]
    with pytest.raises(IndexError, match=text):
        numbers()[index] = 1.0


@pytest.mark.parametrize(("value", "error"), [(300, RuntimeError), (1j, TypeError), ("a", TypeError)])
def test_values_that_do_not_fit_are_refused(value, error):
    x = minidl.zeros(2, dtype=minidl.int8)
    with pytest.raises(error):
        x[0] = value
    assert x.tolist() == [0, 0]


def test_rows_of_an_expanded_tensor_may_be_written_and_constants_everywhere():
    wide = minidl.ones(3).expand(2, 3)
    wide[0] = 2.0
    assert wide.tolist() == [[2.0] * 3] * 2
    assert wide.zero_().sum() == 0
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        wide.add_(minidl.ones(2, 3))


def test_integer_results_are_off_the_tape():
    x = minidl.tensor([1.5, 2.5], requires_grad=True)
    assert not x.long().requires_grad and not x.sum(dtype=minidl.int64).requires_grad
    whole = minidl.zeros(2, dtype=minidl.int64)
    whole[0] = x[0]
    assert not whole.copy_(x).requires_grad and whole.tolist() == [1, 2]


def test_a_view_made_without_recording_is_refused_once_its_base_was_written():
    x = minidl.ones(3, requires_grad=True)
    base = x * 1
    with minidl.no_grad():
        view = base[0]
    base.mul_(2)
    with pytest.raises(RuntimeError, match="A view was created in no_grad mode"):
        view * 2
    assert not view.requires_grad and view.detach() == 2
    with minidl.no_grad():
        assert view * 2 == 4


def test_user_functions_that_write_leave_no_cycle():
    class Doubled(minidl.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, g):
            return g * 2

    gc.disable()
    try:
        x = minidl.ones(2, requires_grad=True)
        a = x * 1
        Doubled.apply(a[0])
        (a * a).sum().backward()
        assert x.grad.tolist() == [8.0, 2.0] and a.tolist() == [2.0, 1.0]
        gone = [weakref.ref(a), weakref.ref(a.grad_fn)]
        del a
        assert [r() for r in gone] == [None, None]
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad has been used"):
            Doubled.apply(x)
    finally:
        gc.enable()


def test_once_differentiable_functions_are_not_differentiated_twice():
    class Square(minidl.autograd.Function):
        @staticmethod
        def forward(ctx, x, power=2):
            ctx.save_for_backward(x)
            return x**power

        @staticmethod
        @minidl.autograd.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x, None

    x = minidl.ones(2, requires_grad=True)
    g = minidl.ones(2, requires_grad=True)
    (first,) = minidl.autograd.grad(Square.apply(x, power=2), x, g, create_graph=True)
    assert first.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="marked with @once_differentiable"):
        first.sum().backward()


@pytest.mark.parametrize(
    "value", [[1.0, 2.0], (1.0, 2.0), np.ones(2), None, "a"], ids=lambda v: v.__class__.__name__
)
def test_only_tensors_and_numbers_are_assigned(value):
    x = minidl.zeros(2)
    with pytest.raises(
        TypeError, match=f"can't assign a (numpy.)?{value.__class__.__name__} to a torch.FloatTensor"
    ):
        x[:] = value
    assert x.tolist() == [0, 0]
    x[0] = np.float32(3)
    assert x.tolist() == [3, 0]
    with pytest.raises(IndexError, match="must be long, int, byte or bool"):
        x[minidl.tensor([0], dtype=minidl.int16)]
