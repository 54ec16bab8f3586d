"""How a tensor prints: byte for byte as PyTorch does."""

import math

import numpy as np

from minidl import backends, dtypes


class _Options:
    precision, threshold, edgeitems, linewidth, sci_mode = 4, 1000, 3, 80, None


OPTIONS = _Options()
_PROFILES = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None
):
    """Sets how tensors print: digits, elements before summarising, items kept at the edges, characters a
    line, notation.
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in {
        **_PROFILES.get(profile, {}),
        **{k: v for k, v in given.items() if v is not None},
    }.items():
        setattr(OPTIONS, name, value)
    OPTIONS.sci_mode = sci_mode


class _Formatter:
    """The common width and notation of the numbers in one tensor."""

    def __init__(self, values, floating):
        self.floating, self.int_mode, self.sci, self.width = floating, True, False, 1
        if not floating:
            self.width = max([len(str(v)) for v in values.ravel().tolist()], default=1)
            return
        finite = values[np.isfinite(values) & (values != 0)]
        if finite.size:
            self._choose(np.abs(finite.astype(np.float64)))
            self.width = max(len(self._text(v)) for v in finite.ravel().tolist())

    def _choose(self, magnitudes):
        low, high = magnitudes.min(), magnitudes.max()
        self.int_mode = bool((magnitudes == np.ceil(magnitudes)).all())
        extreme = high / low > 1000.0 or high > 1.0e8 or low < 1.0e-4
        self.sci = bool(extreme) if OPTIONS.sci_mode is None else OPTIONS.sci_mode

    def _text(self, value):
        if not self.floating:
            return str(value)
        if self.sci:
            return f"{value:.{OPTIONS.precision}e}"
        if self.int_mode:
            return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"
        return f"{value:.{OPTIONS.precision}f}"

    def format(self, value):
        return self._text(value).rjust(self.width)


def _edges(array):
    """The part of an array that is shown when it is summarised."""
    n = OPTIONS.edgeitems
    for axis, size in enumerate(array.shape):
        if size > 2 * n:
            array = np.concatenate(
                [np.take(array, range(n), axis), np.take(array, range(size - n, size), axis)], axis
            )
    return array


def _vector(array, formatter, indent, summarize):
    per_line = max(1, (OPTIONS.linewidth - indent) // (formatter.width + 2))
    values = [formatter.format(v) for v in array.tolist()]
    n = OPTIONS.edgeitems
    if summarize and array.shape[0] > 2 * n:
        values = (
            [formatter.format(v) for v in array[:n].tolist()]
            + [" ..."]
            + [formatter.format(v) for v in array[-n:].tolist()]
        )
    lines = [", ".join(values[i : i + per_line]) for i in range(0, len(values), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _nested(array, formatter, indent, summarize):
    if array.ndim == 0:
        return formatter.format(array.item())
    if array.ndim == 1:
        return _vector(array, formatter, indent, summarize)
    n = OPTIONS.edgeitems
    rows = range(array.shape[0])
    if summarize and array.shape[0] > 2 * n:
        rows = [*range(n), None, *range(array.shape[0] - n, array.shape[0])]
    parts = ["..." if i is None else _nested(array[i], formatter, indent + 1, summarize) for i in rows]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _suffixes(tensor):
    out = []
    dtype = tensor.dtype
    inferred = dtype in (dtypes.get_default_dtype(), dtypes.int64, dtypes.bool_)
    if tensor.device.type != "cpu":
        out.append(f"device='{tensor.device}'")
    if tensor.is_meta:
        out.append(f"size={tuple(tensor.shape)}")
        inferred = dtype is dtypes.get_default_dtype()
    elif tensor.numel() == 0:
        if tensor.ndim != 1:
            out.append(f"size={tuple(tensor.shape)}")
        inferred = dtype is dtypes.get_default_dtype()
    if not inferred:
        out.append(f"dtype={dtype!r}")
    if tensor.grad_fn is not None:
        out.append(f"grad_fn=<{tensor.grad_fn.name()}>")
    elif tensor.requires_grad:
        out.append("requires_grad=True")
    return out


def represent(tensor, prefix="tensor("):
    """The text of a tensor."""
    if tensor.is_meta:
        return f"{prefix}..., {', '.join(_suffixes(tensor))})"
    host = backends.to_numpy(tensor._array)
    floating = dtypes.is_floating(host.dtype)
    host = host.astype(np.float32) if host.dtype.kind not in "fiub" else host
    summarize = host.size > OPTIONS.threshold
    if host.size == 0:
        body = "[]"
    else:
        formatter = _Formatter(_edges(host) if summarize else host, floating)
        body = _nested(host, formatter, len(prefix), summarize)
    text = prefix + body
    column = len(text) - text.rfind("\n")
    for suffix in _suffixes(tensor):
        if column + len(suffix) + 2 > OPTIONS.linewidth:
            text, column = f"{text},\n{' ' * len(prefix)}{suffix}", len(prefix) + len(suffix)
        else:
            text, column = f"{text}, {suffix}", column + len(suffix) + 2
    return text + ")"
