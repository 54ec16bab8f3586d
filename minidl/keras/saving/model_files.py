"""Whole models and weights alone: ``.h5``, ``.keras``, ``.weights.h5``, and what other endings mean."""

import datetime
import io
import json
import os
import warnings
import zipfile

import numpy as np

from minidl._version import __version__
from minidl.io.container import write_container
from minidl.keras.engine.functional import Functional
from minidl.keras.engine.sequential import Sequential
from minidl.keras.engine.weight_files import ENDINGS, save_arrays
from minidl.keras.saving import tree
from minidl.keras.saving.calls import with_nodes_of_keras2
from minidl.keras.saving.dialect import model_config, with_its_hard_sigmoid
from minidl.keras.saving.files import refuse_overwriting, write_whole
from minidl.keras.saving.filling import ordered_weights, top_level_weights
from minidl.keras.saving.names import to_state_dict
from minidl.keras.saving.optimizer_states import optimizer_state
from minidl.keras.saving.store import places
from minidl.keras.saving.training import compile_config, training_config

_KERAS = "2.15.0"  # the version whose form of config a .h5 has: Keras 2 and 3 read it


def save_model(
    model, filepath, overwrite=True, include_optimizer=True, zipped=None, keras_version=3, **kwargs
):
    """Writes architecture, weights, what ``compile`` was told and the optimizer's state to a file.

    ``.h5`` and ``.hdf5`` are opened by Keras 2 and Keras 3, ``.keras`` by Keras 3. The optimizer's state in a ``.h5``
    is restored by Keras 3, with ``keras_version=2`` by Keras 2; the other begins with a fresh optimizer, and says so.
    Calls with tensors as further arguments (an LSTM's ``initial_state``), and optimizers like AdamW whose names
    differ, are in the form of that one version.
    A file is replaced in one step, or, on a failure, not at all. Raises ``ValueError`` for another ending or a model
    without weights yet, ``FileExistsError`` with ``overwrite=False``, ``NotImplementedError`` for a layer without a
    config, ``MissingDependencyError`` without h5py. Source: Keras' ``save_model``.

    >>> import h5py  # has to be installed
    >>> import os, tempfile
    >>> import numpy as np
    >>> from minidl import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keras.models.save_model(model, os.path.join(folder, "model.h5"))
    ...     again = keras.models.load_model(os.path.join(folder, "model.h5"), compile=False)
    >>> bool((again.get_weights()[0] == model.get_weights()[0]).all())
    True
    """
    path = os.fspath(filepath)
    if not path.endswith((".keras", ".h5", ".hdf5")):
        raise ValueError(
            "Invalid filepath extension for saving. Please add either a `.keras` extension for the native Keras format "
            f"(recommended) or a `.h5` extension. Received: filepath={path}."
        )
    refuse_overwriting(path, overwrite)
    _demand_weights(model)
    if keras_version not in (2, 3) or (keras_version == 2 and path.endswith(".keras")):
        raise ValueError(
            f"keras_version is 3, or, for a .h5 file, 2. Received: keras_version={keras_version}, filepath={path}"
        )
    if path.endswith(".keras"):
        write_whole(path, archive_of(model, include_optimizer))
    else:
        write_whole(path, tree_of(model, include_optimizer, keras_version))


def _demand_weights(model):
    lazy = isinstance(model, Sequential) and model.layers and not model.built
    if lazy or (not model.built and not model.weights):
        raise ValueError(
            f"The model '{model.name}' cannot be saved yet: its weights are made when its input's shape is known. "
            "Hint: call it on data, or model.build((None, features)), or give it a keras.Input first."
        )


def tree_of(model, include_optimizer=True, keras_version=3):
    """The bytes of a ``.h5`` file with the whole model."""
    root, buffer = tree.new_tree()
    with root:
        root.attrs["keras_version"], root.attrs["backend"] = _KERAS, "tensorflow"
        root.attrs["minidl_version"] = __version__
        config = model_config(model)
        if not isinstance(model, (Functional, Sequential)) and _build_config(model):
            config["build_config"] = _build_config(model)  # what a model of one's own code is built with
        config, keras2 = with_its_hard_sigmoid(config, keras_version)
        config = with_nodes_of_keras2(config) if keras_version == 2 else config
        if keras2:
            root.attrs["minidl_hard_sigmoid"] = "keras2"
        root.attrs["model_config"] = _json(config)
        training = training_config(model, keras_version) if include_optimizer and model.compiled else None
        if training is not None:
            root.attrs["training_config"] = _json(training)
        _write_layers(root.create_group("model_weights"), model)
        if training is not None:
            group = root.create_group("optimizer_weights")
            state = optimizer_state(model.optimizer, keras_version)
            tree.write_names(group, "weight_names", [name for name, _ in state])
            for name, array in state:
                tree.write_array(group, name, array)
    return buffer.getvalue()


def _json(value):
    return json.dumps(value, default=_plain)


