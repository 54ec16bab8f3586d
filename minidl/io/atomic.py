"""Writing a file so that, whatever happens, either the old one or the new one is there, and whole."""

import contextlib
import os
import stat
import time

_STALE = 3600  # seconds without a write, after which the program that was writing is taken for dead


@contextlib.contextmanager
def replacing(path):
    """A binary file to write, which takes the place of ``path`` at the end or, on a failure, does not.

    The bytes go to a new file in the same folder, which is forced to the disk and then renamed; a program that is
    killed may leave that file, named ``.NAME.xxxxxxxx.tmp``, beside the untouched old one; the next save of NAME
    removes it when it is an hour old. Mode bits of the old file are kept; a symbolic link keeps pointing to its file,
    whose content is replaced.
    """
    path = os.path.realpath(os.fspath(path))
    folder, name = os.path.split(path)
    mode = _mode(path)
    if mode is not None and not stat.S_ISREG(
        mode
    ):  # a pipe or a device is written to, not replaced; a folder refuses
        with open(path, "wb") as file:
            yield file
        return
    temporary = os.path.join(folder, f".{name[:200]}.{os.urandom(4).hex()}.tmp")
    # The mode is that of any new file: 0666 without what the umask takes away.
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(temporary, flags, 0o666)
    except OSError as error:
        error.filename = path  # what the caller knows of
        raise
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)
    _sweep(folder, name)


def _mode(path):
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _sync_folder(folder):
    """Forces the rename itself to the disk, where the system lets folders be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems: the file itself is safe
        pass
    finally:
        os.close(descriptor)


def _sweep(folder, name):
    """Removes what killed programs began to write in the place of ``name``."""
    start = f".{name[:200]}."
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            middle = entry.name[len(start) : -len(".tmp")]
            if not entry.name.startswith(start) or not entry.name.endswith(".tmp") or len(middle) != 8:
                continue
            with contextlib.suppress(OSError):  # another program sweeps too
                if time.time() - entry.stat(follow_symlinks=False).st_mtime > _STALE:
                    os.unlink(entry.path)
