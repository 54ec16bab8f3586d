"""minidl.testing: what it lets through, what it catches, what it draws."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

import minidl
import minidl.nn.functional as F
from minidl import testing
from minidl.autograd import Function
from minidl.errors import GradcheckError
from minidl.testing import (
    arrays,
    assert_close,
    broadcastable_shapes,
    check_gradients,
    conv_geometries,
    given_gradients,
    layouts,
    pool_geometries,
    shapes,
    tensors,
)
from minidl.testing.striding import layout_of, restrided, strided

NAN, INF = float("nan"), float("inf")


class WrongSquare(Function):
    """x * x with a gradient that is wrong where x > 1."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x * minidl.where(x > 1, 2.1, 2.0)


# --- assert_close ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1.0, 1.0 + 5e-8),
        (np.float32([1.0]), np.float32([1.000001])),
        ([1.0, (2, True)], [1.0, (2, True)]),
        ({"a": np.arange(3)}, {"a": np.arange(3)}),
        (np.array([INF, -INF]), np.array([INF, -INF])),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (2**53 + 1, 2**53 + 1),
    ],
)
def test_close_values_pass(actual, expected):
    assert_close(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected", "message"),
    [
        ([1.0, NAN], [1.0, 2.0], "item [1]"),
        (np.array([1.0, NAN]), np.array([1.0, 2.0]), "index (1,)"),
        (np.array([NAN]), np.array([NAN]), "not close"),
        (np.array([1.0]), np.array([NAN]), "not close"),
        (np.array([1.0, 2.0]), np.array([1.0, INF]), "expected inf but got 2.0"),
        (np.array([INF]), np.array([-INF]), "not close"),
        (np.array([[1.0, 2.0], [3.0, 4.5]]), np.array([[1.0, 2.1], [3.0, 4.0]]), "0.5 at index (1, 1)"),
        (np.array([2**62 + 1]), np.array([2**62]), "not equal"),
        (np.zeros(3), np.zeros(4), "attribute 'shape' do not match: (3,) != (4,)"),
        (np.zeros(3, np.float32), np.zeros(3), "minidl.float32 != minidl.float64"),
        ([1], [1, 2], "length of the sequences mismatch: 1 != 2"),
        ({"a": 1}, {"b": 1}, "Missing keys in the actual mapping: ['b']"),
        ({"a": [1.0]}, {"a": [2.0]}, "The failure occurred for item ['a'][0]"),
    ],
)
def test_differences_are_named(actual, expected, message):
    with pytest.raises(AssertionError) as caught:
        assert_close(actual, expected)
    assert message in str(caught.value)


def test_options_of_assert_close():
    one, wide = minidl.tensor([1.0, NAN]), minidl.tensor([1.0, NAN], dtype=minidl.float64)
    assert_close(one, one.clone(), equal_nan=True)
    assert_close(one, wide, equal_nan=True, check_dtype=False)
    assert_close(1.0, 1.05, rtol=0.1, atol=0.0)
    with pytest.raises(AssertionError, match="strides"):
        assert_close(minidl.ones(2, 3).t(), minidl.ones(3, 2), check_stride=True)
    with pytest.raises(AssertionError, match=r"^mine$"):
        assert_close(1.0, 2.0, msg="mine")
    with pytest.raises(AssertionError, match=r"^before: Scalars"):
        assert_close(1.0, 2.0, msg=lambda text: f"before: {text}")
    with pytest.raises(ValueError, match="rtol and atol must both be specified"):
        assert_close(1.0, 2.0, rtol=0.1)
    with pytest.raises(TypeError, match="str"):
        assert_close("a", "a")
    with pytest.raises(AssertionError, match="types do not match"):
        assert_close(one, one.numpy(), allow_subclasses=False, equal_nan=True)


# --- gradients -------------------------------------------------------------------------------------------------------


def test_right_gradients_pass_in_both_orders_and_modes():
    for modes in (None, ["directional"], ["jacobian"]):
        check_gradients(lambda x, y: (x * y).tanh(), np.ones((2, 3)), np.ones(3), order=2, modes=modes)


@pytest.mark.parametrize("modes", [None, ["directional"], ["jacobian"]])
def test_a_wrong_gradient_is_caught_and_named(modes):
    text = (
        r"output 0 with respect to input 0, at input element \(1,\), which is 2, .*analytical 4.*numerical 4;"
    )
    with pytest.raises(GradcheckError, match=text):
        check_gradients(WrongSquare.apply, np.array([0.5, 2.0]), modes=modes)


