"""Linear cross entropy beside PyTorch: parameters, texts of errors."""

import inspect

import pytest
import torch
from beside_torch import refusal

import minidl


def call(lib, *shapes, target=(0, 1), **options):
    x, w = (lib.ones(*shape) for shape in shapes)
    target = lib.tensor(list(target)) if isinstance(target, tuple) else target
    return lib.nn.functional.linear_cross_entropy(x, w, target, **options)


BAD = {
    "features": lambda lib: call(lib, (2, 5), (3, 4)),
    "rank": lambda lib: call(lib, (2, 4, 5), (3, 5)),
    "weight rank": lambda lib: call(lib, (2, 5), (5,)),
    "single": lambda lib: call(lib, (5,), (3, 2, 5)),
    "bias": lambda lib: call(lib, (2, 5), (3, 5), linear_bias=lib.ones(4)),
    "deep bias": lambda lib: call(lib, (2, 5), (3, 2, 5), linear_bias=lib.ones(3)),
    "ignore": lambda lib: call(lib, (2, 5), (3, 5), target=lib.ones(2, 3), ignore_index=-100),
    "reduction": lambda lib: call(lib, (2, 5), (3, 5), reduction="bad"),
    "batch": lambda lib: call(lib, (2, 5), (3, 5), target=(0,)),
}


@pytest.mark.parametrize("name", BAD)
def test_texts_begin_as_pytorch_s(name):
    if not hasattr(torch.nn, "LinearCrossEntropyLoss"):
        pytest.skip("this PyTorch has no linear_cross_entropy")
    kind, text = refusal(lambda: BAD[name](minidl))
    theirs, expected = refusal(lambda: BAD[name](torch))
    assert issubclass(kind, theirs)
    assert text.startswith(expected.rstrip(".")), f"{text!r}\ndoes not begin with\n{expected!r}"


def test_parameters():
    if not hasattr(torch.nn, "LinearCrossEntropyLoss"):
        pytest.skip("this PyTorch has no LinearCrossEntropyLoss")
    ours, theirs = (inspect.signature(lib.nn.LinearCrossEntropyLoss).parameters for lib in (minidl, torch))
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]


BAD_OPTIONS = [
    {"acc_policy": "none"},
    {"chunking_method": "aspect_ratio:0"},
    {"batch_chunk_size": 0},
    {"acc_dtype": "int32"},
]


@pytest.mark.parametrize("given", BAD_OPTIONS)
def test_options_are_checked(given):
    if not hasattr(torch.nn, "LinearCrossEntropyOptions"):
        pytest.skip("this PyTorch has no LinearCrossEntropyOptions")

    def made(lib):
        values = {k: getattr(lib, v) if k == "acc_dtype" else v for k, v in given.items()}
        return lib.nn.LinearCrossEntropyOptions(**values)

    kind, text = refusal(lambda: made(minidl))
    theirs, expected = refusal(lambda: made(torch))
    assert (kind, text.replace("minidl.", "torch.")) == (theirs, expected)
    assert repr(minidl.nn.LinearCrossEntropyOptions()) == repr(torch.nn.LinearCrossEntropyOptions())
