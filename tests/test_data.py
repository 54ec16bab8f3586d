"""utils.data: data sets, samplers, collation and a loader whose batches do not depend on its workers."""

import collections
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl.utils.data import (
    BatchSampler,
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
    get_worker_info,
    random_split,
)

ROOT = Path(__file__).resolve().parent.parent
WORKERS = [(0, "process"), (1, "process"), (3, "process"), (2, "thread")]
any_workers = pytest.mark.parametrize(("num_workers", "worker_type"), WORKERS)


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
    import multiprocessing

    deadline = time.monotonic() + 10
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not multiprocessing.active_children()
    assert not [t.name for t in threading.enumerate() if t.name.startswith("minidl-worker")]


def pair():
    return TensorDataset(minidl.arange(10, dtype=minidl.float32).reshape(10, 1), minidl.arange(10))


def lists(batches):
    return [[part.tolist() for part in batch] for batch in batches]


# --- data sets ------------------------------------------------------------------------------------------------


def test_tensor_dataset():
    data = pair()
    assert len(data) == 10
    assert [part.tolist() for part in data[3]] == [[3.0], 3]
    with pytest.raises(AssertionError, match=r"Size mismatch between tensors.*\[2, 3\]"):
        TensorDataset(minidl.zeros(2), minidl.zeros(3))


def test_concat_subset_chain_and_stack():
    both = ConcatDataset([Numbers(3), Numbers(2)])
    assert [float(both[i][0]) for i in range(5)] == [0, 1, 2, 0, 1]
    assert float(both[-1][0]) == 1
    with pytest.raises(ValueError, match="absolute value of index"):
        both[-6]
    with pytest.raises(IndexError):
        both[5]
    with pytest.raises(AssertionError, match="empty"):
        ConcatDataset([])
    with pytest.raises(AssertionError, match="IterableDataset"):
        ConcatDataset([Stream(2)])
    part = Subset(both, [4, 0])
    assert len(part) == 2
    assert float(part[0][0]) == 1
    assert list(ChainDataset([Stream(2), Stream(1)])) == [0, 1, 0]
    assert list(Stream(2) + Stream(1)) == [0, 1, 0]
    assert StackDataset([1, 2], [3, 4])[1] == (2, 4)
    assert StackDataset(x=[1, 2], y=[3, 4])[0] == {"x": 1, "y": 3}
    with pytest.raises(ValueError, match="Size mismatch"):
        StackDataset([1], [2, 3])


def test_random_split():
    generator = minidl.Generator().manual_seed(1)
    parts = random_split(range(10), [7, 3], generator)
    assert sorted([*parts[0], *parts[1]]) == list(range(10))
    again = random_split(range(10), [0.7, 0.3], minidl.Generator().manual_seed(1))
    assert [list(p) for p in again] == [list(p) for p in parts]
    assert [len(p) for p in random_split(range(11), [0.5, 0.3, 0.2])] == [6, 3, 2]
    assert [len(p) for p in random_split(range(3), [0.1] * 10)] == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="Sum of input lengths"):
        random_split(range(10), [7, 4])
    with pytest.raises(ValueError, match="not between 0 and 1"):
        random_split(range(10), [1.5, -0.5])


# --- samplers -------------------------------------------------------------------------------------------------


