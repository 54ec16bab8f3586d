"""Weights in ``.npz`` and ``.safetensors`` files: arrays in Keras layout under the weights' paths."""

import json
import os

import numpy as np

from minidl.errors import FileFormatError
from minidl.io.atomic import replacing
from minidl.io.container import read_container, write_container
from minidl.io.mapping import mapped
from minidl.io.npz import read_npz
from minidl.keras.engine.tensors import as_numpy

ENDINGS = (".npz", ".safetensors")


def named_weights(model):
    """The weights by path; a path that occurs twice gets ``_1``, ``_2``, ... as Keras' files do."""
    found = {}
    for weight in model.weights:
        name, count = weight.path, 0
        while name in found:
            count += 1
            name = f"{weight.path}_{count}"
        found[name] = weight
    return found


def save_arrays(model, path, overwrite=True):
    """Writes the weights; the file is whole or, after a failure, the old one. ``ValueError`` where there are none."""
    path = os.fspath(path)
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path!r} is there already. Hint: overwrite=True.")
    weights = named_weights(model)
    if not weights:
        raise ValueError(
            f"Model '{model.name}' has no weights yet. Hint: build it, model.build((None, features)), "
            "or call it on data."
        )
    arrays = {name: np.ascontiguousarray(weight.numpy()) for name, weight in weights.items()}
    with replacing(path) as file:
        if path.endswith(".npz"):
            np.savez(file, **arrays)
        else:
            write_container(file, arrays, {"format": "minidl.keras", "order": json.dumps(list(arrays))})


def load_arrays(model, path, skip_mismatch=False):
    """Reads what ``save_arrays`` wrote: by path where the names agree, else in order."""
    path = os.fspath(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f"no file {path!r} (current folder: {os.getcwd()})")
    arrays = _npz(path) if path.endswith(".npz") else _safetensors(path)
    weights = named_weights(model)
    if not weights:
        raise ValueError(f"Model '{model.name}' has no weights yet. Hint: build it before load_weights.")
    if len(arrays) != len(weights):
        raise ValueError(
            f"{path!r} has {len(arrays)} weights, the model '{model.name}' {len(weights)}.\nfile: {', '.join(arrays)}\n"
            f"model: {', '.join(weights)}"
        )
    by_name = set(arrays) == set(weights)
    pairs = (
        [(w, arrays[n]) for n, w in weights.items()] if by_name else zip(weights.values(), arrays.values())
    )
    pairs = list(pairs)
    for weight, array in pairs:
        if tuple(weight.shape) != tuple(array.shape) and not skip_mismatch:
            raise ValueError(
                f"{path!r}: the weight '{weight.path}' has shape {tuple(weight.shape)}, the file's "
                f"{tuple(array.shape)}."
            )
    for weight, array in pairs:
        if tuple(weight.shape) == tuple(array.shape):
            weight.assign(array)


def _npz(path):
    with open(path, "rb") as file:
        return read_npz(mapped(file), repr(path))


def _safetensors(path):
    with open(path, "rb") as file:
        arrays, metadata = read_container(file.read(), path)
    try:
        order = json.loads(metadata.get("order", "null")) or list(arrays)
        return {name: as_numpy(arrays[name]) for name in order if name in arrays}
    except (ValueError, TypeError, RecursionError) as error:
        raise FileFormatError(f"{path}: the order of its weights is damaged: {error}") from None
