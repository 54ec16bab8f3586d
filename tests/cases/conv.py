"""Convolution, its transpose, padding."""

import naive_windows
import numpy as np

from .case import Case, normal


def _one(function):
    def call(input, *args, **kwargs):
        return function(input[None], *args, **kwargs)[0]

    return call


def _conv(rank, channels, out_channels, size, kernel, id, bias=True, groups=1, **kwargs):
    weight = normal(out_channels, channels // groups, *kernel)
    inputs = (normal(2, channels, *size), weight, *([normal(out_channels)] if bias else []))
    kwargs = {**kwargs, "groups": groups} if groups > 1 else kwargs
    return Case(f"conv{rank}d", inputs, numpy=naive_windows.convolve, kwargs=kwargs, id=id)


def _transposed(rank, channels, out_channels, size, kernel, id, groups=1, **kwargs):
    inputs = (
        normal(2, channels, *size),
        normal(channels, out_channels // groups, *kernel),
        normal(out_channels),
    )
    kwargs = {**kwargs, "groups": groups} if groups > 1 else kwargs
    return Case(
        f"conv_transpose{rank}d", inputs, numpy=naive_windows.convolve_transposed, kwargs=kwargs, id=id
    )


def _pad(id, input, pad, mode="constant", **kwargs):
    numpy_mode = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]

    def expected(input, pad, mode, value=None):
        widths = [(0, 0)] * (input.ndim - len(pad) // 2)
        widths += [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
        crop = tuple(slice(max(-b, 0), n - max(-a, 0)) for n, (b, a) in zip(input.shape, widths, strict=True))
        grow = [(max(b, 0), max(a, 0)) for b, a in widths]
        fill = {"constant_values": value or 0} if mode == "constant" else {}
        return np.pad(input[crop], grow, mode=numpy_mode, **fill)

    return Case("pad", (input, pad, mode), numpy=expected, kwargs=kwargs, id=id, torch="nn.functional.pad")


SETTINGS = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2}


def _input_grad(grad, weight, input_shape, **settings):
    return naive_windows.adjoint(lambda x: naive_windows.convolve(x, weight, **settings), input_shape, grad)


def _weight_grad(grad, input, weight_shape, **settings):
    return naive_windows.adjoint(lambda w: naive_windows.convolve(input, w, **settings), weight_shape, grad)


CASES = [
    Case(
        "conv_input_grad", (normal(1, 2, 2, 3), normal(2, 1, 2, 2), (1, 2, 3, 5)),
        numpy=_input_grad, kwargs=SETTINGS, torch=False,
    ),
    Case(
        "conv_weight_grad", (normal(1, 2, 2, 3), normal(1, 2, 3, 5), (2, 1, 2, 2)),
        numpy=_weight_grad, kwargs=SETTINGS, torch=False,
    ),
    _conv(1, 2, 3, (7,), (3,), "plain"),
    _conv(1, 4, 6, (9,), (2,), "all", groups=2, stride=2, padding=1, dilation=3),
    _conv(2, 2, 3, (5, 4), (3, 2), "plain"),
    _conv(2, 2, 3, (5, 4), (3, 2), "no-bias", bias=False),
    _conv(2, 3, 3, (4, 5), (2, 2), "depthwise", groups=3, padding=1),
    _conv(2, 4, 4, (6, 7), (3, 2), "all", groups=2, stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
    _conv(2, 1, 2, (4, 5), (2, 3), "same", padding="same"),
    _conv(2, 1, 2, (4, 5), (2, 3), "valid", padding="valid", stride=2),
    _conv(2, 2, 2, (3, 3), (1, 1), "pointwise"),
    _conv(3, 2, 2, (3, 4, 3), (2, 3, 2), "plain"),
    _conv(3, 2, 2, (4, 5, 3), (2, 2, 1), "all", groups=2, stride=(1, 2, 1), padding=(1, 1, 0), dilation=(2, 1, 1)),
    Case("conv1d", (normal(2, 6), normal(3, 2, 3)), numpy=_one(naive_windows.convolve), id="unbatched"),
    Case(
        "conv2d", (normal(2, 4, 4), normal(3, 2, 3, 3), normal(3)), numpy=_one(naive_windows.convolve), id="unbatched"
    ),
    _transposed(1, 2, 3, (4,), (3,), "plain"),
    _transposed(1, 2, 2, (3,), (3,), "long-output-padding", stride=1, padding=1, output_padding=1, dilation=3),
    _transposed(2, 2, 3, (3, 4), (3, 2), "plain"),
    _transposed(
        2, 4, 6, (3, 2), (2, 3), "all", groups=2, stride=(2, 3), padding=(1, 0), output_padding=(1, 2), dilation=(2, 1),
    ),
    _transposed(3, 2, 2, (2, 2, 3), (2, 2, 2), "plain"),
    _transposed(3, 2, 2, (2, 3, 2), (2, 1, 2), "strided", stride=2, padding=(1, 0, 0), output_padding=(1, 0, 1)),
    Case(
        "conv_transpose2d", (normal(2, 3, 3), normal(2, 2, 2, 2)),
        numpy=_one(naive_windows.convolve_transposed), id="unbatched",
    ),
    _pad("constant", normal(2, 3), (1, 2), value=1.5),
    _pad("crop", normal(3, 4), (-1, 2, 1, -1)),
    _pad("reflect", normal(2, 2, 4, 3), (2, 1, 1, 0), "reflect"),
    _pad("replicate", normal(2, 2, 3), (2, 1), "replicate"),
    _pad("circular", normal(2, 2, 3, 4), (3, 1, 0, 2), "circular"),
]  # fmt: skip
