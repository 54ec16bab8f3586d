"""Writes the type stubs of what ops register by decorator: ``python scripts/write_stubs.py [--check]``.

The ``.pyi`` files of ``minidl`` (functions and dtypes), ``minidl.nn`` and ``minidl.nn.functional``, ``minidl.special``,
``minidl.linalg`` and ``minidl.autograd.tensor`` (methods of Tensor). ``--check`` writes nothing and exits 1 where one
is out of date.
"""

import ast
import inspect
import pathlib
import sys

import minidl
from minidl import dtypes, nn
from minidl.autograd import registry
from minidl.autograd.interop import Interop
from minidl.autograd.tensor import Tensor

ROOT = pathlib.Path(minidl.__file__).parent
HEADER = "# Written by scripts/write_stubs.py from the op registry; do not edit.\n"
PROTOCOLS = {
    "__hash__": "_int", "__repr__": "str", "__str__": "str", "__len__": "_int", "__bool__": "_bool",
    "__init_subclass__": "None", "__float__": "_float", "__int__": "_int", "__index__": "_int",
    "__complex__": "complex", "__format__": "str", "__contains__": "_bool",
}  # fmt: skip
RESERVED = {"bool": "_bool", "int": "_int", "float": "_float"}


def annotation(name, default, op):
    """The type of a parameter, from the op's declaration and the default."""
    if op is not None and name in op.tensors:
        kind = (
            "Sequence[Tensor]"
            if name == op.sequence
            else "Tensor | _float"
            if name in op.numbers
            else "Tensor"
        )
        return f"{kind} | None" if default is None else kind
    if isinstance(default, bool):
        return "_bool"
    if isinstance(default, (int, float)):
        return "_float" if isinstance(default, float) else "Any"
    return "Tensor" if name in ("input", "self") and default is inspect.Parameter.empty else "Any"


def signature(fn, method=False):
    """The parameter list of a function; the first parameter of a method is ``self``."""
    op, parts, starred = getattr(fn, "op", None), [], False
    for i, p in enumerate(inspect.signature(fn).parameters.values()):
        if p.kind is p.VAR_POSITIONAL:
            parts.append(f"*{p.name}: Any")
            starred = True
        elif p.kind is p.VAR_KEYWORD:
            parts.append(f"**{p.name}: Any")
        else:
            if p.kind is p.KEYWORD_ONLY and not starred:
                parts.append("*")
                starred = True
            default = "" if p.default is p.empty else " = ..."
            parts.append(
                "self" if method and i == 0 else f"{p.name}: {annotation(p.name, p.default, op)}{default}"
            )
    return ", ".join(parts)


def returns(fn):
    """What a function returns: its own annotation, a named tuple, else a Tensor."""
    op = getattr(fn, "op", None)
    noted = getattr(fn, "__annotations__", {}).get("return")
    if noted is not None:
        name = noted if isinstance(noted, str) else getattr(noted, "__name__", str(noted))
        return RESERVED.get(name, name)
    return "Any" if op is not None and op.returns else "Tensor"


def functions(table):
    return [
        f"def {name}({signature(fn)}) -> {returns(fn)}: ..."
        for name, fn in sorted(table.items())
        if name.isidentifier() and inspect.isroutine(fn)
    ]


PRELUDE = """from collections.abc import Iterator, Sequence
from typing import Any

_bool = bool
_int = int
_float = float
"""


def package_stub():
    """``minidl/__init__.pyi``: what ``__init__.py`` imports, the dtypes, the functions of the torch face."""
    lines = [HEADER, PRELUDE]
    for node in ast.parse((ROOT / "__init__.py").read_text()).body:
        if isinstance(node, ast.ImportFrom):
            names = ", ".join(
                f"{a.name} as {a.asname or a.name}"
                for a in node.names
                if not (a.asname or a.name).startswith("_math")
            )
            lines.append(f"from {node.module} import {names}")
    lines += [f"{name}: dtype" for name in (*[d.name for d in dtypes.available()], *dtypes.ALIASES)]
    lines += [f"{name}: _float" for name in ("inf", "nan", "pi", "e")] + ["newaxis: None"]
    lines += [f"{name}: str" for name in ("strided", "contiguous_format", "preserve_format", "channels_last")]
    return "\n".join([*lines, *functions(registry.FACES["torch"])]) + "\n"


