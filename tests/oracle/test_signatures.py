"""Every public function takes what PyTorch's takes: the same names, in the same places, with the same defaults.

What PyTorch's takes is its signature, or, of what is written in C, every overload in the stubs that it installs.
"""

import ast
import functools
import inspect
import pathlib

import pytest
import torch

import minidl

TOP_STUB = "_C/_VariableFunctions.pyi"
STUBS = ("_C/_nn.pyi", TOP_STUB, "nn/functional.pyi")
PLACES = {"minidl": (minidl, torch), "functional": (minidl.nn.functional, torch.nn.functional)}
REQUIRED, UNKNOWN = inspect.Parameter.empty, object()  # no default, a default that is no literal

# Options that no function of ours has.
LEFT_OUT = {
    "out": "those of minidl.autograd.forms.OUT take it",
    "layout": "all tensors are strided",
    "pin_memory": "call pin_memory() on what is returned",
    "names": "named dimensions are no stable part of PyTorch",
    "memory_format": "the layout of a result follows its input's",
    "out_dtype": "products of two dtypes exist on some GPUs only",
    "cudnn_enabled": "not ours to switch",
    "cudnn_enable": "not ours to switch",
    "_stacklevel": "private to PyTorch",
}
# Overloads that are recognised by a parameter: PyTorch's deprecated order of arguments, and packed sequences.
OVERLOADS_LEFT_OUT = {"self", "batch_sizes"}

# The other differences, with their reason.
KNOWN = {
    "that of nn.functional; PyTorch's signature is that of the kernel below it": [
        f"functional.fractional_max_pool{n}d: _random_samples in place 5, not 3" for n in (2, 3)
    ],
    "one signature for PyTorch's overloads, with the same calls by place": [
        "minidl.randint: high in place 1, not 0",
        "minidl.randint: size in place 2, not 1",
        "minidl.randint_like: high in place 2, not 1",
        "minidl.std: unbiased in place 2, not 1",
        "minidl.std: unbiased=None, not True",
        "minidl.var: unbiased in place 2, not 1",
        "minidl.var: unbiased=None, not True",
        "minidl.std_mean: unbiased in place 2, not 1",
        "minidl.std_mean: unbiased=None, not True",
        "minidl.var_mean: unbiased in place 2, not 1",
        "minidl.var_mean: unbiased=None, not True",
        "minidl.arange: end in place 1, not 0",
        "minidl.nuclear_norm: keepdim in place 2, not 1",
        *(f"{place}.conv{n}d: padding=0, not 'valid'" for place in PLACES for n in (1, 2, 3)),
        "minidl.split_copy: no split_size",
        "minidl.view_copy: no dtype",
        *(f"minidl.result_type: no {name}" for name in ("other", "scalar", "scalar1", "scalar2", "tensor")),
    ],
    "the overload of counts alone is missing": [
        "minidl.repeat_interleave: repeats in place 1, not 0",
    ],
    "what its own compiler takes": [
        f"minidl.compile: no {name}"
        for name in ("name", "shapes_spec", "isolate_recompiles", "recompile_limit")
    ],
    "one name for a tensor and a number": ["minidl.isin: no element", "minidl.isin: no test_element"],
    "an alias of as_tensor": [f"minidl.asarray: no {name}" for name in ("copy", "obj", "requires_grad")],
    "minidl under another name": ["minidl.install_as_torch: not in PyTorch"],
    "all seeds at once": ["minidl.set_seed: not in PyTorch"],
    "a file says its byte order": ["minidl.save: no _disable_byteorder_record"],
    "PyTorch's None is an error by now": [
        "minidl.linspace: steps=None is missing",
        "minidl.logspace: steps=None is missing",
    ],
    "PyTorch's is torch.special.expit": ["minidl.expit: not in PyTorch", "functional.expit: not in PyTorch"],
}


