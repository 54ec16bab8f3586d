"""Result dtypes of all dtype pairs, with tensors, 0-d tensors and Python numbers, are PyTorch's."""

import itertools

import numpy as np
import pytest
import torch

import minidl

NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
PAIRS = list(itertools.product(NAMES, NAMES))
BINARY = [
    "add",
    "sub",
    "mul",
    "div",
    "floor_divide",
    "remainder",
    "pow",
    "maximum",
    "eq",
    "lt",
    "logical_and",
]
UNARY = [
    "abs",
    "neg",
    "exp",
    "sqrt",
    "sign",
    "floor",
    "sum",
    "mean",
    "prod",
    "cumsum",
    "argmax",
    "relu",
    "sigmoid",
    "square",
]
NUMBERS = [True, 3, 2.5]
if not hasattr(minidl, "bfloat16"):
    NAMES.remove("bfloat16")


def outcome(call):
    """The name of the result's dtype, or that it raised."""
    try:
        return str(call().dtype).partition(".")[2]
    except (RuntimeError, TypeError, NotImplementedError):
        return "an error"


def operand(lib, name, scalar=False):
    return lib.ones(() if scalar else 3, dtype=getattr(lib, name))


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("scalar", [False, True], ids=["tensors", "0-d"])
def test_of_two_tensors(op, scalar):
    wrong = {}
    for a, b in PAIRS:
        ours, theirs = (
            outcome(lambda lib=lib, a=a, b=b: getattr(lib, op)(operand(lib, a), operand(lib, b, scalar)))
            for lib in (minidl, torch)
        )
        if ours != theirs:
            wrong[a, b] = f"{ours}, PyTorch {theirs}"
    assert not wrong


@pytest.mark.parametrize("op", BINARY)
def test_of_a_tensor_and_a_number(op):
    wrong = {}
    for name, number in itertools.product(NAMES, NUMBERS):
        if op in ("maximum", "logical_and"):
            continue
        ours, theirs = (
            outcome(lambda lib=lib, name=name, number=number: getattr(lib, op)(operand(lib, name), number))
            for lib in (minidl, torch)
        )
        if ours != theirs:
            wrong[name, number] = f"{ours}, PyTorch {theirs}"
    assert not wrong


@pytest.mark.parametrize("op", UNARY)
def test_of_one_tensor(op):
    wrong = {}
    for name in NAMES:
        extra = (0,) if op == "cumsum" else ()
        ours, theirs = (
            outcome(lambda lib=lib, name=name, extra=extra: getattr(lib, op)(operand(lib, name), *extra))
            for lib in (minidl, torch)
        )
        if ours != theirs:
            wrong[name] = f"{ours}, PyTorch {theirs}"
    assert not wrong


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_promote_types_and_result_type(a, b):
    ours = minidl.promote_types(getattr(minidl, a), getattr(minidl, b)).name
    assert ours == str(torch.promote_types(getattr(torch, a), getattr(torch, b))).partition(".")[2]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", NUMBERS)
def test_in_place_results_stay_or_are_refused(name, number):
    for op in ("add_", "mul_", "div_", "pow_"):
        ours, theirs = (
            outcome(lambda lib=lib, op=op: getattr(operand(lib, name), op)(number)) for lib in (minidl, torch)
        )
        assert ours == theirs, op


@pytest.mark.parametrize(
    "data", [1, 1.5, True, [1, 2], [1, 2.5], [True], [], np.float32([1]), np.int16(3), np.arange(2)]
)
def test_of_new_tensors(data):
    assert outcome(lambda: minidl.tensor(data)) == outcome(lambda: torch.tensor(data))
