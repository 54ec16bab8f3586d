"""check_gradients: kinks, complex steps, the op that is named, the program that repeats a failure; what is drawn."""

import math

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

import minidl
import minidl.nn.functional as F
from minidl import nn, testing
from minidl.autograd import Function
from minidl.errors import GradcheckError, NotDifferentiableError
from minidl.testing import check_gradients, given_gradients, shapes, strided, tensors
from minidl.testing.differences import slope
from minidl.testing.reproducing import literal


class WrongCube(Function):
    """x^3 with a gradient that is 1 % too large."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3.03 * x * x


@pytest.mark.parametrize(
    ("fn", "point", "kind"),
    [
        (
            minidl.relu,
            [1.0, 0.0],
            "a kink at .*element .1,., which is 0.*slope 0 from the left, 1 from the right",
        ),
        (minidl.abs, [0.0, 1.0], "a kink"),  # where the gradient 0 is the mean of both slopes
        (lambda x: x.amax(), [1.0, 1.0], "a kink"),
        (minidl.floor, [0.5, 2.0], "a jump"),
        (lambda x: F.hardshrink(x), [0.5], "a jump"),
        (lambda x: minidl.where(x > 0, x.sqrt(), x * 0), [0.0], "a vertical tangent"),
        (lambda x: (x - 1).log1p().exp() * 0 + (1 - x).acos(), [0.0], "edge of its domain"),
    ],
)
def test_points_without_a_gradient_are_errors(fn, point, kind):
    with pytest.raises(NotDifferentiableError, match=kind):
        check_gradients(fn, np.array(point), modes=["jacobian"], locate=False)


@pytest.mark.parametrize("modes", [["jacobian"], ["directional"]])
def test_a_kink_beside_the_point_is_passed(modes):
    check_gradients(lambda x: minidl.relu(x).sum(), np.array([3e-5, -4e-4, 1.0]), modes=modes)


def test_differences_are_accurate_and_know_their_error():
    always = lambda value, noise: value == value  # noqa: E731
    for f, wanted in ((np.exp, 1.0), (np.sin, 1.0), (lambda t: 1 / (0.1 + t), -100.0)):
        found = slope(lambda t, f=f: np.array([f(t)]), 1e-3, always)
        assert abs(found.value[0] - wanted) <= 1e-6 * abs(wanted), wanted
    infinite = slope(lambda t: np.array([-math.inf, t]), 1e-3, always)
    assert infinite.value.tolist() == [0.0, pytest.approx(1.0)]


def test_a_complex_step_sees_what_differences_cannot():
    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.exp()

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0].exp() * (1 + 3e-8)

    from_exp = Exp.apply
    check_gradients(from_exp, np.array([1.0]), modes=["jacobian"])
    with pytest.raises(GradcheckError, match="complex step"):
        check_gradients(from_exp, np.array([1.0]), modes=["complex"], twin=np.exp)
    check_gradients(minidl.sin, np.array([1.0, 2.0]), modes=["complex"], twin=np.sin)
    with pytest.raises(ValueError, match="not analytic"):
        check_gradients(minidl.abs, np.array([1.0]), modes=["complex"], twin=np.abs)
    with pytest.raises(ValueError, match="works on complex NumPy arrays"):
        check_gradients(minidl.sin, np.array([1.0]), modes=["complex"])
    for wrong in (["nothing"], "jacobian"):
        with pytest.raises(ValueError, match="modes must be a collection"):
            check_gradients(minidl.sin, np.array([1.0]), modes=wrong)


def test_the_first_wrong_op_is_named_and_the_others_are_not():
    def chain(x):
        return F.softmax((WrongCube.apply(x.sin() + 2) * 0.05).tanh(), 0)

    with pytest.raises(GradcheckError) as caught:
        check_gradients(chain, np.array([0.3, -0.2]))
    (told, _) = caught.value.__notes__
    assert told.startswith(
        "The first op on the tape that disagrees by itself: WrongCube, call 3 of 6, on shapes (2,)"
    )
    with pytest.raises(GradcheckError) as caught:
        check_gradients(lambda x: x.exp() * x.detach(), np.array([0.3]))
    assert "the graph is cut somewhere" in caught.value.__notes__[0]
    x = minidl.ones(2, requires_grad=True)  # and nothing is watched any longer
    assert minidl.autograd.grad(x.sin().sum(), x)[0].shape == (2,)
    assert Function.__dict__["apply"].__func__.__name__ == "apply"


def test_a_large_input_is_searched_by_halves():
    def one_wrong(x):
        flat = x.reshape(-1)
        return minidl.cat([flat[:1234], WrongCube.apply(flat[1234:1235]), flat[1235:]]).sum()

    with pytest.raises(
        GradcheckError, match=r"input element \(24, 34\), which is 1.5, .* analytical 6.8175, numerical 6.75"
    ):
        check_gradients(one_wrong, np.full((40, 50), 1.5), locate=False, modes=["directional"])


def test_random_numbers_are_drawn_again_and_other_changes_are_refused():
    check_gradients(lambda x: F.dropout(x, 0.5), np.ones(6), order=2)
    calls = []

    def changing(x):
        calls.append(1)
        return x * len(calls)

    with pytest.raises(
        GradcheckError, match="two calls of the function with the same inputs give different values"
    ):
        check_gradients(changing, np.ones(1))


def test_names_of_inputs_and_of_parameters_are_told():
    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 1).double()

        def forward(self, signal):
            return WrongCube.apply(self.inner.bias + 1) + signal.sin()

    with pytest.raises(GradcheckError, match=r"with respect to input 2 \(inner.bias\)"):
        check_gradients(Layer(), np.ones((3, 2)))


def test_the_program_that_repeats_a_failure_does():
    @settings(database=None)
    @given_gradients(x=tensors(shapes(1, 2)))
    def wrong(x):
        return WrongCube.apply(x)

    with pytest.raises(GradcheckError) as caught:
        wrong()
    (program,) = [note for note in caught.value.__notes__ if note.startswith("Reproduce it:")]
    program = program.partition("\n\n")[2]
    assert "minidl.tensor(np.array([" in program
    space = {"function": WrongCube.apply}
    with pytest.raises(GradcheckError):
        exec(program, space)


@given(st.data())
def test_a_literal_gives_the_value_back(data):
    dtype = data.draw(testing.dtypes("all"))
    special = ["inf", "nan"] if dtype.is_floating_point and dtype.name != "bfloat16" else []
    element = testing.elements(special=special) if dtype.is_floating_point else None
    array = data.draw(testing.arrays(shapes(0, 2), dtype, element, testing.layouts()))
    tensor = minidl.from_numpy(array) if array.strides == np.ascontiguousarray(array).strides else array
    back = eval(literal(tensor), {"np": np, "minidl": minidl, "strided": strided})
    testing.assert_close(back, tensor, rtol=0.0, atol=0.0, equal_nan=True)
    if isinstance(tensor, np.ndarray) and array.size > 1 and min(array.shape) > 1:
        assert back.strides == array.strides


# --- strategies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("huge", lambda v: abs(v) > 1e38),
        ("tiny", lambda v: 0 < abs(v) < 2e-38),
        ("subnormal", lambda v: 0 < abs(v) < 1e-38),
        ("inf", math.isinf),
        ("nan", math.isnan),
    ],
)
def test_special_values_are_drawn_on_request(kind, found):
    assert found(find(testing.elements(special=[kind], dtype=minidl.float32), found))
    with pytest.raises(ValueError, match="special must be among"):
        testing.elements(special=["odd"])


def test_ties_and_their_absence():
    tied = find(testing.arrays((3,), elements=testing.elements(ties=True)), lambda a: len(np.unique(a)) < 3)
    assert (tied == np.round(tied)).all()
    find(testing.distinct_arrays((4,)), lambda a: len(np.unique(a)) == 4 and a[0] > a[3])


def test_drawn_arguments_shrink_to_the_smallest():
    assert find(testing.axes(3), lambda dim: dim % 3 == 1) == 1
    assert find(testing.permutations(4), lambda order: order[3] != 3) == (0, 1, 3, 2)
    assert find(testing.index_arrays(5, (2,)), lambda index: index.any()).tolist() == [0, 1]
    example = find(testing.modules(["Linear"]), lambda example: example.kwargs["bias"])
    assert (example.args, [x.shape for x in example.inputs]) == ((1, 1), [(1,)])
    assert find(testing.optimizers(["Adam"]), lambda make: True).kwargs["amsgrad"] is False
    assert repr(find(testing.networks(), lambda network: True)) == "nn.Sequential(nn.Linear(1, 1)) on (2, 1)"


@given(shapes(1, 3, max_side=4), st.data())
def test_drawn_indices_can_be_used(shape, data):
    index = data.draw(testing.indices(shape))
    array = np.arange(math.prod(shape)).reshape(shape)
    np.testing.assert_array_equal(minidl.tensor(array)[index].numpy(), array[index])


def test_the_few_bits_that_cancelling_leaves_are_not_taken_for_float32():
    x = minidl.tensor([0.9], dtype=minidl.float64)
    check_gradients(lambda x: (x - 0.9 * (x + 1e-8).log()).sum(), x)
