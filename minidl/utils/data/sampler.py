"""Samplers: in which order the indices of a data set are visited.

A random sampler without a generator takes one number of the default generator for each pass and draws the pass from a
stream of its own; so what else is drawn meanwhile, and how many workers load, changes nothing.
"""

import itertools

from minidl import dtypes
from minidl.device import CPU
from minidl.ops.create import as_tensor
from minidl.ops.generator import Generator
from minidl.ops.random import draw_integers, randint, randperm
from minidl.ops.sampling import multinomial


def draw_seed(generator=None):
    """A seed for a stream of its own: 63 bits of ``generator``, by default the CPU's default one."""
    return int(draw_integers((), dtypes.INT64, 0, 1 << 63, generator, CPU))


def _own_stream(generator):
    return Generator().manual_seed(draw_seed()) if generator is None else generator


class Sampler:
    """An iterable of indices, or of lists of them: a subclass writes ``__iter__``, and ``__len__`` where it can."""

    def __class_getitem__(cls, item):
        return cls

    def __iter__(self):
        raise NotImplementedError("Subclasses of Sampler should implement __iter__.")


class SequentialSampler(Sampler):
    """0, 1, ..., len(data_source) - 1."""

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def __len__(self):
        return len(self.data_source)


class RandomSampler(Sampler):
    """Indices in random order, or drawn with ``replacement``.

    ``num_samples`` is how many a pass gives, by default len(data_source); without replacement, more than one
    permutation is begun where it is larger. Raises ``TypeError`` and ``ValueError`` as PyTorch's does.

    >>> from minidl.utils.data import RandomSampler
    >>> sorted(RandomSampler(range(4)))
    [0, 1, 2, 3]
    """

    _CHUNK = 4096  # indices drawn at once with replacement: a pass over a huge set needs no huge list

    def __init__(self, data_source, replacement=False, num_samples=None, generator=None):
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.data_source, self.replacement, self._num_samples = data_source, replacement, num_samples
        self.generator = generator
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={self.num_samples}"
            )

    @property
    def num_samples(self):
        """How many indices a pass gives; the data source may have grown since the last one."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self):
        size, remaining, generator = len(self.data_source), self.num_samples, _own_stream(self.generator)
        if size == 0 and remaining:
            raise ValueError(f"cannot draw {remaining} samples from an empty data source")
        while remaining > 0:
            if self.replacement:
                drawn = randint(size, (min(self._CHUNK, remaining),), generator=generator).tolist()
            else:
                drawn = randperm(size, generator=generator).tolist()[:remaining]
            yield from drawn
            remaining -= len(drawn)

    def __len__(self):
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """The given ``indices`` in random order."""

    def __init__(self, indices, generator=None):
        self.indices, self.generator = indices, generator

    def __iter__(self):
        for i in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self):
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """``num_samples`` indices of 0 .. len(weights) - 1, drawn in proportion to ``weights``.

    Raises ``ValueError`` as PyTorch's does; ``RuntimeError`` for weights that ``minidl.multinomial`` refuses.

    >>> from minidl.utils.data import WeightedRandomSampler
    >>> list(WeightedRandomSampler([0.0, 3.0], 3))
    [1, 1, 1]
    """

    def __init__(self, weights, num_samples, replacement=True, generator=None):
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={num_samples}"
            )
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = as_tensor(weights, dtype=dtypes.float64)
        if self.weights.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self):
        drawn = multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        return iter(drawn.tolist())

    def __len__(self):
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of ``batch_size`` indices of another sampler; the last, shorter one only without ``drop_last``.

    >>> from minidl.utils.data import BatchSampler
    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler, batch_size, drop_last):
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self):
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self):
        return (
            -(-len(self.sampler) // self.batch_size)
            if not self.drop_last
            else len(self.sampler) // self.batch_size
        )
