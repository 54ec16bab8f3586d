"""The devices that run the CUDA kernels and calls of their functions as fixtures; fences checked after every test."""

import numpy as np
import pytest
from accelerators import ACCELERATORS, usable

from minidl import backends
from minidl.backends.emulated import memory

# Emulated with threads and blocks in order, and in the shuffled orders of three seeds; a GPU where there is one.
RUNS = [
    (device, seed)
    for device in ACCELERATORS
    for seed in ("", "1", "2", "3")
    if device == "emulated" or not seed
]


@pytest.fixture(params=RUNS, ids=[device + seed for device, seed in RUNS])
def gpu(request, monkeypatch):
    """The name of a device that runs the CUDA kernels."""
    device, seed = request.param
    monkeypatch.setenv("MINIDL_EMULATOR_SEED", seed)
    return usable(device)


@pytest.fixture
def run(gpu):
    """Calls a function of the backend on NumPy arrays; no part of it may fall through."""
    backend = backends.on(gpu)

    def to_device(value):
        if not isinstance(value, np.ndarray):
            return value
        spread = np.zeros([2 * n + 1 for n in value.shape], value.dtype)
        inside = (slice(1, None, 2),) * value.ndim  # every second element: strides that nothing merges
        spread[inside] = value
        return backend.xp.asarray(spread)[inside]

    def call(name, *args):
        with backends.trace_fallbacks() as fallen:
            out = getattr(backend, name)(*map(to_device, args))
        assert not fallen
        return tuple(o.get() if o is not None else None for o in out) if isinstance(out, tuple) else out.get()

    return call


@pytest.fixture(autouse=True)
def fences():
    """No kernel of the test wrote outside its arrays."""
    yield
    memory.check_fences()
