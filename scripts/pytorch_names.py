"""PyTorch's public names and their parameters, read from an installed PyTorch: what ``write_coverage.py`` stores."""

import ast
import enum
import inspect
import pathlib
import re
import types

import torch
import torch.nn.utils.rnn
import torch.utils.data

STUBS = {  # where a place's functions are declared, the nearest first: names that both places have may differ
    "torch": ("_C/_VariableFunctions.pyi", "_C/_nn.pyi", "nn/functional.pyi"),
    "nn.functional": ("nn/functional.pyi", "_C/_nn.pyi", "_C/_VariableFunctions.pyi"),
}
FOREIGN = {"_", "Any", "Callable", "Optional", "Sequence", "TypeVar", "Union", "overload"}
CLASSES = {  # of torch itself; the rest of its classes belong to its compiler
    "Tensor", "Generator", "Size", "device", "dtype", "finfo", "iinfo", "memory_format", "layout", "autocast",
    "GradScaler", "Stream", "Event", "FloatTensor", "DoubleTensor", "HalfTensor", "BFloat16Tensor", "LongTensor",
    "IntTensor", "ShortTensor", "CharTensor", "ByteTensor", "BoolTensor", "OutOfMemoryError",
}  # fmt: skip
MODULES = {
    "nn", "optim", "autograd", "linalg", "special", "fft", "cuda", "amp", "random", "testing", "utils", "jit", "func",
    "distributions", "distributed", "sparse", "compiler", "backends", "hub", "profiler", "version",
}  # fmt: skip


def version():
    return torch.__version__.partition("+")[0]


def read(places):
    """{place: {name: parameters}}"""
    return {place: dict(sorted(_names(place))) for place in places}


def _names(place):
    home = torch
    for part in place.split(".") if place != "torch" else ():
        home = getattr(home, part)
    overloads = _stubbed(place)
    for name in dir(home):
        value = getattr(home, name, None)
        if not name.startswith("_") and name not in FOREIGN and _is_public(place, home, name, value):
            yield name, _parameters(value, overloads.get(name, []))


def _is_public(place, home, name, value):
    if place == "torch":
        if isinstance(value, (type, types.ModuleType, enum.EnumMeta)):
            return name in CLASSES | MODULES
        return callable(value) or isinstance(value, (torch.dtype, float, torch.memory_format, torch.layout))
    if place == "Tensor":
        return True
    if isinstance(value, types.ModuleType):
        return False
    listed = getattr(home, "__all__", None)
    if place in ("linalg", "special"):
        return callable(value) and name != "Tensor"
    if listed and place not in ("nn.functional", "optim"):
        return name in listed
    return callable(value) and str(getattr(value, "__module__", "torch")).startswith("torch")


def _stubbed(place):
    """By name, the parameters of all overloads in the first of PyTorch's stub files that has the name."""
    found, root = {}, pathlib.Path(torch.__file__).parent
    bodies = [ast.parse((root / stub).read_text(encoding="utf-8")).body for stub in STUBS.get(place, ())]
    if place == "Tensor":
        classes = ast.parse((root / "_C/__init__.pyi").read_text(encoding="utf-8")).body
        bodies = [c.body for c in classes if isinstance(c, ast.ClassDef) and c.name == "TensorBase"]
    for body in bodies:
        here = {}
        for node in body:
            if isinstance(node, ast.FunctionDef):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                here.setdefault(node.name, []).append([a.arg for a in arguments])
        found = here | found
    return found


def _parameters(value, overloads):
    """The union of the parameters of all overloads."""
    if not overloads and (inspect.isfunction(value) or inspect.isclass(value)):
        try:
            listed = inspect.signature(value).parameters.values()
        except (ValueError, TypeError):
            return []
        overloads = [[p.name for p in listed if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]]
    if not overloads and callable(value):
        first = re.search(r"^\s*[\w.]+\((.*?)\)\s*->", value.__doc__ or "")
        overloads = (
            [re.findall(r"(\w+)(?:=[^,]*)?(?:,|$)", first.group(1).replace("*, ", ""))] if first else []
        )
    usual = [row for row in overloads if "self" not in row[1:]]  # PyTorch's deprecated order of arguments
    found = list(dict.fromkeys(name for row in usual for name in row))
    return [name for name in found if name not in ("self", "args", "kwargs")]
