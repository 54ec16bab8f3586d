"""Every override of every backend is run by some row, and serves it itself."""

import driving
import numpy as np
import pytest
from cases import CASES

import minidl
from minidl import backends, optim


def _served(backend, run):
    """Names of the overrides that returned a result of their own while ``run`` was at work."""
    served, fallen = set(), []
    kept = {name: getattr(backend, name) for name in backend.overrides}

    def watch(name, call):
        def watched(*args, **kwargs):
            before = len(fallen)
            out = call(*args, **kwargs)
            if (backend.name, name) not in fallen[before:]:
                served.add(name)
            return out

        return watched

    for name, call in kept.items():
        setattr(backend, name, watch(name, call))
    try:
        with backends.trace_fallbacks() as fallen:
            run()
    finally:
        for name, call in kept.items():
            setattr(backend, name, call)
    return served


def _rows(device):
    for case in CASES:
        if case.backends:
            arrays = case.arrays(np.float32)
            driving.outputs(case, driving.tensors(case, arrays, device))
            if case.differentiable:
                driving.gradients(case, arrays, device)
    _beyond_rows(device)


def _beyond_rows(device):
    """What no row has: steps of optimizers, running statistics, the bits beneath random numbers, affine maps; arrays
    on the host."""
    found = []
    for make in (lambda p: optim.SGD(p, lr=0.1, momentum=0.9), lambda p: optim.Adam(p, lr=0.1)):
        parameter = minidl.linspace(-1, 1, 5).to(device).requires_grad_()
        optimizer = make([parameter])
        for _ in range(3):
            parameter.grad = (parameter * parameter).detach()
            optimizer.step()
        found.append(driving.host(parameter))
    running = [minidl.zeros(3).to(device), minidl.ones(3).to(device)]
    batch = minidl.linspace(1, 2, 12).reshape(4, 3).to(device)
    minidl.nn.functional.batch_norm(batch, *running, training=True)
    found += map(driving.host, running)
    bits = backends.on(device).philox_bits((7,), np.dtype(np.uint64), 1, 0)
    images, maps = np.linspace(0, 1, 24).reshape(1, 3, 4, 2), np.array([[[0.8, 0.3, -1.2], [-0.2, 1.1, 0.4]]])
    there = [backends.transfer(array, minidl.device(device)) for array in (images, maps)]
    moved = backends.on(device).affine_images(*there, 1, "reflect", 0.0)
    return [*found, backends.to_numpy(bits), backends.to_numpy(moved)]


def test_native_agrees_with_reference_beyond_rows(native):
    with driving.cpu_backend(native):
        found = _beyond_rows("cpu")
    with driving.cpu_backend(backends.reference):
        expected = _beyond_rows("cpu")
    for ours, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-6)


def test_emulated_agrees_with_reference_beyond_rows(emulated):
    with driving.cpu_backend(backends.reference):
        expected = _beyond_rows("cpu")
    for ours, wanted in zip(_beyond_rows(emulated), expected, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-6)


def test_rows_reach_every_native_override(native):
    with driving.cpu_backend(native):
        missing = set(native.overrides) - _served(native, lambda: _rows("cpu"))
    assert not missing, f"no row is served by these native overrides: {sorted(missing)}"


def test_rows_reach_every_emulated_override(emulated):
    backend = backends.on(emulated)
    missing = set(backend.overrides) - _served(backend, lambda: _rows(emulated))
    assert not missing, f"no row is served by these CUDA overrides: {sorted(missing)}"


def test_reference_has_every_function_that_a_backend_overrides(native):
    assert set(native.overrides) <= set(dir(backends.reference))


@pytest.mark.parametrize("choice", ["cuda", "numpy"])
def test_an_unknown_cpu_backend_is_ignored_with_a_warning(choice, monkeypatch):
    monkeypatch.setenv("MINIDL_BACKEND", choice)
    with pytest.warns(RuntimeWarning, match=f"MINIDL_BACKEND='{choice}' is unknown"):
        found = backends._cpu_backend()
    monkeypatch.setenv("MINIDL_BACKEND", "")
    assert backends._cpu_backend().name == found.name
