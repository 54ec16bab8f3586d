"""What the figures are measured on."""

import os
import pathlib
import platform

import numpy as np

from minidl import backends

_INFO = pathlib.Path("/proc/cpuinfo")
_CACHES = pathlib.Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}
LAST_LEVEL = 32 * 2**20  # where the machine does not say

_V3 = {"avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}
_V4 = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}


def cpus():
    """How many CPUs this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def describe():
    """A dict: ``cpu``, ``cpus``, ``isa`` (the x86-64 level, or the architecture), ``caches`` in bytes, Python, system.

    >>> from minidl.bench import machine
    >>> sorted(machine.describe())
    ['caches', 'cpu', 'cpus', 'isa', 'python', 'system']
    """
    fields = _cpuinfo()
    return {
        "cpu": fields.get("model name") or platform.processor() or platform.machine(),
        "cpus": cpus(),
        "isa": _level(set(fields.get("flags", "").split())),
        "caches": caches(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _cpuinfo():
    if not _INFO.exists():
        return {}
    first = _INFO.read_text(encoding="utf-8").partition("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _level(flags):
    if platform.machine() not in ("x86_64", "AMD64"):
        return platform.machine()
    if flags >= _V3 | _V4:
        return "x86-64-v4"
    return "x86-64-v3" if flags >= _V3 else "x86-64-v2"


def gpu():
    """What the driver calls the current GPU."""
    runtime = backends.on("cuda").xp.cuda.runtime
    return runtime.getDeviceProperties(runtime.getDevice())["name"].decode()


def caches():
    """Sizes of a CPU's caches in bytes by name (``L1d``, ``L2``, ``L3``); empty where the system does not tell."""
    found = {}
    for place in sorted(_CACHES.glob("index*")):
        try:
            kind, level, size = ((place / name).read_text().strip() for name in ("type", "level", "size"))
            amount = int(size[:-1]) * _UNITS[size[-1]]
        except (OSError, ValueError, KeyError, IndexError):
            continue
        if kind != "Instruction":
            found[f"L{level}{'d' if kind == 'Data' else ''}"] = amount
    return found


def last_level():
    """Bytes of the last cache level, or a guess."""
    return max(caches().values(), default=LAST_LEVEL)


def numpy_version():
    """NumPy's version: every row depends on it, also without NumPy as a peer."""
    return np.__version__
