"""What Keras keeps for the whole program: floatx, epsilon, the image layout; and the seeds."""

import random

import numpy as np

from minidl import dtypes
from minidl.utils.seeding import set_seed

__all__ = [
    "epsilon",
    "floatx",
    "image_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_random_seed",
]

_SETTINGS = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}


def floatx():
    """The name of the dtype that numbers are cast to: ``"float32"`` unless it was set."""
    return _SETTINGS["floatx"]


def set_floatx(value):
    """Sets ``floatx``: ``"bfloat16"``, ``"float16"``, ``"float32"`` or ``"float64"``; else ``ValueError``."""
    accepted = {"bfloat16", "float16", "float32", "float64"}
    if value not in accepted:
        raise ValueError(f"Unknown `floatx` value: {value}. Expected one of {sorted(accepted)}")
    _SETTINGS["floatx"] = str(value)


def epsilon():
    """The small number that keeps logarithms and quotients finite: 1e-7 unless it was set."""
    return _SETTINGS["epsilon"]


def set_epsilon(value):
    """Sets ``epsilon``."""
    _SETTINGS["epsilon"] = float(value)


def image_data_format():
    """``"channels_last"`` (images are H, W, C) or ``"channels_first"`` (C, H, W)."""
    return _SETTINGS["image_data_format"]


def set_image_data_format(data_format):
    """Sets the layout that layers and image functions take by default; ``ValueError`` for another name."""
    _SETTINGS["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format):
    """``data_format`` or, for None, the program's; ``ValueError`` for what is none."""
    if data_format is None:
        return image_data_format()
    name = str(data_format).lower()
    if name not in ("channels_last", "channels_first"):
        raise ValueError(
            "The `data_format` argument must be one of {'channels_first', 'channels_last'}. "
            f"Received: data_format={data_format}"
        )
    return name


def named_dtype(dtype=None):
    """The dtype of a name, a NumPy dtype or a minidl one; None is ``floatx``."""
    if dtype is None:
        dtype = floatx()
    if isinstance(dtype, str):
        return dtypes.named(dtype)
    return dtype if isinstance(dtype, dtypes.dtype) else dtypes.of(np.dtype(dtype))


def set_random_seed(seed):
    """Seeds Python's, NumPy's and minidl's generators at once; an int from 0 to 2^32 - 1.

    >>> from minidl.keras.utils import set_random_seed
    >>> set_random_seed(7)
    """
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
        raise ValueError(
            f"Expected `seed` argument to be an integer. Received: seed={seed} (of type {type(seed)})"
        )
    set_seed(int(seed))


def make_default_seed():
    """A seed from Python's generator, which ``set_random_seed`` governs."""
    return random.randint(1, int(1e9))
