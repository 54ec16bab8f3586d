"""The devices that run the CUDA kernels as a fixture, and fences checked after every test."""

import pytest

from minidl import backends
from minidl.backends import cuda
from minidl.backends.emulated import memory
from minidl.errors import DeviceError

# Emulated with threads and blocks in order, and in the shuffled orders of three seeds; a GPU where there is one.
RUNS = [("emulated", ""), ("emulated", "1"), ("emulated", "2"), ("emulated", "3")]
if cuda.unavailable_reason() is None and cuda.extension() is not None:
    RUNS.append(("cuda", ""))


@pytest.fixture(params=RUNS, ids=[device + seed for device, seed in RUNS])
def gpu(request, monkeypatch):
    """The name of a device that runs the CUDA kernels."""
    device, seed = request.param
    monkeypatch.setenv("MINIDL_EMULATOR_SEED", seed)
    try:
        backends.on(device)
    except DeviceError as reason:
        pytest.skip(str(reason))
    return device


@pytest.fixture(autouse=True)
def fences():
    """No kernel of the test wrote outside its arrays."""
    yield
    memory.check_fences()
