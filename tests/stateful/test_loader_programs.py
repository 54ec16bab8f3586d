"""Programs of data loaders with several passes at once, beside lists of indices."""

import itertools

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from stateful_runs import quick_and_long

import minidl
from minidl.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    SequentialSampler,
    Subset,
    TensorDataset,
)

PLACES = st.integers(0, 9)


class Pairs(Dataset):
    """Numbers and their squares, as a dict."""

    def __init__(self, numbers):
        self.numbers = list(numbers)

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, index):
        return {"n": self.numbers[index], "square": np.float32(self.numbers[index] ** 2)}


class Stream(IterableDataset):
    """Numbers, one by one."""

    def __init__(self, numbers):
        self.numbers = list(numbers)

    def __iter__(self):
        return iter(self.numbers)


def values(batch, kind):
    """The numbers of a batch, checked against what comes with them."""
    if kind == "dict":
        np.testing.assert_array_equal(batch["square"].numpy(), batch["n"].numpy().astype(np.float32) ** 2)
        return batch["n"].tolist()
    return (batch[0] if kind == "tensors" else batch).tolist()


class Pass:
    """A pass over a loader that has begun: its iterator, what is to come, and what came."""

    def __init__(self, loader, kind, batches, shuffled):
        self.iterator, self.kind, self.shuffled = iter(loader), kind, shuffled
        self.batches, self.seen = list(batches), []


class Loaders(RuleBasedStateMachine):
    """One data set, one loader, and passes over it at different places."""

    @initialize(
        count=st.integers(0, 11), kind=st.sampled_from(["tensors", "dict", "stream", "subset", "joined"])
    )
    def data(self, count, kind):
        numbers = list(range(10, 10 + count))
        if kind == "subset":
            self.dataset = Subset(TensorDataset(minidl.arange(10, 40)), range(count))
        elif kind == "joined":
            half = count // 2
            self.dataset = ConcatDataset([Pairs(numbers[:half]), Pairs(numbers[half:])])
        else:
            tensors = TensorDataset(minidl.tensor(numbers, dtype=minidl.int64))
            self.dataset = {"tensors": tensors, "dict": Pairs(numbers), "stream": Stream(numbers)}[kind]
        self.kind = {"subset": "tensors", "joined": "dict"}.get(kind, kind)
        self.numbers, self.passes = numbers, []
        self.build(2, False, "order", 0)

    @rule(
        size=st.integers(1, 5),
        drop_last=st.booleans(),
        how=st.sampled_from(["order", "shuffle", "sampler", "batches"]),
        seed=st.integers(0, 3),
    )
    def build(self, size, drop_last, how, seed):
        how = "order" if self.kind == "stream" or (how == "shuffle" and not self.numbers) else how
        order = self.numbers
        options = {"batch_size": size, "drop_last": drop_last}
        if how == "shuffle":
            options |= {"shuffle": True, "generator": minidl.Generator().manual_seed(seed)}
        elif how == "sampler":
            picked = list(range(len(order)))[::-2]
            options["sampler"] = picked
            order = [self.numbers[i] for i in picked]
        elif how == "batches":
            sampler = BatchSampler(SequentialSampler(self.dataset), size, drop_last)
            options = {"batch_sampler": sampler}
        self.loader = DataLoader(self.dataset, **options)
        chunks = [order[i : i + size] for i in range(0, len(order), size)]
        self.batches = [chunk for chunk in chunks if len(chunk) == size or not drop_last]
        self.shuffled = how == "shuffle"
        whole = [values(batch, self.kind) for batch in self.loader]
        assert len(whole) == len(self.batches) if self.shuffled else whole == self.batches

    @rule()
    def length(self):
        if self.kind != "stream":
            assert len(self.loader) == len(self.batches)

    @precondition(lambda self: len(self.passes) < 4)
    @rule()
    def begin(self):
        self.passes.append(Pass(self.loader, self.kind, self.batches, self.shuffled))

    @precondition(lambda self: self.passes)
    @rule(place=PLACES, steps=st.integers(1, 4))
    def proceed(self, place, steps):
        one = self.passes[place % len(self.passes)]
        for batch in itertools.islice(one.iterator, steps):
            found = values(batch, one.kind)
            assert len(one.seen) < len(one.batches), "more batches than there are"
            wanted = one.batches[len(one.seen)]
            assert len(found) == len(wanted) if one.shuffled else found == wanted
            one.seen.append(found)

    @precondition(lambda self: self.passes)
    @rule(place=PLACES)
    def finish(self, place):
        one = self.passes.pop(place % len(self.passes))
        one.seen += [values(batch, one.kind) for batch in one.iterator]
        assert len(one.seen) == len(one.batches)
        flat = list(itertools.chain(*one.seen))
        if one.shuffled:
            assert len(set(flat)) == len(flat) and set(flat) <= set(self.numbers)
        else:
            assert one.seen == one.batches
        assert next(one.iterator, None) is None, "a pass that is over stays over"

    @precondition(lambda self: self.passes)
    @rule(place=PLACES)
    def abandon(self, place):
        del self.passes[place % len(self.passes)]

    @rule(seed=st.integers(0, 3))
    def seeds_give_orders(self, seed):
        if self.shuffled:
            orders = []
            for _ in range(2):
                self.loader.generator.manual_seed(seed)
                orders.append([values(batch, self.kind) for batch in self.loader])
            assert orders[0] == orders[1]

    @rule()
    def workers_give_the_same(self):
        if not self.shuffled and self.kind != "stream" and self.numbers:
            options = {"batch_sampler": self.loader.batch_sampler, "num_workers": 2, "worker_type": "thread"}
            loader = DataLoader(self.dataset, **options)
            assert [values(batch, self.kind) for batch in loader] == self.batches


test_quick, test_long = quick_and_long(Loaders, examples=40, steps=20)
