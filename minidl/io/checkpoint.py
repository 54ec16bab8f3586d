"""``save`` and ``load``: nested values with tensors, in one safetensors file."""

import io
import json
import os

from minidl import backends
from minidl.autograd.tensor import make
from minidl.device import device
from minidl.errors import DeviceError, FileFormatError
from minidl.io.atomic import replacing
from minidl.io.container import read_container, write_container
from minidl.io.tree import Decoder, Encoder

_FORMAT, _VERSION = "minidl", "1"


def save(obj, f):
    """Writes ``obj`` to ``f``: a path, or a binary file object.

    ``obj`` is any nesting of dict, OrderedDict, list, tuple, set with None, bool, int, float, str, bytes, tensors,
    parameters, NumPy arrays and scalars, ``Size``, ``dtype`` and ``device``. Tensors that share memory share it again
    when loaded. The file is a safetensors file; what is no array stands as JSON in its metadata. Nothing is pickled.

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
    encoder = Encoder()
    try:
        tree = encoder.encode(obj, ())
    except RecursionError:
        raise ValueError("cannot save the value: it is nested too deeply") from None
    arrays, places = encoder.store.stored()
    described = {"value": tree, "tensors": encoder.tensors, "arrays": places}
    text = json.dumps(described, separators=(",", ":"), allow_nan=False)
    metadata = {"format": _FORMAT, "version": _VERSION, "tree": text}
    if hasattr(f, "write"):
        write_container(f, arrays, metadata)
        return
    with replacing(f) as file:
        write_container(file, arrays, metadata)


def load(f, map_location=None):
    """Reads what ``save`` wrote to ``f``: a path, or a binary file object, read from where it stands to its end.

    Args:
        map_location: the device of the tensors (a string or ``device``), a dict from saved devices to others, or None
            for the devices that they were saved from.

    A safetensors file of another program gives a dict of tensors by name. Raises ``FileFormatError`` for a file that is
    truncated, damaged or of another format; nothing of a file is ever executed, and what is allocated is bounded by its
    size. ``RuntimeError`` where a tensor's device cannot be used here, ``FileNotFoundError`` where there is no file.
    """
    located = _locator(map_location)
    _refuse_text(f)
    if hasattr(f, "read"):
        return _loaded(f.read(), repr(getattr(f, "name", f"<{type(f).__name__}>")), located)
    with open(f, "rb") as file:
        return _loaded(file.read(), os.fspath(f), located)


def _refuse_text(f):
    if isinstance(f, io.TextIOBase):
        raise TypeError(
            f"expected a path or a binary file object, got the text file {f!r}. Hint: open it with mode 'rb' or 'wb'."
        )


def _loaded(data, where, located):
    arrays, metadata = read_container(data, where)
    if metadata.get("format") != _FORMAT or "tree" not in metadata:
        cpu = device("cpu")
        return {name: make(backends.transfer(a, located(cpu)), None) for name, a in sorted(arrays.items())}
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


def _locator(map_location):
    """A function from a saved device, or its name, to the device where a tensor is to be."""
    if map_location is not None and not isinstance(map_location, (str, device, dict)):
        raise TypeError(
            f"map_location should be a str, a device, a dict or None, not {type(map_location).__name__}"
        )
    table = map_location if isinstance(map_location, dict) else {}
    table = {str(device(key)): device(value) for key, value in table.items()}
    everywhere = device(map_location) if isinstance(map_location, (str, device)) else None

    def located(saved):
        wanted = everywhere or table.get(str(device(saved)), device(saved))
        try:
            backends.on(wanted)
        except DeviceError as error:
            raise DeviceError(
                f"Attempting to deserialize object on device '{wanted}', which cannot be used here: {error} "
                "Hint: load with map_location='cpu'."
            ) from None
        return wanted

    return located
