"""Files of data: those that are on this machine."""

import hashlib
import os
import shutil
import tarfile
import zipfile

__all__ = ["extract_archive", "get_file", "keras_home", "validate_file"]


def keras_home():
    """Where files are kept: ``KERAS_HOME``, else ``~/.keras``."""
    return os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")


def validate_file(fpath, file_hash, algorithm="auto"):
    """Whether a file has a hash: SHA-256, or MD5 for 32 letters."""
    kind = "md5" if algorithm == "md5" or (algorithm == "auto" and len(str(file_hash)) == 32) else "sha256"
    digest = hashlib.new(kind)
    with open(fpath, "rb") as file:
        for block in iter(lambda: file.read(1 << 16), b""):
            digest.update(block)
    return digest.hexdigest() == str(file_hash)


def extract_archive(file_path, path=".", archive_format="auto"):
    """Unpacks a tar or zip file; False where it is neither. What would leave ``path`` is refused."""
    if zipfile.is_zipfile(file_path) and archive_format in ("auto", "zip"):
        shutil.unpack_archive(file_path, path, "zip")
        return True
    if tarfile.is_tarfile(file_path) and archive_format in ("auto", "tar"):
        with tarfile.open(file_path) as archive:
            archive.extractall(path, filter="data")
        return True
    return False


def get_file(
    fname=None, origin=None, untar=False, md5_hash=None, file_hash=None, cache_subdir="datasets",
    hash_algorithm="auto", extract=False, archive_format="auto", cache_dir=None, force_download=False,
):  # fmt: skip
    """The path of a file that lies at ``<cache_dir>/<cache_subdir>/<fname>``, unpacked where that is asked.

    Nothing is downloaded: ``FileNotFoundError`` says where the file is looked for. An absolute ``fname``, and an
    ``origin`` of ``file://``, are taken as they are. ``ValueError`` for a file of another hash.
    """
    name = fname or (os.path.basename(origin) if origin else None)
    if not name:
        raise ValueError("Please specify either the `fname` or `origin` argument.")
    path = name if os.path.isabs(name) else os.path.join(cache_dir or keras_home(), cache_subdir, name)
    if origin and origin.startswith("file://") and not os.path.exists(path):
        path = origin[len("file://") :]
    if not os.path.exists(path):
        source = f" Download {origin} yourself and" if origin else " Please"
        raise FileNotFoundError(f"no file {path!r}: minidl downloads nothing.{source} put it there.")
    wanted = file_hash or md5_hash
    if wanted and not validate_file(path, wanted, hash_algorithm):
        raise ValueError(f"{path!r} is incomplete or another file: its hash is not {wanted}")
    if not (extract or untar):
        return path
    folder = path + "_extracted"
    if not os.path.isdir(folder) and not extract_archive(path, folder, archive_format):
        raise ValueError(f"{path!r} is no archive that can be unpacked: tar and zip are")
    return folder
