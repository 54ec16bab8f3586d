"""Files from strangers: parsed in a process of its own, with limits, of which only plain data comes back."""

import dataclasses
import io
import json
import os
import subprocess
import sys

import numpy as np

from minidl.errors import FileFormatError
from minidl.keras.saving.contents import Contents, parse

try:
    import resource
except ImportError:  # Windows: there the time alone is limited
    resource = None

_MEMORY = 2**30  # bytes beyond eight times the file
_SECONDS = 120
_COMMAND = "import sys; from minidl.keras.saving import guard; sys.exit(guard.main(sys.argv[1:]))"


def parse_apart(path):
    """``parse(path)`` in a child process with limits of memory and time: a file that makes the HDF5 library crash, hang
    or swallow memory ends that process, not this one. ``FileFormatError`` says how it ended."""
    path = os.fspath(path)
    parent = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    paths = os.pathsep.join(filter(None, (parent, os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _COMMAND, path], capture_output=True, timeout=_SECONDS, env=environment
        )
    except subprocess.TimeoutExpired:
        raise FileFormatError(
            f"{path!r}: reading it took more than {_SECONDS} seconds; it was given up"
        ) from None
    if done.returncode == 0:
        return _unpacked(done.stdout)
    message = done.stderr.decode("utf-8", "replace").strip().splitlines()
    last = message[-1] if message else ""
    if done.returncode == 3:
        kind, _, words = last.partition(": ")
        known = {"FileNotFoundError": FileNotFoundError, "MissingDependencyError": ImportError}
        raise known.get(kind, FileFormatError)(words)
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
    raise FileFormatError(f"{path!r}: the process that read it ended with {how}. {last}".rstrip())


def main(arguments):
    """The child: parses one file and writes its contents to standard output."""
    path = arguments[0]
    _limit(path)
    try:
        data = _packed(parse(path))
    except (OSError, RuntimeError, ValueError, ImportError, MemoryError, KeyError) as error:
        print(f"{type(error).__name__}: {error}".replace("\n", " "), file=sys.stderr)
        return 3
    sys.stdout.buffer.write(data)
    return 0


def _limit(path):
    if resource is None:
        return
    size = os.path.getsize(path) if os.path.isfile(path) else 0
    used = _virtual_memory()
    resource.setrlimit(resource.RLIMIT_AS, (used + 8 * size + _MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _virtual_memory():
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 2**32


def _packed(contents):
    described = dataclasses.asdict(dataclasses.replace(contents, arrays={}))
    described["arrays"] = list(contents.arrays)
    buffer = io.BytesIO()
    arrays = {str(i): array for i, array in enumerate(contents.arrays.values())}
    np.savez(buffer, described=np.array(json.dumps(described)), **arrays)
    return buffer.getvalue()


def _unpacked(data):
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        described = json.loads(str(file["described"]))
        described["arrays"] = {name: file[str(i)] for i, name in enumerate(described["arrays"])}
    described["layers"] = [tuple(row) for row in described["layers"]]
    return Contents(**described)
