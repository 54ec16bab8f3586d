"""Schedules of the emulator as a fixture, and fences checked after every test."""

import pytest

from minidl.backends.emulated import memory


@pytest.fixture(params=[None, 1, 2, 3], ids=["eager", "seed1", "seed2", "seed3"])
def schedule(request, monkeypatch):
    """Threads and blocks in order, and in the shuffled orders of three seeds."""
    if request.param is None:
        monkeypatch.delenv("MINIDL_EMULATOR_SEED", raising=False)
    else:
        monkeypatch.setenv("MINIDL_EMULATOR_SEED", str(request.param))
    return request.param


@pytest.fixture(autouse=True)
def fences():
    """No kernel of the test wrote outside its arrays."""
    yield
    memory.check_fences()
