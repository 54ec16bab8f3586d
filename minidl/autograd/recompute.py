"""A stretch of the tape whose saved values are dropped after forward and computed again when backward first needs one.

The nodes stay where they are: each holds, in the place of its op, a ``_Dropped`` one. The first of them that backward
reaches runs the stretch again, gives the new nodes' saved values to the old nodes, one by one in the order of their
creation, and puts the ops back. Nodes of an inner stretch come back dropped and are computed again in their turn.
"""

import weakref

from minidl import backends
from minidl.autograd import modes
from minidl.autograd.node import Node, next_order
from minidl.autograd.packing import Box
from minidl.autograd.tensor import Tensor

__all__ = ["CheckpointError", "dropping_saved"]


class CheckpointError(RuntimeError):
    """A function that was computed again did something else than at first."""


def dropping_saved(run, again, compare=True):
    """``run()``, whose results' graph keeps no array: ``again()``, which does the same, computes them anew in backward.

    With ``compare`` the saved arrays must have their first shapes and dtypes. Raises ``CheckpointError`` in backward
    where the second run recorded another graph.
    """
    start = next_order()
    results = run()
    nodes = _nodes_of(results, start)
    if nodes:
        _Stretch(nodes, again, compare)
    return results


class _Stretch:
    """The nodes that one run recorded, weakly, in the order of their creation."""

    def __init__(self, nodes, again, compare):
        self.again = again
        self.nodes = [weakref.ref(node) for node in nodes]
        self.layouts = [_layout(node.saved) for node in nodes] if compare else None
        for index, node in enumerate(nodes):
            inner = node.op
            node.op = _Dropped(inner.op if isinstance(inner, _Dropped) else inner, self, index)
            node.saved = _light(node.saved)

    def restore(self):
        """Gives the nodes their saved values and their ops back."""
        start = next_order()
        with modes.enable_grad():
            fresh = _nodes_of(self.again(), start)
        if len(fresh) != len(self.nodes):
            raise CheckpointError(
                "minidl.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation: {len(self.nodes)} recorded operations, then {len(fresh)}."
            )
        for index, (ref, new) in enumerate(zip(self.nodes, fresh, strict=True)):
            old = ref()
            if old is None:
                continue
            if self.layouts is not None and self.layouts[index] != _layout(new.saved):
                raise CheckpointError(
                    "minidl.utils.checkpoint: Recomputed values for the following tensors have different metadata than "
                    f"during the forward pass: {self.layouts[index]}, then {_layout(new.saved)}, saved by {old.name()}."
                )
            if isinstance(new.op, _Dropped):
                new.op.adopt(old)
            else:
                old.op = new.op
                getattr(new.op, "moved", lambda node: None)(old)  # a Function's context knows its node
            old.saved, old.cells = new.saved, new.cells


class _Dropped:
    """Stands for the op of a node whose saved values are gone for now."""

    def __init__(self, op, stretch, index):
        self.op, self.stretch, self.index = op, stretch, index

    def __getattr__(self, name):
        return getattr(self.op, name)

    def backward_name(self, node):
        name = self.op.backward_name
        return name(node) if callable(name) else name

    def adopt(self, node):
        """``node`` takes the place of the node that this stood in."""
        self.stretch.nodes[self.index] = weakref.ref(node)
        self.op, node.op = node.op.op, self

    def pull(self, node, g):
        self.stretch.restore()
        return node.op.pull(node, g)

    def pull_boxed(self, node, g, run):
        self.stretch.restore()
        return node.op.pull_boxed(node, g, run)


def _nodes_of(results, start):
    """The nodes below ``results`` that are younger than ``start``, oldest first."""
    seen, stack = set(), [tensor._edge[0] for tensor in _tensors(results) if tensor._edge is not None]
    while stack:
        node = stack.pop()
        if node.order > start and node not in seen and isinstance(node, Node):
            seen.add(node)
            stack.extend(edge[0] for edge in node.edges if edge is not None)
    return sorted(seen, key=lambda node: node.order)


def _tensors(value):
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _light(saved):
    """Saved values without their arrays; numbers and options stay, since a node's name may depend on them."""
    if backends.is_array(saved) or saved.__class__ is Box:
        return None
    if isinstance(saved, (tuple, list)):
        return type(saved)(map(_light, saved)) if type(saved) in (tuple, list) else saved
    return saved


def _layout(saved):
    """The shapes and dtypes of the arrays among saved values."""
    if backends.is_array(saved) or saved.__class__ is Box:
        return tuple(saved.shape), str(saved.dtype)
    if type(saved) in (tuple, list):
        return [found for found in map(_layout, saved) if found]
    return None
