"""The HDF5 tree: lists of names in attributes, however long; datasets, checked before they are read."""

import contextlib
import io
import json

import numpy as np

from minidl import dtypes
from minidl.errors import FileFormatError
from minidl.keras.saving.files import hdf5

LIMIT = 64512  # bytes of one attribute
_SMALL, _EXPANSION = 2**26, 1100  # a dataset above the first may be this many times what is stored of it


def new_tree():
    """An HDF5 file in memory, and the buffer that it is written to."""
    buffer = io.BytesIO()
    return hdf5().File(buffer, "w"), buffer


@contextlib.contextmanager
def open_tree(source, where):
    """Opens a path or the bytes of a file for reading. What the library says of a damaged one, now or inside, is a
    ``FileFormatError``."""
    try:
        with hdf5().File(io.BytesIO(source) if isinstance(source, bytes) else source, "r") as root:
            yield root
    except FileFormatError:
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise FileFormatError(f"{where!r} is truncated or damaged: {type(error).__name__}: {error}") from None


def write_names(group, name, values):
    """A list of strings as an attribute, split into ``name0``, ``name1``, ... where one cannot hold it."""
    array = np.array([value.encode("utf-8") for value in values]) if values else np.zeros(0, "S1")
    parts = 1
    while any(part.nbytes > LIMIT for part in np.array_split(array, parts)):
        parts += 1
        if parts > 2 * len(array):
            raise ValueError(
                f"a name of more than {LIMIT} bytes cannot be saved: {max(values, key=len)[:80]}..."
            )
    if parts == 1:
        group.attrs[name] = array
        return
    for number, part in enumerate(np.array_split(array, parts)):
        group.attrs[f"{name}{number}"] = part


def read_names(group, name):
    """The list of strings that ``write_names`` wrote; of bytes or strings, empty where there is none."""
    if name in group.attrs:
        return [text(value) for value in np.ravel(group.attrs[name])]
    found, number = [], 0
    while f"{name}{number}" in group.attrs:
        found.extend(text(value) for value in np.ravel(group.attrs[f"{name}{number}"]))
        number += 1
    return found


def text(value):
    """A string of bytes or of a string."""
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def read_json(group, name, where):
    """The value of an attribute that holds JSON; None where there is none."""
    if name not in group.attrs:
        return None
    return parse_json(text(group.attrs[name]), f"{where!r}: attribute {name!r}")


def parse_json(data, what):
    """The value of JSON text. ``FileFormatError`` for a damaged one."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{what} is no JSON: {error}") from None


def write_array(group, name, array):
    """A dataset of an array, contiguous; half precision of 16 bits without a NumPy dtype goes as float32."""
    array = np.asarray(array)
    if array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    group.create_dataset(name, data=array)


def group_of(parent, name, where):
    """The group of a name. ``FileFormatError`` where there is none, or one that leads out of the file."""
    h5py = hdf5()
    if name not in parent or not isinstance(parent.get(name, getlink=True), h5py.HardLink):
        raise FileFormatError(f"{where!r} has no group {name!r} in {parent.name!r}")
    found = parent[name]
    if not isinstance(found, h5py.Group):
        raise FileFormatError(f"{where!r}: {found.name!r} is no group")
    return found


def read_array(parent, name, where):
    """The array of a dataset. ``FileFormatError`` where there is none, where it lies in another file, where its numbers
    are none, or where it claims to be far larger than what is stored."""
    h5py = hdf5()
    *above, last = [part for part in name.split("/") if part]
    for part in above:
        parent = group_of(parent, part, where)
    if last not in parent or not isinstance(parent.get(last, getlink=True), h5py.HardLink):
        raise FileFormatError(f"{where!r} has no dataset {name!r} in {parent.name!r}")
    found = parent[last]
    if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
        raise FileFormatError(f"{where!r}: {found.name!r} is no dataset of this file")
    brain = text(found.attrs.get("dtype", "")) == "bfloat16"
    if found.dtype.kind not in "fiub" and not brain:
        raise FileFormatError(f"{where!r}: {found.name!r} holds {found.dtype}, not numbers")
    stored = found.id.get_storage_size()
    if found.nbytes > _SMALL and found.nbytes > _EXPANSION * stored:
        raise FileFormatError(
            f"{where!r}: {found.name!r} claims {found.nbytes} bytes of shape {found.shape}, but {stored} are stored"
        )
    try:
        array = found[()]
    except OSError as error:
        raise FileFormatError(f"{where!r}: {found.name!r} cannot be read: {error}") from None
    array = np.asarray(array)
    if brain:
        return array.view(dtypes.named("bfloat16").numpy).astype(np.float32)
    return array
