"""Sizes beyond 2^31 elements: every offset and count is 64 bits wide."""

import os

import pytest

import minidl

COUNT = 2**31 + 8
FREE = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_a_sum_of_more_than_2_31_elements():
    assert minidl.ones(1, dtype=minidl.float64).expand(COUNT).sum().item() == COUNT


@pytest.mark.slow
@pytest.mark.skipif(FREE < 8 * 2**30, reason=f"needs 8 GiB of free memory, has {FREE / 2**30:.1f}")
def test_positions_beyond_2_31():
    x = minidl.zeros(COUNT, dtype=minidl.uint8)
    x[-1], x[COUNT - 3] = 7, 1
    assert x.argmax().item() == COUNT - 1
    assert x[2**31 :].tolist() == [0, 0, 0, 0, 0, 1, 0, 7]
    assert x[minidl.tensor([COUNT - 1, 5])].tolist() == [7, 0]
    assert x.nonzero().flatten().tolist() == [COUNT - 3, COUNT - 1]
