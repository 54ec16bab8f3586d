"""utils.data beside PyTorch: refusals of loaders and samplers, collation by type, splits, paths of imports."""

import importlib
import warnings

import numpy as np
import pytest
import torch

import minidl


def data(library):
    return library.utils.data.TensorDataset(library.arange(6))


def loader(library, *args, **kwargs):
    return library.utils.data.DataLoader(data(library), *args, **kwargs)


REFUSED = {
    "workers": lambda lib: loader(lib, num_workers=-1),
    "timeout": lambda lib: loader(lib, timeout=-1),
    "prefetch-without": lambda lib: loader(lib, prefetch_factor=2),
    "persistent": lambda lib: loader(lib, persistent_workers=True),
    "shuffle-and-sampler": lambda lib: loader(lib, shuffle=True, sampler=[1]),
    "batch-sampler": lambda lib: loader(lib, batch_sampler=[[1]], batch_size=2),
    "no-batches-drop-last": lambda lib: loader(lib, batch_size=None, drop_last=True),
    "batch-size": lambda lib: loader(lib, batch_size=0),
    "context-without": lambda lib: loader(lib, multiprocessing_context="fork"),
    "context-name": lambda lib: loader(lib, num_workers=1, multiprocessing_context="foo"),
    "context-type": lambda lib: loader(lib, num_workers=1, multiprocessing_context=3),
    "set-batch-size": lambda lib: setattr(loader(lib), "batch_size", 3),
    "set-dataset": lambda lib: setattr(loader(lib), "dataset", 3),
    "empty-shuffled": lambda lib: lib.utils.data.DataLoader([], shuffle=True),
    "sampler-empty": lambda lib: lib.utils.data.RandomSampler([]),
    "sampler-count": lambda lib: lib.utils.data.RandomSampler([1], num_samples=0),
    "sampler-replacement": lambda lib: lib.utils.data.RandomSampler([1], replacement=1),
    "weighted-count": lambda lib: lib.utils.data.WeightedRandomSampler([1.0], 0),
    "weighted-shape": lambda lib: lib.utils.data.WeightedRandomSampler([[1.0]], 1),
    "batch-sampler-size": lambda lib: lib.utils.data.BatchSampler([1], True, False),
    "batch-sampler-last": lambda lib: lib.utils.data.BatchSampler([1], 2, 1),
    "split-fractions": lambda lib: lib.utils.data.random_split(range(10), [0.5, 0.6]),
    "split-lengths": lambda lib: lib.utils.data.random_split(range(10), [3, 3]),
    "split-negative": lambda lib: lib.utils.data.random_split(range(10), [-0.5, 1.5]),
    "collate": lambda lib: lib.utils.data.default_collate([object()]),
    "collate-unequal": lambda lib: lib.utils.data.default_collate([[1, 2], [1]]),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_refusals_say_what_pytorch_says(call):
    with pytest.raises((ValueError, TypeError, RuntimeError)) as theirs:
        call(torch)
    with pytest.raises(type(theirs.value)) as ours:
        call(minidl)
    wanted = str(theirs.value).split(".let")[0].rstrip(".!")
    assert wanted in str(ours.value)


@pytest.mark.parametrize("fractions", [[0.33, 0.33, 0.34], [0.9, 0.1], [1.0], [0.5, 0.25, 0.25]])
@pytest.mark.parametrize("size", [0, 1, 2, 10, 11])
def test_splits_have_the_same_sizes(fractions, size):
    results = []
    for library in (minidl, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            parts = library.utils.data.random_split(range(size), fractions)
        results.append(([len(part) for part in parts], [str(w.message) for w in caught]))
    assert results[0] == results[1]


BATCHES = [
    [1, 2],
    [True, False],
    [1.5, 2.0],
    ["a", "b"],
    [b"a", b"b"],
    [np.float32(1), np.float32(2)],
    [np.int64(1), np.int64(2)],
    [np.float64(1), np.float64(2)],
    [np.bool_(True), np.bool_(False)],
    [np.ones((2, 3)), np.zeros((2, 3))],
    [(1, 2.0), (3, 4.0)],
    [{"a": [1, "x"], "b": (2,)}, {"a": [3, "y"], "b": (4,)}],
]


def shown(value):
    if hasattr(value, "numpy"):
        return str(value.dtype).split(".")[-1], value.tolist()
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [shown(item) for item in value]
    return value


@pytest.mark.parametrize("batch", BATCHES, ids=repr)
def test_collation_gives_the_same(batch):
    found, expected = (shown(library.utils.data.default_collate(batch)) for library in (minidl, torch))
    assert found == expected


def test_types_may_be_added_to_the_map():
    class Own:
        pass

    results = []
    for library in (minidl, torch):
        collate = importlib.import_module(f"{library.__name__}.utils.data._utils.collate")
        collate.default_collate_fn_map[Own] = lambda batch, *, collate_fn_map=None: len(batch)
        try:
            results.append(library.utils.data.default_collate([{"x": Own()}] * 3))
        finally:
            del collate.default_collate_fn_map[Own]
        with pytest.raises(TypeError):
            collate.collate([1, 2])
    assert results[0] == results[1] == {"x": 3}


def test_sums_of_lengths():
    results = []
    for library in (minidl, torch):
        joined = library.utils.data.ConcatDataset([data(library), data(library)])
        with pytest.warns(FutureWarning, match="renamed to `cumulative_sizes`"):
            old = joined.cummulative_sizes
        results.append((old, joined.cumulative_sizes, joined.cumsum([data(library)])))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (
            "dataset",
            "Dataset IterableDataset TensorDataset ConcatDataset ChainDataset StackDataset Subset random_split",
        ),
        ("dataloader", "DataLoader default_collate default_convert get_worker_info"),
        (
            "sampler",
            "Sampler SequentialSampler RandomSampler SubsetRandomSampler WeightedRandomSampler BatchSampler",
        ),
        ("distributed", "DistributedSampler"),
        (
            "_utils.collate",
            "collate default_collate default_collate_fn_map default_convert collate_tensor_fn",
        ),
        ("_utils.worker", "WorkerInfo get_worker_info"),
    ],
)
def test_names_are_under_pytorchs_paths(path, names):
    for library in (minidl, torch):
        module = importlib.import_module(f"{library.__name__}.utils.data.{path}")
        for name in names.split():
            assert hasattr(module, name)
            if name in library.utils.data.__all__:
                assert getattr(module, name) is getattr(library.utils.data, name)
