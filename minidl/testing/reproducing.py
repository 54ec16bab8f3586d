"""A program of a few lines that repeats a failure: what a failed check adds to its error."""

import inspect
from pathlib import Path

import numpy as np

from minidl.autograd.tensor import Tensor
from minidl.backends import to_numpy
from minidl.testing.striding import layout_of

_LARGEST = 200  # elements that are worth printing


def unusual(check, options):
    """The options that differ from the defaults of a check: what a program that repeats it has to say.

    >>> unusual(note, {"wrap": "{}", "kwargs": 3})
    {'kwargs': 3}
    """
    usual = inspect.signature(check).parameters
    return {name: value for name, value in options.items() if value != usual[name].default}


def note(error, check, fn, args, kwargs, wrap="{}"):
    """Adds the program ``check(fn, *args, **kwargs)`` to an error, in the place of one that stands there already.

    Nothing where its data would fill pages.
    """
    error.__notes__ = [
        text for text in getattr(error, "__notes__", ()) if not text.startswith("Reproduce it:")
    ]
    if sum(_size(value) for value in args) <= _LARGEST:
        error.add_note("Reproduce it:\n\n" + program(check, fn, args, kwargs, wrap))


def program(check, fn, args, kwargs, wrap="{}"):
    """The lines of a Python program, with imports, that calls ``minidl.testing.<check>``.

    >>> import minidl
    >>> print(program("check_gradients", minidl.tanh, [np.array([0.5, 1.0])], {"order": 2}))
    import numpy as np
    import minidl
    from minidl.testing import check_gradients
    <BLANKLINE>
    check_gradients(minidl.tanh, np.array([0.5, 1.0]), order=2)

    ``wrap``: what to make of the function's name, as ``{}.checked`` of a property.
    """
    imports, name = _named(fn)
    name = wrap.format(name) if name != "function" else name
    written = [
        name,
        *(literal(value) for value in args),
        *(f"{k}={literal(v)}" for k, v in kwargs.items()),
    ]
    call = f"{check}({', '.join(written)})"
    if len(call) > 100:
        call = f"{check}(\n" + "".join(f"    {each},\n" for each in written) + ")"
    lines = [line for word, line in _IMPORTS.items() if word in call]
    names = ", ".join([check, *(["strided"] if "strided(" in call else [])])
    return "\n".join([*lines, f"from minidl.testing import {names}", *imports, "", call])


_IMPORTS = {"functools.": "import functools", "np.": "import numpy as np", "minidl.": "import minidl"}


def literal(value):
    """An expression that gives a value, with the strides of tensors and arrays."""
    if isinstance(value, Tensor):
        array = to_numpy(value.detach()._array)
        grad = ", requires_grad=True" if value.requires_grad else ""
        layout = layout_of(array)
        if layout in (None, "contiguous"):
            return f"minidl.tensor({_array(array)}{grad})"
        return f"minidl.from_numpy({literal(array)}){'.requires_grad_()' if grad else ''}"
    if isinstance(value, np.ndarray):
        layout = layout_of(value)
        plain = _array(value)
        return plain if layout in (None, "contiguous") else f'strided({plain}, "{layout}")'
    if type(value) in (list, tuple):
        inner = ", ".join(map(literal, value))
        return f"[{inner}]" if type(value) is list else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {literal(each)}" for key, each in value.items()) + "}"
    if callable(value) and not isinstance(value, type) and hasattr(value, "__name__"):
        return f"np.{value.__name__}" if isinstance(value, np.ufunc) else _named(value)[1]
    return repr(value)


def _array(array):
    text = repr(array.astype(np.float64).tolist() if array.dtype.kind == "f" else array.tolist())
    text = text.replace("nan", "np.nan").replace("inf", "np.inf")
    name = "minidl.bfloat16.numpy" if array.dtype.name == "bfloat16" else f"np.{array.dtype.name}"
    if array.size == 0:
        return f"np.zeros({array.shape}, {name})"
    kind = "" if array.dtype in (np.float64, np.int64, np.bool_) else f", {name}"
    return f"np.array({text}{kind})"


def _named(fn):
    """``(import lines, expression)`` for a function: by its module, or as a word where it has no name there."""
    name, module = getattr(fn, "__qualname__", ""), getattr(fn, "__module__", None) or ""
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, type):  # the apply of a Function
        name, module = f"{owner.__qualname__}.{fn.__name__}", owner.__module__
    if hasattr(fn, "named_parameters"):
        return [f"# module = {line}" for line in repr(fn).splitlines()], "module"
    if not name or "<" in name or module.startswith("minidl.testing"):
        return [f"# function: the one that was checked{_place(fn)}"], "function"
    if module.startswith("minidl."):
        return [], f"minidl.{name}"
    root = name.partition(".")[0]
    return ([f"from {module} import {root}"] if module not in ("__main__", "builtins") else []), name


def _place(fn):
    """Where a function without a name is written, as far as it tells."""
    code = getattr(inspect.unwrap(fn), "__code__", None)
    if code is None or "minidl/testing" in Path(code.co_filename).as_posix():
        return ""
    return f", of line {code.co_firstlineno} of {Path(code.co_filename).name}"


def _size(value):
    return (
        np.size(value._array)
        if isinstance(value, Tensor)
        else np.size(value)
        if isinstance(value, np.ndarray)
        else 1
    )
