"""Every row of ``tests/cases``: forward, gradients of both orders, layouts, in-place form, backend parity."""

import driving
import numpy as np
import pytest
from cases import CASES

import minidl
from minidl import autograd, backends
from minidl.autograd import registry
from minidl.autograd.inplace import can_cast
from minidl.testing import strided

FORWARD = {"float64": 1e-10, "float32": 2e-5, "float16": 2e-3, "bfloat16": 2e-2}
PARITY = {"float64": 1e-10, "float32": 1e-4, "float16": 2e-3, "bfloat16": 2e-2}
rows = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
twice = pytest.mark.parametrize("case", [c for c in CASES if c.grad and c.grad2], ids=lambda case: case.name)
graded = pytest.mark.parametrize("case", [case for case in CASES if case.grad], ids=lambda case: case.name)


def test_rows_have_distinct_names():
    names = [case.name for case in CASES]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"give these rows of one op different ids: {twice}"


@rows
@pytest.mark.parametrize("floating", [np.float64, np.float32], ids=["float64", "float32"])
def test_forward_agrees_with_numpy_and_leaves_its_inputs_alone(case, floating):
    arrays = case.arrays(floating)
    results = driving.outputs(case, driving.tensors(case, arrays))
    for array, before in zip(arrays, case.arrays(floating), strict=True):
        np.testing.assert_array_equal(array, before, err_msg="an out-of-place op changed its input")
    if case.numpy is None:
        return
    expected = driving.flat(case.expected(arrays))
    assert len(results) == len(expected), f"{len(results)} results, the oracle gives {len(expected)}"
    for result, wanted in zip(results, expected, strict=True):
        found = driving.host(result)
        tolerance = case.tolerance * FORWARD.get(found.dtype.name, 0)
        driving.assert_near(found, wanted, tolerance, tolerance, nan=True)


@graded
def test_gradient_agrees_with_central_differences(case):
    analytic = driving.gradients(case, case.arrays())
    for place, (found, numeric) in enumerate(zip(analytic, driving.numeric_gradients(case), strict=True)):
        driving.assert_near(found, numeric, 1e-5 * case.tolerance, 1e-6 * case.tolerance, f"input {place}")


@graded
def test_gradient_does_not_depend_on_which_others_are_wanted(case):
    arrays, wanted = case.arrays(), case.differentiable
    together = driving.gradients(case, arrays)
    if len(wanted) < 2:
        return
    for position, place in enumerate(wanted):
        inputs = driving.tensors(case, arrays, grad=[place])
        results = driving.differentiable(driving.outputs(case, inputs))
        if not results:
            assert not together[position].any()
            continue
        weights = driving.tensors(case, driving.directions([tuple(r.shape) for r in results], 1))
        (alone,) = autograd.grad(results, [inputs[place]], weights, allow_unused=True)
        alone = np.zeros_like(together[position]) if alone is None else driving.host(alone)
        driving.assert_near(alone, together[position], 1e-12, 1e-12, f"input {place} alone")


@twice
def test_second_gradient_agrees_with_central_differences(case):
    analytic, numeric = driving.second_gradients(case)
    for place, (found, wanted) in enumerate(zip(analytic, numeric, strict=True)):
        driving.assert_near(found, wanted, 1e-5 * case.tolerance, 1e-5 * case.tolerance, f"input {place}")


@twice
def test_create_graph_gives_the_same_gradient(case):
    recorded = driving.gradients(case, case.arrays(), create_graph=True)
    for found, plain in zip(recorded, driving.gradients(case, case.arrays()), strict=True):
        driving.assert_near(found, plain, 1e-10, 1e-12)


@pytest.mark.parametrize("case", [case for case in CASES if case.layouts], ids=lambda case: case.name)
@pytest.mark.parametrize("layout", ["transposed", "sliced", "negative", "expanded"])
def test_memory_layout_does_not_matter(case, layout):
    arrays = [strided(array, layout) for array in case.arrays()]
    plain = [np.ascontiguousarray(array).reshape(array.shape) for array in arrays]
    if all(a.strides == b.strides for a, b in zip(arrays, plain, strict=True)):
        return
    results, expected = (driving.outputs(case, driving.tensors(case, each)) for each in (arrays, plain))
    for result, wanted in zip(results, expected, strict=True):
        driving.assert_near(driving.host(result), driving.host(wanted), 1e-12, 1e-12, nan=True)
    if case.grad:
        for found, wanted in zip(
            driving.gradients(case, arrays), driving.gradients(case, plain), strict=True
        ):
            driving.assert_near(found, wanted, 1e-11, 1e-11, nan=True)


