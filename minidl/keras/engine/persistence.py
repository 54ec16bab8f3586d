"""Where models go to files: ``minidl/keras/saving`` registers what it can write and read; models look here."""

import os

from minidl.keras.engine.weight_files import ENDINGS, load_arrays, save_arrays

WRITERS = {}  # what to do ("save", "save_weights", "load_weights") -> function


def register(**functions):
    """Makes ``save``, ``save_weights`` or ``load_weights`` known."""
    WRITERS.update(functions)


def _call(what, *args, **kwargs):
    if what not in WRITERS:
        raise NotImplementedError(
            f"model.{what}: no writer is registered. Hint: use minidl.save(model.state_dict(), path)."
        )
    return WRITERS[what](*args, **kwargs)


def save(model, filepath, **kwargs):
    """Writes the whole model."""
    return _call("save", model, filepath, **kwargs)


def save_weights(model, filepath, **kwargs):
    """Writes the weights."""
    if os.fspath(filepath).endswith(ENDINGS):
        return save_arrays(model, filepath, **kwargs)
    return _call("save_weights", model, filepath, **kwargs)


def load_weights(model, filepath, **kwargs):
    """Reads the weights."""
    if os.fspath(filepath).endswith(ENDINGS):
        return load_arrays(model, filepath, skip_mismatch=kwargs.get("skip_mismatch", False))
    return _call("load_weights", model, filepath, **kwargs)
