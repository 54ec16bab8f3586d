"""``keras.preprocessing.sequence``: sequences at one length, windows over time, pairs of words."""

import numpy as np

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]


def pad_sequences(sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0):
    """Sequences as an array (N, maxlen, ...): short ones filled with ``value``, long ones cut, at either end.

    ``maxlen`` is the longest unless it is given. ``ValueError`` for an end that is none, for what is no sequence,
    and for items of different shapes. The fill is one pass over all items.

    >>> from minidl import keras
    >>> keras.utils.pad_sequences([[1], [2, 3, 4]], maxlen=2)
    array([[0, 1],
           [3, 4]], dtype=int32)
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    for name, end in (("padding", padding), ("truncating", truncating)):
        if end not in ("pre", "post"):
            raise ValueError(f'{name.capitalize()} type "{end}" not understood; expected "pre" or "post"')
    try:
        lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    except TypeError as error:
        raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {error}") from None
    maxlen = int(lengths.max(initial=0)) if maxlen is None else int(maxlen)
    if isinstance(value, str) and np.dtype(dtype).kind not in "OSU":
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}\nYou should set `dtype=object` for "
            "variable length strings."
        )
    cut = [
        np.asarray(s[-maxlen:] if truncating == "pre" else s[:maxlen], dtype=dtype)
        for s, length in zip(sequences, lengths, strict=True) if length and maxlen
    ]  # fmt: skip
    shape = cut[0].shape[1:] if cut else ()
    for i, item in enumerate(cut):
        if item.shape[1:] != shape:
            raise ValueError(
                f"Shape of sample {item.shape[1:]} of sequence at position {i} is different from expected shape {shape}"
            )
    out = np.full((len(lengths), maxlen, *shape), value, dtype=dtype)
    kept = np.minimum(lengths, maxlen)
    place = np.arange(maxlen)
    inside = place < kept[:, None] if padding == "post" else place >= maxlen - kept[:, None]
    if cut:
        out[inside] = np.concatenate(cut)
    return out


def make_sampling_table(size, sampling_factor=1e-5):
    """The chance to keep the word of each frequency rank, as word2vec samples them, by Zipf's law."""
    gamma = 0.577
    rank = np.arange(size)
    rank[0] = 1
    inverse = rank * (np.log(rank) + gamma) + 0.5 - 1.0 / (12.0 * rank)
    share = sampling_factor * inverse
    return np.minimum(1.0, share / np.sqrt(share))


def skipgrams(
    sequence, vocabulary_size, window_size=4, negative_samples=1.0, shuffle=True, categorical=False,
    sampling_table=None, seed=None,
):  # fmt: skip
    """Pairs of words that stand within a window of each other (label 1) and of words at random (label 0).

    0 is no word. Source: T. Mikolov et al., "Efficient estimation of word representations in vector space", 2013.
    """
    generator = np.random.default_rng(seed)
    words = np.asarray(sequence, dtype=np.int64)
    kept = words != 0
    if sampling_table is not None:
        kept &= np.asarray(sampling_table)[words] >= generator.random(len(words))
    near = np.arange(-window_size, window_size + 1)
    at = np.flatnonzero(kept)[:, None]
    other = at + near[near != 0]
    inside = (other >= 0) & (other < len(words))
    inside &= words[np.clip(other, 0, max(len(words) - 1, 0))] != 0 if len(words) else inside
    first = np.broadcast_to(at, other.shape)[inside]
    couples = np.stack([words[first], words[other[inside]]], 1)
    labels = np.ones(len(couples), dtype=np.int64)
    if negative_samples > 0 and len(couples):
        count = int(len(couples) * negative_samples)
        left = generator.permutation(couples[:, 0])[np.arange(count) % len(couples)]
        wrong = np.stack([left, generator.integers(1, max(vocabulary_size, 2), count)], 1)
        couples, labels = (
            np.concatenate([couples, wrong]),
            np.concatenate([labels, np.zeros(count, np.int64)]),
        )
    if shuffle:
        order = generator.permutation(len(couples))
        couples, labels = couples[order], labels[order]
    shown = np.eye(2, dtype=np.int64)[labels] if categorical else labels
    return couples.tolist(), [list(row) for row in shown.tolist()] if categorical else shown.tolist()


class TimeseriesGenerator:
    """Windows of ``length`` rows before a target, as batches ``(samples, targets)`` by number.

    ``sampling_rate`` takes every so many rows of a window, ``stride`` moves the window. ``ValueError`` for lengths
    that differ or leave no window. Source: Keras' ``TimeseriesGenerator``.

    >>> import numpy as np
    >>> from minidl.keras.preprocessing.sequence import TimeseriesGenerator
    >>> x, y = TimeseriesGenerator(np.arange(5), np.arange(5), length=3)[0]
    >>> x.tolist(), y.tolist()
    ([[0, 1, 2], [1, 2, 3]], [3, 4])
    """

    def __init__(
        self, data, targets, length, sampling_rate=1, stride=1, start_index=0, end_index=None, shuffle=False,
        reverse=False, batch_size=128,
    ):  # fmt: skip
        if len(data) != len(targets):
            raise ValueError(
                f"Data and targets have to be of same length. Data length is {len(data)} while target length is "
                f"{len(targets)}"
            )
        self.data, self.targets = np.asarray(data), np.asarray(targets)
        self.length, self.sampling_rate, self.stride = length, sampling_rate, stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"`start_index+length={self.start_index} > end_index={self.end_index}` is disallowed, as no part of "
                "the sequence would be left to be used as current step."
            )

    def __len__(self):
        span = self.end_index - self.start_index + self.batch_size * self.stride
        return span // (self.batch_size * self.stride)

    def __getitem__(self, index):
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            last = min(first + self.batch_size * self.stride, self.end_index + 1)
            rows = np.arange(first, last, self.stride)
        back = np.arange(-self.length, 0, self.sampling_rate)
        samples = self.data[rows[:, None] + back]
        return (samples[:, ::-1] if self.reverse else samples), self.targets[rows]

    def __iter__(self):
        for index in range(len(self)):
            yield self[index]

    def on_epoch_end(self):
        """Nothing: rows are drawn batch by batch."""

    def get_config(self):
        """The constructor's arguments, data as lists."""
        return {
            "data": self.data.tolist(), "targets": self.targets.tolist(), "length": self.length,
            "sampling_rate": self.sampling_rate, "stride": self.stride, "start_index": self.start_index,
            "end_index": self.end_index, "shuffle": self.shuffle, "reverse": self.reverse,
            "batch_size": self.batch_size,
        }  # fmt: skip
