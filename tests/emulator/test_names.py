"""The names of the stand-in are those of an installed CuPy."""

import numpy as np
import pytest
from emulator.cupy_names import names

from minidl.backends.emulated import Array
from minidl.backends.emulated.module import NAMES, xp


@pytest.fixture(scope="module")
def cupy():
    return pytest.importorskip("cupy", reason="CuPy is not installed: nothing to compare the names with")


def test_names_and_keywords_are_cupys(cupy):
    found = names(cupy)
    missing = {name: kind for name, kind in NAMES.items() if found.get(name) != kind}
    assert not missing, "regenerate names.json with tests/emulator/cupy_names.py"


def test_array_has_no_name_that_cupys_lacks(cupy):
    # NumPy looks for these; an ndarray of CuPy has them too, to refuse or to hand over.
    own = {name for name in vars(Array) if not name.startswith("_") or name.startswith("__")}
    python = {"__module__", "__doc__", "__slots__", "__weakref__", "__repr__", "__imatmul__", "__pos__"}
    assert own - python <= set(dir(cupy.ndarray))


def test_every_name_can_be_had():
    for name in NAMES:
        assert getattr(xp, name) is not None or name == "newaxis"
        assert hasattr(np, name)