# These change their tensor's shape, not its values.
RESHAPING = {
    "as_strided",
    "squeeze",
    "unsqueeze",
    "t",
    "transpose",
    "swapaxes",
    "swapdims",
    "resize",
    "resize_as",
}


def _has_inplace(case):
    first = case.inputs[0] if case.inputs else None
    return (
        case.op not in RESHAPING
        and case.op + "_" in registry.METHODS
        and first in case.specs
        and case.numpy is not None
    )


@pytest.mark.parametrize("case", [case for case in CASES if _has_inplace(case)], ids=lambda case: case.name)
def test_inplace_form_gives_the_same(case):
    def run(inplace):
        inputs = driving.tensors(case, case.arrays(), grad=case.differentiable)
        target = inputs[0].clone()
        args, kwargs = case.arguments([target, *inputs[1:]], minidl)
        minidl.manual_seed(0)
        function = registry.METHODS[case.op + "_"] if inplace else driving.public(case.op)
        result = function(*args, **kwargs)
        return target, result, inputs

    target, expected, inputs = run(inplace=False)
    if expected.shape != target.shape or not can_cast(expected.dtype.numpy, target.dtype.numpy):
        with pytest.raises(RuntimeError):
            run(inplace=True)
        return
    target, result, changed = run(inplace=True)
    assert result is target
    driving.assert_near(driving.host(result), driving.host(expected), 0, 0, nan=True)
    wanted = case.differentiable
    if wanted:
        weight = driving.tensors(case, driving.directions([tuple(result.shape)], 1))
        found = autograd.grad([result], [changed[i] for i in wanted], weight, allow_unused=True)
        same = autograd.grad([expected], [inputs[i] for i in wanted], weight, allow_unused=True)
        for a, b in zip(found, same, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                driving.assert_near(driving.host(a), driving.host(b), 1e-12, 1e-12)


def _everything(case, floating, device="cpu"):
    """Results and gradients on the host."""
    arrays = case.arrays(floating)
    results = [driving.host(r) for r in driving.outputs(case, driving.tensors(case, arrays, device))]
    return results + (driving.gradients(case, arrays, device) if case.differentiable else [])


def _assert_parity(case, found, expected):
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype, f"dtype {a.dtype}, the reference gives {b.dtype}"
        tolerance = PARITY.get(a.dtype.name, 0) * case.tolerance
        driving.assert_near(a, b, tolerance, tolerance, nan=True)


@pytest.mark.parametrize("case", [case for case in CASES if case.backends], ids=lambda case: case.name)
@pytest.mark.parametrize("floating", [np.float64, np.float32], ids=["float64", "float32"])
def test_native_agrees_with_reference(case, floating, native):
    with driving.cpu_backend(native):
        found = _everything(case, floating)
    with driving.cpu_backend(backends.reference):
        expected = _everything(case, floating)
    _assert_parity(case, found, expected)


_SIGNS = "singular vectors are unique up to a sign, which each library chooses"
# What CuPy gives otherwise than NumPy, and rightly or known.
ON_A_GPU = {
    "_svd": _SIGNS,
    "svd": _SIGNS,
    "linalg.svd": _SIGNS,
    "linalg.inv_ex": "CuPy's solver does not tell of a singular matrix",
}


@pytest.mark.parametrize("case", [case for case in CASES if case.backends], ids=lambda case: case.name)
def test_emulated_agrees_with_reference(case, emulated):
    if emulated == "cuda" and case.op in ON_A_GPU:
        pytest.skip(ON_A_GPU[case.op])
    found = _everything(case, np.float32, emulated)
    with driving.cpu_backend(backends.reference):
        expected = _everything(case, np.float32)
    _assert_parity(case, found, expected)
