"""Which indices a replica gets, beside PyTorch's DistributedSampler in the order of the data set."""

import pytest
import torch

from minidl.utils.data.distributed import DistributedSampler


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 10])
@pytest.mark.parametrize("replicas", [1, 2, 4])
@pytest.mark.parametrize("drop_last", [False, True])
def test_replicas_get_the_same_indices(size, replicas, drop_last):
    for rank in range(replicas):
        arguments = (range(size), replicas, rank, False, 0, drop_last)
        ours, theirs = DistributedSampler(*arguments), torch.utils.data.DistributedSampler(*arguments)
        assert list(ours) == list(theirs)
        assert (len(ours), ours.total_size) == (len(theirs), theirs.total_size)
