"""AdaptiveLogSoftmaxWithLoss beside PyTorch: predictions, signatures, texts of errors."""

import inspect

import numpy as np
import pytest
import torch
from beside_torch import refusal

import minidl

X = np.random.default_rng(2).standard_normal((40, 16))


def layer(lib, *args, **options):
    return lib.nn.AdaptiveLogSoftmaxWithLoss(16, 20, *(args or ([4, 10],)), **options)


def pair(**options):
    ours, theirs = layer(minidl, **options).double(), layer(torch, **options).double()
    theirs.load_state_dict({name: torch.tensor(value.numpy()) for name, value in ours.state_dict().items()})
    return ours, theirs


@pytest.mark.parametrize("favoured", [None, 0, 4])
def test_predictions(favoured):
    """Of all samples the head, or a cluster, or both."""
    ours, theirs = pair(head_bias=True, div_value=2.0)
    if favoured is not None:
        for net in (ours, theirs):
            net.head.bias.data[favoured] = 100.0
    found, expected = ours.predict(minidl.tensor(X)), theirs.predict(torch.tensor(X))
    np.testing.assert_array_equal(found.numpy(), expected.numpy())
    assert found.dtype is minidl.int64


def test_the_result_has_names():
    ours, theirs = pair()
    target = np.arange(40) % 20
    found, expected = (
        ours(minidl.tensor(X), minidl.tensor(target)),
        theirs(torch.tensor(X), torch.tensor(target)),
    )
    assert found._fields == expected._fields
    np.testing.assert_allclose(found.loss.item(), expected.loss.item(), rtol=1e-12)
    np.testing.assert_allclose(found.output.detach().numpy(), expected.output.detach().numpy(), rtol=1e-12)


def test_parameters():
    ours, theirs = (
        inspect.signature(lib.nn.AdaptiveLogSoftmaxWithLoss).parameters for lib in (minidl, torch)
    )
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


BAD = {
    "no cutoffs": lambda lib: layer(lib, []),
    "order": lambda lib: layer(lib, [10, 4]),
    "twice": lambda lib: layer(lib, [4, 4]),
    "low": lambda lib: layer(lib, [0, 4]),
    "high": lambda lib: layer(lib, [4, 20]),
    "fraction": lambda lib: layer(lib, [4.5]),
    "batch": lambda lib: layer(lib)(lib.ones(2, 16), lib.tensor([0, 1, 2])),
    "rank": lambda lib: layer(lib)(lib.ones(2, 3, 16), lib.tensor([0, 1])),
    "single rank": lambda lib: layer(lib)(lib.ones(2, 16), lib.tensor(1)),
    "target rank": lambda lib: layer(lib)(lib.ones(2, 16), lib.tensor([[0], [1]])),
    "range": lambda lib: layer(lib)(lib.ones(2, 16), lib.tensor([0, 20])),
    "negative": lambda lib: layer(lib)(lib.ones(2, 16), lib.tensor([0, -1])),
    "former name": lambda lib: lib.nn.NLLLoss2d(),
}


@pytest.mark.parametrize("name", BAD)
def test_texts_begin_as_pytorch_s(name):
    kind, text = refusal(lambda: BAD[name](minidl))
    theirs, expected = refusal(lambda: BAD[name](torch))
    expected = expected.partition(" and see https")[0]
    assert issubclass(kind, theirs)
    assert text.startswith(expected.rstrip(".")), f"{text!r}\ndoes not begin with\n{expected!r}"
