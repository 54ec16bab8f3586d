"""Anomaly mode: the op that made the first NaN, or that raised, and the user's line."""

import pytest

import minidl
from minidl.autograd import Function, detect_anomaly, set_detect_anomaly


def leaf(values):
    return minidl.tensor(values, requires_grad=True)


class Raises(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        raise ValueError("broken on purpose")


def test_the_op_of_the_first_nan_and_its_line_are_named():
    with detect_anomaly():
        y = leaf([0.0, 4.0]) * 1
        z = (y.sqrt() * 0).sum()  # the line that is to be named
        with (
            pytest.warns(UserWarning, match="Error detected in SqrtBackward0") as warned,
            pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan values") as caught,
        ):
            z.backward()
    told = str(warned[0].message) + str(caught.value)
    assert "the line that is to be named" in told
    assert "test_anomaly.py" in told


def test_an_error_in_a_rule_is_traced_to_the_forward_call():
    with detect_anomaly(), pytest.warns(UserWarning, match="RaisesBackward") as warned:
        y = Raises.apply(leaf([1.0]))
        with pytest.raises(ValueError, match="broken on purpose"):
            y.backward()
    assert "Raises.apply(leaf([1.0]))" in str(warned[0].message)


def test_nan_may_pass_without_the_check_and_without_the_mode():
    for mode in (set_detect_anomaly(False), detect_anomaly(check_nan=False)):
        with mode:
            x = leaf([0.0])
            (x.sqrt() * 0).sum().backward()
            assert x.grad.isnan().all()


def test_the_mode_ends_where_it_should():
    set_detect_anomaly(True)
    try:
        with set_detect_anomaly(False):
            x = leaf([0.0])
            (x.sqrt() * 0).backward()
        y = (leaf([0.0]).sqrt() * 0).sum()
        with pytest.warns(UserWarning), pytest.raises(RuntimeError, match="nan"):
            y.backward()
    finally:
        set_detect_anomaly(False)
    (leaf([0.0]).sqrt() * 0).backward()


def test_without_a_forward_trace_it_says_so():
    y = leaf([0.0]).sqrt() * 0
    told = pytest.warns(UserWarning, match="No forward pass information available")
    with detect_anomaly(), told, pytest.raises(RuntimeError, match="nan"):
        y.backward()
