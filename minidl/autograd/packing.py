"""Saved tensors that go through a user's hooks: what a node keeps is what ``pack`` returned, in a ``Box``.

Hooks are a mode of the thread. A node that is recorded under them is handed here (``modes.remember``), its arrays are
packed, and a ``_Packed`` stands for its op, which unpacks them for as long as the rules run.
"""

from minidl import backends
from minidl.autograd import modes
from minidl.autograd.node import AccumulateGrad
from minidl.autograd.pull import freed
from minidl.autograd.tensor import Tensor, make

_IN_PLACE = (
    "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot be "
    "modified by in-place operations as this can lead to unexpected side-effects. Hint: clone() it first."
)
_KINDS = ("input", "result", "residual")
_UNCHANGED = (0,)  # a version cell: what a hook keeps is its own affair


class Box:
    """What ``pack`` made of a saved array, with the array's shape and dtype, which a node's name may depend on."""

    __slots__ = ("dtype", "same", "shape", "unpack", "value")

    def __init__(self, array, edge, hooks):
        pack, self.unpack = hooks
        self.shape, self.dtype = array.shape, array.dtype
        given = _as_given(array, edge)
        version = given._version
        with modes.no_grad():
            self.value = pack(given)
        if given._version != version:
            raise RuntimeError(_IN_PLACE)
        self.same = self.value is given
        if self.same:
            self.value = array  # a result would hold its own node else

    def tensor(self, edge):
        """What ``unpack`` makes of it. Raises ``TypeError`` where that is no Tensor."""
        with modes.no_grad():
            out = self.unpack(_as_given(self.value, edge) if self.same else self.value)
        if not isinstance(out, Tensor):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{out.__class__.__name__}"
            )
        return out


def _as_given(array, edge):
    """The tensor of a saved array: the leaf itself, where it is one."""
    leaf = edge[0].leaf() if edge is not None and edge[0].__class__ is AccumulateGrad else None
    return leaf if leaf is not None and leaf._array is array else make(array, edge)


class _Packed:
    """Stands for the op of a node whose saved tensors are packed."""

    def __init__(self, op):
        self.op = op

    def __getattr__(self, name):
        return getattr(self.op, name)

    def pull(self, node, g):
        return self._with_arrays(node, self.op.pull, g)

    def pull_boxed(self, node, g, run):
        return self._with_arrays(node, self.op.pull_boxed, g, run)

    def _with_arrays(self, node, pull, *rest):
        packed = node.saved
        if packed is not None:
            node.saved = tuple(
                _unpacked(node, edges, value)
                for edges, value in zip(_edges(self.op, node), packed, strict=True)
            )
        try:
            return pull(node, *rest)
        finally:
            node.saved = packed


def _edges(op, node):
    """For each kept value the edge, or the list of edges, that its tensor has."""
    order = [i for i, n in enumerate(op.tensors) if n not in op.constants and n != op.sequence]
    for want in op.keep:
        if want.kind == "input" and op.tensors[want.key] == op.sequence:
            yield list(node.edges[len(order) :])
        elif want.kind == "input":
            yield node.edges[order.index(want.key)] if want.key in order else None
        else:
            yield (node, want.key or 0) if want.kind == "result" else None


def _unpacked(node, edge, value):
    if value.__class__ is list:
        edges = edge if edge.__class__ is list and len(edge) == len(value) else [None] * len(value)
        return [_unpacked(node, e, v) for e, v in zip(edges, value, strict=True)]
    return value.tensor(edge)._array if value.__class__ is Box else value


def _pack(value, edge, hooks):
    if value.__class__ is list:
        edges = edge if edge.__class__ is list and len(edge) == len(value) else [None] * len(value)
        return [_pack(v, e, hooks) for v, e in zip(value, edges, strict=True)]
    return Box(value, edge, hooks) if backends.is_array(value) else value


def pack(node, output, hooks):
    """Packs what an op's node keeps; ``output`` is what the op computed, arrays whose shapes the node does not know
    yet.
    """
    several = output.__class__ is tuple
    node.shape = [None if a is None else a.shape for a in output] if several else output.shape
    node.dtype = [None if a is None else a.dtype for a in output] if several else output.dtype
    op = node.op
    node.saved = tuple(
        _pack(value, edge, hooks) if want.kind in _KINDS else value
        for want, edge, value in zip(op.keep, _edges(op, node), node.saved, strict=True)
    )
    node.cells = (_UNCHANGED, 0) * (len(node.cells) // 2)
    node.op = _Packed(op)


def pack_listed(node, hooks):
    """Packs what a user's Function saved: (array, edge, slot of the output)."""
    node.saved = tuple(
        None
        if item is None
        else (Box(item[0], item[1] if item[2] is None else (node, item[2]), hooks), *item[1:])
        for item in node.saved
    )
    node.cells = ()


def saved_value(op, node, name):
    """What ``node._saved_name`` is: a kept tensor, shape or attribute, under PyTorch's name."""
    for want, edge, value in zip(
        op.keep, _edges(op, node), node.saved or (None,) * len(op.keep), strict=True
    ):
        if name == _name(op, want):
            if node.saved is None and op.frees:
                raise freed(node)
            return _shown(node, edge, value)
    raise AttributeError(f"'{node.name()}' object has no attribute '_saved_{name}'")


def _shown(node, edge, value):
    if value.__class__ is Box:
        return value.tensor(edge)
    if value.__class__ is list and value and (value[0].__class__ is Box or backends.is_array(value[0])):
        return tuple(_shown(node, e, v) for e, v in zip(edge or [None] * len(value), value, strict=True))
    if backends.is_array(value):
        return _as_given(value, edge)
    return value


def saved_names(op):
    """The names for ``saved_value``."""
    return [_name(op, want) for want in op.keep]


def _name(op, want):
    if want.kind in ("attr", "residual"):
        return want.key
    if want.kind == "result":
        return "result" if want.key is None else f"result{want.key}"
    name = "self" if op.tensors[want.key] == "input" else op.tensors[want.key]
    return name if want.kind == "input" else f"{name}_{'sym_sizes' if want.kind == 'shape' else want.kind}"


def restored(value, edge):
    """A Function's saved value as a tensor."""
    return value.tensor(edge) if value.__class__ is Box else make(value, edge)
