"""Runs the hooks of a node, in PyTorch's order: those of its outputs' tensors, retained gradients, the node's own.

Hooks run in the grad mode of the backward that calls them: recording only under ``create_graph``.
"""

from minidl.autograd import modes
from minidl.autograd.tensor import Tensor, make


def _mode(boxed):
    return modes.enable_grad() if boxed else modes.no_grad()


def _box(values, boxed):
    return [v if boxed or v is None else make(v, None) for v in values]


def _unbox(tensors, boxed):
    return [t if boxed or t is None else t._array for t in tensors]


def before(node, g, boxed):
    """The gradients of a node's outputs after its hooks; what a hook returns replaces a gradient."""
    several = g.__class__ is list
    tensors = _box(g if several else [g], boxed)
    with _mode(boxed):
        for slot in range(len(tensors)):
            for hook in _of(node, slot):
                if tensors[slot] is not None:
                    tensors[slot] = _replaced(hook, hook(tensors[slot]), tensors[slot])
            for keep in _of(node, ("retained", slot)):
                if tensors[slot] is not None:
                    keep(tensors[slot])
        for hook in _of(node, "before"):
            changed = hook(tuple(tensors))
            if changed is not None:
                changed = _as_tuple(hook, changed, len(tensors))
                tensors = [_replaced(hook, c, t) for c, t in zip(changed, tensors, strict=True)]
    out = _unbox(tensors, boxed)
    return out if several else out[0]


def after(node, grads, g, boxed):
    """The gradients that a node sends on after its own hooks ``hook(grad_inputs, grad_outputs)``."""
    inputs = tuple(_box(grads, boxed))
    outputs = tuple(_box(g if g.__class__ is list else [g], boxed))
    with _mode(boxed):
        for hook in _of(node, "after"):
            changed = hook(inputs, outputs)
            if changed is not None:
                inputs = _as_tuple(hook, changed, len(inputs))
    return tuple(_unbox(inputs, boxed))


def accumulated(node, tensor, g, boxed):
    """Calls the hooks of a leaf whose ``.grad`` has just taken ``g``."""
    with _mode(boxed):
        for hook in _of(node, "accumulated"):
            hook(tensor)
        for hook in _of(node, "after"):
            hook((), tuple(_box([g], boxed)))


def _of(node, key):
    return list(node.hooks.get(key, {}).values())


def _as_tuple(hook, changed, count):
    changed = (changed,) if isinstance(changed, Tensor) else tuple(changed)
    if len(changed) != count:
        raise RuntimeError(
            f"hook '{_name(hook)}' has returned an incorrect number of values (got {len(changed)}, but expected "
            f"{count})"
        )
    return changed


def _name(hook):
    return getattr(hook, "__name__", hook)


def _replaced(hook, changed, tensor):
    """What a hook returned in place of ``tensor``'s gradient, or, where it returned None, that gradient."""
    if changed is None:
        return tensor
    if not isinstance(changed, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{changed.__class__.__name__}'")
    if changed.shape != tensor.shape:
        raise RuntimeError(
            f"hook '{_name(hook)}' has changed the size of value: from {list(tensor.shape)} to {list(changed.shape)}"
        )
    if changed.dtype is not tensor.dtype:
        raise RuntimeError(
            f"hook '{_name(hook)}' has changed the type of value (was {tensor.dtype!r} got {changed.dtype!r})"
        )
    return changed
