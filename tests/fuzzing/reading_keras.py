"""Targets for Keras' files: a model's config, the archive, and HDF5 in a child process."""

import contextlib
import functools
import io
import json
import os
import signal
import warnings
import zipfile

import numpy as np

from fuzzing.guarding import limited, unwatched, watched
from fuzzing.reading import KERAS_REFUSALS, on_disk, target
from minidl import keras
from minidl.errors import FileFormatError
from minidl.keras.saving import loading
from minidl.keras.saving.contents import Contents, parse

_SECONDS = 20


@functools.cache
def small_model():
    """A model with a recurrent and a convolving part, an optimizer and metrics."""
    keras.utils.set_random_seed(0)
    one, two = keras.Input((6, 4), name="one"), keras.Input((3,), name="two")
    x = keras.layers.Conv1D(3, 3, activation="relu", name="conv")(one)
    x = keras.layers.LSTM(2, name="lstm")(x)
    x = keras.layers.Concatenate(name="both")([x, two])
    x = keras.layers.BatchNormalization(name="norm")(x)
    out = keras.layers.Dense(1, name="out")(x)
    model = keras.Model([one, two], out, name="m")
    model.compile("adam", "mse", metrics=["mae"])
    model.fit([np.ones((2, 6, 4)), np.ones((2, 3))], np.ones((2, 1)), verbose=0)
    return model


@functools.cache
def small_file(ending):
    with on_disk(b"", ending) as path:
        small_model().save(path)
        with open(path, "rb") as file:
            return file.read()


@functools.cache
def _contents(ending):
    with on_disk(small_file(ending), ending) as path:
        return parse(path)


def _quietly(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(*KERAS_REFUSALS):
            call()


@target
def keras_config(data):
    """The config of a model (JSON), beside the weights of one: what load_model makes of it, and fills."""
    try:
        config = json.loads(data)
    except (ValueError, RecursionError):
        return
    whole = _contents(".keras")
    _quietly(lambda: loading.model_of(Contents("m.keras", "store", whole.arrays, config=config), True))


@target
def keras_training(data):
    """The training config of a .h5 file (JSON), beside its model."""
    try:
        config = json.loads(data)
    except (ValueError, RecursionError):
        return
    whole = _contents(".h5")
    if isinstance(config, dict):
        _quietly(
            lambda: loading.model_of(
                Contents("m.h5", "layers", whole.arrays, whole.layers, whole.optimizer, whole.config, config),
                True,
            )
        )


@target
def keras_zip(data):
    """A .keras archive without weights of its own."""
    with on_disk(data, ".keras") as path:
        _quietly(lambda: parse(path))


@target
def keras_config_zip(data):
    """A config within an archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", data)
    keras_zip(file.getvalue())


@target
def keras_weights(data):
    """A file of weights by name, filled into a model."""
    for ending in (".npz", ".safetensors"):
        with on_disk(data, ending) as path:
            _quietly(lambda path=path: small_model().load_weights(path))


@target
def h5(data):
    """HDF5, whose library may crash and hang: in a child process with limits, which may die, but not of our code."""
    with unwatched(), on_disk(data, ".h5") as path:
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            _parse_and_leave(path, theirs)
        os.close(theirs)
        with os.fdopen(ours, "rb") as pipe:
            message = pipe.read()
        os.waitpid(child, 0)
    if message:
        raise AssertionError(message.decode("utf-8", "replace"))


def _parse_and_leave(path, pipe):
    """Reports an exception that is no refusal. A crash of the library says nothing: that is what the process is for."""
    signal.alarm(_SECONDS)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    status = 0
    try:
        with watched(), limited():
            parse(path)
    except (FileFormatError, MemoryError):
        pass
    except BaseException as error:
        os.write(pipe, f"{type(error).__name__}: {error}".encode())
        status = 1
    os._exit(status)
