"""Sequences of several lengths in one tensor: padded, or packed without the padding.

Letters: T steps of the longest sequence, N sequences, ``*`` any number of dimensions. Padded: (T, N, *), or with
``batch_first`` (N, T, *). Packed: the rows of step 0 of all sequences, then those of step 1 of the sequences that
reach it, and so on, longest sequence first; ``batch_sizes[t]`` sequences reach step t.
"""

import operator
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from minidl import dtypes
from minidl.autograd.tensor import Tensor, leaf
from minidl.ops.create import as_tensor, full
from minidl.ops.indexing import index_select
from minidl.ops.joining import cat, unbind
from minidl.ops.ordering import sort
from minidl.ops.scatters import index_copy
from minidl.ops.shapes import transpose

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip

_NOT_SORTED = (
    "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
    "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement"
)


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences of several lengths without their padding: what ``pack_padded_sequence`` gives and RNNs take.

    ``data`` (sum of lengths, *): the steps, longest sequence first; ``batch_sizes`` (T), int64 on the CPU: how many
    sequences reach each step; ``sorted_indices`` and ``unsorted_indices`` (N): the order of the sequences by length
    and its inverse, None where they came sorted. Made by the functions of this module, not by hand. A new dtype or
    device is one for ``data`` (and the device for the indices). Raises ``ValueError`` where ``batch_sizes`` are not on
    the CPU. Source: ``torch.nn.utils.rnn.PackedSequence``.

    >>> import minidl
    >>> from minidl.nn.utils.rnn import pack_sequence
    >>> packed = pack_sequence([minidl.tensor([1, 2, 3]), minidl.tensor([4, 5])])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 5, 3]), tensor([2, 2, 1]))
    """

    __slots__ = ()

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be created manually. "
                "They should be instantiated by functions like pack_sequence and pack_padded_sequences in "
                "nn.utils.rnn."
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args, **kwargs):
        """The same sequences with ``data.to(...)``; itself where nothing changes."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        orders = (None if order is None else order.to(data.device) for order in self[2:])
        return type(self)(data, self.batch_sizes, *orders)

    def cpu(self, *args, **kwargs):
        """The same sequences on the CPU."""
        return self.to(*args, **{**kwargs, "device": "cpu"})

    def cuda(self, *args, **kwargs):
        """The same sequences on a GPU. Raises ``DeviceError`` where there is none."""
        device = args[0] if args else kwargs.pop("device", None)
        return self.to("cuda" if device is None else device, **kwargs)

    def pin_memory(self):
        """The same sequences, in memory that ``data.pin_memory()`` gives."""
        orders = (None if order is None else order.pin_memory() for order in self[2:])
        return type(self)(self.data.pin_memory(), self.batch_sizes, *orders)

    def is_pinned(self):
        """Whether ``data`` lies in pinned memory."""
        return self.data.is_pinned()

    @property
    def is_cuda(self):
        """Whether ``data`` is on a GPU."""
        return self.data.is_cuda

    def double(self):
        """``data`` as float64."""
        return self.to(dtype=dtypes.float64)

    def float(self):
        """``data`` as float32."""
        return self.to(dtype=dtypes.float32)

    def half(self):
        """``data`` as float16."""
        return self.to(dtype=dtypes.float16)

    def long(self):
        """``data`` as int64."""
        return self.to(dtype=dtypes.int64)

    def int(self):
        """``data`` as int32."""
        return self.to(dtype=dtypes.int32)

    def short(self):
        """``data`` as int16."""
        return self.to(dtype=dtypes.int16)

    def char(self):
        """``data`` as int8."""
        return self.to(dtype=dtypes.int8)

    def byte(self):
        """``data`` as uint8."""
        return self.to(dtype=dtypes.uint8)


