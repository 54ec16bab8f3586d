"""What an installed CuPy shares with NumPy: the content of ``minidl/backends/emulated/names.json``.

``python tests/emulator/cupy_names.py > minidl/backends/emulated/names.json`` where CuPy is installed (no GPU
is needed) brings the file up to date.
"""

import inspect
import json

import numpy as np

GONE = {"row_stack"}  # CuPy and older NumPy have it, NumPy 2.5 does not


def names(cupy):
    """By name: the parameters of a function ("*" and "**" for variadic ones), "ufunc", "class" or "value"."""
    found = {}
    for name in sorted(dir(cupy)):
        value = getattr(cupy, name)
        if name.startswith("_") or name in GONE or not hasattr(np, name) or inspect.ismodule(value):
            continue
        kind = _kind(cupy, value)
        if kind is not None:
            found[name] = kind
    return found


def _kind(cupy, value):
    if isinstance(value, cupy.ufunc):
        return "ufunc"
    if inspect.isclass(value):
        return "class"
    if not callable(value):
        return "value"
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    try:
        return [stars.get(p.kind, p.name) for p in inspect.signature(value).parameters.values()]
    except ValueError:  # written in C
        return ["*", "**"]


def as_text(found):
    """One name a line, so that a difference between two versions of CuPy reads well."""
    rows = [f"  {json.dumps(name)}: {json.dumps(kind)}" for name, kind in found.items()]
    return "{\n" + ",\n".join(rows) + "\n}\n"


if __name__ == "__main__":
    import cupy

    print(as_text(names(cupy)), end="")
