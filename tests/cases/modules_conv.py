"""Convolution layers and their transposes."""

from .case import normal
from .modules import ModuleCase


def _row(layer, args, size, id, **kwargs):
    return ModuleCase(layer, args, kwargs, (normal(*size),), id=id)


MODULE_CASES = [
    _row("Conv1d", (2, 3, 3), (2, 2, 7), "plain"),
    _row("Conv1d", (2, 4, 3), (2, 2, 7), "all", stride=2, padding=2, dilation=2, groups=2, bias=False),
    _row("Conv1d", (2, 4, 3), (2, 7), "unbatched"),
    _row("Conv2d", (2, 3, 3), (2, 2, 5, 6), "plain"),
    _row("Conv2d", (2, 3, (3, 2)), (2, 2, 5, 6), "all", stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
    _row("Conv2d", (2, 2, (3, 4)), (2, 2, 5, 6), "same", padding="same"),
    _row("Conv2d", (2, 2, 3), (2, 2, 5, 6), "reflect", padding=(2, 1), padding_mode="reflect"),
    _row("Conv2d", (2, 2, (2, 3)), (2, 2, 5, 6), "replicate-same", padding="same", padding_mode="replicate"),
    _row("Conv2d", (2, 2, 3), (2, 2, 5, 6), "circular", padding=2, padding_mode="circular", bias=False),
    _row("Conv2d", (2, 2, 3), (2, 2, 5, 6), "valid", padding="valid", padding_mode="circular"),
    _row("Conv3d", (2, 3, 2), (2, 2, 3, 4, 3), "plain"),
    _row("ConvTranspose1d", (2, 3, 3), (2, 2, 4), "plain"),
    _row("ConvTranspose1d", (2, 2, 3), (2, 2, 4), "all", stride=2, padding=1, output_padding=1, groups=2),
    _row("ConvTranspose2d", (2, 3, (3, 2)), (2, 2, 3, 4), "plain", stride=2, bias=False),
    _row("ConvTranspose2d", (2, 3, 3), (2, 2, 3, 4), "dilated", stride=2, output_padding=(1, 0), dilation=2),
    _row("ConvTranspose3d", (2, 3, 2), (2, 2, 2, 3, 2), "plain", stride=2),
    ModuleCase(
        "ConvTranspose2d",
        (2, 3, 3),
        {"stride": 3},
        (normal(2, 2, 2, 2),),
        id="output-size",
        call={"output_size": (7, 8)},
    ),
]
