"""Files on the disk: what kind they are, clear errors for those that are none of ours, whole ones or none written."""

import os
import zipfile

from minidl.errors import FileFormatError, MissingDependencyError
from minidl.io.atomic import replacing

HDF5 = b"\x89HDF\r\n\x1a\n"
_FOREIGN = (
    (b"\x93NUMPY", "a NumPy array: numpy.load reads it"),
    (b"\x80", "a pickle: is it a file of torch.save? Only its own program should load it"),
    (b"\x1f\x8b", "compressed by gzip: decompress it first"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself: fetch it with 'git lfs pull'"),
    (b"<", "text that begins like HTML or XML: was an error page downloaded?"),
    (b"\x08", "a protocol buffer: is it TensorFlow's SavedModel or a checkpoint?"),
    (b"{", "JSON text: keras.models.model_from_json reads architectures"),
)


def hdf5():
    """The h5py package. ``MissingDependencyError`` in one line where it is absent."""
    try:
        import h5py
    except ImportError:
        raise MissingDependencyError("Keras' files need the h5py package: pip install h5py") from None
    return h5py


def kind_of(path):
    """``"h5"``, ``"keras"`` (a zip with a config) or ``"safetensors"``, by the file's first bytes, not by its name.

    ``FileNotFoundError`` where there is no file, ``FileFormatError`` that says what else it looks like.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        raise FileFormatError(_folder(path))
    try:
        with open(path, "rb") as file:
            head = file.read(512)
    except FileNotFoundError:
        raise FileNotFoundError(f"no file {path!r} (cwd {os.getcwd()})") from None
    if head.startswith(HDF5):
        return "h5"
    if head.startswith(b"PK"):
        return _kind_of_zip(path)
    if head[8:10] in (b'{"', b"{}") and int.from_bytes(head[:8], "little") < 2**27:
        return "safetensors"
    if not head:
        raise FileFormatError(f"{path!r} is empty: it was not written to its end")
    for start, what in _FOREIGN:
        if head.startswith(start):
            raise FileFormatError(f"{path!r} is no file of Keras: its first bytes {head[:8]!r} are {what}.")
    raise FileFormatError(
        f"{path!r} is no file of Keras: its first bytes are {head[:8]!r}, an .h5 file begins with {HDF5!r} "
        "and a .keras file with b'PK'."
    )


def _folder(path):
    inside = os.listdir(path)
    if "saved_model.pb" in inside:
        return (
            f"{path!r} is a folder with TensorFlow's SavedModel, which minidl does not read. "
            "Hint: model.save('x.keras') there."
        )
    return f"{path!r} is a folder. Expected a .keras or .h5 file"


def _kind_of_zip(path):
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise FileFormatError(f"{path!r} is a damaged zip archive (a .keras file?): {error}") from None
    if "config.json" in names:
        return "keras"
    if any(name.endswith("data.pkl") for name in names):
        raise FileFormatError(f"{path!r} is a zip archive with a pickle: is it a file of torch.save?")
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    raise FileFormatError(
        f"{path!r} is a zip archive, but no .keras file: it holds {names[:5]}, no config.json"
    )


def refuse_overwriting(path, overwrite):
    """``FileExistsError`` where there is a file that may not be replaced."""
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path!r} exists already. Hint: pass overwrite=True to replace it.")


def write_whole(path, data):
    """Puts bytes in the place of a file, in one step; makes the folder."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with replacing(path) as file:
        file.write(data)
