"""What a file holds, as plain data: configs and arrays. Nothing of Keras' is made here, nothing is executed."""

import dataclasses
import os
import zipfile

from minidl.errors import FileFormatError
from minidl.io.container import read_container
from minidl.io.mapping import mapped
from minidl.io.npz import read_npz
from minidl.keras.saving import tree
from minidl.keras.saving.files import kind_of

_ZIP_SMALL, _ZIP_EXPANSION = (
    2**26,
    1100,
)  # a member above the first may be this many times its compressed size


@dataclasses.dataclass
class Contents:
    """``arrays`` by path; ``layers`` are (name, paths of its arrays) in the model's order, where the file tells.

    ``layout`` is ``"layers"`` (.h5: weights listed a layer), ``"store"`` (.keras and .weights.h5: by place in the
    model, ``layers/dense/vars/0``) or ``"names"`` (.npz, .safetensors: by the weights' names).
    """

    where: str
    layout: str
    arrays: dict
    layers: list = dataclasses.field(default_factory=list)
    optimizer: list = dataclasses.field(default_factory=list)
    config: dict | None = None
    training: dict | None = None
    about: dict = dataclasses.field(default_factory=dict)


def parse(path):
    """The contents of a .h5, .weights.h5, .keras, .npz or .safetensors file, found by its bytes."""
    path = os.fspath(path)
    kind = kind_of(path)
    if kind == "h5":
        with tree.open_tree(path, path) as root:
            return _parse_tree(root, path)
    return {"keras": _parse_zip, "npz": _parse_npz, "safetensors": _parse_safetensors}[kind](path)


def _parse_tree(root, where):
    listed = next((g for g in (root, root.get("model_weights")) if g is not None and _lists_layers(g)), None)
    if listed is not None:
        return _parse_layers(root, listed, where)
    if tree.read_json(root, "model_config", where) is not None:
        raise FileFormatError(f"{where!r} holds a model's config, but no group 'model_weights'")
    arrays = _store_arrays(root, where)
    if not arrays and "vars" not in root:  # the group of the model's own weights, be there any or none
        raise FileFormatError(f"{where!r} is an HDF5 file, but none of Keras: it holds {sorted(root)[:8]}")
    return Contents(where, "store", arrays)


def _lists_layers(group):
    return hasattr(group, "attrs") and ("layer_names" in group.attrs or "layer_names0" in group.attrs)


def _parse_layers(root, group, where):
    """The .h5 of Keras 2 and 3: ``layer_names``, and of each layer ``weight_names``."""
    contents = Contents(where, "layers", {})
    names = tree.read_names(group, "layer_names")
    if "top_level_model_weights" in group:
        names = [*names, "top_level_model_weights"]
    for name in names:
        inner = tree.group_of(group, name, where) if "/" not in name else _deep(group, name, where)
        paths = []
        for weight in tree.read_names(inner, "weight_names"):
            path = f"{name}/{weight}"
            contents.arrays[path] = tree.read_array(inner, weight, where)
            paths.append(path)
        contents.layers.append((name, paths))
    if "optimizer_weights" in root:
        inner = tree.group_of(root, "optimizer_weights", where)
        for name in tree.read_names(inner, "weight_names"):
            contents.arrays[f"optimizer_weights/{name}"] = tree.read_array(inner, name, where)
            contents.optimizer.append(name)
    contents.config = tree.read_json(root, "model_config", where)
    contents.training = tree.read_json(root, "training_config", where)
    for holder in (group, root):
        for key in ("keras_version", "backend", "minidl_version", "minidl_hard_sigmoid"):
            if key in holder.attrs:
                contents.about[key] = tree.text(holder.attrs[key])
    return contents


def _deep(group, name, where):
    for part in name.split("/"):
        group = tree.group_of(group, part, where)
    return group


def _store_arrays(root, where):
    """``{"layers/dense/vars/0": array}`` of a .weights.h5, visited without following links."""
    found, pending = {}, [("", root)]
    while pending:
        prefix, group = pending.pop()
        for name in group:
            path = f"{prefix}/{name}".lstrip("/")
            if group.get(name, getclass=True, getlink=False) is type(root["/"]):
                pending.append((path, tree.group_of(group, name, where)))
            else:
                found[path] = tree.read_array(group, name, where)
    return dict(sorted(found.items()))


def _member(archive, name, where):
    info = archive.getinfo(name)
    if info.file_size > _ZIP_SMALL and info.file_size > _ZIP_EXPANSION * info.compress_size:
        raise FileFormatError(
            f"{where!r}: {name} claims {info.file_size} bytes, but {info.compress_size} are stored"
        )
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise FileFormatError(f"{where!r}: {name} is damaged: {error}") from None


def _parse_zip(path):
    with zipfile.ZipFile(path) as archive:
        config = tree.parse_json(_member(archive, "config.json", path), f"{path!r}: config.json")
        about = {}
        if "metadata.json" in archive.namelist():
            about = tree.parse_json(_member(archive, "metadata.json", path), f"{path!r}: metadata.json")
        if "model.weights.h5" in archive.namelist():
            data = _member(archive, "model.weights.h5", path)
            with tree.open_tree(data, path) as root:
                arrays = _store_arrays(root, path)
                about = {**_optimizer_name(root), **about} if isinstance(about, dict) else {}
        else:
            raise FileFormatError(f"{path!r} is a .keras file without model.weights.h5")
    return Contents(path, "store", arrays, config=config, about=about)


def _optimizer_name(root):
    """``{"optimizer": "adam"}`` of a store that tells: Keras' config leaves the optimizer out now and then."""
    group = root.get("optimizer/vars")
    named = group is not None and "name" in getattr(group, "attrs", {})
    return {"optimizer": tree.text(group.attrs["name"])} if named else {}


def _parse_npz(path):
    with open(path, "rb") as file:
        return Contents(path, "names", read_npz(mapped(file), repr(path)))


def _parse_safetensors(path):
    with open(path, "rb") as file:
        arrays, metadata = read_container(file.read(), repr(path))
    contents = Contents(
        path, "names", arrays, about={k: v for k, v in metadata.items() if k != "model_config"}
    )
    if "model_config" in metadata:
        contents.config = tree.parse_json(metadata["model_config"], f"{path!r}: model_config")
    return contents
