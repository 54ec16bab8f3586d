"""utils.data: data sets, samplers, collation and a loader whose batches do not depend on its workers."""

import collections

import numpy as np
import pytest
from loading import Numbers, Stream, pair

import minidl
from minidl.utils.data import (
    BatchSampler,
    ChainDataset,
    ConcatDataset,
    RandomSampler,
    SequentialSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
    random_split,
)

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
    with pytest.warns(UserWarning, match=r"Length of split at index \d is 0"):
        assert [len(p) for p in random_split(range(3), [0.1] * 10)] == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="Sum of input lengths"):
        random_split(range(10), [7, 4])
    with pytest.raises(ValueError, match="not between 0 and 1"):
        random_split(range(10), [1.5, -0.5])
    for lengths in ([-1, 11], [2.5, 7.5]):
        with pytest.raises(ValueError, match="lengths must be numbers of samples"):
            random_split(range(10), lengths)


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
        (lambda: RandomSampler(range(3), num_samples=-1), "positive integer"),
        (lambda: RandomSampler([]), "num_samples=0"),
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
    with pytest.raises(IndexError, match="the batch is empty"):
        default_collate([])
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
