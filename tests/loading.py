"""Data sets of the loader's tests, and the demand that no worker outlives its test."""

import multiprocessing
import threading
import time

import numpy as np
import pytest

import minidl
from minidl.utils.data import Dataset, IterableDataset, TensorDataset, get_worker_info


class Numbers(Dataset):
    """Samples (i, i squared), by a function that a test may plant an accident in."""

    def __init__(self, size, accident=None):
        self.size, self.accident = size, accident

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        if self.accident is not None:
            self.accident(index)
        return np.float32(index), {"square": minidl.tensor([index, index * index])}


class Stream(IterableDataset):
    """0 .. size - 1, dealt out to the workers."""

    def __init__(self, size):
        self.size = size

    def __iter__(self):
        info = get_worker_info()
        return iter(range(self.size) if info is None else range(info.id, self.size, info.num_workers))


@pytest.fixture(autouse=True)
def nothing_leaks():
    """No worker outlives its test."""
    yield
    deadline = time.monotonic() + 10
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not multiprocessing.active_children()
    assert not [t.name for t in threading.enumerate() if t.name.startswith("minidl-worker")]


def pair():
    return TensorDataset(minidl.arange(10, dtype=minidl.float32).reshape(10, 1), minidl.arange(10))


def lists(batches):
    return [[part.tolist() for part in batch] for batch in batches]