def functional_stub():
    """``minidl/nn/functional.pyi``."""
    return (
        "\n".join(
            [HEADER, PRELUDE, "from minidl.autograd import Tensor", *functions(registry.FACES["functional"])]
        )
        + "\n"
    )


def room_stub(room):
    """The stub of a room that shows functions which ops register: ``minidl/special.pyi``."""
    shown = {
        name: fn for name, fn in vars(room).items() if not name.startswith("_") and inspect.isroutine(fn)
    }
    errors = ["from minidl.errors import LinAlgError as LinAlgError"] if hasattr(room, "LinAlgError") else []
    return (
        "\n".join([HEADER, PRELUDE, "from minidl.autograd import Tensor", *errors, *functions(shown)]) + "\n"
    )


def layers_stub():
    """``minidl/nn/__init__.pyi``: each layer from the module in which it is found, and the rooms of functions."""
    lines = [HEADER]
    for name, value in sorted(vars(nn).items()):
        if inspect.isclass(value) and not name.startswith("_"):
            lines.append(f"from {value.__module__} import {value.__name__} as {name}")
        elif inspect.ismodule(value) and name in ("functional", "init", "utils"):
            lines.append(f"from minidl.nn import {name} as {name}")
    return "\n".join(lines) + "\n"


def _own(cls):
    for name, value in vars(cls).items():
        if isinstance(value, property):
            yield f"    @property\n    def {name}(self) -> Any: ..."
            if value.fset is not None:
                yield f"    @{name}.setter\n    def {name}(self, value: Any) -> None: ..."
        elif (
            inspect.isfunction(value)
            and name not in registry.METHODS
            and name not in ("__new__", "__getitem__", "__iter__")
        ):
            result = "Tensor" if name.startswith("__") and _is_operator(name) else "Any"
            ignore = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""
            ignore = "  # type: ignore[misc]" if name.startswith("__i") and _is_operator(name) else ignore
            result = PROTOCOLS.get(name, result)
            yield f"    def {name}({signature(value, method=True)}) -> {result}: ...{ignore}"


def _is_operator(name):
    stem = name.strip("_").removeprefix("r").removeprefix("i")
    return any(stem in (part, name.strip("_")) for part in registry.OPERATORS)


def tensor_stub():
    """``minidl/autograd/tensor.pyi``: Tensor with the methods that ops attached."""
    lines = [
        HEADER,
        PRELUDE,
        "from numpy.typing import NDArray",
        "from minidl.dtypes import dtype as _dtype",
        "",
        "TENSORS: set[type]",
        "class Tensor:",
    ]
    lines += [
        "    __array_priority__: _int",
        "    __slots__: Any",
        "    def __new__(cls, *data: Any, device: Any = ...) -> Tensor: ...",
        "    def __getitem__(self, index: Any) -> Tensor: ...",
        "    def __iter__(self) -> Iterator[Tensor]: ...",
        "    @property\n    def dtype(self) -> _dtype: ...",
    ]
    lines += [*_own(Interop), *(line for line in _own(Tensor) if "def dtype(" not in line)]
    methods = {name: fn for name, fn in registry.METHODS.items() if name.isidentifier()}
    lines += [
        f"    def {name}({signature(fn, method=True)}) -> {returns(fn)}: ..."
        for name, fn in sorted(methods.items())
    ]
    lines += [
        "def make(array: Any, edge: Any, cls: type = ...) -> Any: ...",
        "def leaf(array: Any, requires_grad: _bool = ..., cls: type = ...) -> Any: ...",
    ]
    return "\n".join(lines) + "\n"


def main():
    stubs = {
        ROOT / "__init__.pyi": package_stub(),
        ROOT / "nn" / "__init__.pyi": layers_stub(),
        ROOT / "nn" / "functional.pyi": functional_stub(),
        ROOT / "special.pyi": room_stub(minidl.special),
        ROOT / "linalg.pyi": room_stub(minidl.linalg),
        ROOT / "autograd" / "tensor.pyi": tensor_stub(),
    }
    stale = [path for path, text in stubs.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path} is out of date: run python scripts/write_stubs.py")
        return 1 if stale else 0
    for path in stale:
        path.write_text(stubs[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
