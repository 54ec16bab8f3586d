"""Resampling along one dimension: tables of which inputs an output is made of, and the op that applies one.

A table is linear, and its transpose is a table too: the gradient of the op is the op.
"""

import functools
import math

import numpy as np

from minidl.autograd import op
from minidl.backends import of


class Taps:
    """For every output of one dimension, the inputs that it is a weighted sum of.

    ``parts`` holds a tuple (index, weight, where) a tap: the k-th input of the outputs ``where`` (None: of all), and
    its weight (None: 1). Positions that are evenly spaced are kept as slices. ``size`` is the number of outputs,
    ``inputs`` that of inputs.
    """

    def __init__(self, size, inputs, parts):
        self.size, self.inputs = size, inputs
        self.parts = tuple((_evenly(index), weight, _places(where, size)) for index, weight, where in parts)

    @functools.cached_property
    def rows(self):
        """The table by outputs: where the taps of each begin, and the end; their inputs and weights, in their order."""
        outputs, inputs = np.arange(self.size), np.arange(self.inputs)
        target = np.concatenate(
            [outputs[:0], *(outputs if part[2] is None else outputs[part[2]] for part in self.parts)]
        )
        source = np.concatenate([inputs[:0], *(inputs[part[0]] for part in self.parts)])
        weights = [np.ones(len(inputs[i])) if weight is None else weight for i, weight, _ in self.parts]
        order = np.argsort(target, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(target, minlength=self.size))])
        return starts, source[order], np.concatenate([np.ones(0), *weights])[order]

    @functools.cached_property
    def transposed(self):
        """The table of the gradient: from outputs to inputs."""
        outputs, inputs = np.arange(self.size), np.arange(self.inputs)
        target = [outputs if where is None else outputs[where] for _, _, where in self.parts]
        source = [inputs[index] for index, _, _ in self.parts]
        weights = None
        if any(weight is not None for _, weight, _ in self.parts):
            pairs = zip(source, self.parts, strict=True)
            weights = np.concatenate([np.ones(len(i)) if part[1] is None else part[1] for i, part in pairs])
        source, target = (np.concatenate(every or [outputs[:0]]) for every in (source, target))
        return _grouped(source, target, weights, self.inputs, self.size)


def _evenly(positions):
    """Positions as a slice, where they rise by equal steps."""
    if isinstance(positions, slice) or not len(positions):
        return positions
    first, last = int(positions[0]), int(positions[-1])
    step = int(positions[1]) - first if len(positions) > 1 else 1
    if step < 1 or not np.array_equal(positions, np.arange(first, last + 1, step)):
        return positions
    return slice(first, last + 1, step)


def _places(where, size):
    """Which outputs a tap is for: None for all of them."""
    return None if where is None or len(where) == size else _evenly(where)


def _grouped(output, input, weight, size, inputs):
    """The table whose pairs (output, input, weight) stand in three arrays, in any order."""
    order = np.argsort(output, kind="stable")
    output, input = output[order], input[order]
    weight = None if weight is None else weight[order]
    counts = np.bincount(output, minlength=size)
    rank = np.arange(len(output)) - np.repeat(np.cumsum(counts) - counts, counts)
    parts = []
    for k in range(counts.max(initial=0)):
        chosen = rank == k
        parts.append((input[chosen], None if weight is None else weight[chosen], output[chosen]))
    return Taps(size, inputs, parts)


def _transposed(taps):
    return taps.transposed


@op(input=lambda g, dim, taps: resample(g, dim, _transposed(taps)), faces=(), method=False)
def resample(input, dim, taps):
    """Every output along ``dim`` a weighted sum of inputs, by the table ``taps``."""
    return of(input).resample(input, dim, taps)


def _scale(inputs, size, align_corners, factor, dtype):
    """Distance of neighbouring outputs, counted in inputs."""
    if align_corners:
        return dtype(inputs - 1) / dtype(size - 1) if size > 1 else dtype(0)
    return dtype(1 / factor) if factor else dtype(inputs) / dtype(size)


