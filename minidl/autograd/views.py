"""Views and in-place writes: who shares a storage, and how a write changes the tape.

A view's ``_view`` is ``(root, steps, version, kind)``: the tensor that owns the storage, the ops that derive the view
from it, the storage's version when the edge was derived, and why in-place writes are refused (None where they are not).
A write through a view rebases the root: its new history is the old one with the view's region replaced. Every other
view of the root is stale from then on and derives its edge again, by replaying its steps, when it is next used.
"""

from minidl.autograd import modes
from minidl.autograd.node import named

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
    made, array = out._array, source._array
    if made is not array and (made.base is None or (made.base is not array and made.base is not array.base)):
        return named(out, op.copied) if op.copied and out._edge is not None else out
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
    """The tensor's edge; a view whose storage was written since derives it again.

    Raises ``RuntimeError`` for a view made without recording, where its base has a history that the view cannot have.
    """
    view = tensor._view
    if view is None:
        return tensor._edge
    root, steps, version, kind = view
    now = list.__getitem__(tensor._cell, 0)
    if now != version:
        recorded = fresh_edge(root) is not None
        if kind == NO_GRAD and recorded and modes.is_grad_enabled():
            raise RuntimeError(
                "A view was created in no_grad mode and its base or another view of its base has been modified inplace "
                "with grad mode enabled. Given that this use case is ambiguous and error-prone, it is forbidden. "
                "Hint: make the view and write either both inside no_grad or both outside, or use view.detach()."
            )
        if kind == NO_GRAD:
            return tensor._edge
        tensor._view = (root, steps, now, kind)
        if recorded:
            with modes.enable_grad():
                edge = replay(root, steps)._edge
            move_retained(tensor._edge, edge)
            tensor._edge = edge
    return tensor._edge


def settled_edge(tensor):
    """As ``fresh_edge``, for questions about a tensor: a view made without recording has none."""
    view = tensor._view
    return tensor._edge if view is None or view[3] == NO_GRAD else fresh_edge(tensor)


def move_retained(old, new):
    """Lets ``retain_grad`` follow a tensor that was written in place from its old edge to the new one."""
    if old is None or new is None or old is new or not old[0].hooks:
        return
    kept = old[0].hooks.pop(("retained", old[1]), None)
    if kept is not None:
        new[0].hooks = new[0].hooks or {}
        new[0].hooks["retained", new[1]] = kept