def _functions():
    """(place, name) of what is public; an in-place form has the parameters of the op without the underscore."""
    for place, (ours, _) in PLACES.items():
        for name in sorted(dir(ours)):
            value = getattr(ours, name)
            if name.startswith("_") or name.endswith("_") or not callable(value) or inspect.isclass(value):
                continue
            if not name.endswith("_num_threads"):  # written in C++: one number, by place only, as PyTorch's
                yield place, name


@functools.cache
def _stubbed():
    """By name, the overloads that PyTorch's stub files declare; under "minidl.name", those of the top level alone."""
    found = {}
    for stub in STUBS:
        path = pathlib.Path(torch.__file__).parent.joinpath(stub)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                names = [node.name] + [f"minidl.{node.name}"] * (stub == TOP_STUB)
                for name in names:
                    found.setdefault(name, []).append(_rows(node.args))
    return found


def _rows(arguments):
    """(name, default, whether by keyword only) of each parameter."""
    places = [*arguments.posonlyargs, *arguments.args]
    defaults = [REQUIRED] * (len(places) - len(arguments.defaults)) + [*map(_literal, arguments.defaults)]
    named = [REQUIRED if default is None else _literal(default) for default in arguments.kw_defaults]
    return [(a.arg, d, False) for a, d in zip(places, defaults, strict=True)] + [
        (a.arg, d, True) for a, d in zip(arguments.kwonlyargs, named, strict=True)
    ]


def _literal(node):
    try:
        found = ast.literal_eval(node)
    except ValueError:
        return UNKNOWN
    return UNKNOWN if found is ... else found


def _overloads(function, name, place=""):
    stubbed = _stubbed().get(f"{place}.{name}") or _stubbed().get(name, [])
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return stubbed
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):  # it dispatches
        return stubbed
    parameters = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
    return [[(p.name, p.default, p.kind is p.KEYWORD_ONLY) for p in parameters]]


def _differences(place, name):
    """What our function does not take as PyTorch's does."""
    ours, theirs = (getattr(namespace, name, None) for namespace in PLACES[place])
    if theirs is None:
        return {f"{place}.{name}: not in PyTorch"}
    parameters = inspect.signature(ours).parameters
    by_place = [key for key, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    found = set()
    for rows in _overloads(theirs, name, place):
        rows = [row for row in rows if row[0] not in LEFT_OUT]
        if not OVERLOADS_LEFT_OUT.isdisjoint(row[0] for row in rows):
            continue
        for index, (key, default, keyword_only) in enumerate(rows):
            if key not in parameters:
                found.add(f"no {key}")
                continue
            if not keyword_only and key in by_place and by_place.index(key) != index:
                found.add(f"{key} in place {by_place.index(key)}, not {index}")
            mine = parameters[key].default
            if default not in (REQUIRED, UNKNOWN) and _unset(mine) != _unset(default):
                found.add(
                    f"{key}={default!r} is missing"
                    if mine is REQUIRED
                    else f"{key}={mine!r}, not {default!r}"
                )
    return {f"{place}.{name}: {difference}" for difference in found}


def _unset(default):
    """PyTorch writes () for None where a parameter takes several ints."""
    return None if default == () else default


@pytest.mark.parametrize(("place", "name"), [*_functions()])
def test_parameters_are_pytorchs(place, name):
    known = {entry for entries in KNOWN.values() for entry in entries}
    assert _differences(place, name) - known == set()


@pytest.mark.skipif(not torch.__version__.startswith("2.13"), reason="the list is that of PyTorch 2.13")
def test_known_differences_are_differences():
    found = set().union(*(_differences(place, name) for place, name in _functions()))
    assert [entry for entries in KNOWN.values() for entry in entries if entry not in found] == []


@pytest.mark.parametrize("name", ["conv2d", "linear", "sum", "cosine_similarity", "max_pool2d", "softplus"])
def test_what_is_written_in_c_is_compared_too(name):
    namespace = torch.nn.functional if hasattr(torch.nn.functional, name) else torch
    assert _overloads(getattr(namespace, name), name)
