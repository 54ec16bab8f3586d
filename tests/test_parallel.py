"""Wrappers and samplers for several devices or processes, in a program that is one process on one device."""

import pickle

import pytest

import minidl
from minidl import distributed, nn
from minidl.nn.parallel import DistributedDataParallel
from minidl.utils.data import DataLoader, DistributedSampler, TensorDataset

WRAPPERS = pytest.mark.parametrize("wrap", [nn.DataParallel, DistributedDataParallel])


@WRAPPERS
def test_a_wrapper_hands_calls_and_gradients_through(wrap):
    layer, x = nn.Linear(3, 2), minidl.ones(4, 3)
    net = wrap(layer)
    assert net.module is layer
    assert list(net.state_dict()) == ["module.weight", "module.bias"]
    assert bool((net(x) == layer(x)).all())
    net(input=x).sum().backward()
    assert layer.bias.grad.tolist() == [4, 4]
    net.eval()
    assert not layer.training
    wrap(nn.Linear(3, 2)).load_state_dict(net.state_dict())
    again = pickle.loads(pickle.dumps(net))
    assert bool((again(x) == net(x)).all())


def test_no_sync_and_join_are_contexts():
    net = DistributedDataParallel(nn.Linear(1, 1), device_ids=None, find_unused_parameters=True)
    with net.no_sync():
        assert not net.require_backward_grad_sync
    assert net.require_backward_grad_sync
    with net.join():
        net(minidl.ones(1, 1))


def test_what_one_process_cannot_do_is_refused(monkeypatch):
    with pytest.raises(RuntimeError, match="any parameters that require a gradient"):
        DistributedDataParallel(nn.ReLU())
    with pytest.raises(ValueError, match="device_ids can only be None or contain a single element"):
        DistributedDataParallel(nn.Linear(1, 1), device_ids=[0, 1])
    with pytest.raises(NotImplementedError, match="communicates nothing"):
        DistributedDataParallel(nn.Linear(1, 1)).register_comm_hook(None, print)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(NotImplementedError, match="WORLD_SIZE is 2"):
        DistributedDataParallel(nn.Linear(1, 1))


def test_the_world_is_one_process():
    assert not distributed.is_available()
    assert not distributed.is_initialized()
    assert (distributed.get_rank(), distributed.get_world_size()) == (0, 1)
    with pytest.raises(NotImplementedError, match=r"init_process_group: programs of several processes"):
        distributed.init_process_group("gloo")
    with pytest.raises(AttributeError, match="programs of several processes are not supported"):
        _ = distributed.no_such_name
    with pytest.raises(NotImplementedError, match="one process, of rank 0"):
        distributed.TCPStore("localhost", 1234)
    assert distributed.ReduceOp.SUM is not distributed.ReduceOp.MAX


@pytest.mark.parametrize("size", [0, 1, 5, 8])
@pytest.mark.parametrize("drop_last", [False, True])
def test_replicas_share_a_data_set(size, drop_last):
    replicas = [DistributedSampler(range(size), 3, rank, drop_last=drop_last) for rank in range(3)]
    parts = [list(replica) for replica in replicas]
    assert (
        [len(part) for part in parts]
        == [len(replica) for replica in replicas]
        == [replicas[0].num_samples] * 3
    )
    drawn = [i for part in parts for i in part]
    assert len(set(drawn)) == (size - size % 3 if drop_last else size)
    for replica in replicas:
        replica.set_epoch(1)
    if size == 8:
        assert [list(replica) for replica in replicas] != parts
        assert list(DistributedSampler(range(8), 3, 0, seed=1, drop_last=drop_last)) == list(replicas[0])


def test_a_loader_takes_the_sampler():
    data = TensorDataset(minidl.arange(6))
    loader = DataLoader(data, batch_size=3, sampler=DistributedSampler(data, shuffle=False))
    assert [batch.tolist() for (batch,) in loader] == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(ValueError, match=r"Invalid rank 2, rank should be in the interval \[0, 1\]"):
        DistributedSampler(data, num_replicas=2, rank=2)
