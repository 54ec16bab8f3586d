"""From indices to a batch: what a loader does itself, or each of its workers."""

import operator

from minidl.ops.create import tensor
from minidl.utils.data.collate import default_collate
from minidl.utils.data.dataset import IterableDataset, Subset, TensorDataset


class Exhausted(Exception):
    """The stream of an IterableDataset has ended."""


def fetcher(dataset, batched, collate_fn, drop_last):
    """A function from what a sampler gives (a list of indices, or one where not ``batched``) to a batch."""
    if isinstance(dataset, IterableDataset):
        return _stream_fetcher(dataset, batched, collate_fn, drop_last)
    if not batched:
        return lambda index: collate_fn(_sample(dataset, index))
    if collate_fn is default_collate and _gathers(dataset):
        return lambda indices: _gather(dataset, indices)
    many = getattr(dataset, "__getitems__", None)
    if callable(many):
        return lambda indices: collate_fn(many(indices))
    return lambda indices: collate_fn([_sample(dataset, index) for index in indices])


def _sample(dataset, index):
    try:
        return dataset[index]
    except StopIteration as error:  # would end the loop over the loader in silence
        raise RuntimeError(f"the dataset raised StopIteration for index {index!r}") from error


def _gathers(dataset):
    """Whether a batch can be indexed out of whole tensors; a subclass with its own access cannot."""
    if isinstance(dataset, Subset):
        plain = (
            type(dataset).__getitem__ is Subset.__getitem__
            and type(dataset).__getitems__ is Subset.__getitems__
        )
        return plain and _gathers(dataset.dataset)
    return (
        isinstance(dataset, TensorDataset)
        and type(dataset).__getitem__ is TensorDataset.__getitem__
        and not hasattr(dataset, "__getitems__")
    )


def _gather(dataset, indices):
    """What ``default_collate([dataset[i] for i in indices])`` gives, by one indexing operation a tensor."""
    while isinstance(dataset, Subset):
        indices, dataset = [dataset.indices[i] for i in indices], dataset.dataset
    if not indices:
        return default_collate([])  # its error
    chosen = tensor([operator.index(i) for i in indices])
    return [each[chosen] for each in dataset.tensors]


def _stream_fetcher(dataset, batched, collate_fn, drop_last):
    stream = iter(dataset)

    def fetch_one(_):
        for sample in stream:
            return collate_fn(sample)
        raise Exhausted

    def fetch_batch(places):
        samples = [sample for _, sample in zip(places, stream)]
        if not samples or (drop_last and len(samples) < len(places)):
            raise Exhausted
        return collate_fn(samples)

    return fetch_batch if batched else fetch_one
