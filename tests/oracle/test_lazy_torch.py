"""Lazy layers beside PyTorch's: before the first input, after it, and signatures."""

import inspect

import numpy as np
import pytest
import torch
from test_lazy import LAZY

import minidl

layers = pytest.mark.parametrize("name", LAZY)


def made(name):
    return [getattr(nn, f"Lazy{name}")(*LAZY[name][0]) for nn in (minidl.nn, torch.nn)]


@layers
def test_repr_and_state_before_and_after_the_first_input(name):
    ours, theirs = made(name)
    x = np.random.default_rng(0).standard_normal(LAZY[name][2]).astype("float32")
    assert repr(ours) == repr(theirs)
    assert list(map(repr, ours.state_dict().values())) == list(map(repr, theirs.state_dict().values()))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours(minidl.tensor(x)), theirs(torch.tensor(x))
    assert repr(ours) == repr(theirs)
    shapes = [[tuple(v.shape) for v in layer.state_dict().values()] for layer in (ours, theirs)]
    assert shapes[0] == shapes[1]


@layers
def test_signatures(name):
    ours, theirs = (
        [(p.name, p.kind, p.default) for p in inspect.signature(type(layer)).parameters.values()]
        for layer in made(name)
    )
    assert ours == theirs
