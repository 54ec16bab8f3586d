"""All targets by name, and what has to be imported before one runs."""

import codecs
import contextlib
import importlib
import warnings

from fuzzing.reading import TARGETS
from minidl import backends
from minidl.errors import DeviceError

KERAS = ("keras_config", "keras_training", "keras_zip", "keras_config_zip", "keras_weights", "h5")
NAMES = (*TARGETS, *KERAS)


def target(name):
    """The function of a target, after everything that is imported late was imported: an import while a file is read is
    a finding."""
    if name in KERAS:
        importlib.import_module("fuzzing.reading_keras")
    importlib.import_module("unicodedata")  # Python's parser, of names that are not ASCII
    for encoding in (
        "cp437",
        "utf_16",
        "utf_16_le",
        "utf_16_be",
        "utf_32",
        "utf_32_le",
        "utf_32_be",
        "latin_1",
    ):
        codecs.lookup(encoding)  # of names in a zip, of JSON
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for device in ("cuda", "emulated"):
            with contextlib.suppress(DeviceError):
                backends.on(device)
    return TARGETS[name]
