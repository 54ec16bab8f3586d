"""Embedding: the table, its gradient, and which indices are refused."""

import numpy as np
import pytest

import minidl
import minidl.nn.functional as F
from minidl import nn


@pytest.mark.parametrize(("indices", "low", "high"), [([0, 7], 0, 7), ([3, -1], -1, 3), ([[5]], 5, 5)])
def test_indices_out_of_range_name_what_was_seen(indices, low, high):
    with pytest.raises(
        IndexError, match=rf"^index out of range in self.*5 rows.*\[0, 4\].*span \[{low}, {high}\]"
    ):
        nn.Embedding(5, 3)(minidl.tensor(indices))


def test_other_refusals():
    table = minidl.ones(5, 3)
    with pytest.raises(
        RuntimeError, match="Expected tensor for argument #1 'indices' to have one of the following"
    ):
        F.embedding(minidl.tensor([0.0]), table)
    with pytest.raises(RuntimeError, match="'weight' must be 2-D"):
        F.embedding(minidl.tensor([0]), minidl.ones(5))
    with pytest.raises(AssertionError, match="Padding_idx must be within num_embeddings"):
        nn.Embedding(5, 3, padding_idx=7)
    for sparse in (
        lambda: nn.Embedding(5, 3, sparse=True),
        lambda: F.embedding(minidl.tensor([0]), table, sparse=True),
    ):
        with pytest.raises(NotImplementedError, match="sparse gradients are not supported"):
            sparse()
    with pytest.raises(AssertionError, match="2-dimensional"):
        nn.Embedding.from_pretrained(minidl.ones(3))


def test_padding_row_starts_at_zero_and_stays():
    layer = nn.Embedding(5, 3, padding_idx=-2)
    assert layer.padding_idx == 3
    assert not layer.weight.detach().numpy()[3].any()
    layer(minidl.tensor([1, 3, 3])).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.numpy().sum(1), [0, 3, 0, 0, 0])


def test_frequency_scales_the_gradient():
    layer = nn.Embedding(4, 2, scale_grad_by_freq=True)
    layer(minidl.tensor([1, 1, 1, 2])).sum().backward()
    np.testing.assert_allclose(layer.weight.grad.numpy(), [[0, 0], [1, 1], [1, 1], [0, 0]])


def test_max_norm_shortens_used_rows_only():
    table = minidl.tensor([[3.0, 4.0], [0.3, 0.4], [30.0, 40.0]])
    layer = nn.Embedding.from_pretrained(table.clone(), freeze=False, max_norm=1.0)
    version = layer.weight._version
    out = layer(minidl.tensor([0, 1]))
    np.testing.assert_allclose(out.detach().numpy(), [[0.6, 0.8], [0.3, 0.4]], rtol=1e-5)
    np.testing.assert_array_equal(layer.weight.detach().numpy()[2], [30, 40])
    assert layer.weight._version > version
    out.sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.numpy(), [[1, 1], [1, 1], [0, 0]])


def test_from_pretrained_is_frozen_unless_told():
    table = minidl.tensor([[1.0, 2.0], [3.0, 4.0]])
    frozen = nn.Embedding.from_pretrained(table)
    assert not frozen.weight.requires_grad
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    np.testing.assert_array_equal(frozen(minidl.tensor([[1], [0]])).numpy(), [[[3, 4]], [[1, 2]]])


def test_repr():
    layer = nn.Embedding(5, 3, padding_idx=1, max_norm=2.0, norm_type=1.0, scale_grad_by_freq=True)
    assert (
        repr(layer) == "Embedding(5, 3, padding_idx=1, max_norm=2.0, norm_type=1.0, scale_grad_by_freq=True)"
    )


def test_one_hot_refusals():
    with pytest.raises(RuntimeError, match="Class values must be non-negative"):
        F.one_hot(minidl.tensor([0, -3]))
    with pytest.raises(RuntimeError, match="Class values must be smaller than num_classes"):
        F.one_hot(minidl.tensor([0, 3]), 2)
    with pytest.raises(RuntimeError, match="Can not infer total number of classes from empty tensor"):
        F.one_hot(minidl.zeros(0, dtype=minidl.int64))
    with pytest.raises(RuntimeError, match="only applicable to index tensor"):
        F.one_hot(minidl.tensor([0.0]))
    assert F.one_hot(minidl.zeros(0, dtype=minidl.int64), 3).shape == (0, 3)
