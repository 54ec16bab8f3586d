"""The memory behind tensors: storages, files mapped, memory that processes share."""

import os

import numpy as np
import pytest

import minidl
from minidl import nn


def test_storages():
    x = minidl.arange(6, dtype=minidl.float32).reshape(2, 3)
    row = x[1]
    assert row.untyped_storage() == x.untyped_storage() != minidl.zeros(6).untyped_storage()
    assert row.untyped_storage().data_ptr() == x.data_ptr()
    assert (row.untyped_storage().nbytes(), row.untyped_storage().size()) == (24, 24)
    typed = row.storage()
    assert (len(typed), typed.element_size(), typed.dtype, typed[4]) == (6, 4, minidl.float32, 4.0)
    assert typed.tolist() == x.flatten().tolist()
    assert typed.device == x.device
    assert len({x.untyped_storage(), row.untyped_storage()}) == 1
    assert isinstance(typed, minidl.UntypedStorage)
    part = typed.untyped()[4:8]
    assert (part.nbytes(), part.data_ptr() - x.data_ptr()) == (4, 4)
    minidl.asarray(part).fill_(9)
    assert x[0, 1] == 9
    with pytest.raises(RuntimeError, match="only a step of 1"):
        typed.untyped()[::2]


def test_storage_of_a_file(tmp_path):
    path = tmp_path / "numbers"
    path.write_bytes(np.arange(3, dtype=np.float32).tobytes())
    private = minidl.UntypedStorage.from_file(path, nbytes=12)
    x = minidl.asarray(private[4:], dtype=minidl.float32)
    x.add_(1)
    assert not x.is_shared()
    assert minidl.asarray(private).tolist() == [0, 2, 3]
    shared = minidl.asarray(minidl.UntypedStorage.from_file(str(path), True, 16))
    shared[3] = 7
    assert shared.is_shared()
    assert np.fromfile(path, np.float32).tolist() == [0, 1, 2, 7]
    with pytest.raises(RuntimeError, match="is smaller than the required mapping size <20>"):
        minidl.UntypedStorage.from_file(path, False, 20)
    with pytest.raises(RuntimeError, match=r"unable to open file .* in read-only mode: No such file"):
        minidl.UntypedStorage.from_file(tmp_path / "none", False, 4)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_shared_memory_is_seen_by_forked_processes():
    private, shared = minidl.zeros(2, 2), minidl.zeros(2, 2).t()
    assert not shared.is_shared()
    assert shared.share_memory_() is shared
    assert shared.is_shared()
    assert shared[0].is_shared()
    assert not private.is_shared()
    address = shared.share_memory_().data_ptr()
    assert shared.data_ptr() == address
    child = os.fork()
    if child == 0:
        private.fill_(1.0)
        shared.fill_(2.0)
        os._exit(0)
    os.waitpid(child, 0)
    assert private.tolist() == [[0, 0], [0, 0]]
    assert shared.tolist() == [[2, 2], [2, 2]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_processes_train_one_shared_model():
    model = nn.BatchNorm1d(2)
    weight = model.weight
    assert model.share_memory() is model
    assert model.weight is weight and weight.is_shared() and model.running_mean.is_shared()
    optimizer = minidl.optim.Adagrad(model.parameters(), lr=1.0)
    optimizer.share_memory()
    child = os.fork()
    if child == 0:
        weight.grad = minidl.ones(2)
        optimizer.step()
        os._exit(0)
    os.waitpid(child, 0)
    assert weight.tolist() == [0.0, 0.0]
    assert [float(optimizer.state[weight][name].sum()) for name in ("sum", "step")] == [2.0, 1.0]
