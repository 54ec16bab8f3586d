"""Arrays that come from another process or a file have dtypes that are other objects: they count as what they are."""

import pickle

import numpy as np
import pytest

from minidl import backends
from minidl.testing.usual_calls import usual_calls


def unpickled(value):
    """``value`` with its arrays as a spawned worker receives them."""
    if isinstance(value, np.ndarray):
        found = pickle.loads(pickle.dumps(value))
        found = found.view(pickle.loads(pickle.dumps(value.dtype)))
        assert found.dtype == value.dtype
        return found
    if isinstance(value, (list, tuple)):
        return type(value)(map(unpickled, value)) if type(value) in (list, tuple) else value
    return value


@pytest.mark.parametrize("name", sorted(backends.cpu.overrides))
def test_they_are_served(native, name):
    for arguments, options in usual_calls(name):
        assert not options
        if native.overrides[name](*arguments) is not NotImplemented:
            assert native.overrides[name](*unpickled(list(arguments))) is not NotImplemented
