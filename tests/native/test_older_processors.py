"""The tests of this folder once more, with the kernels that older processors run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from minidl.backends import native


@pytest.mark.slow
@pytest.mark.parametrize("level", ["v2", "v3"])
def test_every_kernel_on_an_older_processor(level):
    if native.instruction_set() in (None, "generic") or native.instruction_set() <= f"x86-64-{level}":
        pytest.skip("this run is on that level, or on one without vectors to choose from")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow",
        Path(__file__).parent,
    ]
    run = subprocess.run(
        command,
        env={**os.environ, "MINIDL_CPU": level, "MINIDL_EXPECT": "native"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0 and " passed" in run.stdout, run.stdout[-4000:] + run.stderr[-4000:]