def test_samplers_cover_what_they_say():
    assert list(SequentialSampler(range(3))) == [0, 1, 2]
    assert sorted(RandomSampler(range(100))) == list(range(100))
    assert list(RandomSampler(range(100))) != list(range(100))
    assert len(list(RandomSampler(range(3), num_samples=8))) == 8
    drawn = list(RandomSampler(range(3), replacement=True, num_samples=5000))
    assert len(drawn) == 5000
    assert set(drawn) == {0, 1, 2}
    assert sorted(SubsetRandomSampler([5, 9, 7])) == [5, 7, 9]
    counts = collections.Counter(WeightedRandomSampler([0.0, 1.0, 3.0], 4000))
    assert counts[0] == 0
    assert abs(counts[2] / 4000 - 0.75) < 0.03
    assert sorted(WeightedRandomSampler([1, 2, 3], 3, replacement=False)) == [0, 1, 2]
    assert list(BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert len(BatchSampler(range(5), 2, True)) == 2
    assert len(BatchSampler(range(5), 2, False)) == 3


def test_samplers_follow_their_generator():
    def draw():
        return list(RandomSampler(range(20), generator=minidl.Generator().manual_seed(5)))

    assert draw() == draw()
    sampler = RandomSampler(range(20))
    assert list(sampler) != list(sampler)
    minidl.manual_seed(3)
    first = list(sampler)
    minidl.manual_seed(3)
    assert list(sampler) == first


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: RandomSampler(range(3), num_samples=-1), "non-negative integer"),
        (lambda: WeightedRandomSampler([1.0], 0), "positive integer"),
        (lambda: WeightedRandomSampler([1.0], 1, replacement=1), "boolean"),
        (lambda: WeightedRandomSampler([[1.0]], 1), "1d sequence"),
        (lambda: BatchSampler(range(3), 0, False), "positive integer"),
        (lambda: BatchSampler(range(3), 1, 0), "boolean"),
        (lambda: list(RandomSampler([], num_samples=2)), "empty data source"),
    ],
)
def test_samplers_refuse(make, text):
    with pytest.raises(ValueError, match=text):
        make()


# --- collation ------------------------------------------------------------------------------------------------


def test_collate_structures():
    Point = collections.namedtuple("Point", "x y")
    batch = default_collate([Point(1, 2.0), Point(3, 4.0)])
    assert type(batch) is Point
    assert batch.x.tolist() == [1, 3]
    assert batch.x.dtype is minidl.int64
    assert batch.y.dtype is minidl.float64
    assert default_collate(["a", "b"]) == ["a", "b"]
    assert default_collate([True, False]).dtype is minidl.bool
    assert default_collate([np.float32(1), np.float32(2)]).dtype is minidl.float32
    assert default_collate([np.zeros((2, 3)), np.ones((2, 3))]).shape == (2, 2, 3)
    nested = default_collate([{"a": (1, [b"x", 2])}, {"a": (3, [b"y", 4])}])
    assert nested["a"][0].tolist() == [1, 3]
    assert nested["a"][1][0] == (b"x", b"y")
    ordered = default_collate([collections.OrderedDict(a=1), collections.OrderedDict(a=2)])
    assert type(ordered) is collections.OrderedDict
    assert default_collate([minidl.zeros(0), minidl.zeros(0)]).shape == (2, 0)


def test_collate_refuses():
    with pytest.raises(TypeError, match=r"must contain tensors.*found <class 'object'>"):
        default_collate([object()])
    with pytest.raises(TypeError, match="dtype"):
        default_collate([np.array(["a"])])
    with pytest.raises(RuntimeError, match="equal size"):
        default_collate([[1, 2], [1]])
    with pytest.raises(RuntimeError, match="equal size"):
        default_collate([minidl.zeros(2), minidl.zeros(3)])


def test_convert():
    data = default_convert({"a": np.zeros(2), "b": "text", "c": (1, np.float32(2))})
    assert isinstance(data["a"], minidl.Tensor)
    assert data["b"] == "text"
    assert isinstance(data["c"][1], minidl.Tensor)


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


# --- accidents ------------------------------------------------------------------------------------------------


class Picky(Exception):
    def __init__(self, one, two):
        super().__init__(one, two)


def _raise(error):
    def accident(index):
        if index == 5:
            raise error

    return accident


@pytest.mark.parametrize("worker_type", ["process", "thread"])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("five"), ValueError),
        (KeyError("five"), KeyError),
        (Picky(1, 2), RuntimeError),
        (StopIteration(), RuntimeError),
        (SystemExit(3), RuntimeError),
    ],
)
def test_an_exception_comes_back_with_its_traceback(worker_type, error, kind):
    iterator = iter(DataLoader(Numbers(8, _raise(error)), 2, num_workers=2, worker_type=worker_type))
    next(iterator), next(iterator)
    with pytest.raises(
        kind, match=rf"(?s)Caught .* in DataLoader worker {worker_type} 0.*Original Traceback.*accident"
    ):
        next(iterator)
    assert next(iterator)[0].tolist() == [6, 7]  # as PyTorch's, the pass goes on


