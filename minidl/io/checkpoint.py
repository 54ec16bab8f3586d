"""``save`` and ``load``: nested values with tensors, in a safetensors file or a ``.pt`` file of PyTorch's."""

import io
import json
import os
import pickle

from minidl import backends
from minidl.autograd.tensor import make
from minidl.device import device
from minidl.errors import DeviceError, FileFormatError
from minidl.io.atomic import replacing
from minidl.io.container import map_container, read_container, write_container
from minidl.io.location import locator
from minidl.io.mapping import mapped
from minidl.io.npz import is_npz, npz_arrays, read_npz, write_npz
from minidl.io.torch_file import TorchWriter, is_legacy, read_legacy, read_torch
from minidl.io.tree import Decoder, Encoder
from minidl.nn.module import Module

_FORMAT, _VERSION = "minidl", "1"


def save(
    obj, f, pickle_module=pickle, pickle_protocol=2, _use_new_zipfile_serialization=True, *, format=None
):
    """Writes ``obj`` to ``f``: a path, or a binary file object.

    ``obj`` is any nesting of dict, OrderedDict, list, tuple, set with None, bool, int, float, str, bytes, tensors,
    parameters, NumPy arrays and scalars, ``Size``, ``dtype`` and ``device``. Tensors that share memory share it again
    when loaded. With modules in it, it is Python's pickle in a ``.pt`` file, which only
    ``load(..., weights_only=False)`` of minidl reads; a ``state_dict`` is what lasts, and what PyTorch reads too.

    Args:
        format: ``'safetensors'``: one such file, in which what is no array stands as JSON in its metadata.
            ``'pt'``: a file of ``torch.save``, which ``torch.load`` reads, also with ``weights_only=True`` (of NumPy's
            values it asks ``weights_only=False``). ``'npz'``: NumPy's archive, for one dict of tensors or arrays.
            None: what the path ends with, .pt, .pth, .pth.tar or .npz; else 'pt' for a module, safetensors otherwise.
        pickle_module, pickle_protocol, _use_new_zipfile_serialization: accepted as PyTorch's are.

    A path is written atomically: on any failure the old file is intact.
    Raises ``TypeError`` naming the place and type of a value that cannot be saved, ``ValueError`` for one that contains
    itself, ``OSError`` from the file system.

    >>> import io, minidl
    >>> file = io.BytesIO()
    >>> minidl.save({"weight": minidl.ones(2), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> minidl.load(file)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    _refuse_text(f)
    kind = _format(f, format)
    if isinstance(obj, Module) and format is None and kind == "safetensors":
        kind = "pt"
    try:
        write = _prepared(obj, f, kind)
        if hasattr(f, "write"):
            write(f)
            return
        with replacing(f) as file:
            write(file)
    except RecursionError:
        raise ValueError("cannot save the value: it is nested too deeply, or contains itself") from None


def _format(f, format):
    """The format that was named, or that a path means."""
    if format is None and not hasattr(f, "write"):
        path = os.fsdecode(f).lower()
        endings = {".pt": "pt", ".pth": "pt", ".pth.tar": "pt", ".npz": "npz"}
        return next((kind for ending, kind in endings.items() if path.endswith(ending)), "safetensors")
    if format not in (None, "safetensors", "pt", "npz"):
        raise ValueError(f"format should be 'safetensors', 'pt', 'npz' or None, got {format!r}")
    return format or "safetensors"


def _prepared(obj, f, kind):
    """A function that writes ``obj`` to a file. What can be wrong with ``obj`` is raised before there is one."""
    if kind == "npz":
        arrays = npz_arrays(obj)
        return lambda file: write_npz(file, arrays)
    if kind == "pt":
        name = "archive" if hasattr(f, "write") else os.path.basename(os.fsdecode(f)).split(".")[0]
        return TorchWriter(obj, name or "archive").write
    encoder = Encoder()
    tree = encoder.encode(obj, ())
    arrays, places = encoder.store.stored()
    described = {"value": tree, "tensors": encoder.tensors, "arrays": places}
    text = json.dumps(described, separators=(",", ":"), allow_nan=False)
    metadata = {"format": _FORMAT, "version": _VERSION, "tree": text}
    return lambda file: write_container(file, arrays, metadata)


def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """Reads what ``save``, ``torch.save``, safetensors or ``numpy.savez`` wrote to ``f``: a path, or a binary file
    object, read from where it stands to its end. The content says which of them it is.

    Args:
        map_location: the device of the tensors (a string or ``device``), a dict from saved devices to others, a
            function of PyTorch's (storage, saved device) that returns its storage, or None for the devices that they
            were saved from.
        mmap: True: the tensors of a path are read from the file when they are first used, and changes of them are not
            written to it. Flipped bits in them are not looked for.
        weights_only: False lets a file in which ``save`` wrote a whole module be unpickled, which imports and calls
            what the file names: only for files that you trust. PyTorch's modules are not built from a file. Where the
            program allowed classes (``serialization.add_safe_globals``), a file may name those, and no others.
        pickle_module, pickle_load_args: accepted as PyTorch's are. Any other file of ``torch.save`` may hold
            tensors, parameters, plain containers, NumPy arrays, ``Size``, ``dtype`` and ``device``, whatever is given.

    A file of another program than minidl and PyTorch gives a dict of tensors by name. Raises ``FileFormatError`` for a
    file that is truncated, damaged or of another format, its ``UnsafePickleError`` (an ``UnpicklingError`` too) for one
    that names anything else. Nothing of a file is executed unless ``weights_only=False`` was asked for, and what is
    allocated is bounded by its size.
    ``RuntimeError`` where a tensor's device cannot be used here, ``FileNotFoundError`` where there is no file.
    """
    located, trusted = locator(map_location), weights_only is False
    _refuse_text(f)
    if hasattr(f, "read"):
        if mmap:
            raise ValueError("f must be a path in order to use the mmap argument")
        return _loaded(f.read(), repr(getattr(f, "name", f"<{type(f).__name__}>")), located, True, trusted)
    with open(f, "rb") as file:
        return _loaded(mapped(file), os.fspath(f), located, not mmap, trusted)


def _refuse_text(f):
    if isinstance(f, io.TextIOBase):
        raise TypeError(
            f"expected a path or a binary file object, got the text file {f!r}. Hint: open it with mode 'rb' or 'wb'."
        )


def _loaded(data, where, located, copy, trusted):
    if data[:4] == b"PK\x03\x04":
        if is_npz(data):
            return _tensors(read_npz(data, where), located)
        return read_torch(data, where, located, copy, trusted)
    if is_legacy(data):
        return read_legacy(data, where, located)
    if isinstance(data, bytes):
        arrays, metadata = read_container(data, where)
    else:
        arrays, metadata = map_container(data, where, copy)
    if metadata.get("format") != _FORMAT or "tree" not in metadata:
        return _tensors(arrays, located)
    if metadata.get("version") != _VERSION:
        raise FileFormatError(
            f"{where}: it has version {metadata.get('version')!r} of the format, this program reads {_VERSION!r}. "
            "Hint: a later minidl wrote it; update."
        )
    try:
        described = json.loads(metadata["tree"])
        decoder = Decoder(arrays, described["arrays"], described["tensors"], located)
        return decoder.decode(described["value"])
    except DeviceError:
        raise
    except Decoder.ERRORS as error:
        raise FileFormatError(
            f"{where}: the description of the saved value is damaged: {type(error).__name__}: {error}"
        ) from None


def _tensors(arrays, located):
    cpu = device("cpu")
    return {name: make(backends.transfer(a, located(cpu)), None) for name, a in sorted(arrays.items())}
