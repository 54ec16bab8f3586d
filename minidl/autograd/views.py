"""Views and in-place writes: who shares a storage, and how a write changes the tape.

A view's ``_view`` is ``(root, steps, version, kind)``: the tensor that owns the storage, the ops that derive the view
from it, the storage's version when the edge was derived, and why in-place writes are refused (None where they are not).
A write through a view rebases the root: its new history is the old one with the view's region replaced. Every other
view of the root is stale from then on and derives its edge again, by replaying its steps, when it is next used.
"""

from minidl.autograd import modes

NO_GRAD = "no_grad"
MULTIPLE = "An output"  # or which output of which function: the subject of the refusal's sentence


def replay(tensor, steps):
    """Derives a view again: applies its steps to another root of the same shape."""
    for op, rest, output in steps:
        tensor = op.public(tensor, *rest)
        tensor = tensor if output is None else tensor[output]
    return tensor


def record_view(out, source, op, rest):
    """Makes ``out`` (or each of several outputs) a view of ``source``, where it shares memory."""
    if out.__class__ is tuple:
        return tuple(_record_one(o, source, op, rest, i) for i, o in enumerate(out))
    return _record_one(out, source, op, rest, None)


def _record_one(out, source, op, rest, output):
    base, array = out._array.base, source._array
    if base is None or (base is not array and base is not array.base):
        return out
    cell = out._cell = source._cell
    kind = None if output is None else f"Output {output} of {op.name.strip('_').capitalize()}"
    if modes.special and not modes.is_grad_enabled():
        kind = NO_GRAD
    above = source._view
    version = cell[0] if cell.__class__ is list else 0
    if above is None:
        out._view = (source, ((op, rest, output),), version, kind)
    else:
        out._view = (above[0], (*above[1], (op, rest, output)), version, kind or above[3])
    return out


def fresh_edge(tensor):
    """The tensor's edge; a view whose storage was written since derives it again."""
    view = tensor._view
    if view is None:
        return tensor._edge
    root, steps, version, kind = view
    now = list.__getitem__(tensor._cell, 0)
    if now != version:
        tensor._view = (root, steps, now, kind)
        if fresh_edge(root) is not None and kind != NO_GRAD:
            with modes.enable_grad():
                tensor._edge = replay(root, steps)._edge
    return tensor._edge