def _plain(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "get_config") or callable(value):
        name = getattr(value, "__name__", type(value).__name__)
        raise NotImplementedError(
            f"The config of a layer holds {name!r}, which is no plain data. Hint: let its get_config() write it as "
            "data, or save the weights alone, by save_weights."
        )
    return str(value)


def _write_layers(group, model):
    tree.write_names(group, "layer_names", [layer.name for layer in model.layers])
    group.attrs["backend"], group.attrs["keras_version"] = "tensorflow", _KERAS
    for layer in sorted(model.layers, key=lambda layer: layer.name):
        _write_weights(group.create_group(layer.name), ordered_weights(layer), model.name)
    _write_weights(group.create_group("top_level_model_weights"), top_level_weights(model), model.name)


def _write_weights(group, weights, model_name):
    names = []
    for weight in weights:
        path = weight.path[len(model_name) + 1 :] if weight.path.startswith(f"{model_name}/") else weight.path
        base, count = path, 0
        while f"{path}:0" in names:
            count += 1
            path = f"{base}_{count}"
        names.append(f"{path}:0")
    tree.write_names(group, "weight_names", names)
    for name, weight in zip(names, weights, strict=True):
        tree.write_array(group, name, _on_disk(weight.numpy()))


def _on_disk(array):
    """Half precision is kept as float32: the config says what the model computes in."""
    return array.astype(np.float32) if array.dtype.name in ("float16", "bfloat16") else array


# --- .keras -------------------------------------------------------------------------------------------------------


def archive_of(model, include_optimizer=True):
    """The bytes of a ``.keras`` file with the whole model."""
    config = model_config(model, keras3=True)
    shapes = _build_config(model)
    if shapes:
        config["build_config"] = shapes
    with_its_hard_sigmoid(config, 3)
    compiled = include_optimizer and model.compiled
    if compiled:
        config["compile_config"] = compile_config(model)
    date = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    about = {"keras_version": "3.0.0", "date_saved": date, "minidl_version": __version__}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("metadata.json", json.dumps(about))
        archive.writestr("config.json", _json(config))
        archive.writestr("model.weights.h5", store_of(model, model.optimizer if compiled else None))
    return buffer.getvalue()


def _build_config(model):
    if isinstance(model, Functional):
        return None
    if isinstance(model, Sequential):
        shape = model._graph.inputs[0].shape if model._graph is not None else None
        return {"input_shape": [None, *shape[1:]]} if shape else None
    return model.get_build_config()


def store_of(model, optimizer=None):
    """The bytes of a ``.weights.h5`` file: each weight at its place in the model, and the optimizer's state."""
    root, buffer = tree.new_tree()
    with root:
        for path, weight in places(model).items():
            tree.write_array(root, path, _on_disk(weight.numpy()))
        for layer, path in _groups(model):
            root.require_group(path).attrs["name"] = layer.name
        if optimizer is not None:
            inner = getattr(optimizer, "inner_optimizer", None)
            _write_numbered(root.require_group("optimizer/vars"), optimizer.variables)
            if inner is not None:
                _write_numbered(root.require_group("optimizer/inner_optimizer/vars"), inner.variables)
    return buffer.getvalue()


def _write_numbered(group, variables):
    for number, variable in enumerate(variables):
        tree.write_array(group, str(number), np.asarray(variable.numpy()))


def _groups(model):
    """The model's own group, which Keras looks for even where it is empty."""
    return [(model, "vars")]


# --- weights alone ------------------------------------------------------------------------------------------------


def save_weights(model, filepath, overwrite=True):
    """Writes the weights: to ``.weights.h5`` as Keras 3, to another ``.h5`` as Keras 2 (Keras 3 reads both), to
    ``.npz`` or ``.safetensors`` by their paths, in Keras' layouts. ``ValueError`` for another ending."""
    path = os.fspath(filepath)
    if path.endswith(ENDINGS):
        save_arrays(model, path, overwrite)
        return
    if not path.endswith((".h5", ".hdf5")):
        raise ValueError(
            f"The filename must end in `.weights.h5`, or in .h5, .npz or .safetensors. Received: filepath={path}"
        )
    refuse_overwriting(path, overwrite)
    _demand_weights(model)
    write_whole(path, weights_of(model, path))


def weights_of(model, path):
    """The bytes of a file of weights, in the format that its name says; safetensors in PyTorch's names and layouts."""
    if path.endswith(".weights.h5"):
        return store_of(model)
    if path.endswith((".h5", ".hdf5")):
        root, buffer = tree.new_tree()
        with root:
            _write_layers(root, model)
        return buffer.getvalue()
    buffer = io.BytesIO()
    write_container(buffer, to_state_dict(model), _described(model))
    return buffer.getvalue()


def _described(model):
    """The architecture for a safetensors file's metadata, so that ``convert`` can come back."""
    try:
        return {"format": "keras", "model_config": _json(model_config(model))}
    except (NotImplementedError, ValueError) as error:
        warnings.warn(f"The architecture is not in the file: {error}", stacklevel=4)
        return {"format": "keras"}