def invert_permutation(permutation):
    """The permutation that undoes ``permutation`` (N); None for None. Source: ``torch.nn.utils.rnn``.

    >>> import minidl
    >>> minidl.nn.utils.rnn.invert_permutation(minidl.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else sort(permutation)[1]


def _lengths_of(lengths):
    """Lengths as a NumPy vector of int64."""
    lengths = as_tensor(lengths, dtype=dtypes.int64)
    if lengths.dim() != 1 or lengths.device.type != "cpu":
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.dim()}D {lengths.device.type} "
            "Long tensor"
        )
    return lengths.numpy()


def _rows_of(lengths, steps, batch_first):
    """Where the packed rows lie in the padded tensor, whose first two axes are one: int64 [sum of lengths].

    ``lengths`` [N] fall from first to last; ``steps`` is the padded number of steps.
    """
    reached = np.arange(lengths.max())[:, None] < lengths[None]
    t, n = np.nonzero(reached)
    return (n * steps + t if batch_first else t * len(lengths) + n), reached.sum(axis=1)


def pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    """The steps of N padded sequences that belong to them, as a ``PackedSequence``; gradients flow to ``input``.

    ``input`` (T, N, *) or (N, T, *), ``lengths`` N numbers (a list, or an int64 tensor on the CPU). Sequences come
    longest first, or in any order with ``enforce_sorted=False``. Raises ``RuntimeError`` for lengths that are not
    sorted, below 1, above T or not N of them, and for an input without elements.
    Source: ``torch.nn.utils.rnn.pack_padded_sequence``.

    >>> import minidl
    >>> from minidl.nn.utils.rnn import pack_padded_sequence
    >>> packed = pack_padded_sequence(
    ...     minidl.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]]), [2, 1, 3], True, False
    ... )
    >>> packed.data
    tensor([4, 1, 3, 5, 2, 6])
    >>> packed.sorted_indices
    tensor([2, 0, 1])
    """
    counts = _lengths_of(lengths)
    order = None
    if input.dim() < 2:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-input.dim()}, {input.dim() - 1}], but got 1)"
        )
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    steps, batch = (input.shape[1], input.shape[0]) if batch_first else input.shape[:2]
    if len(counts) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} (batch_size={batch})"
        )
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        counts = counts[order]
        order = leaf(order).to(input.device)
        input = index_select(input, 0 if batch_first else 1, order)
    if (counts <= 0).any():
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if (counts[1:] > counts[:-1]).any():
        raise RuntimeError(_NOT_SORTED)
    if counts[0] > steps:
        raise RuntimeError(
            f"Expected lengths of at most {steps}, the number of steps of the input, got {counts[0]}"
        )
    rows, sizes = _rows_of(counts, steps, batch_first)
    flat = input.reshape(steps * batch, *input.shape[2:])
    return PackedSequence(index_select(flat, 0, leaf(rows).to(input.device)), leaf(sizes), order)


def pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    """The sequences of a ``PackedSequence`` padded to one length, and their lengths (N): undoes packing.

    -> (T, N, *) or (N, T, *), with ``padding_value`` where a sequence is over and T the longest length or
    ``total_length``; gradients flow to ``sequence.data``. Raises ``ValueError`` for a ``total_length`` below the
    longest. Source: ``torch.nn.utils.rnn.pad_packed_sequence``.

    >>> import minidl
    >>> from minidl.nn.utils.rnn import pack_sequence, pad_packed_sequence
    >>> packed = pack_sequence([minidl.tensor([1, 2, 3]), minidl.tensor([4, 5])])
    >>> pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2, 3],
            [4, 5, 0]]), tensor([3, 2]))
    """
    data, sizes = sequence.data, sequence.batch_sizes.numpy()
    longest, batch = len(sizes), int(sizes[0])
    steps = longest if total_length is None else operator.index(total_length)
    if steps < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {longest}"
        )
    lengths = (np.arange(batch)[:, None] < sizes[None]).sum(axis=1)
    rows, _ = _rows_of(lengths, steps, batch_first)
    shape = (batch, steps) if batch_first else (steps, batch)
    flat = full((steps * batch, *data.shape[1:]), padding_value, dtype=data.dtype, device=data.device)
    padded = index_copy(flat, 0, leaf(rows).to(data.device), data).reshape(*shape, *data.shape[1:])
    lengths, order = leaf(lengths), sequence.unsorted_indices
    if order is None:
        return padded, lengths
    return index_select(padded, 0 if batch_first else 1, order), index_select(lengths, 0, order.cpu())


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """N sequences (L_n, *) as one tensor (T, N, *) or, ``batch_first``, (N, T, *), with T the longest length.

    ``padding_value`` fills up what is shorter, after it or, ``padding_side="left"``, before it. Gradients flow to
    each sequence. Raises ``RuntimeError`` for no sequences, for sizes beyond the first dimension that differ, and for
    what is no iterable. Source: ``torch.nn.utils.rnn.pad_sequence``.

    >>> import minidl
    >>> minidl.nn.utils.rnn.pad_sequence([minidl.tensor([1, 2, 3]), minidl.tensor([4])], batch_first=True)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    sequences = list(unbind(sequences, 0) if isinstance(sequences, Tensor) else sequences)
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    for i, sequence in enumerate(sequences):
        if not isinstance(sequence, Tensor):
            raise TypeError(
                f"expected Tensor as element {i} in argument 0, but got {type(sequence).__name__}"
            )
        if sequence.dim() == 0:
            raise RuntimeError("pad_sequence: expected sequences of at least 1 dimension, got a 0-d tensor")
        if sequence.shape[1:] != sequences[0].shape[1:]:
            raise RuntimeError(
                "pad_sequence: the size of all sequences must match beyond the first dimension, got "
                f"{list(sequences[0].shape)} and {list(sequence.shape)}"
            )
    lengths = np.array([len(sequence) for sequence in sequences])
    steps, batch, first = int(lengths.max()), len(sequences), sequences[0]
    n, k = np.nonzero(np.arange(steps)[None] < lengths[:, None])
    t = k if padding_side == "right" else k + (steps - lengths)[n]
    rows = n * steps + t if batch_first else t * batch + n
    flat = full((steps * batch, *first.shape[1:]), _fitting(padding_value, first), dtype=first.dtype,
                device=first.device)  # fmt: skip
    data = cat([sequence.to(first.dtype) for sequence in sequences])
    shape = (batch, steps) if batch_first else (steps, batch)
    return index_copy(flat, 0, leaf(rows).to(first.device), data).reshape(*shape, *first.shape[1:])


