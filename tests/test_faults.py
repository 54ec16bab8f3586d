"""Faults that kernels note become exceptions where results reach the host, once, and only where one may have been."""

import numpy as np
import pytest

import minidl
from minidl import backends
from minidl.backends import faults


def note(xp, kind, index, size, place=0):
    """Writes a fault as a kernel would."""
    faults.record(xp)
    key = xp, xp.cuda.runtime.getDevice()
    faults._records[key][...] = xp.asarray(np.array([1, kind, index, size, place]))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (1, "index 7 is out of bounds for dimension 2 with size 5"),
        (2, r"index out of range in self.*table has 5 rows.*\[0, 4\].*is 7"),
        (3, r"Target 7 is out of bounds.*5 classes lie in \[0, 4\]"),
    ],
)
def test_a_fault_is_raised_once_where_results_reach_the_host(kind, text, emulated):
    x = minidl.ones(3, device=emulated)
    note(backends.on(emulated).xp, kind, 7, 5, 2)
    y = x + 1  # launches go on
    with pytest.raises(IndexError, match=text):
        y.cpu()
    assert y.tolist() == [2.0] * 3  # and so does the program


def test_a_record_without_a_fault_says_nothing(emulated):
    faults.record(backends.on(emulated).xp)
    assert minidl.ones(2, device=emulated).sum().item() == 2.0
    assert not faults._asked
