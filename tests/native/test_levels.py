"""The instruction-set level is the machine's, or a lower one that MINIDL_CPU asks for."""

import os
import subprocess
import sys

import pytest

from minidl.backends import native

_ORDER = ("generic", "x86-64-v2", "x86-64-v3", "x86-64-v4")

pytestmark = pytest.mark.skipif(native.instruction_set() is None, reason="needs the compiled extension")


def level_with(wish):
    environment = {**os.environ, "MINIDL_CPU": wish}
    code = "from minidl.backends import native; print(native.instruction_set())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)


def test_is_one_of_the_levels():
    assert native.instruction_set() in _ORDER


@pytest.mark.skipif(native.instruction_set() in (None, "generic"), reason="one level on this processor")
@pytest.mark.parametrize("wish", ["v2", "v3", "v4"])
def test_a_lower_level_can_be_chosen(wish):
    best = level_with("").stdout.strip()
    done = level_with(wish)
    wanted = f"x86-64-{wish}"
    if _ORDER.index(wanted) <= _ORDER.index(best):
        assert done.stdout.strip() == wanted and done.stderr == ""
    else:
        assert done.stdout.strip() == best and "more than this processor has" in done.stderr


@pytest.mark.skipif(native.instruction_set() in (None, "generic"), reason="one level on this processor")
def test_nonsense_is_said_and_ignored():
    done = level_with("avx9")
    assert done.stdout.strip() == level_with("").stdout.strip()
    assert "MINIDL_CPU must be v2, v3 or v4; ignored" in done.stderr