def test_a_nan_gradient_is_caught():
    with pytest.raises(GradcheckError, match="nan"):
        check_gradients(lambda x: x.sqrt(), np.array([4.0, -1.0]))


@pytest.mark.parametrize("fn", [lambda x: None, lambda x: 1.0, lambda x: (x * 2, None)])
def test_a_function_that_returns_no_tensor_is_refused(fn):
    with pytest.raises(TypeError, match="gradcheck expects a function of tensors"):
        check_gradients(fn, np.ones(2))


def test_none_is_close_to_none_only():
    assert_close({"a": None}, {"a": None})
    with pytest.raises(AssertionError, match="None mismatch: None is not 1"):
        assert_close([None], [1])


def test_a_wrong_second_gradient_is_caught():
    class WrongSecond(Function):
        """x * x whose gradient is right, but as a function of x it is constant to the tape."""

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x.detach()

    check_gradients(WrongSecond.apply, np.array([0.5, 2.0]))
    with pytest.raises(GradcheckError):
        check_gradients(WrongSecond.apply, np.array([0.5, 2.0]), order=2)


def test_the_parameters_of_a_module_are_checked_too():
    class Squares(minidl.nn.Module):
        def __init__(self, square):
            super().__init__()
            self.square = square
            self.weight = minidl.nn.Parameter(minidl.tensor([0.5, 2.0], dtype=minidl.float64))

        def forward(self, x):
            return self.square(self.weight) * x

    check_gradients(Squares(lambda w: w * w), np.ones(2), order=2)
    with pytest.raises(GradcheckError, match="with respect to input 1"):
        check_gradients(Squares(WrongSquare.apply), np.ones(2))


def test_inputs_of_check_gradients():
    seen = []
    check_gradients(
        lambda x, n, i: seen.append((x, n, i)) or x * n, minidl.tensor([1.0, 2.0]), 3, np.array([1])
    )
    x, n, i = seen[0]
    assert (x.dtype, n, i.dtype) == (minidl.float64, 3, minidl.int64)
    with pytest.raises(ValueError, match="order must be 1 or 2, got 3"):
        check_gradients(minidl.tanh, np.ones(2), order=3)
    with pytest.raises(ValueError, match="at least one input"):
        check_gradients(lambda n: n, 1)


def test_given_gradients_passes_a_right_function():
    calls = []

    @given_gradients(x=tensors(shapes(max_dims=2)), y=st.sampled_from([1.5, 2.0]), order=2)
    def scaled(x, y):
        calls.append(x)
        return (x * y).sin()

    scaled()
    assert len(calls) > 10


def test_given_gradients_shrinks_a_wrong_one():
    failing = []

    @settings(database=None)
    @given_gradients(arrays(shapes(1, 3)))
    def wrong(x):
        failing.append(x.detach().numpy().copy())
        return WrongSquare.apply(x)

    with pytest.raises(GradcheckError, match="input 0"):
        wrong()
    # The last call repeats the smallest failure: one element, just above 1 where the gradient is wrong.
    assert failing[-1].size == 1
    assert abs(failing[-1]).max() < 1.1


# --- strategies ------------------------------------------------------------------------------------------------------


@given(st.data())
def test_shapes_stay_within_their_bounds(data):
    shape = data.draw(shapes(1, 3, 0, 4))
    assert 1 <= len(shape) <= 3
    assert all(0 <= side <= 4 for side in shape)
    assert np.broadcast_shapes(*data.draw(broadcastable_shapes(3))) is not None


@given(st.data())
def test_arrays_have_what_was_asked_for(data):
    dtype = data.draw(testing.dtypes("all"))
    array = data.draw(arrays((2, 3), dtype, layout=layouts()))
    assert array.shape == (2, 3)
    assert array.dtype == dtype.numpy


@pytest.mark.parametrize(
    ("layout", "strides"),
    [
        ("contiguous", (24, 8)),
        ("transposed", (8, 16)),
        ("sliced", (112, 16)),
        ("negative", (-24, -8)),
        ("expanded", (0, 8)),
        ("overlapping", (8, 8)),
    ],
)
def test_layouts_are_what_they_say(layout, strides):
    values = np.arange(6.0).reshape(2, 3)
    view = testing.strided(values, layout)
    assert view.strides == strides
    values = {"expanded": values[[0, 0]], "overlapping": [[0, 1, 2], [1, 2, 5]]}.get(layout, values)
    np.testing.assert_array_equal(view, values)
    assert layout_of(view) == layout


