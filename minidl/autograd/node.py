"""Nodes of the tape: one a recorded op, one a leaf. A node holds no Tensor."""

import collections
import functools
import itertools
import weakref
from collections import namedtuple

next_order = itertools.count(1).__next__
_METADATA = weakref.WeakKeyDictionary()


class Node:
    """One recorded op.

    ``op``       what it runs backward (its rules)
    ``edges``    (node, slot) of each differentiable input, None where no gradient goes
    ``saved``    raw values that the rules read, in the op's order; None once freed
    ``cells``    version cell and version of each saved tensor, alternately
    ``order``    creation order: backward visits nodes from the newest to the oldest
    ``shape, dtype``  of the output (lists of them where the op has several)
    ``hooks``    None, or a dict from slot to the hooks of that output's tensor
    ``trace``    the user's call stack under anomaly mode

    Its class is Node, or that of PyTorch's name for it, once someone looked (see ``classed``).
    """

    __slots__ = (
        "__weakref__",
        "cells",
        "dtype",
        "edges",
        "hooks",
        "op",
        "order",
        "saved",
        "shape",
        "trace",
    )

    def __init__(self, op, edges, saved, cells, shape, dtype):
        self.op = op
        self.edges = edges
        self.saved = saved
        self.cells = cells
        self.order = next_order()
        self.shape = shape
        self.dtype = dtype
        self.hooks = None
        self.trace = None

    @property
    def next_functions(self):
        """PyTorch's view of the edges: ((node, slot), ...), (None, 0) where no gradient goes."""
        return tuple((None, 0) if e is None else (classed(e[0]), e[1]) for e in self.edges)

    @property
    def metadata(self):
        """A dict for a program's own notes on this node."""
        return _METADATA.setdefault(self, {})

    def __getattr__(self, name):
        """``_saved_self``, ``_saved_result``, ...: what the rules read; of a user's Function what its context has."""
        if name in Node.__slots__ or name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.op, "attribute", None)
        if found is None:
            raise AttributeError(f"{self.name()!r} object has no attribute {name!r}")
        return found(self, name)

    def __dir__(self):
        return [*super().__dir__(), *getattr(self.op, "attributes_of", list)()]

    def _sequence_nr(self):
        return self.order

    def name(self):
        """The class name that PyTorch shows: ``MulBackward0``."""
        if self.__class__ is not Node:
            return self.__class__.__name__
        name = self.op.backward_name
        return name(self) if callable(name) else name

    def register_hook(self, hook):
        """Calls ``hook(grad_inputs, grad_outputs)`` after this node ran backward."""
        return add_hook(self, "after", hook)

    def register_prehook(self, hook):
        """Calls ``hook(grad_outputs)`` before this node runs backward."""
        return add_hook(self, "before", hook)

    def __repr__(self):
        return f"<{self.name()} object at 0x{id(self):x}>"


@functools.cache
def node_class(name):
    """The class of the nodes that PyTorch calls ``name``."""
    return type(name, (Node,), {"__slots__": (), "__doc__": Node.__doc__})


def classed(node):
    """``node``, of the class that has its name: programs that draw a graph read ``type(x.grad_fn).__name__``. Done when
    a node is handed out: most never are.
    """
    if node.__class__ is Node:
        node.__class__ = node_class(node.name())
    return node


def named(out, label, inputs=()):
    """``out``, a tensor or a tuple of them, whose node is called ``label``: where PyTorch has one node for what several
    ops compute, the last one has its name. A node that one of the ``inputs`` brought along keeps its own.
    """
    name = label if "Backward" in label or label == "CopySlices" else label + "Backward0"
    for tensor in out if isinstance(out, tuple) else (out,):
        edge = tensor._edge
        if edge is not None and not any(edge is getattr(given, "_edge", None) for given in inputs):
            edge[0].__class__ = node_class(name)
    return out


class AccumulateGrad:
    """The node of a leaf: adds what arrives into the leaf's ``.grad``. Weak to the leaf, which holds it."""

    __slots__ = ("__weakref__", "dtype", "hooks", "leaf", "shape", "trace")

    order = 0
    edges = ()
    next_functions = ()

    def __init__(self, leaf):
        self.leaf = weakref.ref(leaf)
        self.shape = leaf._array.shape
        self.dtype = leaf._array.dtype
        self.hooks = None
        self.trace = None

    metadata = Node.metadata

    @property
    def variable(self):
        """The leaf tensor."""
        return self.leaf()

    def name(self):
        return "torch::autograd::AccumulateGrad"

    def register_hook(self, hook):
        """Calls ``hook(grad_inputs, grad_outputs)`` after the gradient was accumulated."""
        return add_hook(self, "after", hook)

    def register_prehook(self, hook):
        """Calls ``hook(grad_outputs)`` before the gradient is accumulated."""
        return add_hook(self, "before", hook)

    def __repr__(self):
        return f"<AccumulateGrad object at 0x{id(self):x}>"


class GradientEdge(namedtuple("GradientEdge", "node output_nr ownership_token", defaults=(None,))):
    """Where the gradient of a tensor goes: an output of a node. ``backward`` and ``grad`` take it in a tensor's place.
    Source: ``torch.autograd.graph.GradientEdge``.
    """

    __slots__ = ()


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook away. Also a context manager."""

    _ids = itertools.count()

    def __init__(self, hooks):
        self._hooks = weakref.ref(hooks)
        self.id = next(RemovableHandle._ids)

    def remove(self):
        """Takes the hook away; does nothing if it is gone already."""
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self.id, None)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.remove()

    def __getstate__(self):
        return self._hooks(), self.id

    def __setstate__(self, state):
        hooks, self.id = state
        self._hooks = weakref.ref(Hooks() if hooks is None else hooks)
        RemovableHandle._ids = itertools.count(max(next(RemovableHandle._ids), self.id + 1))


Hooks = (
    collections.OrderedDict
)  # hooks by handle id: it can be referred to weakly, and prints as PyTorch's does


def add_hook(node, key, hook):
    """Registers ``hook`` under ``key``: an output slot, ``'before'``, ``'after'`` or ``'accumulated'``."""
    if node.hooks is None:
        node.hooks = {}
    hooks = node.hooks.setdefault(key, Hooks())
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle
