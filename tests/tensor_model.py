"""The NumPy model of a tensor on the tape: its values, and their derivatives by the one leaf; views share both.

Values and derivatives are computed forward, so the model needs no tape. What a node would have saved is noted as
``Note(node, storage, version)``: backward is right to fail where a storage has moved on, or a node was freed.
"""

import itertools
from typing import NamedTuple

import numpy as np

LEAVES = 6
_numbers = itertools.count()


class Storage:
    """Memory that tensors share, and how often it was written in place."""

    def __init__(self):
        self.version = 0


class Note(NamedTuple):
    """What a node of the tape saved: of which storage at which version; of none where it kept a copy."""

    node: int
    storage: Storage | None
    version: int


class Root:
    """What views of one tensor share on the tape: whether it requires a gradient, and what its history saved."""

    def __init__(self, requires, history=(), leaf=False):
        self.requires, self.history, self.leaf = requires, set(history), leaf


class Model:
    """A tensor: ``value``, ``slope`` (its shape and one more axis, the leaf's elements), and who shares them."""

    def __init__(self, value, slope, root, storage, multiple=False):
        self.value, self.slope, self.root, self.storage, self.multiple = value, slope, root, storage, multiple

    def view(self, how, multiple=False):
        return Model(how(self.value), how(self.slope), self.root, self.storage, self.multiple or multiple)

    def detach(self):
        return Model(self.value, np.zeros_like(self.slope), Root(False), self.storage)

    def note(self):
        return Note(next(_numbers), self.storage, self.storage.version)


def leaf(value):
    return Model(value, np.eye(LEAVES).reshape((*value.shape, LEAVES)), Root(True, leaf=True), Storage())


def constant(value):
    return Model(value, np.zeros((*value.shape, LEAVES)), Root(False), Storage())


def kept(model):
    """A note of a copy."""
    return Note(next(_numbers), None, 0)


def _made(value, slope, parents, notes, recording):
    requires = recording and any(p.root.requires for p in parents)
    history = {note for p in parents for note in p.root.history} | set(notes) if requires else ()
    slope = slope if requires else np.zeros_like(slope)
    made = Model(np.array(value), np.array(slope), Root(requires, history), Storage())
    return made


def unary(name, a, recording, inplace=False):
    """``tanh``, ``sin``, ``neg`` or ``halve`` of a tensor. In place, what would be overwritten is kept as a copy."""
    value = {"tanh": np.tanh, "sin": np.sin, "neg": np.negative, "halve": lambda v: v * 0.5}[name](a.value)
    by = {"tanh": 1 - value**2, "sin": np.cos(a.value), "neg": -1.0, "halve": 0.5}[name]
    notes = (
        [kept(a)] if name == "halve" or (name == "sin" and inplace) else [a.note()] if name == "sin" else []
    )
    made = _made(value, np.expand_dims(np.broadcast_to(by, value.shape), -1) * a.slope, [a], notes, recording)
    if name == "tanh" and made.root.requires:
        made.root.history.add(kept(made) if inplace else made.note())
    return made


def binary(name, a, b, recording, inplace=False):
    """``add``, ``sub`` or ``mul`` of two tensors that broadcast."""
    if name == "mul":
        value = a.value * b.value
        slope = _expanded(a, value) * np.expand_dims(b.value, -1) + _expanded(b, value) * np.expand_dims(
            a.value, -1
        )
        notes = []
        if a.root.requires:
            notes.append(kept(b) if inplace and b.storage is a.storage else b.note())
        if b.root.requires:
            notes.append(kept(a) if inplace else a.note())
        return _made(value, slope, [a, b], notes, recording)
    sign = 1.0 if name == "add" else -1.0
    value = a.value + sign * b.value
    return _made(value, _expanded(a, value) + sign * _expanded(b, value), [a, b], [], recording)


def _expanded(a, value):
    """Slopes of an operand in the result's shape."""
    missing = value.ndim - a.value.ndim
    return np.broadcast_to(a.slope.reshape((1,) * missing + a.slope.shape), (*value.shape, LEAVES))


def total(a, recording):
    """The sum over all axes."""
    return _made(a.value.sum(), a.slope.reshape(-1, LEAVES).sum(0), [a], [], recording)


def write(target, result, recording):
    """Writes a result into a tensor. Without recording its values alone change: the tape does not see it."""
    target.value[...] = result.value
    target.storage.version += 1
    if recording:
        target.slope[...] = np.broadcast_to(result.slope, target.slope.shape)
        target.root.history |= result.root.history
        target.root.requires |= result.root.requires
