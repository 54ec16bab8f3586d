"""Every row of ``tests/cases`` against PyTorch: results, dtypes, shapes, gradients."""

import warnings

import driving
import numpy as np
import pytest
import torch
from cases import CASES

from minidl.autograd import registry

ROWS = [case for case in CASES if case.torch is not False]
TOLERANCE = {"float64": 1e-9, "float32": 5e-5, "float16": 2e-3, "bfloat16": 2e-2}


def counterpart(case):
    """PyTorch's function for a row: the one that the row names, or the one of the op's name."""
    if callable(case.torch):
        return lambda *args, **kwargs: case.torch(torch, *args, **kwargs)
    if case.torch is not None or "." in case.op:
        found = torch
        for part in (case.torch or case.op.replace("functional.", "nn.functional.")).split("."):
            found = getattr(found, part)
        return found
    homes = [torch, torch.Tensor, torch.nn.functional]
    if case.op not in registry.FACES["torch"] and case.op in registry.FACES["functional"]:
        homes.reverse()
    for home in homes:
        if callable(getattr(home, case.op, None)):
            return getattr(home, case.op)
    raise LookupError(
        f"{case.name}: PyTorch has no {case.op}; name its counterpart with torch=..., or torch=False"
    )


def torch_outputs(case, arrays, grad=()):
    inputs = [torch.tensor(array, requires_grad=i in grad) for i, array in enumerate(arrays)]
    args, kwargs = case.arguments(inputs, torch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return driving.flat(counterpart(case)(*driving.spared(case, args), **kwargs)), inputs


def host(value):
    if not isinstance(value, torch.Tensor):
        return np.asarray(value)
    return (value.float() if value.dtype is torch.bfloat16 else value).detach().numpy()


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
@pytest.mark.parametrize("floating", [np.float64, np.float32], ids=["float64", "float32"])
def test_results_agree_with_pytorch(case, floating):
    arrays = case.arrays(floating)
    results = driving.outputs(case, driving.tensors(case, arrays))
    expected, _ = torch_outputs(case, arrays)
    assert len(results) == len(expected)
    for result, wanted in zip(results, expected, strict=True):
        if isinstance(wanted, torch.Tensor):
            assert tuple(result.shape) == tuple(wanted.shape)
            assert result.dtype.name == str(wanted.dtype).removeprefix("torch.")
        found = driving.host(result)
        tolerance = TOLERANCE.get(found.dtype.name, 0) * case.tolerance
        driving.assert_near(found, host(wanted), tolerance, tolerance, nan=True)


@pytest.mark.parametrize("case", [case for case in ROWS if case.grad], ids=lambda case: case.name)
def test_gradients_agree_with_pytorch(case):
    arrays, wanted = case.arrays(), case.differentiable
    results, inputs = torch_outputs(case, arrays, wanted)
    results = [r for r in results if isinstance(r, torch.Tensor) and r.requires_grad]
    weights = driving.directions([tuple(r.shape) for r in results], 1)
    expected = torch.autograd.grad(
        results, [inputs[i] for i in wanted], [torch.tensor(w) for w in weights], allow_unused=True
    )
    for place, (found, theirs) in enumerate(zip(driving.gradients(case, arrays), expected, strict=True)):
        theirs = np.zeros_like(found) if theirs is None else theirs.numpy()
        driving.assert_near(found, theirs, 1e-9 * case.tolerance, 1e-9 * case.tolerance, f"input {place}")
