"""Gradient rules: what their parameter names ask for, and the form that runs on raw arrays."""

import inspect
import types
from collections import namedtuple

Joint = namedtuple("Joint", "names rule")
Want = namedtuple(
    "Want", "kind key"
)  # what a rule's parameter stands for; kind: grad needs input shape dtype attr result residual

_unboxed_globals = {}


def joint(names, rule):
    """A rule that serves several inputs at once: ``joint("input weight bias", rule)``.

    The rule takes ``needs``, a tuple of bools in the order of ``names``, and returns a tuple in that order.
    """
    return Joint(tuple(names.split()), rule)


class Saved:
    """Residuals that a forward hands to its rules: ``return y, Saved(mask=mask)``."""

    __slots__ = ("values",)

    def __init__(self, **values):
        self.values = values


def wants(rule, op_name, tensors, attributes, forward):
    """What each parameter of a rule stands for. Raises ``ImportError`` for a name that nothing provides."""
    residuals = _residual_names(forward)
    found = []
    for name in _parameters(rule):
        stem, _, tail = name.rpartition("_")
        if name in ("g", "needs", "result") and (name in tensors or name in attributes):
            raise ImportError(
                f"op {op_name}: rule parameter {name!r} is also an argument of the op; rename the argument"
            )
        if name == "g" or (name[0] == "g" and name[1:].isdigit()):
            found.append(Want("grad", int(name[1:] or 0)))
        elif name == "needs":
            found.append(Want("needs", None))
        elif name == "result" or (name.startswith("result") and name[6:].isdigit()):
            found.append(Want("result", int(name[6:]) if name[6:] else None))
        elif name in tensors:
            found.append(Want("input", tensors.index(name)))
        elif name in attributes:
            found.append(Want("attr", name))
        elif name in residuals:
            found.append(Want("residual", name))
        elif stem in tensors and tail in ("shape", "dtype", "strides"):
            found.append(Want(tail, tensors.index(stem)))
        else:
            raise ImportError(
                f"op {op_name}: rule parameter {name!r} is no input, attribute, result or residual"
            )
    return tuple(found)


def _parameters(rule):
    code = getattr(rule, "__code__", None)
    return inspect.signature(rule).parameters if code is None else code.co_varnames[: code.co_argcount]


def _residual_names(forward):
    """Names that the forward may pass to ``Saved(...)``: the keyword tuples among its constants."""
    if "Saved" not in forward.__code__.co_names:
        return frozenset()
    return frozenset(
        n for c in forward.__code__.co_consts if isinstance(c, tuple) for n in c if isinstance(n, str)
    )


def unboxed(fn):
    """``fn`` with every op that it names bound to the op's forward on raw arrays: the same code, run
    without Tensors.
    """
    if not isinstance(fn, types.FunctionType):
        return fn
    if any(_is_public(cell.cell_contents) for cell in fn.__closure__ or ()):
        raise ImportError(f"{fn.__qualname__}: a rule must name ops as globals, not through a closure")
    out = types.FunctionType(fn.__code__, _array_globals(fn), fn.__name__, fn.__defaults__, fn.__closure__)
    out.__kwdefaults__ = fn.__kwdefaults__
    return out


def _is_public(value):
    return hasattr(value, "op") or hasattr(value, "composed")


class _ArrayGlobals(dict):
    """A module's globals seen from an unboxed rule; names are resolved when they are first used."""

    def __init__(self, module_globals):
        super().__init__(__builtins__=module_globals["__builtins__"])
        self.module_globals = module_globals


def _array_globals(fn):
    """The globals of ``fn``'s unboxed form: a dict shared by all rules of a module, filled with the names they use."""
    home = fn.__globals__
    space = _unboxed_globals.setdefault(id(home), _ArrayGlobals(home))
    for name in _names(fn.__code__):
        if name in home and name not in space:
            space[name] = home[name]  # stands there first, so that recursion ends
            space[name] = _array_form(home[name])
    return space


def _names(code):
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _without_residuals(forward):
    def call(*args, **kwargs):
        return forward(*args, **kwargs)[0]

    return call


def _array_form(value):
    """What a name in a rule means on raw arrays: an op's forward; a function of ops, itself unboxed; else unchanged."""
    op = getattr(value, "op", None)
    if op is not None and hasattr(op, "forward"):
        return _without_residuals(op.forward) if op.residuals else op.forward
    if isinstance(value, types.FunctionType):
        plain = getattr(value, "composed", value)
        if getattr(plain, "__module__", "").startswith(("minidl.ops", "minidl.autograd")):
            return unboxed(plain)
    return value
