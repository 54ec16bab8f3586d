"""What all tests share: seeds, Hypothesis profiles, backends as fixtures, the demand of MINIDL_EXPECT."""

import importlib
import os
import random
import sys

import hypothesis
import numpy as np
import pytest
from accelerators import ACCELERATORS, usable
from expectations import unmet

import minidl
from minidl import backends

# Tests that start Python get the minidl under test there too: not the source tree because it is the current folder,
# which in an installed test has no extensions.
os.environ["PYTHONSAFEPATH"] = "1"
os.environ["PYTHONPATH"] = os.pathsep.join(
    [os.path.dirname(os.path.dirname(os.path.abspath(minidl.__file__)))]
    + [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
)

_SLOW_MACHINES = [hypothesis.HealthCheck.too_slow]
# Every run draws the same examples, so that a user's run of the suite is the one that passed; `dev` explores new ones.
hypothesis.settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=60, suppress_health_check=_SLOW_MACHINES
)
hypothesis.settings.register_profile(
    "dev", deadline=None, max_examples=200, suppress_health_check=_SLOW_MACHINES
)
# 100,000 examples over the properties of tests/test_gradient_properties.py.
hypothesis.settings.register_profile(
    "scheduled", deadline=None, max_examples=4500, suppress_health_check=_SLOW_MACHINES
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser, pluginmanager):
    if not pluginmanager.hasplugin("minidl"):  # a source tree that is not installed
        pluginmanager.register(importlib.import_module("minidl.testing.minidl_pytest"), "minidl")


def pytest_configure(config):
    expected = os.environ.get("MINIDL_EXPECT", "")
    problems = unmet(expected, backends.active()) if expected else []
    if problems:
        raise pytest.UsageError(
            "MINIDL_EXPECT: " + "; ".join(problems) + ". Hint: run `python -m minidl doctor`."
        )


def pytest_runtest_setup(item):
    """The same numbers for every test. A hook, because Hypothesis warns of function-scoped fixtures."""
    random.seed(0)
    np.random.seed(0)
    minidl.manual_seed(0)
    if "torch" in sys.modules:  # the oracle
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def native():
    """The native backend."""
    if backends.cpu.name != "native":
        pytest.skip("no native backend here: its extension is not built, or MINIDL_BACKEND=reference")
    return backends.cpu


@pytest.fixture(scope="session", params=ACCELERATORS)
def emulated(request):
    """The name of a device that runs the CUDA kernels: on the CPU, and on a GPU where there is one."""
    return usable(request.param)


@pytest.fixture(params=["cpu", *ACCELERATORS])
def device(request):
    """Each device that works here."""
    return usable(request.param)


@pytest.fixture(autouse=True)
def float32_products_stay_exact():
    """What one test, or an example in the docs, lets products round to does not reach the next."""
    yield
    minidl.set_float32_matmul_precision("highest")
