"""What runs the CUDA kernels here: the emulator, and a GPU where there is one."""

import os

import pytest

from minidl import backends
from minidl.backends import cuda
from minidl.errors import DeviceError

ACCELERATORS = ["emulated"]
if cuda.unavailable_reason() is None and cuda.extension() is not None:
    ACCELERATORS.append("cuda")
    if os.environ.get(
        "MINIDL_TEST_NO_POOL"
    ):  # an allocation an array, so that a sanitizer sees where each ends
        cuda.xp.cuda.set_allocator(None)


def usable(device):
    """The name of a device; skips the test where it cannot be used."""
    try:
        backends.on(device)
    except DeviceError as reason:
        pytest.skip(str(reason))
    return device