def test_an_exception_in_the_caller_is_itself():
    with pytest.raises(ValueError, match=r"^five$"):
        list(DataLoader(Numbers(8, _raise(ValueError("five")))))
    with pytest.raises(RuntimeError, match="StopIteration"):
        list(DataLoader(Numbers(8, _raise(StopIteration()))))


def test_what_cannot_be_pickled_is_reported():
    class Local(Exception):
        pass

    with pytest.raises(RuntimeError, match="Caught Local"):
        list(DataLoader(Numbers(8, _raise(Local("x"))), num_workers=1))
    with pytest.raises(Exception, match=r"(?s)pickle.*lambda|lambda.*pickle"):
        list(DataLoader(Numbers(2), num_workers=1, collate_fn=lambda samples: lambda: samples))


def test_init_fn_that_fails():
    def init(worker_id):
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        list(DataLoader(Numbers(2), num_workers=1, worker_init_fn=init))


@pytest.mark.parametrize(
    ("accident", "text"),
    [
        (lambda i: os._exit(7), "exit code 7"),
        (lambda i: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL"),
        (lambda i: os.kill(os.getpid(), signal.SIGTERM), "SIGTERM"),
    ],
)
def test_a_dead_worker_is_an_error_and_no_hang(accident, text):
    loader = DataLoader(Numbers(40, lambda i: accident(i) if i == 21 else None), 2, num_workers=2)
    start = time.monotonic()
    with pytest.raises(
        RuntimeError, match=rf"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly.*{text}"
    ):
        list(loader)
    assert time.monotonic() - start < 5


def test_a_worker_that_is_too_slow():
    for worker_type in ("process", "thread"):
        loader = DataLoader(
            Numbers(2, lambda i: time.sleep(1)), num_workers=1, timeout=0.1, worker_type=worker_type
        )
        with pytest.raises(RuntimeError, match=r"timed out after 0\.1 seconds"):
            next(iter(loader))


def test_breaking_off_ends_the_workers():
    for worker_type in ("process", "thread"):
        for _ in DataLoader(Numbers(100), num_workers=2, worker_type=worker_type):
            break  # the fixture sees to it that nothing is left


def test_ctrl_c_leaves_no_process(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, time\n"
        "from minidl.utils.data import DataLoader\n"
        "class Slow(list):\n"
        "    def __getitem__(self, i):\n"
        "        print(os.getpid(), flush=True)\n"
        "        time.sleep(0.2)\n"
        "        return i\n"
        "for _ in DataLoader(Slow(range(100)), num_workers=2): pass\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    pids = {int(process.stdout.readline()) for _ in range(4)}
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in errors
    assert errors.count(b"Traceback") == 1
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_end_with_a_killed_parent(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, time\n"
        "from minidl.utils.data import DataLoader\n"
        "class Slow(list):\n"
        "    def __getitem__(self, i):\n"
        "        print(os.getpid(), flush=True)\n"
        "        time.sleep(0.2)\n"
        "        return i\n"
        "for _ in DataLoader(Slow(range(1000)), num_workers=2): pass\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment)
    for _ in range(4):
        process.stdout.readline()
    process.kill()
    process.communicate(timeout=10)  # ends when the last worker has closed its copy of the pipe


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
    with pytest.warns(UserWarning, match="pin_memory"):
        next(iter(DataLoader(pair(), pin_memory=True)))
    with pytest.raises(ValueError, match="positive"):
        WeightedRandomSampler([1.0], -1)


def test_importing_minidl_does_not_import_multiprocessing():
    code = "import sys, minidl.utils.data; sys.exit('multiprocessing.connection' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
