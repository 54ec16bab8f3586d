"""``DistributedSampler``: the part of a data set that is one process's."""

import itertools
import math

from minidl import distributed
from minidl.ops.generator import Generator
from minidl.ops.random import randperm
from minidl.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler):
    """Every ``num_replicas``-th index of a data set from the ``rank``-th on, in an order that all replicas share.

    The order is that of ``seed + epoch`` (``set_epoch`` begins another one) or, without ``shuffle``, the data set's.
    So that all replicas have as many, indices from the beginning are added at the end, or left out with
    ``drop_last``. By default there is one replica, of rank 0. Raises ``ValueError`` for a rank that is none of them.
    Source: ``torch.utils.data.distributed.DistributedSampler``.

    >>> from minidl.utils.data.distributed import DistributedSampler
    >>> [list(DistributedSampler(range(5), num_replicas=2, rank=rank, shuffle=False)) for rank in (0, 1)]
    [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(self, dataset, num_replicas=None, rank=None, shuffle=True, seed=0, drop_last=False):
        num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
        rank = distributed.get_rank() if rank is None else rank
        if rank >= num_replicas or rank < 0:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.epoch, self.shuffle, self.seed, self.drop_last = 0, shuffle, seed, drop_last
        size = len(dataset)
        self.num_samples = size // num_replicas if drop_last else math.ceil(size / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self):
        size = len(self.dataset)
        if self.shuffle:
            indices = randperm(size, generator=Generator().manual_seed(self.seed + self.epoch)).tolist()
        else:
            indices = list(range(size))
        even = itertools.islice(itertools.cycle(indices), self.total_size)
        return itertools.islice(even, self.rank, None, self.num_replicas)

    def __len__(self):
        return self.num_samples

    def set_epoch(self, epoch):
        """Gives the next pass the order of another epoch; without it every pass has the same."""
        self.epoch = epoch
