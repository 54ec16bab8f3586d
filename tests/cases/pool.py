"""Maximum and mean pooling, over windows and over bins."""

import naive_windows
import numpy as np

from .case import Case, distinct, normal, values


def _unbatched(function):
    def call(input, *args, **kwargs):
        out = function(input[None], *args, **kwargs)
        return tuple(o[0] for o in out) if isinstance(out, tuple) else out[0]

    return call


def _max(rank, size, kernel, id, lead=(2, 2), numpy=naive_windows.pool_max, **kwargs):
    inputs, torch = (distinct(*lead, *size), kernel), f"nn.functional.max_pool{rank}d"
    return Case(f"max_pool{rank}d", inputs, numpy=numpy, kwargs=kwargs, torch=torch, id=id)


def _mean(rank, size, kernel, id, lead=(2, 2), numpy=naive_windows.pool_mean, **kwargs):
    return Case(f"avg_pool{rank}d", (normal(*lead, *size), kernel), numpy=numpy, kwargs=kwargs, id=id)


def _bins(kind, rank, size, output_size, id, lead=(2, 2), **kwargs):
    oracle, spec = {
        "avg": (naive_windows.pool_adaptive_mean, normal),
        "max": (naive_windows.pool_adaptive_max, distinct),
    }[kind]
    numpy = oracle if len(lead) == 2 else _unbatched(oracle)
    inputs = (spec(*lead, *size), output_size)
    return Case(f"adaptive_{kind}_pool{rank}d", inputs, numpy=numpy, kwargs=kwargs, id=id)


# The taps that won in the windows of a 5 x 4 plane under kernel 3 x 2, stride 2, padding (1, 0): max_pool's residual.
TAPS = np.array([[[[2, 5], [0, 3], [1, 2]]]], np.uint8)
WINDOWS = {"kernel_size": (3, 2), "stride": (2, 2), "padding": (1, 0)}
DILATED = {**WINDOWS, "dilation": (1, 1)}


def _gathered(input, offsets, kernel_size, stride, padding, dilation):
    result = np.zeros(offsets.shape)
    for n, c, *at in np.ndindex(offsets.shape):
        tap = np.unravel_index(offsets[(n, c, *at)], kernel_size)
        steps = zip(at, stride, tap, dilation, padding, strict=True)
        where = [a * s + t * d - p for a, s, t, d, p in steps]
        if all(0 <= w < m for w, m in zip(where, input.shape[2:], strict=True)):
            result[(n, c, *at)] = input[(n, c, *where)]
    return result


def _scattered(g, offsets, input_shape, **windows):
    return naive_windows.adjoint(lambda x: _gathered(x, offsets, **windows), input_shape, g)


def _mean_grad(grad, input_shape, **settings):
    return naive_windows.adjoint(lambda x: naive_windows.pool_mean(x, **settings), input_shape, grad)


def _adaptive_grad(grad, input_shape):
    return naive_windows.adjoint(
        lambda x: naive_windows.pool_adaptive_mean(x, grad.shape[2:]), input_shape, grad
    )


CASES = [
    Case("max_pool_gather", (normal(1, 1, 5, 4), values(TAPS)), numpy=_gathered, kwargs=DILATED, torch=False),
    Case(
        "max_pool_grad", (normal(1, 1, 3, 2), values(TAPS), (1, 1, 5, 4)),
        numpy=_scattered, kwargs=DILATED, torch=False,
    ),
    Case(
        "avg_pool_grad", (normal(2, 1, 3, 2), (2, 1, 5, 4)), numpy=_mean_grad, torch=False,
        kwargs={**WINDOWS, "ceil_mode": False, "count_include_pad": False, "divisor_override": None},
    ),
    Case("adaptive_avg_pool_grad", (normal(2, 1, 2, 3), (2, 1, 5, 4)), numpy=_adaptive_grad, torch=False),
    _max(1, (7,), 2, "plain"),
    _max(1, (8,), 3, "all", stride=2, padding=1, dilation=2, ceil_mode=True),
    _max(1, (7,), 3, "indices", stride=1, return_indices=True),
    _max(2, (4, 6), 2, "plain"),
    _max(2, (5, 6), (3, 2), "overlapping", stride=1, padding=1),
    _max(2, (5, 6), (3, 2), "all", stride=(2, 3), padding=(1, 0), dilation=(1, 2), ceil_mode=True),
    _max(2, (4, 4), 2, "indices", return_indices=True),
    _max(2, (4, 4), 2, "unbatched", lead=(2,), numpy=_unbatched(naive_windows.pool_max)),
    _max(2, (17, 17), 17, "many-taps", lead=(1, 1)),
    _max(3, (4, 3, 4), 2, "plain"),
    _max(3, (4, 3, 5), (2, 1, 3), "all", stride=(1, 2, 2), padding=(1, 0, 1), dilation=(2, 1, 1), ceil_mode=True),
    _mean(1, (7,), 3, "plain"),
    _mean(1, (8,), 3, "all", stride=2, padding=1, ceil_mode=True, count_include_pad=False),
    _mean(2, (4, 6), 2, "plain"),
    _mean(2, (5, 6), (3, 2), "padded", stride=(2, 3), padding=(1, 1), ceil_mode=True),
    _mean(2, (5, 6), (3, 2), "uncounted", stride=1, padding=1, count_include_pad=False),
    _mean(2, (4, 4), 2, "divisor", stride=1, divisor_override=3),
    _mean(2, (4, 4), 2, "unbatched", lead=(2,), numpy=_unbatched(naive_windows.pool_mean)),
    _mean(3, (4, 3, 4), 2, "plain"),
    _mean(3, (4, 3, 5), (2, 1, 3), "all", stride=(1, 2, 2), padding=(1, 0, 1), ceil_mode=True, divisor_override=-2),
    _bins("avg", 1, (7,), 3, "plain"),
    _bins("avg", 2, (5, 6), (2, 4), "plain"),
    _bins("avg", 2, (3, 4), (None, 1), "kept"),
    _bins("avg", 2, (3, 4), 5, "more-than-input", lead=(2,)),
    _bins("avg", 3, (3, 4, 2), (2, 3, 1), "plain"),
    _bins("max", 1, (7,), 3, "plain"),
    _bins("max", 2, (5, 6), (2, 4), "plain"),
    _bins("max", 2, (5, 6), (3, None), "indices", return_indices=True, lead=(2,)),
    _bins("max", 3, (3, 4, 2), (2, 3, 1), "plain"),
]  # fmt: skip
