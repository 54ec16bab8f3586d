"""minidl under its own tools: every op that has a row, every layer, optimizer and kernel, over drawn values.

The default run draws few examples of each; the scheduled one draws 100,000 in all (CONTRIBUTING.md).
"""

import zlib
from functools import cache

import driving
import numpy as np
import pytest
from accelerators import usable
from cases import CASES, MODULE_CASES
from cases.case import Spec, replace
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minidl
from minidl import autograd, backends, nn
from minidl.autograd.tensor import leaf
from minidl.errors import DeviceError, NotDifferentiableError
from minidl.testing import check_gradients, check_kernel, check_module, check_optimizer, layouts, strided
from minidl.testing import optimizers as optimizer_examples
from minidl.testing.gradient_coverage import GradientCoverage
from minidl.testing.kernels import kernel_calls
from minidl.testing.selftest import properties
from minidl.testing.small_networks import OPTIMIZERS

DRAWN = settings().max_examples
SCHEDULED = DRAWN > 1000
few = settings(max_examples=max(2, DRAWN // 30))
fewer = settings(max_examples=max(1, DRAWN // 60))


def grouped(cases, name):
    found = {}
    for case in cases:
        if case.grad:
            found.setdefault(name(case), []).append(case)
    return found


BY_OP = grouped([case for case in CASES if case.differentiable], lambda case: case.op)
BY_LAYER = grouped(MODULE_CASES, lambda case: case.layer if isinstance(case.layer, str) else case.id)
# Its weight is computed from two parameters, and so no tensor that can be copied, as in PyTorch.
BY_LAYER.pop("weight_norm", None)


def drawn_arrays(specs, name, seed):
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    return [spec.draw(rng) for spec in specs]


@few
@given(data=st.data(), seed=st.integers(0, 10**6))
@pytest.mark.parametrize("op", sorted(BY_OP))
def test_gradients_of_an_op(op, data, seed):
    case = data.draw(st.sampled_from(BY_OP[op]))
    arrays = drawn_arrays(case.specs, case.name, seed)
    if case.layouts:
        layout = data.draw(layouts(expanded=False))
        arrays = [strided(array, layout) for array in arrays]
    moved = [i for i, spec in enumerate(case.specs) if spec.differentiable and arrays[i].dtype.kind == "f"]

    def call(*tensors):
        given = [leaf(array) for array in arrays]
        for place, tensor in zip(moved, tensors, strict=True):
            given[place] = tensor
        return tuple(r for r in driving.outputs(case, given) if isinstance(r, minidl.Tensor))

    tolerance = {"rtol": 1e-5 * case.tolerance, "atol": 1e-5 * case.tolerance}
    try:
        order = 2 if case.grad2 else 1
        check_gradients(call, *(arrays[i] for i in moved), order=order, modes=["directional"], **tolerance)
    except NotDifferentiableError:
        assume(False)  # two drawn values tie, or one lies on a kink


@fewer
@given(data=st.data(), seed=st.integers(0, 10**6))
@pytest.mark.parametrize("layer", sorted(BY_LAYER))
def test_a_layer_keeps_its_promises(layer, data, seed):
    case = data.draw(st.sampled_from(BY_LAYER[layer]))
    minidl.manual_seed(seed)
    module = case.build(nn, minidl, leaf)
    rng = np.random.default_rng([zlib.crc32(case.name.encode()), seed])
    inputs, keywords = replace((case.inputs, case.call), Spec, lambda spec: spec.draw(rng))
    keywords = replace(keywords, np.ndarray, leaf)  # masks

    def call(module, *flat):
        given = replace(
            keywords, minidl.Tensor, lambda t: t.to(flat[0].dtype) if t.is_floating_point() else t
        )
        return module(*_nested(inputs, iter(flat)), **given)

    try:
        check_module(module, *_flat(inputs), batch_dim=None, call=call)
    except NotDifferentiableError:
        assume(False)


def _flat(tree):
    return [leaf for each in tree for leaf in (_flat(each) if isinstance(each, tuple) else [each])]


def _nested(tree, values):
    return tuple(_nested(each, values) if isinstance(each, tuple) else next(values) for each in tree)


@few
@given(data=st.data())
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_an_optimizer_keeps_its_promises(name, data):
    check_optimizer(data.draw(optimizer_examples([name])))


@cache
def calls_of_rows():
    """What the rows, and steps of optimizers, ask of the native backend."""

    def work():
        for case in CASES:
            if case.backends:
                arrays = case.arrays(np.float32)
                driving.outputs(case, driving.tensors(case, arrays))
                if case.differentiable:
                    driving.gradients(case, arrays)
        for make in (lambda p: minidl.optim.SGD(p, momentum=0.9), minidl.optim.Adam):
            weight = minidl.linspace(-1, 1, 5).requires_grad_()
            (weight * weight).sum().backward()
            make([weight]).step()

    return kernel_calls(work, backends.cpu)


# What no op calls
UNCALLED = {
    "philox_bits": ((7,), np.dtype(np.uint64), 1, 0),
    "affine_images": (np.ones((2, 5, 6, 3), np.float32), np.full((2, 2, 3), 0.7), 1, "mirror", 0.0),
}


@pytest.mark.parametrize("name", sorted(backends.cpu.overrides))
def test_a_kernel_is_the_reference(name):
    calls = calls_of_rows().get(name)
    if calls is None:
        assert name in UNCALLED, f"no row calls {name}"
        calls = [(UNCALLED[name], {})]
    check_kernel(name, calls=calls)


def test_a_device_s_kernels_are_the_reference(emulated):
    calls = calls_of_rows()
    shared = sorted(set(backends.on(emulated).overrides) & set(calls))
    assert len(shared) > 100
    for name in shared:
        check_kernel(name, calls=calls[name][:2], devices=[emulated])


@pytest.mark.parametrize(
    ("group", "name", "strategy", "check"),
    [
        pytest.param(*row, id=f"{row[0]}-{row[1]}")
        for row in properties()
        if SCHEDULED or row[0] in ("modules", "networks")  # the rows above draw from the rest
    ],
)
def test_the_installed_self_test_holds(group, name, strategy, check):
    @settings(max_examples=max(1, DRAWN // 60), database=None)
    @given(strategy)
    def one(example):
        check(example)

    one()


def matrices_of_decompositions():
    x = minidl.tensor(np.random.default_rng(0).standard_normal((3, 3)), requires_grad=True)
    square = x @ x.T + minidl.eye(3, dtype=minidl.float64)
    return [minidl.linalg.cholesky(square).sum(), *(part.sum() for part in minidl.linalg.eigh(square))]


def third_derivatives_of_bags():
    """The gradients of bags are linear ops of their own, which a third derivative differentiates again."""
    leaves = [minidl.ones(3, 2, requires_grad=True), minidl.ones(1, 3, requires_grad=True)]
    table, weights = leaves
    results = [
        nn.functional.embedding_bag(minidl.tensor([[0, 2, 2]]), table, mode="sum", per_sample_weights=weights)
    ]
    for _ in range(2):
        results = autograd.grad([result.sin().sum() for result in results], leaves, create_graph=True)
    return [result.sin().sum() for result in results]


def test_every_gradient_rule_runs_and_nine_of_ten_are_differentiated_again():
    try:
        devices = [usable("emulated")]
    except (DeviceError, pytest.skip.Exception):
        devices = []
    with GradientCoverage() as coverage:
        for case in [case for case in CASES if case.differentiable]:
            driving.gradients(case, case.arrays())
            if case.grad2:
                first, leaves, weights = driving.pull_back(case, case.arrays(), create_graph=True)
                live = driving.differentiable(first)
                if live:
                    autograd.grad([g.sum() for g in live], leaves + weights, allow_unused=True)
        autograd.backward(matrices_of_decompositions() + third_derivatives_of_bags())
        for device in devices:
            x = minidl.ones(2, requires_grad=True)
            (x.to(device) * 2).sum().backward()
            x.pin_memory(device).sum().backward()
    every = coverage.every_rule() - {("_ldl_factor", "input")}  # which raises: there is no such derivative
    elsewhere = set() if devices else {("_transfer", "input"), ("_pinned", "input")}
    assert coverage.first >= every - elsewhere, sorted(every - elsewhere - coverage.first)
    assert len(coverage.second) >= 0.9 * len(every), sorted(every - coverage.second)
