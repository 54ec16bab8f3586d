"""Every override of every backend is run by some row, and serves it itself."""

import driving
import numpy as np
import pytest
from cases import CASES

from minidl import backends


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


@pytest.mark.parametrize("choice", ["cuda", "", "numpy"])
def test_unknown_cpu_backend_is_refused(choice, monkeypatch):
    monkeypatch.setenv("MINIDL_BACKEND", choice)
    with pytest.raises(RuntimeError, match="MINIDL_BACKEND"):
        backends._cpu_backend()
