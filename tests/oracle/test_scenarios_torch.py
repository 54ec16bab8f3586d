"""Views, in-place writes and refusals: minidl does, computes and says what PyTorch does."""

import driving
import numpy as np
import pytest
import torch
from refusals import REFUSALS
from scenarios import RESULTS

import minidl

X = np.random.default_rng(0).uniform(-1, 1, (3, 4))
Y = np.random.default_rng(1).uniform(0.5, 1.5, 4)


def leaves(lib):
    return [lib.tensor(values, dtype=lib.float64, requires_grad=True) for values in (X, Y)]


@pytest.mark.parametrize("program", RESULTS.values(), ids=RESULTS)
def test_results_and_gradients_agree(program):
    found, expected = [], []
    for lib, kept in ((minidl, found), (torch, expected)):
        x, y = leaves(lib)
        out = program(lib, x, y)
        weight = lib.tensor(driving.directions([tuple(out.shape)], 3)[0])
        kept += [out.detach(), *lib.autograd.grad((out * weight).sum(), [x, y], allow_unused=True)]
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            driving.assert_near(ours.numpy(), theirs.numpy(), 1e-12, 1e-12)


@pytest.mark.parametrize("program", REFUSALS.values(), ids=REFUSALS)
def test_refusals_have_the_class_and_words_of_pytorch(program):
    errors = []
    for lib in (torch, minidl):
        with pytest.raises(Exception) as caught:
            program(lib, *leaves(lib))
        errors.append(caught.value)
    theirs, ours = errors
    assert isinstance(ours, type(theirs)), f"PyTorch raises {type(theirs).__name__}: {theirs}"
    # Names of dtypes, ops and places differ, so it is most of the opening words that have to be the same.
    words, wanted = str(ours).split(), str(theirs).split()[:12]
    shared = sum(word in words for word in wanted)
    assert shared >= 0.7 * len(wanted), f"PyTorch says: {theirs}\nminidl says: {ours}"