@functools.lru_cache(256)
def nearest(inputs, size, factor=None, exact=False):
    """One input an output: floor(i scale), or with ``exact`` floor((i + 1/2) scale). Computed in float32."""
    scale = _scale(inputs, size, False, factor, np.float32)
    at = (np.arange(size, dtype=np.float32) + np.float32(0.5 if exact else 0)) * scale
    return Taps(size, inputs, ((np.minimum(np.floor(at).astype(np.int64), inputs - 1), None, None),))


def _positions(inputs, size, align_corners, factor, dtype):
    """Where every output lies among the inputs."""
    scale, at = _scale(inputs, size, align_corners, factor, dtype), np.arange(size, dtype=dtype)
    return at * scale if align_corners else (at + dtype(0.5)) * scale - dtype(0.5)


@functools.lru_cache(256)
def linear(inputs, size, align_corners, factor, dtype):
    """The two inputs around the place of an output, weighted by nearness; none lies outside."""
    at = np.maximum(_positions(inputs, size, align_corners, factor, dtype), 0)
    low = np.minimum(at.astype(np.int64), inputs - 1)
    weight = np.clip(at - low.astype(dtype), 0, 1).astype(dtype)
    return Taps(size, inputs, ((low, 1 - weight, None), (np.minimum(low + 1, inputs - 1), weight, None)))


def cubic_weights(t, a=-0.75):
    """Keys's cubic kernel at distances 1 + t, t, 1 - t, 2 - t, for 0 <= t < 1. Works on arrays and on tensors."""

    def near(x):
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x):
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return far(t + 1), near(t), near(1 - t), far(2 - t)


@functools.lru_cache(256)
def cubic(inputs, size, align_corners, factor, dtype):
    """The four inputs around the place of an output by Keys's cubic kernel; the border is repeated."""
    at = _positions(inputs, size, align_corners, factor, dtype)
    low = np.minimum(np.floor(at).astype(np.int64), inputs - 1)
    weights = cubic_weights(np.clip(at - low.astype(dtype), 0, 1).astype(dtype))
    parts = [(np.clip(low + k - 1, 0, inputs - 1), w, None) for k, w in enumerate(weights)]
    return Taps(size, inputs, tuple(parts))


def _triangle(x):
    return np.maximum(1 - np.abs(x), 0)


def _keys(x):
    x, a = np.abs(x), -0.5
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(x):
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


FILTERS = {"bilinear": (1, _triangle), "bicubic": (2, _keys), "lanczos": (3, _lanczos)}


@functools.lru_cache(256)
def filtered(inputs, size, align_corners, factor, mode):
    """All inputs under the kernel of ``mode``, which is as wide as an output where outputs are fewer than inputs."""
    reach, kernel = FILTERS[mode]
    scale = float(_scale(inputs, size, align_corners, factor, np.float64))
    stretch = max(scale, 1.0)
    centers = scale * (np.arange(size) + 0.5)
    first = np.maximum((centers - reach * stretch + 0.5).astype(np.int64), 0)
    end = np.minimum((centers + reach * stretch + 0.5).astype(np.int64), inputs)
    taps = first[:, None] + np.arange(max(int((end - first).max(initial=0)), 1))
    inside = taps < end[:, None]
    weights = np.where(inside, kernel((taps - centers[:, None] + 0.5) / stretch), 0.0)
    total = weights.sum(1, keepdims=True)
    weights = weights / np.where(total == 0, 1, total)
    output = np.broadcast_to(np.arange(size)[:, None], taps.shape)[inside]
    return _grouped(output, taps[inside], weights[inside], size, inputs)


def sizes_by(shape, factors):
    """Sizes after scaling: floor(n * factor)."""
    for factor in factors:
        if not math.isfinite(factor):
            raise RuntimeError("value cannot be converted to type int64_t without overflow")
    return tuple(math.floor(float(n) * factor) for n, factor in zip(shape, factors, strict=True))
