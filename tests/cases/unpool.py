"""Rows of minidl/ops/unpool.py and minidl/ops/fractional_pool.py."""

import naive_windows
import numpy as np

from .case import Case, constant, distinct, normal, values


def _back(rank):
    def call(input, indices, kernel_size, stride=None, padding=0, output_size=None):
        each = [
            v if isinstance(v, tuple) else (v,) * rank for v in (kernel_size, stride or kernel_size, padding)
        ]
        size = input.shape[-rank:]
        found = tuple((n - 1) * s + k - 2 * p for n, k, s, p in zip(size, *each, strict=True))
        lead = input.shape[:-rank]
        out = np.zeros((*lead, *(output_size or found)[-rank:]))
        for at in np.ndindex(*lead):
            out[at].flat[indices[at].reshape(-1)] = input[at].reshape(-1)
        return out

    return call


def _drawn(rank):
    def call(x, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
        size, k = x.shape[2:], kernel_size
        out = output_size or tuple(int(n * r) for n, r in zip(size, output_ratio, strict=True))
        best, flat = np.zeros((*x.shape[:2], *out)), np.zeros((*x.shape[:2], *out), np.int64)
        for n, c, *at in np.ndindex(best.shape):
            u = _random_samples[n, c][::-1] if rank == 2 else _random_samples[n, c]
            starts = []
            for i, v, s, o in zip(at, u, size, out, strict=True):
                step = (s - k) / (o - 1) if o > 1 else 0
                starts.append(s - k if i == o - 1 else int((i + v) * step) - int(v * step))
            window = x[(n, c, *(slice(a, a + k) for a in starts))]
            tap = np.unravel_index(window.argmax(), window.shape)
            best[(n, c, *at)] = window[tap]
            flat[(n, c, *at)] = np.ravel_multi_index([a + t for a, t in zip(starts, tap, strict=True)], size)
        return (best, flat) if return_indices else best

    return call


def _samples(rank):
    return constant(values(np.random.default_rng(rank).random((2, 2, rank))))


def _indices(function, **more):
    return lambda *args, **kwargs: function(*args, **kwargs, return_indices=True, **more)


SIZES = {1: (2, 2, 7), 2: (2, 1, 4, 5), 3: (1, 2, 3, 4, 2)}
FIRST = values([[[1, 3]], [[0, 2]]])
PLANES = values([[[[0, 3], [9, 14]], [[5, 6], [8, 11]]]])

CASES = [
    Case("max_unpool1d", (normal(2, 1, 2), FIRST, 2), _back(1)),
    Case("max_unpool1d", (normal(2, 1, 2), FIRST, 3, 2, 1, (4,)), _back(1), id="all"),
    Case("max_unpool2d", (normal(1, 2, 2, 2), PLANES, 2), _back(2)),
    Case("max_unpool2d", (normal(1, 2, 2, 2), PLANES, (2, 2), None, 0, (1, 2, 5, 5)), _back(2), id="size"),
    Case("max_unpool3d", (normal(2, 1, 1, 2), values([[[[0, 9]]], [[[15, 3]]]]), 2), _back(3), id="unbatched"),
    *(
        Case(
            f"max_pool{rank}d_with_indices", (distinct(*size), 2), _indices(naive_windows.pool_max),
            torch=f"nn.functional.max_pool{rank}d_with_indices",
        )
        for rank, size in SIZES.items()
    ),
    *(
        Case(f"adaptive_max_pool{rank}d_with_indices", (distinct(*size), 2), _indices(naive_windows.pool_adaptive_max))
        for rank, size in SIZES.items()
    ),
    Case(
        "fractional_max_pool2d", (distinct(2, 2, 6, 7), 2, (3, 4)), _drawn(2), {"_random_samples": _samples(2)}
    ),
    Case(
        "fractional_max_pool3d", (distinct(2, 2, 4, 5, 6), 2), _drawn(3),
        {"output_ratio": (0.6, 0.5, 0.5), "_random_samples": _samples(3)},
    ),
    Case(
        "fractional_max_pool2d_with_indices", (distinct(2, 2, 5, 5), 3, (3, 1)), _indices(_drawn(2)),
        {"_random_samples": _samples(2)},
    ),
    Case(
        "fractional_max_pool3d_with_indices", (distinct(2, 2, 4, 4, 5), 2, (2, 1, 3)), _indices(_drawn(3)),
        {"_random_samples": _samples(3)},
    ),
]  # fmt: skip
