"""Compiles the public function of an op: unbox, run the forward, record a node, box.

The source is written for each op, because this is the hot path: no loops, no keyword dictionaries, no work for
what the op does not have. ``print(op.source)`` shows it.
"""

import functools
import inspect
import linecache

from minidl import dtypes
from minidl.autograd import autocast, modes
from minidl.autograd.boxing import box_many, check_devices, foreign, operand, unbox_list
from minidl.autograd.forms import ABSENT, OUT, missing, one_name, with_numpy_names, write_out
from minidl.autograd.node import Node, next_order
from minidl.autograd.out import AS_OUT
from minidl.autograd.tensor import TENSORS, Tensor, make
from minidl.autograd.views import fresh_edge, record_view

NO_CELL = [0]  # stands where nothing was saved from a tensor: its version never changes


def compile_call(op, operator=False):
    """The function of Tensors for ``op``, with the forward's signature and docstring.

    ``operator``: as a dunder, which answers NotImplemented where the other operand is of a foreign class.
    """
    out = op.name in OUT and not operator
    declared, named = with_numpy_names(list(op.parameters.values()))
    lines = [
        *named,
        *_out(op, out),
        *_inplace_flag(op),
        *_autocast(op),
        *_unbox(op, operator),
        *_device_check(op),
        *_forward(op),
        *_without_grad(op),
        *_record(op),
        *_box(op),
    ]
    op.source = "\n    ".join([f"def public({_signature(declared, out)}):", *lines]) + "\n"
    space = {
        "Node": Node, "Tensor": Tensor, "TENSORS": TENSORS, "NO_CELL": NO_CELL, "modes": modes, "op": op, "make": make,
        "forward": op.forward, "operand": operand, "unbox_list": unbox_list, "check_devices": check_devices,
        "fresh_edge": fresh_edge, "record_view": record_view, "box_many": box_many, "next_order": next_order,
        "foreign": foreign, "write_out": write_out,
        "new": object.__new__, "FLOAT32": dtypes.FLOAT32, "FLOATS": dtypes.FLOATS,
        "defaults": {p.name: p.default for p in declared}, "name": op.name, "ABSENT": ABSENT, "one_name": one_name,
        "missing": missing,
    }  # fmt: skip
    if op.name in autocast.LISTED:
        autocast.flag(space)
    exec(_compiled(op.source), space)
    made = space["public"]
    made.__code__ = made.__code__.replace(co_name=op.name)
    made.__name__ = made.__qualname__ = op.name
    made.__doc__ = op.forward.__doc__
    made.__module__ = op.forward.__module__
    made.__signature__ = _with_out(op.signature) if out else op.signature
    return made


def _with_out(signature):
    added = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None)
    return signature.replace(parameters=[*signature.parameters.values(), added])


@functools.cache
def _compiled(source):
    """The code of a source; ops of one shape (all unary ones, say) share it."""
    filename = f"<minidl op {_compiled.cache_info().misses}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    return compile(source, filename, "exec")


def _signature(parameters, out):
    parts, starred = [], False
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        parts.append(p.name if p.default is p.empty else f"{p.name}=defaults[{p.name!r}]")
    return ", ".join([*parts, *["*"] * (out and not starred), *["out=None"] * out])


def _out(op, out):
    """``out=`` takes the result of a call without it."""
    if out:
        passed = [
            f"{p.name}={p.name}" if p.kind is p.KEYWORD_ONLY else p.name for p in op.parameters.values()
        ]
        yield "if out is not None:"
        if op.name in AS_OUT:
            yield "    dtype = getattr(out, 'dtype', None) if dtype is None else dtype"
        call = (
            f"outside(public, {', '.join(passed)})"
            if op.name in autocast.LISTED
            else f"public({', '.join(passed)})"
        )
        read = "".join(f"{n}, " for n in op.tensors)
        yield f"    return write_out(out, {call}, op.name, ({read}))"


def _inplace_flag(op):
    """A parameter called ``inplace``, as PyTorch's activations have, chooses the in-place form."""
    if "inplace" in op.attributes:
        rest = [n if n in op.tensors else f"{n}={n}" for n in op.parameters if n != "inplace"]
        yield "if inplace:"
        yield f"    return op.inplace({', '.join(rest)})"


def _autocast(op):
    """Ops that mixed precision knows look at a flag, which is false outside of it."""
    if op.name in autocast.LISTED:
        names = "".join(f"{name}, " for name in op.tensors)
        dtype = ", dtype" if "dtype" in op.attributes else ""
        yield "if autocasting:"
        yield f"    {names}= autocast(op.name, ({names}){dtype})"


def _differentiable(op):
    return [i for i, name in enumerate(op.tensors) if name not in op.constants]


def _kept_inputs(op):
    return {w.key for w in op.keep if w.kind == "input"}


