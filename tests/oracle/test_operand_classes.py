"""Operators beside other classes, keywords that the methods have, and what PyTorch warns of: the same in both."""

import operator
import warnings

import pytest
import torch

import minidl

PLAIN = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and_",
    "or_",
    "xor",
    "lshift",
    "rshift",
)
COMPARED = ("lt", "le", "gt", "ge", "eq", "ne")
OPERATORS = [*PLAIN, *COMPARED, *(f"i{name.strip('_')}" for name in PLAIN)]


class Answering:
    """An operand that has every operator."""


for _stem in (*PLAIN, *COMPARED):
    for _form in (f"__r{_stem.strip('_')}__", f"__{_stem.strip('_')}__"):
        setattr(Answering, _form, lambda self, other, form=_form: f"answered by {form}")


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize(
    "other", ["text", None, (1,), {}, object(), Answering()], ids=lambda x: type(x).__name__
)
def test_an_operator_gives_way_to_other_classes(name, other):
    outcomes = []
    for lib in (torch, minidl):
        for first, second in ((lib.arange(2), other), (other, lib.arange(2))):
            try:
                outcomes.append(repr(getattr(operator, name)(first, second)))
            except Exception as error:
                outcomes.append(type(error))
    assert outcomes[:2] == outcomes[2:]


CALLS = {
    "split": lambda lib, x: x.split(split_size=1, dim=1)[2],
    "split of sizes": lambda lib, x: x.split(split_size=[1, 2], dim=1)[1],
    "the function split": lambda lib, x: lib.split(tensor=x, split_size_or_sections=1)[0],
    "swapaxes": lambda lib, x: x.swapaxes(axis0=0, axis1=1),
    "the function swapaxes": lambda lib, x: lib.swapaxes(x, axis0=1, axis1=0),
    "swapaxes_": lambda lib, x: x.clone().swapaxes_(axis0=1, axis1=0),
    "the function swapdims": lambda lib, x: lib.swapdims(x, dim0=1, dim1=0),
    "relu of zeros": lambda lib, x: lib.relu(lib.tensor([-0.0, 0.0, -1.0, 2.0] * 9)).signbit(),
    "relu of few zeros": lambda lib, x: lib.relu(lib.tensor([-0.0, 0.0, -1.0])[::2].double()).signbit(),
    **{f"{name} of {free}": lambda lib, x, name=name, free=free: getattr(lib, name)(x, 0, correction=free)
       for name in ("var", "std", "var_mean", "std_mean") for free in (1, 2, 3.5)},
    "var of nothing": lambda lib, x: lib.zeros(0).var(),
    "var over nothing": lambda lib, x: lib.zeros(3, 0).var(0),
    "var of nothing's columns": lambda lib, x: lib.zeros(0, 3).var(0, unbiased=False),
    "std of one": lambda lib, x: lib.ones(1).std(),
    **{name: lambda lib, x, name=name: getattr(x.clone(), name)(2)
       for name in ("eq_", "ne_", "lt_", "le_", "gt_", "ge_", "greater_", "less_equal_", "not_equal_")},
    **{f"{name} of integers": lambda lib, x, name=name: getattr(x.long(), name)(1)
       for name in ("bitwise_left_shift_", "bitwise_right_shift_", "__ilshift__", "__irshift__", "eq_")},
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_results_and_warnings(call):
    outcomes = []
    for lib in (torch, minidl):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = call(lib, lib.arange(6.0).reshape(2, 3))
        said = [str(w.message).split(" (Triggered")[0] for w in caught]
        outcomes.append((repr(result).replace("torch.", "").replace("minidl.", ""), said))
    assert outcomes[0] == outcomes[1]
