"""``pad`` in every mode beside PyTorch's: values, gradients of two orders, ranks, dtypes, errors."""

import itertools
import re

import numpy as np
import pytest
import torch
from beside_torch import assert_same, both, normal

import minidl

SHAPES = [(2, 5), (2, 3, 5), (3, 4, 5), (2, 3, 4, 5), (2, 3, 4, 5), (2, 2, 3, 4, 5)]
RANKS = [1, 1, 2, 2, 3, 3]
WIDTHS = {1: (2, 1), 2: (2, 1, 0, 3), 3: (0, 4, 3, 2, 1, 1)}


@pytest.mark.parametrize(("shape", "rank"), list(zip(SHAPES, RANKS, strict=True)), ids=str)
@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_values_and_gradients_of_two_orders(shape, rank, mode):
    assert_same(*both("pad", [normal(*shape)], {"pad": WIDTHS[rank], "mode": mode}))


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_every_width_that_fits(mode):
    x = np.arange(4.0).reshape(1, 1, 4)
    for widths in itertools.product(range(-5, 6), repeat=2):
        if mode == "circular" and min(widths) < 0 and max(widths) > max(4 + min(widths), 0):
            with pytest.raises(
                RuntimeError, match="wrapping around more than once"
            ):  # PyTorch reads what is not set
                minidl.nn.functional.pad(minidl.tensor(x), widths, mode)
            continue
        answers = []
        for library in (minidl, torch):
            try:
                answers.append(library.nn.functional.pad(library.tensor(x), widths, mode).tolist())
            except RuntimeError:
                answers.append(None)
        assert answers[0] == answers[1], widths


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float16"])
def test_other_dtypes(dtype):
    x = np.array([[0, 1, 1, 0, 1]]).astype(dtype)
    for mode in ("constant", "circular", *(("reflect", "replicate") if dtype != "bool" else ())):
        ours = minidl.nn.functional.pad(minidl.tensor(x), (2, 3), mode)
        theirs = torch.nn.functional.pad(torch.tensor(x), (2, 3), mode)
        assert ours.dtype is getattr(minidl, dtype) and ours.tolist() == theirs.tolist()


WRONG = [
    ((2, 3, 4, 5, 6), (1, 1), "reflect"),
    ((2, 3, 4, 5), (1, 1), "replicate"),
    ((2, 3), (1, 1, 1, 1), "circular"),
    ((3,), (1, 1), "reflect"),
    ((2, 3), (3, 1), "reflect"),
    ((2, 3, 3), (0, 0, 3, 0), "reflect"),
    ((2, 3, 4, 5), (1, 1, 1, 1, 4, 4), "reflect"),
    ((2, 3, 5), (5, 6), "circular"),
    ((2, 0, 5), (1, 1), "reflect"),
    ((2, 3, 0), (1, 1), "replicate"),
    ((2, 3, 0), (1, 1), "circular"),
    ((2, 3, 5), (-3, -3), "reflect"),
    ((2, 3, 5), (-3, -2), "replicate"),
    ((2, 3, 4, 5), (-3, -2, -3, -1), "replicate"),
    ((2, 3), (1, 1), "foo"),
]


@pytest.mark.parametrize(("shape", "widths", "mode"), WRONG, ids=str)
def test_errors(shape, widths, mode):
    with pytest.raises((RuntimeError, NotImplementedError)) as theirs:
        torch.nn.functional.pad(torch.ones(shape), widths, mode)
    with pytest.raises(type(theirs.value)) as ours:
        minidl.nn.functional.pad(minidl.ones(shape), widths, mode)
    words, expected = (re.findall(r"\w+", str(raised.value)) for raised in (ours, theirs))
    assert words[: len(expected)] == expected


def test_a_value_belongs_to_constant():
    for library in (minidl, torch):
        with pytest.raises(RuntimeError, match='Padding mode "reflect" doesn\'t take in value argument'):
            library.nn.functional.pad(library.ones(2, 3), (1, 1), "reflect", 1.0)
        assert library.nn.functional.pad(library.ones(2, 3), (1, 1), "reflect", 0).shape == (2, 5)
        with pytest.raises(NotImplementedError, match="not implemented for 'Bool'"):
            library.nn.functional.pad(library.ones(2, 3, dtype=library.bool), (1, 1), "reflect")
        assert library.nn.functional.pad(library.ones(0, 3, 5), (1, 1), "reflect").shape == (0, 3, 7)