def _unbox(op, operator):
    kept = _kept_inputs(op)
    for i, name in enumerate(op.tensors):
        if name == op.sequence:
            yield f"x{i}, e{i}, k{i} = unbox_list({name}, op, {i})"
            continue
        yield f"if {name}.__class__ in TENSORS:"
        yield f"    x{i} = {name}._array"
        if name not in op.constants:
            yield f"    e{i} = {name}._edge if {name}._view is None else fresh_edge({name})"
        if i in kept:
            yield f"    k{i} = {name}._cell"
        yield "else:"
        if operator:
            yield f"    if foreign({name}, {name not in op.numbers}):"
            yield "        return NotImplemented"
        yield f"    x{i} = operand({name}, op, {i})"
        if name not in op.constants:
            yield f"    e{i} = None"
        if i in kept:
            yield f"    k{i} = NO_CELL"


def _device_check(op):
    single = [i for i, name in enumerate(op.tensors) if name != op.sequence]
    if len(single) > 1:
        differs = " or ".join(f"x{i}.__class__ is not x{single[0]}.__class__" for i in single[1:])
        yield f"if {differs}:"
        yield f"    check_devices({', '.join(f'x{i}' for i in single)})"


def _arguments(op):
    for p in op.parameters.values():
        value = f"x{op.tensors.index(p.name)}" if p.name in op.tensors else p.name
        yield f"{p.name}={value}" if p.kind is p.KEYWORD_ONLY else value


def _forward(op):
    target = "y, kept" if op.residuals else "y"
    yield f"{target} = forward({', '.join(_arguments(op))})"


def _live(op, indices):
    """Source of the test that one of these tensors needs its gradient."""
    terms = [
        f"e{i}.count(None) < len(e{i})" if op.tensors[i] == op.sequence else f"e{i} is not None"
        for i in indices
    ]
    return " or ".join(terms)


def _plain(op):
    """Source of the result off the tape."""
    plain = "box_many(op, y, None)" if op.returns else "make(y, None)"
    if not op.returns:
        plain = f"{plain} if y.__class__ is not tuple else box_many(op, y, None)"
    return f"record_view({plain}, {op.tensors[0]}, op, {_view_arguments(op)})" if op.view else plain


def _without_grad(op):
    dead, plain = _live(op, _differentiable(op)), _plain(op)
    if not dead:
        yield f"return {plain}"
        return
    yield f"if not ({dead}) or (modes.special and not modes.is_grad_enabled()):"
    yield f"    return {plain}"


def _saved_value(op, want):
    kind, key = want
    several = kind == "shape" and op.tensors[key] == op.sequence
    value = {
        "input": f"x{key}", "attr": key, "residual": f"kept.values[{key!r}]",
        "result": "y" if key is None else f"y[{key}]",
        "shape": f"[a.shape for a in x{key}]" if several else f"x{key}.shape",
        "dtype": f"x{key}.dtype", "strides": f"x{key}.strides",
    }[kind]  # fmt: skip
    if kind in ("shape", "dtype") and op.tensors[key] in op.numbers:
        value = f"getattr(x{key}, {kind!r}, ())"
    users = op.users(want)
    if kind == "attr" or len(users) == len(_differentiable(op)):
        return value
    return f"{value} if {_live(op, users)} else None"


def _record(op):
    single = [i for i in _differentiable(op) if op.tensors[i] != op.sequence]
    edges = "".join(f"e{i}, " for i in single) + "".join(
        f"*e{i}, " for i in _differentiable(op) if op.tensors[i] == op.sequence
    )
    yield "node = new(Node)"
    yield "node.op = op"
    yield f"node.edges = ({edges})"
    yield f"node.saved = ({''.join(_saved_value(op, w) + ', ' for w in op.keep)})"
    cells = []
    for w in op.keep:
        if w.kind == "input":
            condition = _live(op, op.users(w))
            everyone = len(op.users(w)) == len(_differentiable(op))
            yield f"c{w.key} = k{w.key}" if everyone else f"c{w.key} = k{w.key} if {condition} else NO_CELL"
            cells.append(f"c{w.key}, c{w.key}[0], ")
        elif w.kind == "result" and w.key is None:
            cells.append("cell, 0, ")
    if any(w.kind == "result" and w.key is None for w in op.keep):
        yield "cell = [0]"
    yield f"node.cells = ({''.join(cells)})"
    yield "node.order = next_order()"
    yield "node.hooks = None"
    yield "node.trace = None"
    yield "if modes.special:"
    yield "    modes.remember(node, y)"


def _view_arguments(op):
    rest = [p.name for p in op.parameters.values() if p.name != op.tensors[0]]
    return f"({''.join(f'{name}, ' for name in rest)})"


def _box(op):
    yield "if y.__class__ is tuple:"
    yield "    return box_many(op, y, node)"
    yield "node.shape = y.shape"
    yield "dtype = node.dtype = y.dtype"
    yield "if dtype is not FLOAT32 and dtype not in FLOATS:"
    yield f"    return {_plain(op)}"
    yield "out = new(Tensor)"
    yield "out._array = y"
    yield "out._edge = (node, 0)"
    keeps_result = any(w.kind == "result" and w.key is None for w in op.keep)
    yield f"out._cell = {'cell' if keeps_result else '[0]'}"
    yield "out._grad = None"
    yield "out._view = None"
    if op.view:
        yield f"return record_view(out, {op.tensors[0]}, op, {_view_arguments(op)})"
    else:
        yield "return out"
