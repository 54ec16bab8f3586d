"""DataLoader: batches that depend neither on the number nor on the kind of its workers."""

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from loading import Numbers, Stream, lists, nothing_leaks, pair

import minidl
from minidl.utils.data import DataLoader, Dataset, Subset, TensorDataset, get_worker_info

__all__ = ["nothing_leaks"]  # a fixture of all tests here

ROOT = Path(__file__).resolve().parent.parent
WORKERS = [(0, "process"), (1, "process"), (3, "process"), (2, "thread")]
any_workers = pytest.mark.parametrize(("num_workers", "worker_type"), WORKERS)


# --- the loader -----------------------------------------------------------------------------------------------


@any_workers
def test_batches_do_not_depend_on_the_workers(num_workers, worker_type):
    def load(num_workers, worker_type):
        generator = minidl.Generator().manual_seed(4)
        loader = DataLoader(
            Numbers(23),
            4,
            shuffle=True,
            num_workers=num_workers,
            generator=generator,
            worker_type=worker_type,
        )
        passes = [[(x.tolist(), y["square"].tolist()) for x, y in loader] for _ in range(2)]
        return passes, generator.get_state().tolist()

    assert load(num_workers, worker_type) == load(0, "process")


def test_gathering_equals_collating():
    class Plain(Dataset):
        def __init__(self, data):
            self.data = data

        def __len__(self):
            return len(self.data)

        def __getitem__(self, index):
            return self.data[index]

    for data in (pair(), Subset(Subset(pair(), [9, 1, 4, 4]), [0, 3, 2])):
        fast, slow = (list(DataLoader(d, batch_size=2)) for d in (data, Plain(data)))
        assert lists(fast) == lists(slow)
        assert [type(batch) for batch in fast] == [type(batch) for batch in slow]
        assert [[p.dtype for p in batch] for batch in fast] == [[p.dtype for p in batch] for batch in slow]
    (x, _) = next(iter(DataLoader(pair(), batch_size=10)))
    assert x.is_contiguous()


def test_a_batch_is_a_copy():
    data = pair()
    for x, _ in DataLoader(data, batch_size=2):
        x.zero_()
    assert data.tensors[0].sum().item() == 45


@any_workers
def test_lengths_and_last_batches(num_workers, worker_type):
    options = {"num_workers": num_workers, "worker_type": worker_type}
    loader = DataLoader(pair(), 4, drop_last=True, **options)
    assert len(loader) == 2
    assert [len(y) for _, y in loader] == [4, 4]
    loader = DataLoader(pair(), 4, **options)
    assert len(loader) == 3
    assert [len(y) for _, y in loader] == [4, 4, 2]
    assert [int(y) for _, y in DataLoader(pair(), batch_size=None, **options)] == list(range(10))
    assert list(DataLoader([], **options)) == []
    by_batch = DataLoader(pair(), batch_sampler=[[1, 2], [3]], **options)
    assert [y.tolist() for _, y in by_batch] == [[1, 2], [3]]
    assert [y.tolist() for _, y in DataLoader(pair(), sampler=[7, 1], **options)] == [[7], [1]]


@any_workers
def test_streams(num_workers, worker_type):
    options = {"num_workers": num_workers, "worker_type": worker_type}
    for size in (0, 1, 11):
        seen = [int(i) for batch in DataLoader(Stream(size), batch_size=3, **options) for i in batch]
        assert sorted(seen) == list(range(size))
    assert sorted(DataLoader(Stream(5), batch_size=None, **options)) == list(range(5))
    dropped = list(DataLoader(Stream(7), batch_size=2, drop_last=True, **options))
    assert all(len(batch) == 2 for batch in dropped)
    with pytest.raises(TypeError):
        len(DataLoader(Stream(5)))


def test_a_stream_that_gives_more_than_it_says():
    class Liar(Stream):
        def __len__(self):
            return 2

    with pytest.warns(UserWarning, match="was reported to be 2 batches"):
        assert len(list(DataLoader(Liar(3)))) == 3
    assert len(DataLoader(Liar(3), batch_size=2)) == 1


@pytest.mark.parametrize("worker_type", ["process", "thread"])
def test_persistent_workers_serve_several_passes(worker_type):
    class Who(Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, index):
            return index, os.getpid(), threading.get_ident()

    loader = DataLoader(Who(), 2, num_workers=2, persistent_workers=True, worker_type=worker_type)

    def workers():
        return {
            (pid, thread)
            for _, pids, threads in loader
            for pid, thread in zip(pids.tolist(), threads.tolist())
        }

    first = workers()
    iterator = iter(loader)
    next(iterator)  # a pass that is broken off leaves nothing behind for the next
    assert [i.tolist() for i, *_ in loader] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    with pytest.raises(RuntimeError, match="later iter"):
        next(iterator)
    assert workers() == first
    assert len(first) == 2