def _fitting(value, like):
    """A padding value as ``like``'s dtype takes it: whole where that is an integer type."""
    return value if like.dtype.is_floating_point else operator.index(int(value))


def unpad_sequence(padded_sequences, lengths, batch_first=False):
    """The N sequences of a padded tensor (T, N, *) or (N, T, *), each cut to its length: views in a list.

    Source: ``torch.nn.utils.rnn.unpad_sequence``.

    >>> import minidl
    >>> minidl.nn.utils.rnn.unpad_sequence(
    ...     minidl.tensor([[1, 2], [3, 0]]), minidl.tensor([2, 1]), batch_first=True
    ... )
    [tensor([1, 2]), tensor([3])]
    """
    padded = padded_sequences if batch_first else transpose(padded_sequences, 0, 1)
    counts = _lengths_of(lengths).tolist()
    return [sequence[:count] for sequence, count in zip(unbind(padded, 0), counts, strict=False)]


def pack_sequence(sequences, enforce_sorted=True):
    """A ``PackedSequence`` of N sequences (L_n, *), longest first or, ``enforce_sorted=False``, in any order.

    Raises as ``pad_sequence`` and ``pack_padded_sequence`` do. Source: ``torch.nn.utils.rnn.pack_sequence``.

    >>> import minidl
    >>> packed = minidl.nn.utils.rnn.pack_sequence([minidl.tensor([1, 2, 3]), minidl.tensor([4])])
    >>> packed.data
    tensor([1, 4, 2, 3])
    """
    lengths = [sequence.size(0) for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences):
    """The sequences of a ``PackedSequence``, as a list in their first order. Source: ``torch.nn.utils.rnn``.

    >>> import minidl
    >>> from minidl.nn.utils.rnn import pack_sequence, unpack_sequence
    >>> unpack_sequence(pack_sequence([minidl.tensor([1, 2, 3]), minidl.tensor([4])]))
    [tensor([1, 2, 3]), tensor([4])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
