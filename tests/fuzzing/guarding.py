"""What a target runs under: a limit of memory, and a look at what is executed."""

import contextlib
import os
import resource
import sys

LIMIT = 512 << 20  # bytes beyond what the process has
_FORBIDDEN = (
    "exec", "import", "os.", "subprocess.", "socket.", "shutil.", "pickle.find_class", "ctypes.dlopen", "pty.",
    "urllib.", "ftplib.", "http.", "smtplib.", "webbrowser.", "signal.pthread_kill", "sqlite3.", "tempfile.mkdtemp",
)  # fmt: skip
_watching = [False]
_installed = []


class Executed(BaseException):
    """A file made the program do what no file may."""


def _hook(event, arguments):
    if not _watching[0]:
        return
    writes = event == "open" and arguments[1] not in ("r", "rb", None) and "r" not in str(arguments[1])
    if event.startswith(_FORBIDDEN) or writes:
        _watching[0] = False
        raise Executed(f"{event} {arguments}"[:500])


@contextlib.contextmanager
def watched():
    """Inside, running a program, importing, opening a file to write and the like raise ``Executed``."""
    if not _installed:
        sys.addaudithook(_hook)
        _installed.append(True)
    _watching[0] = True
    try:
        yield
    finally:
        _watching[0] = False


@contextlib.contextmanager
def unwatched():
    """Inside, what the test itself does to files is none of the file's doing."""
    before, _watching[0] = _watching[0], False
    try:
        yield
    finally:
        _watching[0] = before


@contextlib.contextmanager
def limited(extra=LIMIT):
    """Inside, an allocation that brings the process to more than ``extra`` bytes beyond now is a ``MemoryError``."""
    with open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + extra, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
