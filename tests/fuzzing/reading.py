"""A function of bytes for each reader of files: it returns, or raises what is a finding.

A file may be refused, with an error of those that the reader documents. Everything else is a finding: another exception
(``MemoryError`` under the limit that ``limited`` sets, too), the end of the process, and ``Executed`` where the file
made the program run or touch anything (see ``guarding.py``).
"""

import contextlib
import io
import json
import os
import tempfile
import zipfile

import torch_files

import minidl
from fuzzing.guarding import unwatched
from minidl.errors import DeviceError, FileFormatError
from minidl.io import read_idx

REFUSALS = (FileFormatError, DeviceError)
KERAS_REFUSALS = (FileFormatError, ValueError, OSError, NotImplementedError)
TARGETS = {}
_FOLDER = "/dev/shm" if os.path.isdir("/dev/shm") else None


def target(function):
    TARGETS[function.__name__] = function
    return function


@contextlib.contextmanager
def on_disk(data, ending=""):
    """The path of a file with these bytes."""
    with unwatched():
        handle, path = tempfile.mkstemp(ending, dir=_FOLDER)
        os.write(handle, data)
        os.close(handle)
    try:
        yield path
    finally:
        with unwatched():
            os.unlink(path)


def _load(data):
    with contextlib.suppress(*REFUSALS):
        minidl.load(io.BytesIO(data))


@target
def safetensors(data):
    """Bytes as they come: the container, and minidl's description in its metadata."""
    _load(data)


@target
def mapped(data):
    """The same from a path, copied from the mapping or left in it."""
    with on_disk(data) as path:
        for mmap in (False, True):
            with contextlib.suppress(*REFUSALS):
                minidl.load(path, mmap=mmap)


@target
def tree(data):
    """The description alone (JSON), in a container that is right."""
    text = data.decode("utf-8", "replace")
    region = {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]}
    row = {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}
    head = json.dumps(
        {"__metadata__": {"format": "minidl", "version": "1", "tree": text}, "r": region, "w": row}
    ).encode()
    _load(len(head).to_bytes(8, "little") + head + bytes(16))


@target
def pt(data):
    """The zip archive of ``torch.save``, and the format before 1.6."""
    _load(data)


@target
def pickled(data):
    """The pickle alone, in an archive that is right."""
    _load(torch_files.hostile(data, {"data/0": bytes(8), "data/1": bytes(16)}))


@target
def npz(data):
    """NumPy's archive."""
    _load(data)


@target
def npy(data):
    """One array, in an archive that is right."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", data)
    _load(file.getvalue())


@target
def idx(data):
    """A plain or compressed file."""
    with on_disk(data) as path, contextlib.suppress(*REFUSALS):
        read_idx(path)
