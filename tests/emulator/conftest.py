"""The devices that run the CUDA kernels as a fixture, and fences checked after every test."""

import pytest
from accelerators import ACCELERATORS, usable

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


@pytest.fixture(autouse=True)
def fences():
    """No kernel of the test wrote outside its arrays."""
    yield
    memory.check_fences()
