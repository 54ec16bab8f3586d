"""Nested lists that hold tensors and NumPy values: what they make, and what they select as an index, is PyTorch's."""

import numpy as np
import pytest
import torch

import minidl

pytestmark = pytest.mark.filterwarnings(
    "ignore"
)  # PyTorch's own, of lists that mean tuples and of slow lists

MADE = {
    "one element each": lambda m: m.tensor([m.tensor([1.0]), m.tensor([2.0])]),
    "of several ranks": lambda m: m.tensor([m.tensor([[1.0]]), m.tensor(2.0), 3]),
    "nested": lambda m: m.tensor([[1.0, 2.0], [m.tensor([3.0]), 4.0]]),
    "of integers": lambda m: m.tensor((m.tensor([1]), m.tensor([2]))),
    "of a leaf": lambda m: m.tensor([m.ones(1, requires_grad=True)]),
    "float64": lambda m: m.tensor([1.5, m.tensor(1.0, dtype=m.float64)]),
    "float16": lambda m: m.tensor([m.tensor(1.0, dtype=m.float16)]),
    "float16 and a number": lambda m: m.tensor([m.tensor(1.0, dtype=m.float16), 2.0]),
    "two of 16 bits": lambda m: m.tensor([m.ones(1, dtype=m.float16), m.ones(1, dtype=m.bfloat16)]),
    "int32 and int8": lambda m: m.tensor([m.tensor(1, dtype=m.int32), m.tensor(2, dtype=m.int8)]),
    "int32 and a float": lambda m: m.tensor([m.tensor(1, dtype=m.int32), 2.5]),
    "bool and an int": lambda m: m.tensor([m.tensor(True), 2]),
    "numpy first": lambda m: m.tensor([np.float32(1), 2.0]),
    "numpy last": lambda m: m.tensor([2.0, np.float64(1)]),
    "numpy arrays": lambda m: m.tensor([np.ones(2), np.ones(2)]),
    "as_tensor": lambda m: m.as_tensor([m.tensor([1.0]), m.tensor([2.0])]),
    "asarray": lambda m: m.asarray([m.tensor([1.0]), m.tensor([2.0])]),
    "Tensor": lambda m: m.Tensor([m.tensor([1.0]), m.tensor([2.0])]),
    "LongTensor": lambda m: m.LongTensor([m.tensor([1]), m.tensor([2])]),
    "new_tensor": lambda m: m.ones(2).new_tensor([m.tensor([1.0]), 2]),
    "several elements": lambda m: m.tensor([m.ones(2), m.ones(2)]),
    "no elements": lambda m: m.tensor([m.ones(0), m.ones(0)]),
}
SELECTED = {
    "lists": lambda m: [[0, 1], [1, 2]],
    "one list": lambda m: [[0, 1]],
    "tensors": lambda m: [m.tensor([0, 1]), m.tensor([1, 2])],
    "one tensor": lambda m: [m.tensor([0, 1])],
    "a number and a tensor": lambda m: [0, m.tensor(1)],
    "arrays": lambda m: [np.array([0, 1]), np.array([1, 0])],
    "a slice": lambda m: [slice(0, 1), 0],
    "None": lambda m: [None, 0],
    "an ellipsis": lambda m: [..., 0],
    "numbers": lambda m: [1, 0],
    "bools": lambda m: [True, False],
    "NumPy's numbers": lambda m: [np.int64(1), np.int64(0)],
    "many": lambda m: [[0]] * 32,
}


def outcome(call):
    """The numbers, shape and dtype of a result, or the class of an error and its first words."""
    try:
        result = call()
    except (IndexError, TypeError, ValueError) as error:
        return type(error), str(error)[:40]
    return result.tolist(), tuple(result.shape), str(result.dtype).partition(".")[2]


@pytest.mark.parametrize("name", MADE)
def test_lists_make_the_same_tensors(name):
    ours, theirs = (outcome(lambda: MADE[name](library)) for library in (minidl, torch))  # noqa: B023
    assert ours == theirs


@pytest.mark.parametrize("name", SELECTED)
def test_lists_select_and_write_the_same(name):
    def selected(library):
        return library.arange(6).reshape(2, 3)[SELECTED[name](library)]

    def written(library):
        x = library.zeros(2, 3)
        x[SELECTED[name](library)] = 1
        return x

    for act in (selected, written):
        ours, theirs = (outcome(lambda: act(library)) for library in (minidl, torch))  # noqa: B023
        assert ours == theirs


def test_a_list_that_means_a_tuple_is_warned_of():
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        minidl.zeros(2, 3)[[[0, 1], [1, 2]]]


@pytest.mark.parametrize("accumulate", [False, True])
def test_index_put_takes_numbers(accumulate):
    made = []
    for library in (minidl, torch):
        zero, two = library.tensor(0), library.tensor(2)
        x = library.ones(2, 3)
        y = x.index_put((zero,), library.tensor([7.0, 8.0, 9.0]), accumulate=accumulate)
        made.append(
            [y.tolist(), x.index_put((zero, two), library.tensor(5.0), accumulate=accumulate).tolist()]
        )
    assert made[0] == made[1]
