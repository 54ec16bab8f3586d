"""The names of the stand-in are those of an installed CuPy."""

import inspect
import re

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


def _public(namespace):
    return {name for name in vars(namespace) if not name.startswith("_")}


def test_streams_and_events_have_the_names_that_cupys_have(cupy):
    assert _public(xp.cuda) <= set(dir(cupy.cuda))
    assert _public(xp.cuda.runtime) <= set(dir(cupy.cuda.runtime))
    own = {"Stream": {"give", "run", "ptr"}, "Event": {"reach"}}  # an instance of CuPy's has ptr
    for name in ("Stream", "Event", "Device"):
        mine, theirs = getattr(xp.cuda, name), getattr(cupy.cuda, name)
        assert _public(mine) - own.get(name, set()) <= set(dir(theirs))
    for name in ("__init__", "record", "wait_event", "begin_capture"):
        assert _parameters(xp.cuda.Stream, name) == _parameters(cupy.cuda.Stream, name)
    for name in ("__init__", "record"):
        assert _parameters(xp.cuda.Event, name) == _parameters(cupy.cuda.Event, name)


def _parameters(cls, name):
    return [(p.name, p.default) for p in inspect.signature(getattr(cls, name)).parameters.values()]


@pytest.mark.parametrize("name", ["get", "set"])
def test_copies_have_the_parameters_that_cupys_have(cupy, name):
    written = re.search(r"\(self, (.*)\)", getattr(cupy.ndarray, name).__doc__.splitlines()[0])[1]
    mine = inspect.signature(getattr(Array, name)).parameters.values()
    assert ", ".join(str(p) for p in mine if p.name != "self").replace(" = ", "=") == written
