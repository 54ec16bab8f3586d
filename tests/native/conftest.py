"""Tests of the compiled kernels: without them, or with NumPy asked for instead, there is nothing to test."""

import pytest

from minidl import backends


def pytest_runtest_setup(item):
    if backends.cpu.name != "native":
        pytest.skip("no native backend here: its extension is not built, or MINIDL_BACKEND=reference")
