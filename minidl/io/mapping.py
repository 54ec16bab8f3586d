"""The bytes of a file, mapped into memory where the system allows it."""

import mmap
import os

from minidl.ops.storage import PrivateMapping


def mapped(file):
    """A buffer of an open file's bytes, read when they are first used. Writing to it leaves the file as it is."""
    if os.fstat(file.fileno()).st_size:
        try:
            return PrivateMapping(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError):  # a pipe, a device
            pass
    return file.read()


class Buffer:
    """A read-only file over a buffer, without a copy of it."""

    def __init__(self, data):
        self._data, self._at = memoryview(data), 0

    def seekable(self):
        return True

    def tell(self):
        return self._at

    def seek(self, offset, whence=os.SEEK_SET):
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._data)}[whence]
        if at < 0:
            raise OSError("a seek before the file's start")
        self._at = at
        return at

    def read(self, size=-1):
        end = len(self._data) if size is None or size < 0 else self._at + size
        raw = bytes(self._data[self._at : end])
        self._at += len(raw)
        return raw
