"""Reductions of runs of elements, and histograms of several dimensions."""

import math

from minidl import dtypes, return_types
from minidl.autograd import Tensor, function
from minidl.ops.create import arange, full, linspace
from minidl.ops.scans import diff
from minidl.ops.search import bincount, searchsorted
from minidl.ops.selection import where
from minidl.ops.statistics import aminmax

HistogramDD = return_types.define("histogramdd", "hist bin_edges")

_STARTS = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -math.inf, "min": math.inf}
_REDUCTIONS = {"sum": "sum", "mean": "sum", "prod": "prod", "max": "amax", "min": "amin"}


def _ends(data, lengths, offsets, axis, unsafe):
    """Where the segments end along the last dimension, and how long they are."""
    if lengths is None and offsets is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    if lengths is None:
        lengths = diff(offsets)
    elif not unsafe and lengths.numel() and bool((lengths < 0).any()):
        raise RuntimeError("lengths contains negative value!")
    if lengths.ndim - 1 != axis:
        raise RuntimeError(
            f"segment_reduce(): Expected lengths.dim() - 1 == axis, but got {lengths.ndim - 1} and {axis}."
        )
    ends = lengths.long().cumsum(-1)
    if not unsafe and offsets is None and bool((ends[..., -1] != data.shape[axis]).any()):
        raise RuntimeError(
            "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when "
            "!unsafe."
        )
    return ends, lengths


@function(method=False, tensors="data")
def segment_reduce(
    data, reduce, *, lengths=None, indices=None, offsets=None, axis=0, unsafe=False, initial=None
):  # fmt: skip
    """Reduces consecutive segments of ``data`` along ``axis``: sum, mean, max, min or prod of each.

    Shapes: data (*, D, *), lengths (*, S) with one dimension more than ``axis`` counts, or offsets (*, S + 1) whose
    differences are the lengths; result (*, S, *). ``initial`` takes part in every segment; empty segments give it, or
    else what is neutral (NaN for a mean). Raises ``RuntimeError`` for lengths that do not sum to D (unless
    ``unsafe``) or are negative. Source: ``torch.segment_reduce``.

    >>> import minidl
    >>> minidl.segment_reduce(minidl.tensor([1.0, 2.0, 5.0]), "max", lengths=minidl.tensor([2, 1]))
    tensor([2., 5.])
    """
    if reduce not in _STARTS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if indices is not None:
        raise RuntimeError(
            "segment_reduce(): indices based reduction is not supported yet. Hint: use lengths=."
        )
    axis = axis + data.ndim if axis < 0 else axis
    ends, lengths = _ends(data, lengths, offsets, axis, unsafe)
    size, count = data.shape[axis], ends.shape[-1]
    segment = (arange(size, device=data.device).unsqueeze(-1) >= ends.unsqueeze(-2)).sum(-1)
    rest = (1,) * (data.ndim - segment.ndim)
    segment = segment.reshape(*segment.shape, *rest).expand(*data.shape)
    begin = _STARTS[reduce] if initial is None else initial
    bins = (
        *data.shape[:axis],
        count + 1,
        *data.shape[axis + 1 :],
    )  # the last takes what lies behind all segments
    out = full(bins, float(begin), dtype=data.dtype, device=data.device)
    out = out.scatter_reduce(axis, segment, data, _REDUCTIONS[reduce]).narrow(axis, 0, count)
    if reduce != "mean":
        return out
    counts = lengths.reshape(*lengths.shape, *rest).expand(*out.shape)
    return out / (counts if initial is None else where(counts == 0, 1, counts)).to(data.dtype)


def _edges(input, bins, ranges):
    """The edges of each dimension's bins."""
    columns = input.shape[-1]
    if isinstance(bins, int):
        bins = [bins] * columns
    if len(bins) != columns:
        raise RuntimeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input."
        )
    if isinstance(bins[0], Tensor):
        return list(bins)
    if ranges is not None and len(ranges) != 2 * columns:
        raise RuntimeError(
            f"torch.histogramdd: for a {columns}-dimensional histogram range should have {2 * columns} elements, but "
            f"got {len(ranges)}"
        )
    edges = []
    for d, count in enumerate(bins):
        if ranges is not None:
            low, high = ranges[2 * d], ranges[2 * d + 1]
        elif input.numel():
            low, high = (v.item() for v in aminmax(input[..., d]))
        else:
            low, high = 0.0, 1.0
        low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
        edges.append(linspace(low, high, count + 1, dtype=input.dtype, device=input.device))
    return edges


@function(method=False, tensors="input")
def histogramdd(input, bins, range=None, weight=None, density=False):
    """Counts (or sums of ``weight``) of points in a grid of bins, and the edges of the bins of each dimension.

    Shapes: input (*, D), hist one dimension of bins for each of D. ``bins`` is an int, D ints, or D tensors of edges;
    ``range`` 2 D numbers, by default those of the points. The last bin of a dimension takes its upper edge.
    Raises ``RuntimeError`` for other counts of bins. Source: ``torch.histogramdd``.

    >>> import minidl
    >>> minidl.histogramdd(minidl.tensor([[0.0, 0.0], [1.0, 1.0]]), 2).hist
    tensor([[1., 0.],
            [0., 1.]])
    """
    if input.ndim < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    if not input.is_floating_point():
        raise NotImplementedError(
            f"\"histogramdd\" not implemented for '{dtypes.scalar_name(input._array.dtype)}'"
        )
    input = input.detach()
    edges = _edges(input, bins, range)
    points = input.reshape(math.prod(input.shape[:-1]), input.shape[-1])
    place, inside = 0, True
    for column, edge in zip(points.unbind(-1), edges, strict=True):
        last = edge.numel() - 1
        at = searchsorted(edge, column.contiguous(), right=True) - 1
        place = place * last + where(column == edge[-1], last - 1, at)
        inside = (column >= edge[0]) & (column <= edge[-1]) & inside
    weights = None if weight is None else weight.detach().reshape(-1)[inside]
    counts = [edge.numel() - 1 for edge in edges]
    flat = bincount(place[inside], weights, minlength=math.prod(counts))
    hist = flat.to(input.dtype).reshape(*counts)
    if density:
        hist = hist / hist.sum()
        for d, edge in enumerate(edges):
            hist = hist / diff(edge).reshape([-1 if i == d else 1 for i, _ in enumerate(edges)])
    return HistogramDD(hist, tuple(edges))
