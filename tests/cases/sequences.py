"""Rows of minidl/ops/sequences.py."""

import functools

import numpy as np

from .case import Case, boolean, dtype, integers, normal, values

Plain = functools.partial(Case, grad=False)


def padded(x, size, fill_value=-1):
    found = np.argwhere(x)[:size]
    return np.concatenate([found, np.full((size - len(found), x.ndim), fill_value)])


def window(name, *own):
    """NumPy's window, one longer where it is periodic."""

    def call(n, periodic=True, *given):
        return getattr(np, name)(n + periodic, *(given or own))[:n]

    return call


CASES = [
    Plain("logspace", (0.5, 2, 4), lambda a, b, n: np.logspace(a, b, n)),
    Plain("logspace", (1, 3, 3, 2), lambda a, b, n, base: np.logspace(a, b, n, base=base), id="base"),
    Plain("range", (1, 4), lambda a, b: np.arange(1.0, 5.0)),
    Plain("range", (4, 1, -1.5), lambda a, b, step: np.array([4, 2.5, 1]), id="step"),
    Plain("scalar_tensor", (3,), lambda s: np.asarray(3.0)),
    Plain(
        "frombuffer",
        (bytearray(range(8)),),
        lambda b, dtype, offset: np.frombuffer(b, dtype, offset=offset),
        {"dtype": dtype("int16"), "offset": 2},
        backends=False,
    ),
    *(
        Plain(f"{name}_window", (n, periodic), window(numpy), id=f"{n}-{periodic}")
        for name, numpy in {"hann": "hanning", "blackman": "blackman", "bartlett": "bartlett"}.items()
        for n, periodic in ((5, True), (5, False))
    ),
    Plain("hamming_window", (5,), window("hamming")),
    Plain("hamming_window", (5, False, 0.5, 0.5), lambda n, *_: np.hanning(n), id="weights"),
    Plain("kaiser_window", (5,), window("kaiser", 12.0)),
    Plain("kaiser_window", (5, False, 3.0), window("kaiser"), id="beta"),
    Plain("can_cast", (dtype("float32"), dtype("int64")), lambda a, b: False),
    Plain("get_device", (normal(2),), lambda x: -1, backends=False),
    Plain("ndimension", (normal(2, 3),), np.ndim),
    Plain("nelement", (normal(2, 3),), np.size),
    Plain("is_pinned", (normal(2),), lambda x: False),
    Case("pin_memory", (normal(2),), np.copy, torch=False),
    Case("Tensor.broadcast_to", (normal(3, 1), 2, 3, 4), lambda x, *n: np.broadcast_to(x, n)),
    Case("Tensor.where", (normal(3, 4), boolean(3, 4), normal(4)), lambda x, c, y: np.where(c, x, y)),
    Case("Tensor.where", (normal(3), boolean(2, 3), 0.5), lambda x, c, y: np.where(c, x, y), id="number"),
    Plain("new", (normal(2), [2.0, 3.0]), lambda x, v: np.array(v), torch=False),
    Plain("nonzero_static", (integers(0, 2, 3, 2),), padded, {"size": 4}),
    Plain("nonzero_static", (values([1, 1, 1]),), padded, {"size": 2}, id="cut"),
    Plain("detach", (normal(2),), np.copy),
    Plain("detach_", (normal(2),), np.copy),
    Plain("is_inference", (normal(2),), lambda x: False),
]