def test_every_layout_is_drawn():
    for wanted in ((8, 16), (-24, -8), (0, 8)):
        find(
            arrays((2, 3), layout=layouts()),
            lambda array, wanted=wanted: array.strides == wanted,
            settings=settings(database=None, max_examples=500),
        )


@given(arrays(shapes(1, 2), elements=testing.elements(-1, 1, away_from=(0,))))
def test_elements_keep_away_from_kinks(array):
    assert (np.abs(array) >= 0.05).all()
    assert (np.abs(array) <= 1).all()


@given(tensors(shapes(0, 2), layout=layouts(), requires_grad=True))
def test_tensors_share_the_layout_and_require_a_gradient(x):
    assert x.requires_grad and x.is_leaf and x.dtype is minidl.float64


@given(st.integers(1, 3).flatmap(lambda dims: conv_geometries(dims=dims)))
def test_conv_geometries_obey_the_output_formula(geometry):
    n, c, *sides = geometry.input_shape
    k, per_group, *kernels = geometry.weight_shape
    assert c == per_group * geometry.groups
    assert k % geometry.groups == 0
    outs = [
        (side + 2 * p - d * (kernel - 1) - 1) // s + 1
        for side, kernel, s, p, d in zip(
            sides, kernels, geometry.stride, geometry.padding, geometry.dilation, strict=True
        )
    ]
    assert geometry.output_shape == (n, k, *outs)
    assert min(outs) >= 1


@given(pool_geometries())
def test_pool_geometries_can_be_pooled(geometry):
    x = minidl.zeros(geometry.input_shape)
    out = F.max_pool2d(x, **geometry.kwargs)
    assert out.dim() == 4 and min(out.shape) >= 1


def test_unknown_names_and_kinds_are_refused():
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = testing.nothing_such
    with pytest.raises(ValueError, match="kind must be one of"):
        testing.dtypes("complex")
    with pytest.raises(ValueError, match=r"layout must be one of .*transposed"):
        strided(np.ones(2), "transpose")
    with pytest.raises(ValueError, match="none named Foo; there is ASGD"):
        find(testing.optimizers(["Foo"]), lambda make: True)
    with pytest.raises(ValueError, match=r"no number of two decimals lies between 0.001 and 0.004"):
        testing.elements(0.001, 0.004)


def test_bounds_of_elements_hold_between_two_decimals():
    found = set()

    @settings(max_examples=60, database=None)
    @given(testing.elements(0.005, 0.025))
    def collect(value):
        found.add(value)

    collect()
    assert found == {0.01, 0.02}


@pytest.mark.parametrize(
    ("dtype", "value"),
    [(minidl.float16, 1e6), (minidl.float32, 1e-60), (minidl.int64, 0.5), (minidl.uint8, -1)],
)
def test_elements_that_a_dtype_has_not_are_refused(dtype, value):
    with pytest.raises(ValueError, match=r"arrays: .* has no"):
        find(testing.arrays((1,), dtype, st.just(value)), lambda array: True)


def test_nothing_to_index_and_no_dimension():
    assert find(testing.index_arrays(0, (0, 2)), lambda array: True).shape == (0, 2)
    assert find(testing.axes(0), lambda dim: dim < 0) == -1


@settings(max_examples=30)
@given(data=st.data())
def test_invalid_geometries_give_their_error_in_one_dimension_too(data):
    wrong = data.draw(testing.invalid_pool_geometries(dims=1))
    with pytest.raises(wrong.error, match=wrong.text):
        F.max_pool1d(minidl.zeros(wrong.shapes[0]), **wrong.kwargs)


def test_copies_keep_the_strides_of_any_dtype():
    for layout in ("transposed", "sliced", "negative"):
        x = strided(np.arange(6, dtype=np.float32).reshape(2, 3), layout)
        wide = restrided(x, np.float64)
        assert wide.strides == tuple(2 * stride for stride in x.strides) and (wide == x).all()


def test_without_hypothesis_there_is_one_line_to_follow():
    program = (
        "import sys\n"
        "sys.modules['hypothesis'] = None\n"
        "from minidl.testing import assert_close, check_gradients\n"
        "assert_close(1.0, 1.0)\n"
        "try:\n"
        "    from minidl.testing import shapes\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "minidl.testing.shapes needs Hypothesis; install it with: pip install 'minidl[test]'" in run.stdout
    assert run.stdout.count("\n") == 1
