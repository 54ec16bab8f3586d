"""nn.utils.prune beside PyTorch: masks, values, gradients, state and refusals from the same weights."""

import numpy as np
import pytest
import torch
import torch.nn.utils.prune

import minidl
from minidl.autograd.tensor import leaf


def layers():
    """(library, its prune module, a convolution, an input), with equal weights."""
    rng = np.random.default_rng(0)
    weight, bias, x = (rng.standard_normal(shape) for shape in ((4, 3, 2, 2), (4,), (2, 3, 3, 3)))
    for library, made in ((minidl, leaf), (torch, torch.tensor)):
        layer = library.nn.Conv2d(3, 4, 2).double()
        layer.load_state_dict({"weight": made(weight), "bias": made(bias)})
        yield library.nn.utils.prune, layer, made(x)


def seen(prune, layer, x):
    """All that pruning is to agree on."""
    out = layer(x)
    (out * out).sum().backward()
    found = {"out": out, "pruned": prune.is_pruned(layer)}
    for key, value in layer.state_dict().items():
        found[f"state {key}"] = value
    for key, value in layer.named_parameters():
        found[f"grad {key}"] = value.grad
    return {key: np.asarray(v.detach()) if hasattr(v, "detach") else v for key, v in found.items()}


def scores(layer):
    return layer.weight.detach() ** 2 - 1


PROGRAMS = {
    "identity": lambda p, m: p.identity(m, "weight"),
    "l1": lambda p, m: p.l1_unstructured(m, "weight", amount=0.3),
    "l1-number": lambda p, m: p.l1_unstructured(m, "weight", 7),
    "l1-none": lambda p, m: p.l1_unstructured(m, "weight", 0),
    "l1-scores": lambda p, m: p.l1_unstructured(m, "weight", 7, importance_scores=scores(m)),
    "l1-twice": lambda p, m: p.l1_unstructured(p.l1_unstructured(m, "weight", 0.5), "weight", 0.5),
    "l2-filters": lambda p, m: p.ln_structured(m, "weight", 0.5, n=2, dim=0),
    "linf-channels": lambda p, m: p.ln_structured(m, "weight", 1, n=float("inf"), dim=1),
    "l1-last": lambda p, m: p.ln_structured(m, "weight", 1, n=1, dim=-1),
    "filters-twice": lambda p, m: p.ln_structured(p.ln_structured(m, "weight", 1, 2, 0), "weight", 1, 2, 0),
    "filters-then-entries": lambda p, m: p.l1_unstructured(
        p.ln_structured(m, "weight", 1, 2, 0), "weight", 5
    ),
    "entries-then-channels": lambda p, m: p.ln_structured(
        p.l1_unstructured(m, "weight", 5), "weight", 1, 2, 1
    ),
    "mask": lambda p, m: p.custom_from_mask(m, "bias", mask=(m.bias.detach() > 0)),
    "mask-then-l1": lambda p, m: p.l1_unstructured(p.custom_from_mask(m, "bias", m.bias > 0), "bias", 1),
    "global": lambda p, m: p.global_unstructured([(m, "weight"), (m, "bias")], p.L1Unstructured, amount=0.4),
    "global-twice": lambda p, m: [
        p.global_unstructured([(m, "weight"), (m, "bias")], p.L1Unstructured, amount=9) for _ in range(2)
    ],
    "global-scores": lambda p, m: p.global_unstructured(
        [(m, "weight"), (m, "bias")], p.L1Unstructured, {(m, "weight"): scores(m)}, amount=9
    ),
    "removed": lambda p, m: p.remove(p.l1_unstructured(m, "weight", 5), "weight"),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_pruned_layers_are_the_same(program):
    results = []
    for prune, layer, x in layers():
        program(prune, layer)
        results.append(seen(prune, layer, x))
    assert list(results[0]) == list(results[1])
    for key, value in results[0].items():
        np.testing.assert_allclose(value, results[1][key], rtol=1e-10, atol=1e-12, err_msg=key)


REFUSED = {
    "fraction": lambda p, m: p.l1_unstructured(m, "weight", 1.5),
    "negative": lambda p, m: p.l1_unstructured(m, "weight", -1),
    "text": lambda p, m: p.l1_unstructured(m, "weight", "a"),
    "too-many": lambda p, m: p.l1_unstructured(m, "weight", 100),
    "too-many-filters": lambda p, m: p.ln_structured(m, "weight", 5, 1, 0),
    "no-parameter": lambda p, m: p.l1_unstructured(m, "foo", 1),
    "not-pruned": lambda p, m: p.remove(m, "bias"),
    "dim": lambda p, m: p.ln_structured(m, "weight", 1, 2, 5),
    "vector": lambda p, m: p.ln_structured(m, "bias", 1, 2, 0),
    "global-structured": lambda p, m: p.global_unstructured([(m, "weight")], p.LnStructured, amount=0.3, n=2),
    "global-number": lambda p, m: p.global_unstructured(3, p.L1Unstructured, amount=0.3),
    "global-scores": lambda p, m: p.global_unstructured([(m, "weight")], p.L1Unstructured, [1], amount=0.3),
    "mask": lambda p, m: p.custom_from_mask(m, "bias", m.bias[:2].detach()),
    "scores": lambda p, m: p.l1_unstructured(m, "weight", 1, importance_scores=m.bias.detach()),
    "container": lambda p, m: p.PruningContainer().add_pruning_method(3),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_refusals_say_what_pytorch_says(call):
    (ours, my_layer, _), (theirs, layer, _) = layers()
    with pytest.raises(Exception) as wanted:
        call(theirs, layer)
    with pytest.raises(type(wanted.value)) as found:
        call(ours, my_layer)
    text = str(found.value).replace("minidl", "torch").replace("pruning_methods", "prune")
    assert text == str(wanted.value)
    assert list(my_layer.state_dict()) == ["weight", "bias"]


@pytest.mark.parametrize("amount", [0, 3, 0.5])
def test_pruning_at_random(amount):
    layer = minidl.nn.Linear(6, 8)
    prune = minidl.nn.utils.prune
    prune.random_unstructured(layer, "weight", amount)
    count = amount if isinstance(amount, int) else round(amount * 48)
    assert int((layer.weight_mask == 0).sum()) == count
    other = prune.random_structured(minidl.nn.Linear(6, 8), "weight", amount, dim=0)
    count = amount if isinstance(amount, int) else round(amount * 8)
    assert sorted(other.weight_mask.sum(1).tolist()) == [0.0] * count + [6.0] * (8 - count)
    assert isinstance(next(iter(other._forward_pre_hooks.values())), prune.RandomStructured)


def test_methods_prune_tensors():
    results = []
    for library in (minidl, torch):
        prune, t = library.nn.utils.prune, library.arange(4.0)
        mask = library.tensor([1, 1, 1, 0.0])
        method = prune.L1Unstructured(amount=2)
        results.append([method.prune(t).tolist(), method.prune(t, default_mask=mask).tolist(),
                        method.prune(t, importance_scores=-t + 5).tolist()])  # fmt: skip
    assert results[0] == results[1]
