"""Runs the rules of a node: compiled on raw arrays, or boxed, recording a graph of the gradient (``create_graph``)."""

import inspect
import linecache

from minidl.autograd.assign import ALIAS
from minidl.autograd.node import Node
from minidl.autograd.tensor import Tensor, make

_FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)


def freed(node):
    """The error for a node whose saved values are gone."""
    return RuntimeError(f"{_FREED} (at {node.name()})")


def stale(node, cell, version):
    """The error for a saved tensor that was changed in place after the op used it."""
    shape = node.shape if isinstance(node.shape, tuple) else node.shape[0]
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        "operation: a tensor saved "
        f"by {node.name()} (whose output has shape {list(shape)}) is at version {cell[0]}; expected version {version} "
        "instead. Hint: clone() the tensor before changing it, or use the out-of-place form; "
        "minidl.autograd.set_detect_anomaly(True) shows the line of the op that saved it."
    )


def compile_pull(op, unboxed):
    """``pull(node, g)``: gradients of the node's edges from those of its outputs, all raw arrays.

    ``g`` is an array, or for several outputs a list with None where unused.
    """
    space = {"freed": freed, "stale": stale}
    lines = []
    if op.keep:
        lines += ["s = node.saved", "if s is None:", "    raise freed(node)"]
    versioned = [w for w in op.keep if w.kind == "input" or (w.kind == "result" and w.key is None)]
    if versioned:
        lines.append("c = node.cells")
    for i in range(0, 2 * len(versioned), 2):
        lines += [f"if c[{i}][0] != c[{i + 1}]:", f"    raise stale(node, c[{i}], c[{i + 1}])"]
    lines.append("e = node.edges")
    order = [i for i, n in enumerate(op.tensors) if n not in op.constants and n != op.sequence]
    place = {index: position for position, index in enumerate(order)}
    parts = {}
    for number, (indices, rule, wanted) in enumerate(op.rules):
        space[f"rule{number}"] = unboxed(rule)
        if op.tensors[indices[0]] == op.sequence:
            live, need = "True", f"tuple(x is not None for x in e[{len(order)}:])"
        else:
            terms = [f"e[{place[i]}] is not None" for i in indices]
            live, need = " or ".join(terms), f"({', '.join(terms)},)"
        values = ", ".join(_argument(op, w, need) for w in wanted)
        empty = "(" + "None, " * len(indices) + ")" if len(indices) > 1 else "None"
        lines.append(f"r{number} = rule{number}({values}) if {live} else {empty}")
        for position, i in enumerate(indices):
            parts[i] = f"r{number}" if len(indices) == 1 else f"r{number}[{position}]"
    ordered = "".join(f"{parts[i]}, " for i in order)
    if op.sequence is not None and op.sequence not in op.constants:
        ordered += f"*({parts[op.tensors.index(op.sequence)]} or ()), "
    lines.append(f"return ({ordered})")
    source = "\n    ".join(["def pull(node, g):", *lines]) + "\n"
    filename = f"<minidl backward of {op.name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    exec(compile(source, filename, "exec"), space)
    return space["pull"]


def _argument(op, want, need):
    if want.kind == "grad":
        return f"g[{want.key}]" if want.key else "(g[0] if g.__class__ is list else g)"
    return need if want.kind == "needs" else f"s[{op.keep.index(want)}]"


def check(node):
    """Raises where a node's saved values were freed or changed in place."""
    if node.saved is None:
        raise freed(node)
    for i in range(0, len(node.cells), 2):
        if node.cells[i].__class__ is list and node.cells[i][0] != node.cells[i + 1]:
            raise stale(node, node.cells[i], node.cells[i + 1])


def pull_boxed(op, node, g, run):
    """As ``pull``, on Tensors: saved values come back on their edges, so the gradient has a graph of its own.

    ``run`` is the engine, which a composed definition is differentiated by.
    """
    if op.keep:
        check(node)
    needs = [edge is not None for edge in node.edges]
    kept = dict(zip(op.keep, node.saved or (), strict=False))
    if op.composed is not None:
        return _pull_composed(op, node, g, kept, run)
    order = [i for i, n in enumerate(op.tensors) if n not in op.constants and n != op.sequence]
    out = [None] * len(node.edges)
    for indices, rule, wanted in op.rules:
        places = [order.index(i) for i in indices if i in order] or list(range(len(order), len(node.edges)))
        if not any(needs[p] for p in places):
            continue
        values = [_boxed_argument(op, node, w, g, kept, tuple(needs[p] for p in places)) for w in wanted]
        found = rule(*values)
        if len(indices) == 1 and op.tensors[indices[0]] != op.sequence:
            found = (found,)
        for place, value in zip(places, found or (), strict=False):
            out[place] = value
    return out


def _edge_of(op, node, index):
    """The node's own edge for tensor parameter ``index``; a list of edges for the sequence."""
    order = [i for i, n in enumerate(op.tensors) if n not in op.constants and n != op.sequence]
    if op.tensors[index] == op.sequence:
        return list(node.edges[len(order) :])
    return node.edges[order.index(index)] if index in order else None


def _boxed_argument(op, node, want, g, kept, needs):
    if want.kind == "grad":
        return g[want.key] if g.__class__ is list else g
    if want.kind == "needs":
        return needs
    value = kept[want]
    if want.kind == "input":
        edge = _edge_of(op, node, want.key)
        if op.tensors[want.key] == op.sequence:
            return [make(v, e) for v, e in zip(value, edge, strict=True)]
        return _on_edge(value, edge)
    if want.kind == "result":
        return _on_edge(value, (node, want.key or 0))
    return _on_edge(value, None) if want.kind == "residual" else value


def _on_edge(value, edge):
    return make(value, edge) if hasattr(value, "dtype") and hasattr(value, "shape") else value


def _pull_composed(op, node, g, kept, run):
    """Differentiates the op's composed definition, with its inputs on fresh edges that lead to the original ones."""
    order = [i for i, n in enumerate(op.tensors) if n not in op.constants and n != op.sequence]
    inputs = {}
    values = []
    for want in _composed_wants(op):
        value = kept[want]
        if want.kind == "input" and value is not None:
            edge = _edge_of(op, node, want.key)
            value = _on_edge(value, edge) if edge is None else _alias(value, edge)
            inputs[want.key] = value
        elif want.kind == "residual":
            value = _on_edge(value, None)
        values.append(value)
    outputs = op.composed(*values)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    grads = g if g.__class__ is list else [g]
    roots = [
        (o._edge, d)
        for o, d in zip(outputs, grads, strict=False)
        if d is not None and isinstance(o, Tensor) and o._edge
    ]
    captures = {inputs[i]._edge: i for i in order if i in inputs and inputs[i]._edge is not None}
    found = run(roots, retain_graph=True, create_graph=True, captures=captures)
    return [found.get(inputs[i]._edge) if i in inputs else None for i in order]


def _alias(array, edge):
    """A tensor on an edge of its own that passes its gradient on to ``edge``."""
    return make(array, (Node(ALIAS, (edge,), (), (), array.shape, array.dtype), 0))


def _composed_wants(op):
    for name in inspect.signature(op.composed).parameters:
        for want in op.keep:
            if (want.kind == "input" and op.tensors[want.key] == name) or (
                want.kind in ("attr", "residual") and want.key == name
            ):
                yield want
                break
        else:
            raise ImportError(f"op {op.name}: composed parameter {name!r} is no argument or residual")
