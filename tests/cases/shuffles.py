"""Rows of minidl/ops/shuffles.py and minidl/ops/fold.py."""

import naive_windows
import numpy as np

from .case import Case, integers, normal


def _pixels(x, r):
    out = np.zeros((*x.shape[:-3], x.shape[-3] // r**2, x.shape[-2] * r, x.shape[-1] * r), x.dtype)
    for i, j in np.ndindex(r, r):
        out[..., i::r, j::r] = x[..., i * r + j :: r * r, :, :]
    return out


def _back(x, r):
    out = np.zeros((*x.shape[:-3], x.shape[-3] * r**2, x.shape[-2] // r, x.shape[-1] // r), x.dtype)
    for i, j in np.ndindex(r, r):
        out[..., i * r + j :: r * r, :, :] = x[..., i::r, j::r]
    return out


def _dealt(x, groups):
    size = x.shape[1] // groups
    return x[:, [g * size + k for k in range(size) for g in range(groups)]]


def _columns(x, kernel_size, dilation=(1, 1), padding=(0, 0), stride=(1, 1)):
    if x.ndim == 3:
        return _columns(x[None], kernel_size, dilation, padding, stride)[0]
    out, cells = naive_windows.windows(x.shape[2:], kernel_size, stride, padding, dilation, False)
    columns = np.zeros((*x.shape[:2], *kernel_size, *out))
    for at in np.ndindex(*out):
        for tap, where in cells[at]:
            columns[(..., *tap, *at)] = x[(..., *where)]
    return columns.reshape(len(x), -1, out[0] * out[1])


def _image(columns, output_size, *settings):
    if columns.ndim == 2:
        return _image(columns[None], output_size, *settings)[0]
    channels = columns.shape[1] // (settings[0][0] * settings[0][1])
    shape = (len(columns), channels, *output_size)
    return naive_windows.adjoint(lambda x: _columns(x, *settings), shape, columns)


ALL = ((2, 3), (2, 1), (1, 2), (2, 1))

CASES = [
    Case("pixel_shuffle", (normal(2, 8, 2, 3), 2), _pixels),
    Case("pixel_shuffle", (integers(0, 9, 9, 1, 2), 3), _pixels, id="integers", grad=False),
    Case("pixel_unshuffle", (normal(2, 2, 4, 6), 2), _back),
    Case("pixel_unshuffle", (normal(2, 1, 1, 3, 6), 3), _back, id="5d"),
    Case("channel_shuffle", (normal(2, 6, 3), 2), _dealt),
    Case("channel_shuffle", (normal(1, 6, 2, 2), 3), _dealt, id="images"),
    Case("functional.unfold", (normal(2, 2, 4, 5), (2, 3)), _columns),
    Case("functional.unfold", (normal(2, 2, 4, 5), *ALL), _columns, id="all"),
    Case("functional.unfold", (normal(2, 4, 5), (2, 2)), _columns, id="unbatched"),
    Case("fold", (normal(1, 8, 6), (3, 4), (2, 2)), _image),
    Case("fold", (normal(1, 12, 14), (4, 5), *ALL), _image, id="all"),
    Case("fold", (normal(6, 9), (3, 5), (1, 3)), _image, id="unbatched"),
]
