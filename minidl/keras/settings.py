"""What Keras keeps for the whole program: floatx, epsilon, the image layout; and the seeds."""

import os
import random
import warnings

import numpy as np

from minidl import dtypes
from minidl.utils.seeding import set_seed

_SETTINGS = {
    **{"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"},
    **{"interactive_logging": True, "unsafe_deserialization": False},
    **{name: os.environ.get(f"KERAS_{name.upper()}") for name in ("max_epochs", "max_steps_per_epoch")},
}


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


def _limit(name):
    limit = _SETTINGS[name]
    return None if limit is None else int(limit)


def max_epochs():
    """The most epochs that ``fit`` trains for, whatever it is told; None: no limit.

    The environment's KERAS_MAX_EPOCHS is what it starts with.
    """
    return _limit("max_epochs")


def set_max_epochs(max_epochs):
    """Limits the epochs of every ``fit``; None takes the limit away."""
    _SETTINGS["max_epochs"] = max_epochs


def max_steps_per_epoch():
    """The most steps of an epoch of ``fit``, of ``evaluate`` and ``predict``; None: no limit.

    The environment's KERAS_MAX_STEPS_PER_EPOCH is what it starts with.
    """
    return _limit("max_steps_per_epoch")


def set_max_steps_per_epoch(max_steps_per_epoch):
    """Limits the steps of every epoch; None takes the limit away."""
    _SETTINGS["max_steps_per_epoch"] = max_steps_per_epoch


def limited(value, name):
    """``value`` or, with a warning, the program's limit of this name where that is less."""
    limit = _limit(name)
    if not limit or (value is not None and value <= limit):
        return value
    warnings.warn(f"Limiting {name.removeprefix('max_')} to {limit}", stacklevel=4)
    return limit


def enable_interactive_logging():
    """Lets training draw a live bar where the stream can show one: what the program starts with."""
    _SETTINGS["interactive_logging"] = True


def disable_interactive_logging():
    """Lets training write whole lines only, on a terminal too."""
    _SETTINGS["interactive_logging"] = False


def is_interactive_logging_enabled():
    """Whether training may draw a live bar."""
    return _SETTINGS["interactive_logging"]


def enable_unsafe_deserialization():
    """Lets ``load_model`` run the Python code of ``Lambda`` layers in files, for the rest of the program."""
    _SETTINGS["unsafe_deserialization"] = True


def in_safe_mode(safe_mode):
    """What ``safe_mode=`` comes to."""
    return safe_mode and not _SETTINGS["unsafe_deserialization"]


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
