"""Data sets: what can be indexed or iterated for samples."""

import bisect
import itertools
import math
import warnings

from minidl.ops.generator import default_generator
from minidl.ops.random import randperm


class Dataset:
    """A map from indices to samples: a subclass writes ``__getitem__``, and ``__len__`` where it knows its size.

    ``__getitems__(indices)``, where there is one, gives a list of samples at once.
    Source: PyTorch's ``torch.utils.data.Dataset``.

    >>> from minidl.utils.data import Dataset
    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> (Squares() + Squares())[5]
    1
    """

    def __class_getitem__(cls, item):
        return cls  # Dataset[Sample] in annotations, as PyTorch's generic class

    def __getitem__(self, index):
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other):
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Samples as a stream: a subclass writes ``__iter__``.

    Each worker iterates its own copy; ``get_worker_info()`` tells it which share is its own.
    """

    def __iter__(self):
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")

    def __getitem__(self, index):
        raise NotImplementedError("an IterableDataset is iterated, not indexed")

    def __add__(self, other):
        return ChainDataset([self, other])


class TensorDataset(Dataset):
    """Samples are the tuples of the tensors' entries along their first dimension.

    ``tensors``: each (N, ...). Raises ``AssertionError`` where the N differ.

    >>> import minidl
    >>> from minidl.utils.data import TensorDataset
    >>> TensorDataset(minidl.zeros(3, 2), minidl.tensor([7, 8, 9]))[1]
    (tensor([0., 0.]), tensor(8))
    """

    def __init__(self, *tensors):
        sizes = [t.size(0) for t in tensors]
        if len(set(sizes)) > 1:
            raise AssertionError(f"Size mismatch between tensors: first dimensions are {sizes}")
        self.tensors = tensors

    def __getitem__(self, index):
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self):
        return self.tensors[0].size(0) if self.tensors else 0


class StackDataset(Dataset):
    """Data sets side by side: samples are tuples for ``StackDataset(a, b)``, dicts for ``StackDataset(x=a)``."""

    def __init__(self, *args, **kwargs):
        if not args and not kwargs:
            raise ValueError("At least one dataset should be passed")
        if args and kwargs:
            raise ValueError(
                "Supported either tuple- (via args) or dict- (via kwargs) like input/output types"
            )
        self.datasets = args or kwargs
        sizes = [len(d) for d in (args or kwargs.values())]
        if len(set(sizes)) > 1:
            raise ValueError(f"Size mismatch between datasets: {sizes}")
        self._length = sizes[0]

    def __getitem__(self, index):
        if isinstance(self.datasets, dict):
            return {key: dataset[index] for key, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices):
        """The samples of several indices, by the sets' own ``__getitems__`` where they have it."""
        named = isinstance(self.datasets, dict)
        columns = [_items_of(d, indices) for d in (self.datasets.values() if named else self.datasets)]
        rows = zip(*columns, strict=True)
        return [dict(zip(self.datasets, row, strict=True)) for row in rows] if named else list(rows)

    def __len__(self):
        return self._length


def _items_of(dataset, indices):
    """Samples of one of the stacked sets. Raises ``ValueError`` where it gives another number of them."""
    if not callable(getattr(dataset, "__getitems__", None)):
        return [dataset[index] for index in indices]
    items = dataset.__getitems__(indices)
    if len(items) != len(indices):
        raise ValueError(f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(items)}")
    return items


class ConcatDataset(Dataset):
    """Data sets one after the other. Raises ``AssertionError`` for none, or for an IterableDataset among them."""

    def __init__(self, datasets):
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset. Hint: use ChainDataset.")
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence):
        """The running sums of lengths."""
        return list(itertools.accumulate(len(d) for d in sequence))

    @property
    def cummulative_sizes(self):
        """``cumulative_sizes`` under its name of old, with a ``FutureWarning``."""
        warnings.warn(
            "`cummulative_sizes` attribute is renamed to `cumulative_sizes`", FutureWarning, stacklevel=2
        )
        return self.cumulative_sizes

    def __len__(self):
        return self.cumulative_sizes[-1]

    def __getitem__(self, index):
        if index < 0:
            if -index > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            index += len(self)
        place = bisect.bisect_right(self.cumulative_sizes, index)
        if place == len(self.datasets):
            raise IndexError(f"index {index} is out of range for a data set of {len(self)} samples")
        return self.datasets[place][index - (self.cumulative_sizes[place - 1] if place else 0)]


class ChainDataset(IterableDataset):
    """Streams one after the other."""

    def __init__(self, datasets):
        self.datasets = list(datasets)

    def __iter__(self):
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield from dataset

    def __len__(self):
        return sum(len(d) for d in self.datasets)


class Subset(Dataset):
    """The samples of ``dataset`` at ``indices``."""

    def __init__(self, dataset, indices):
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index):
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices):
        chosen = [self.indices[i] for i in indices]
        many = getattr(self.dataset, "__getitems__", None)
        return many(chosen) if callable(many) else [self.dataset[i] for i in chosen]

    def __len__(self):
        return len(self.indices)


def random_split(dataset, lengths, generator=default_generator):
    """Cuts a data set into subsets of the given ``lengths``, at random and without overlap.

    ``lengths`` are numbers of samples, or fractions that sum to 1: each subset then has floor(fraction * N) samples
    and what is left over is dealt out one by one from the first subset on. Raises ``ValueError`` where lengths do not
    sum to N or a fraction is not in [0, 1]. Source: PyTorch's ``torch.utils.data.random_split``.

    >>> from minidl.utils.data import random_split
    >>> [len(part) for part in random_split(range(10), [0.7, 0.3])]
    [7, 3]
    """
    total = len(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1 + 1e-9:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1: {fraction}")
        counts = [math.floor(total * fraction) for fraction in lengths]
        for i in range(total - sum(counts)):
            counts[i % len(counts)] += 1
        for i, count in enumerate(counts):
            if count == 0:
                warnings.warn(
                    f"Length of split at index {i} is 0. This might result in an empty dataset.", stacklevel=2
                )
    else:
        counts = list(lengths)
    if sum(counts) != total:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset! "
            f"Lengths {list(lengths)} sum to {sum(lengths)}, the dataset has {total} samples."
        )
    if any(not isinstance(count, int) or count < 0 for count in counts):
        raise ValueError(f"lengths must be numbers of samples, or fractions that sum to 1, but got {counts}")
    indices = iter(randperm(total, generator=generator).tolist())
    return [Subset(dataset, list(itertools.islice(indices, count))) for count in counts]
