"""``_foreach_*`` beside PyTorch's: every name, its in-place form, and arguments for all or for each."""

import numpy as np
import pytest
import torch

import minidl

ROWS = [np.random.default_rng(i).uniform(0.1, 0.9, size) for i, size in enumerate(((2, 3), (4,), ()))]
NAMES = sorted(name for name in dir(minidl) if name.startswith("_foreach_"))
TWO = ("add", "sub", "mul", "div", "maximum", "minimum", "clamp_max", "clamp_min", "pow", "copy_")


def test_names_are_those_of_pytorch():
    missing = {name for name in dir(torch) if name.startswith("_foreach_")} - set(NAMES)
    assert missing == {"_foreach_powsum"}
    assert all(hasattr(torch, name) for name in NAMES)


def lists(library):
    return [library.tensor(row) for row in ROWS], [
        library.tensor(row[..., None][..., 0] + 0.3) for row in ROWS
    ]


def arguments(name, others, library):
    """Ways to call a name with what stands behind the list."""
    word = name.removeprefix("_foreach_")
    base = word if word == "copy_" else word.rstrip("_")
    if base in TWO:
        scalars = [] if word == "copy_" else [((2,), {}), (([1.5, 2.0, 0.5],), {})]
        return [((others,), {}), *scalars, *([((others,), {"alpha": 2})] if base in ("add", "sub") else [])]
    if base.startswith("addc"):
        return [((others, others), {}), ((others, others, 2.0), {}), ((others, others, [1.0, 2.0, 3.0]), {})]
    if base == "lerp":
        return [((others, 0.3), {}), ((others, others), {})]
    return [((), {}), *([((1,), {})] if base == "norm" else [])]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "_foreach_mm"])
def test_same_numbers(name):
    for way in range(len(arguments(name, (), minidl))):
        answers = []
        for library in (minidl, torch):
            tensors, others = lists(library)
            positional, named = arguments(name, others, library)[way]
            result = getattr(library, name)(tensors, *positional, **named)
            assert (result is tensors) == name.endswith("_")
            answers.append([value.numpy() for value in result])
        for ours, theirs in zip(*answers, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda m, t: m._foreach_mul(t, t[:1]),
        lambda m, t: m._foreach_mul(t, [1.0]),
        lambda m, t: m._foreach_sqrt([]),
        lambda m, t: m._foreach_mul(3, 2),
    ],
)
def test_same_refusals(call):
    texts = []
    for library in (minidl, torch):
        with pytest.raises((RuntimeError, TypeError)) as caught:
            call(library, lists(library)[0])
        texts.append((caught.type, str(caught.value)[:40]))
    assert texts[0] == texts[1]
