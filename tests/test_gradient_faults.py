"""Wrong gradients of many kinds, each caught by ``check_gradients`` with a message that says what is wrong."""

import sys

import numpy as np
import pytest

import minidl
from minidl.autograd import Function
from minidl.errors import GradcheckError, NotDifferentiableError
from minidl.testing import check_gradients, given_gradients, strided, tensors

X = np.arange(12.0).reshape(3, 4) / 7 + 0.3


def function(forward, backward):
    """The ``apply`` of a Function of one tensor: ``backward(x, g)``."""

    class Made(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, g):
            return backward(ctx.saved_tensors[0], g)

    return Made.apply


def square(backward):
    return function(lambda x: x * x, backward)


def one_wrong(x, g):
    factor = minidl.ones(x.shape, dtype=x.dtype)
    factor[1, 2] = 1.0001
    return 2 * x * g * factor


def grown(x, g):
    right = 2 * x * g
    x.add_(1)
    return right


@pytest.mark.parametrize(
    ("fn", "x", "text"),
    [
        (square(one_wrong), X, r"input element \(1, 2\)"),
        (square(lambda x, g: None), X, "analytical 0, numerical 0.6"),
        (square(lambda x, g: (2 * x * g).float()), X, "has the precision of float32"),
        (square(lambda x, g: g.mul_(2 * x)), X, "changes in place the gradient that it is given"),
        (square(grown), X, "Backward changes input 0 in place"),
        (lambda x: (x.data.clamp_(min=0.5), x * x)[1], X, r"a call .* changes its input 0 \(x\) in place"),
        (square(lambda x, g: 2 * x * g if g.is_contiguous() else x * g), X, "where that is expanded"),
        (square(lambda x, g: 2 * x * g if g.stride()[0] != 1 else x * g), X, "where that is transposed"),
        (square(lambda x, g: 2 * x * g if x.numel() > 1 else x * g), np.ones((1, 1)), "numerical 2"),
        (
            square(lambda x, g: 2 * x * g if x.is_contiguous() else x * g),
            strided(np.float32(X), "sliced"),
            "num",
        ),
    ],
)
def test_a_fault_is_caught_and_named(fn, x, text):
    with pytest.raises(GradcheckError, match=text):
        check_gradients(fn, x)


def test_a_layout_that_only_the_wrong_op_sees_is_kept_for_it():
    wrong = square(lambda x, g: 2 * x * g if x.is_contiguous() else x * g)
    with pytest.raises(GradcheckError) as caught:
        check_gradients(lambda x: wrong(x[:, ::2] + 0) + wrong(x[:, ::2]), X)
    assert "disagrees by itself: Made, call 5 of 6" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("fn", "x", "text"),
    [
        (minidl.sign, [0.0], "a jump"),  # the same from both sides
        (minidl.log, [0.0], "no finite value"),
        (lambda x: 1 / x, [0.0], "no finite value"),
        (lambda x: minidl.sign(x) * x.abs() ** 0.5, [0.0], "a vertical tangent|no finite"),
        (lambda x: x.median(), [1.0, 1.0, 1.0], "do not add up"),  # each element alone changes nothing
        (
            function(lambda x: (x[0] ** 3).sign() * 0 + cone(x), lambda x, g: g * 0 * x),
            [0.0, 0.0],
            "not add up|a kink",
        ),
    ],
)
def test_points_that_look_smooth_from_both_sides(fn, x, text):
    with pytest.raises(NotDifferentiableError, match=text):
        check_gradients(fn, np.array(x))


def cone(x):
    """x y^2 / (x^2 + y^2): every slope along an axis at 0 is 0, and those along other directions are not."""
    x, y = x[0], x[1]
    return minidl.where(x * x + y * y > 0, x * y * y / (x * x + y * y + 1e-300), 0 * x)


@pytest.mark.parametrize("fn", [lambda x: x * x.abs(), lambda x: minidl.where(x > 0, x * x, -x * x)])
def test_a_jump_of_the_second_derivative_alone_is_no_kink(fn):
    check_gradients(fn, np.array([0.0, 1.0]))


def test_nothing_is_skipped_silently():
    wrong_second = function(lambda x: x**3, lambda x, g: 3 * x.detach() ** 2 * g)
    with pytest.raises(GradcheckError, match="analytical 0"):
        check_gradients(wrong_second, np.ones(2), order=2, modes=["complex"], twin=lambda x: x**3)
    with pytest.raises(ValueError, match="modes must be a collection"):
        check_gradients(minidl.sin, np.ones(2), modes=[])
    for fn in (lambda x: x.argmax(), lambda x: ()):
        with pytest.raises(ValueError, match="no output of the function is a floating-point tensor"):
            check_gradients(fn, np.ones(2))
    with pytest.raises(ValueError, match="in a list or dict are not looked for"):
        check_gradients(lambda pair: pair[0] + pair[1], [minidl.ones(2), minidl.ones(2)])


def test_a_large_wrong_output_is_named_with_both_values():
    x = np.random.default_rng(0).normal(size=(90, 3)) / 3
    with pytest.raises(GradcheckError, match=r"input element .*output element .*analytical .*numerical"):
        check_gradients(lambda x: (x @ x.T.detach()).tanh(), x)


PROPERTIES = """
import numpy as np
import minidl
from hypothesis import Phase, settings
from minidl.autograd import Function
from minidl.testing import given_gradients, shapes, tensors

few = settings(max_examples=9, database=None, phases=[Phase.generate])


class Near(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.exp()

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0].exp() * (1 + 1e-7)


@few
@given_gradients(x=tensors(shapes(1, 1)), modes=["complex"], twin=np.exp)
def test_near(x):
    return Near.apply(x)


class TestMethods:
    @few
    @given_gradients(x=tensors(shapes(1, 1)))
    def test_cut(self, x):
        return x * x.detach()


@few
@given_gradients(x=tensors(shapes(1, 1)))
def test_raises(x):
    return 1 / (x.ndim - 1) * x
"""


@pytest.mark.parametrize("name", ["test_near", "TestMethods().test_cut", "test_raises"])
def test_the_program_in_a_note_repeats_the_failure(tmp_path, monkeypatch, name):
    """Options, methods and errors that ``fn`` itself raises included."""
    (tmp_path / "properties_of_mine.py").write_text(PROPERTIES)
    monkeypatch.syspath_prepend(tmp_path)
    import properties_of_mine

    with pytest.raises(Exception) as caught:
        eval(name, vars(properties_of_mine))()
    (program,) = (n for n in caught.value.__notes__ if n.startswith("Reproduce it:"))
    with pytest.raises(type(caught.value)):
        exec(program.partition("\n")[2], {})
    sys.modules.pop("properties_of_mine")


def test_settings_below_the_decorator_rule_as_those_above():
    from hypothesis import settings

    drawn = []

    @given_gradients(x=tensors(()))
    @settings(max_examples=2, database=None)
    def few(x):
        drawn.append(float(x))
        return x

    few()
    assert len(set(drawn)) < 40  # of two examples; by default there are a hundred
