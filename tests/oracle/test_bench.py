"""Every workload of ``minidl.bench`` computes the same numbers on minidl and on PyTorch."""

import pytest
import torch

import minidl
from minidl import bench
from minidl.bench import accuracy

ROWS = [row for row in bench.registered() if not row.random]
MOST = 2e-5  # float32 sums of some thousand products


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_results_are_pytorchs(row):
    ours = accuracy.host(bench.prepared(row, minidl)())
    assert accuracy.error(ours, bench.prepared(row, torch)()) < MOST
    assert ours and all(array.size for array in ours)


@pytest.mark.parametrize("row", [row for row in bench.registered() if row.random], ids=lambda row: row.name)
def test_random_results_have_pytorchs_shapes(row):
    ours, theirs = (accuracy.host(bench.prepared(row, lib)()) for lib in (minidl, torch))
    assert [array.shape for array in ours] == [array.shape for array in theirs]
