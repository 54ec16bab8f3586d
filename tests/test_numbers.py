"""Numbers at their borders: integers that wrap or do not fit, scalars that widen nothing, conversions to Python."""

import copy
import pickle

import numpy as np
import pytest

import minidl


def tensor(values, dtype):
    return minidl.tensor(values, dtype=getattr(minidl, dtype))


@pytest.mark.parametrize(
    ("result", "expected", "dtype"),
    [
        (lambda: tensor(-(2**40), "int64") / tensor([2, -4], "int8"), [-(2**39), 2**38], "float32"),
        (lambda: tensor([-128, 64], "int8") / 2**31, [-(2**-24), 2**-25], "float32"),
        (lambda: tensor([1, -1, -1, 2], "int8") ** tensor([-1, -1, -2, -1], "int8"), [1, -1, 1, 0], "int8"),
        (lambda: 2 ** tensor([-1, 3], "int64"), [0, 8], "int64"),
        (lambda: tensor([-120, 7], "int8").clamp(2.5), [2.5, 7.0], "float32"),
        (lambda: tensor([True, False], "bool").clamp(max=300), [1, 0], "int64"),
        (lambda: tensor([1.5, 3.0], "float16").add(tensor([1, 2], "int32"), alpha=2.5), [4, 8], "float16"),
        (
            lambda: tensor([True, False], "bool").add(tensor([True, True], "bool"), alpha=2),
            [True, True],
            "bool",
        ),
        (lambda: minidl.full((2,), -3, dtype=minidl.uint8), [253, 253], "uint8"),
        (lambda: minidl.tensor(3).flip(0), 3, "int64"),
        (lambda: +minidl.tensor([1.0, -2.0]), [1.0, -2.0], "float32"),
        (
            lambda: minidl.isclose(tensor([True, False], "bool"), tensor([True, True], "bool")),
            [True, False],
            "bool",
        ),
        (lambda: np.maximum(minidl.tensor([0.5, 2.0]), 1), [1.0, 2.0], "float32"),
        (lambda: np.float64(1) < minidl.tensor([0.5, 2.0]), [False, True], "bool"),
        (lambda: np.float32(2) >= minidl.tensor([0.5, 2.0]), [True, True], "bool"),
        (lambda: np.int64(2) > minidl.tensor([1, 2]), [True, False], "bool"),
        (lambda: np.arange(2) <= minidl.tensor([-1, 2]), [False, True], "bool"),
        (lambda: np.arange(2) == minidl.tensor([0, 2]), [True, False], "bool"),
        (lambda: np.bool_(True) != minidl.tensor([True, False]), [False, True], "bool"),
    ],
)
def test_of(result, expected, dtype):
    out = result()
    assert out.tolist() == expected and out.dtype is getattr(minidl, dtype)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.fill_(300),
        lambda x: x.fill_(float("nan")),
        lambda x: x.masked_fill(x > 0, 2**40),
        lambda x: x.clamp(max=1000),
        lambda x: minidl.where(x > 0, x, 2**40),
        lambda x: minidl.full_like(x, 300),
        lambda x: x**300,
    ],
)
def test_numbers_that_do_not_fit_are_refused(call):
    with pytest.raises(RuntimeError, match="value cannot be converted to type int8 without overflow"):
        call(tensor([1, 2], "int8"))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: minidl.tensor(None), RuntimeError, "Could not infer dtype of NoneType"),
        (lambda: minidl.tensor(2**63), ValueError, "Overflow when unpacking long long"),
        (lambda: float(minidl.ones(2)), ValueError, "only one element tensors can be converted"),
        (lambda: "a" in minidl.ones(2), RuntimeError, "only supports Tensor or scalar"),
        (
            lambda: minidl.add(tensor([1], "int32"), 1, alpha=0.5),
            RuntimeError,
            "alpha must not be a floating",
        ),
        (lambda: minidl.ones(2, 3).reshape(-2, 3), RuntimeError, "invalid shape dimension -2"),
        (lambda: minidl.ones(2).expand(-2, 2), RuntimeError, "sizes must be -1 or not negative"),
        (lambda: minidl.zeros(2.5), TypeError, "must be tuple of ints, not float"),
        (lambda: minidl.where(minidl.ones(2) > 0, minidl.ones(3), 1.0), RuntimeError, "The size of tensor a"),
        (lambda: minidl.ones(2).copy_(minidl.ones(3)), RuntimeError, "The size of tensor a"),
        (lambda: minidl.ones(2).stride(5), IndexError, "Dimension out of range"),
        (lambda: minidl.from_dlpack([1]), RuntimeError, "from_dlpack received an invalid capsule"),
    ],
)
def test_mistakes_are_named(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_tensors_without_dimensions_format_as_numbers():
    x = minidl.tensor(2.5, requires_grad=True)
    assert f"{x} {x:.2f} {minidl.tensor(3)} {minidl.tensor(True)}" == "2.5 2.50 3 True"
    assert f"{minidl.tensor([1.0])}" == "tensor([1.])"


def test_results_are_pickled_as_leaves():
    y = minidl.ones(2, requires_grad=True) * 2
    back = pickle.loads(pickle.dumps(y))
    assert back.requires_grad and back.is_leaf and back.tolist() == [2.0, 2.0]
    assert not copy.deepcopy(y.detach()).requires_grad


def test_empty_tensors_are_chunked_into_as_many_parts():
    assert [tuple(part.shape) for part in minidl.zeros(0, 2).chunk(2)] == [(0, 2), (0, 2)]


def test_bessel_functions_of_both_kinds_fit_together():
    """J_1 Y_0 - J_0 Y_1 = 2 / (pi x), Abramowitz and Stegun 9.1.16."""
    x = minidl.cat([minidl.logspace(-300, 2, 9_000, dtype=minidl.float64), minidl.linspace(0.5, 120, 9_000)])
    j0, j1, y0, y1 = (getattr(minidl.special, f"bessel_{name}")(x) for name in ("j0", "j1", "y0", "y1"))
    np.testing.assert_allclose(((j1 * y0 - j0 * y1) * (x * np.pi / 2)).numpy(), 1, rtol=1e-12)


def test_incomplete_gamma_functions_of_all_sizes():
    """P(a + 1, x) = P(a, x) - x^a exp(-x) / Gamma(a + 1), 6.5.21; a large element makes the others no slower."""
    a = minidl.cat([minidl.linspace(0.1, 90, 9_000), minidl.tensor([3e5])]).double()
    x = a * minidl.linspace(0.2, 1.8, a.numel(), dtype=minidl.float64)
    step = (a * x.log() - x - (a + 1).lgamma()).exp()
    assert minidl.allclose(minidl.igamma(a, x) - step, minidl.igamma(a + 1, x), rtol=0, atol=1e-12)
    assert minidl.allclose(minidl.igamma(a, x) + minidl.igammac(a, x), minidl.ones(()).double())


def test_zeta_and_airy_functions_far_from_zero():
    """zeta(s, q) = q^-s + zeta(s, q + 1), far below 0 too; Ai at 5, 10 and 50."""
    s, q = minidl.tensor([2.0, 3.0, 5.0]).double(), minidl.tensor([-20000.5, -7.25, -0.75]).double()
    after = minidl.special.zeta(s, q + 1) + q**-s
    assert minidl.allclose(minidl.special.zeta(s, q), after, rtol=1e-13)
    assert minidl.special.zeta(s[0], q[0]).item() == pytest.approx(np.pi**2 - 1 / 20001, rel=1e-9)
    ai = minidl.special.airy_ai(minidl.tensor([5.0, 10.0, 50.0]).double()).tolist()
    assert ai == pytest.approx(
        [1.083444281360744e-4, 1.104753255289869e-10, 4.584941724074788e-104], rel=1e-13
    )


def test_the_class_is_named_where_programs_find_it():
    assert str(minidl.Tensor) == "<class 'minidl.Tensor'>"
    assert pickle.loads(pickle.dumps(minidl.Tensor)) is minidl.Tensor