def test_workers_know_themselves_and_draw_their_own_numbers():
    class Draw(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            info = get_worker_info()
            own = minidl.rand(1).item(), np.random.rand(), random.random()
            return info.id, info.num_workers, info.seed, *own

    def run():
        minidl.manual_seed(11)
        return [[column.tolist() for column in batch] for batch in DataLoader(Draw(), 2, num_workers=2)]

    assert get_worker_info() is None
    batches = run()
    assert [b[0] for b in batches] == [[0, 0], [1, 1]]
    assert batches[0][1] == [2, 2]
    assert batches[1][2][0] == batches[0][2][0] + 1
    assert len({value for batch in batches for column in batch[3:] for value in column}) == 12
    assert run() == batches


def test_worker_init_fn_runs_once_a_worker(tmp_path):
    def init(worker_id):
        with open(tmp_path / str(worker_id), "a") as file:
            file.write("x")

    list(DataLoader(Numbers(8), 2, num_workers=2, worker_init_fn=init))
    assert sorted((p.name, p.read_text()) for p in tmp_path.iterdir()) == [("0", "x"), ("1", "x")]


def test_large_batches_and_many_indices_do_not_block():
    data = TensorDataset(minidl.zeros(40000, 60))
    loader = DataLoader(
        Numbers(40000), batch_size=20000, num_workers=1, collate_fn=lambda samples: len(samples)
    )
    assert list(loader) == [20000, 20000]
    shapes = [x.shape for (x,) in DataLoader(data, batch_size=10000, num_workers=2, prefetch_factor=3)]
    assert shapes == [(10000, 60)] * 4


def test_batches_of_workers_are_writable_and_keep_their_dtype():
    data = TensorDataset(minidl.arange(6).to(minidl.bfloat16), minidl.ones(6, dtype=minidl.bool))
    for x, flag in DataLoader(data, 3, num_workers=1):
        x.add_(1)
        assert x.dtype is minidl.bfloat16
        assert flag.dtype is minidl.bool


def test_spawned_workers():
    loader = DataLoader(pair(), 5, num_workers=1, multiprocessing_context="spawn", timeout=60)
    assert [y.tolist() for _, y in loader] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


# --- arguments ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"num_workers": -1}, "num_workers option should be non-negative"),
        ({"timeout": -1}, "timeout option should be non-negative"),
        ({"prefetch_factor": 2}, "prefetch_factor option could only"),
        ({"num_workers": 1, "prefetch_factor": 0}, "prefetch_factor option should be positive"),
        ({"persistent_workers": True}, "needs num_workers > 0"),
        ({"multiprocessing_context": "fork"}, "multi-process loading"),
        ({"worker_type": "fiber"}, "'process' or 'thread'"),
        ({"sampler": [0], "shuffle": True}, "mutually exclusive with shuffle"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "mutually exclusive with batch_size"),
        ({"batch_sampler": [[0]], "drop_last": True}, "mutually exclusive with batch_size"),
        ({"batch_size": None, "drop_last": True}, "disables auto-batching"),
        ({"batch_size": 0}, "positive integer"),
        ({"batch_size": 1.5}, "positive integer"),
    ],
)
def test_the_loader_refuses(options, text):
    with pytest.raises(ValueError, match=text):
        DataLoader(pair(), **options)


def test_the_loader_refuses_more():
    with pytest.raises(ValueError, match="expected unspecified shuffle option"):
        DataLoader(Stream(3), shuffle=True)
    with pytest.raises(ValueError, match="expected unspecified sampler option"):
        DataLoader(Stream(3), sampler=[0])
    loader = DataLoader(pair())
    with pytest.raises(ValueError, match="batch_size attribute should not be set"):
        loader.batch_size = 3
    with pytest.raises(ValueError, match="specify a valid start method"):
        iter(DataLoader(pair(), num_workers=1, multiprocessing_context="thread"))


def test_an_index_that_is_no_integer_is_refused():
    with pytest.raises(TypeError, match="float"):
        list(DataLoader(TensorDataset(minidl.arange(4)), sampler=[0.7]))
    with pytest.raises(IndexError, match="the batch is empty"):
        list(DataLoader(TensorDataset(minidl.arange(4)), batch_sampler=[[]]))


def test_importing_minidl_does_not_import_multiprocessing():
    code = "import sys, minidl.utils.data; sys.exit('multiprocessing.connection' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
