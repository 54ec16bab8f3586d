"""What the install built: read by ``doctor`` and by the backends, to say why an extension is missing."""

import json
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

_HERE = Path(__file__).parent


def extension(name):
    """The record of the extension ``minidl._<name>``: a dictionary that always has ``built`` and ``reason``.

    An install adds ``mode`` (what ``MINIDL_<NAME>`` asked for) and, where it built the module, ``compiler``,
    ``flags`` and for CUDA ``nvcc`` and ``archs``. ``reason`` says why there is no module; it is empty where there
    is one.

    >>> from minidl import build_info
    >>> sorted(build_info.extension("no such thing"))
    ['built', 'reason']
    """
    built = any((_HERE / f"_{name}{suffix}").exists() for suffix in EXTENSION_SUFFIXES)
    record = _records().get(name, {})
    reason = record.get("reason") or f"this source tree has no _{name}; run scripts/build_inplace.sh {name}"
    return {**record, "built": built, "reason": "" if built else reason}


def _records():
    """The records of an install; none in a source tree, or where the file is damaged."""
    try:
        records = json.loads((_HERE / "_build_info.json").read_text())["extensions"]
        return {name: dict(record) for name, record in records.items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}
