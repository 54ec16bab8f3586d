"""``x[index] = value`` for plain indices: numbers, tensors and what is refused, in minidl and PyTorch alike."""

import math

import pytest
import torch

import minidl

TARGETS = {
    "float32": lambda m: m.arange(6.0).reshape(2, 3),
    "float16": lambda m: m.arange(6.0).reshape(2, 3).to(m.float16),
    "bfloat16": lambda m: m.arange(6.0).reshape(2, 3).bfloat16(),
    "int64": lambda m: m.arange(6).reshape(2, 3),
    "uint8": lambda m: m.arange(6).reshape(2, 3).to(m.uint8),
    "bool": lambda m: m.zeros(2, 3, dtype=m.bool),
    "transposed": lambda m: m.arange(6.0).reshape(3, 2).t(),
    "expanded": lambda m: m.arange(3.0).expand(2, 3),
    "expanded by one": lambda m: m.arange(6.0).reshape(2, 3)[:, :1].expand(2, 1),
    "0-d": lambda m: m.tensor(1.0),
    "recorded": lambda m: m.arange(6.0).reshape(2, 3).requires_grad_() * 1,
    "leaf": lambda m: m.arange(6.0).reshape(2, 3).requires_grad_(),
}
INDICES = [
    (1, 2), (-2, -3), (0, 3), (2, 0), (0, 0, 0), (1,), 1, (), ..., None, (slice(None), 1), (0, slice(1, None)),
    (None, 1), True, slice(5, 9),
]  # fmt: skip
VALUES = {
    "float": lambda m: 2.5,
    "int": lambda m: -3,
    "bool": lambda m: True,
    "nan": lambda m: math.nan,
    "infinity": lambda m: -math.inf,
    "too large": lambda m: 1e300,
    "0-d": lambda m: m.tensor(7.0),
    "0-d, integer": lambda m: m.tensor(7),
    "one": lambda m: m.tensor([8.0]),
    "row": lambda m: m.tensor([1.0, 2.0, 3.0]),
    "a view of itself": None,
}


def written(m, target, index, value):
    x = target(m)
    value = x.reshape(-1)[-1] if value is None else value(m)
    try:
        x[index] = value
    except (IndexError, RuntimeError):
        return "refused"
    return m.isnan(x).tolist(), m.nan_to_num(x.detach().float(), 5.0).tolist()


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_writes_at_plain_indices(target, value):
    for index in INDICES:
        assert written(minidl, target, index, value) == written(torch, target, index, value), index


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "int16"])
def test_numbers_that_a_dtype_cannot_hold(name):
    """Refused by all that fill, but written into halves by index as infinities."""

    def outcomes(m, value):
        x = m.zeros(2, dtype=getattr(m, name))
        calls = (
            lambda: m.full((2,), value, dtype=x.dtype), lambda: m.full_like(x, value),
            lambda: m.nn.functional.pad(x, (0, 1), value=value), lambda: x.clone().fill_(value),
            lambda: x.__setitem__(0, value) or x, lambda: x.masked_fill(x == 0, value),
        )  # fmt: skip
        told = []
        for call in calls:
            try:
                told.append(call().float().tolist())
            except RuntimeError as error:
                told.append("without overflow" in str(error))
        return told

    for value in (7e4, -7e4, 3.5e38, -1e300, math.inf if name != "int16" else 1.0, 2.0):
        assert outcomes(minidl, value) == outcomes(torch, value), value
