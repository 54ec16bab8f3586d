"""Programs of views, in-place writes, detours around the tape and backward passes, beside the NumPy model."""

import contextlib
import re

import numpy as np
import tensor_model as model
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from stateful_runs import quick_and_long

import minidl
from minidl import autograd

# Views: what they ask of the shape, of a tensor, of an array (whose last axis, of slopes, stays).
VIEWS = {
    "row": (lambda s: len(s) >= 1, lambda t: t[0], lambda a: a[0, ...]),
    "last": (lambda s: len(s) >= 1, lambda t: t.select(0, -1), lambda a: a[-1, ...]),
    "rest": (lambda s: len(s) >= 1 and s[0] > 1, lambda t: t[1:], lambda a: a[1:]),
    "column": (lambda s: len(s) >= 2, lambda t: t[:, 1:], lambda a: a[:, 1:]),
    "second": (lambda s: len(s) >= 1 and s[0] > 2, lambda t: t[::2], lambda a: a[::2]),
    "transposed": (lambda s: len(s) >= 2, lambda t: t.transpose(0, 1), lambda a: a.swapaxes(0, 1)),
    "unsqueezed": (lambda s: len(s) < 3, lambda t: t.unsqueeze(0), lambda a: a[None]),
    "narrowed": (lambda s: len(s) >= 1, lambda t: t.narrow(0, 0, 1), lambda a: a[:1]),
}
UNARY = ["tanh", "sin", "neg", "halve"]
BINARY = ["add", "sub", "mul"]
POOL, LARGEST = 10, 30.0
places = st.integers(0, POOL - 1)
recordings = st.sampled_from([True, True, True, False])


def applied(tensor, name, *args, inplace=False):
    if name == "halve":
        name, args = "mul", (0.5,)
    return getattr(tensor, name + "_" * inplace)(*args)


def mode(recording):
    return contextlib.nullcontext() if recording else minidl.no_grad()


class Tensors(RuleBasedStateMachine):
    """A pool of tensors, each with its model; the leaf and a constant come first and stay."""

    @initialize()
    def start(self):
        rng = np.random.default_rng(0)
        numbers, fixed = rng.uniform(-1, 1, (2, 3)), rng.uniform(0.5, 1.5, (2, 3))
        self.leaf = minidl.tensor(numbers, requires_grad=True)
        self.pool = [
            (self.leaf, model.leaf(numbers.copy())),
            (minidl.tensor(fixed), model.constant(fixed.copy())),
        ]
        self.freed = set()
        self.unary(place=0, name="tanh", recording=True)
        self.view(place=2, name="column")

    def at(self, place):
        return self.pool[place % len(self.pool)]

    def put(self, tensor, made):
        if len(self.pool) >= POOL:
            del self.pool[2]
        self.pool.append((tensor, made))

    @rule(place=places, name=st.sampled_from(sorted(VIEWS)))
    def view(self, place, name):
        tensor, made = self.at(place)
        fits, ours, numpy = VIEWS[name]
        if fits(made.value.shape) and made.value.size:
            self.put(ours(tensor), made.view(numpy))

    @rule(place=places, which=places)
    def unbind(self, place, which):
        tensor, made = self.at(place)
        if made.value.ndim:
            which %= made.value.shape[0]
            self.put(tensor.unbind(0)[which], made.view(lambda a: a[which, ...], multiple=True))

    @rule(place=places)
    def detach(self, place):
        tensor, made = self.at(place)
        self.put(tensor.detach(), made.detach())

    @rule(place=places, name=st.sampled_from(UNARY), recording=recordings)
    def unary(self, place, name, recording):
        tensor, made = self.at(place)
        with mode(recording):
            self.put(applied(tensor, name), model.unary(name, made, recording))

    @rule(place=places, other=places, name=st.sampled_from(BINARY), recording=recordings)
    def binary(self, place, other, name, recording):
        (a, first), (b, second) = self.at(place), self.at(other)
        try:
            np.broadcast_shapes(first.value.shape, second.value.shape)
        except ValueError:
            expect_error(lambda: applied(a, name, b), "must match the size")
            return
        made = model.binary(name, first, second, recording)
        if np.abs(made.value).max(initial=0) < LARGEST:
            with mode(recording):
                self.put(applied(a, name, b), made)

    @rule(place=places)
    def total(self, place):
        tensor, made = self.at(place)
        self.put(tensor.sum(), model.total(made, True))

    @rule(place=places, name=st.sampled_from(UNARY), recording=recordings)
    def unary_inplace(self, place, name, recording):
        tensor, made = self.at(place)
        result = model.unary(name, made, recording, inplace=True)
        self.write(tensor, made, result, recording, lambda: applied(tensor, name, inplace=True))

    @rule(place=places, other=places, name=st.sampled_from(BINARY), recording=recordings)
    def binary_inplace(self, place, other, name, recording):
        (a, first), (b, second) = self.at(place), self.at(other)
        if not broadcasts_to(second.value.shape, first.value.shape):
            return
        result = model.binary(name, first, second, recording, inplace=True)
        if np.abs(result.value).max(initial=0) < LARGEST:
            self.write(a, first, result, recording, lambda: applied(a, name, b, inplace=True))

    @rule(place=places, other=places, name=st.sampled_from(["row", "rest", "column"]), recording=recordings)
    def set_item(self, place, other, name, recording):
        (a, first), (b, second) = self.at(place), self.at(other)
        key = {"row": (0, ...), "rest": slice(1, None), "column": (slice(None), slice(1, None))}[name]
        if not VIEWS[name][0](first.value.shape) or first.storage is second.storage:
            return
        region = first.view(lambda array: array[key])
        if broadcasts_to(second.value.shape, region.value.shape):
            self.write(a, region, second, recording, lambda: a.__setitem__(key, b))

    @rule(place=places, number=st.sampled_from([0.0, 1.5]), recording=recordings)
    def fill(self, place, number, recording):
        tensor, made = self.at(place)
        result = model.constant(np.full(made.value.shape, number))
        self.write(tensor, made, result, recording, lambda: tensor.fill_(number))

    def write(self, tensor, made, result, recording, call):
        """A write that is refused on the leaf and its views, and on views that came several at once."""
        if recording and made.multiple and (made.root.requires or result.root.requires):
            expect_error(call, "view and is being modified inplace")
        elif recording and made.root.requires and made.root.leaf:
            expect_error(call, "leaf Variable that requires grad")
        else:
            with mode(recording):
                call()
            model.write(made, result, recording)

    @rule(place=places, seed=st.integers(0, 5), retain=st.booleans())
    def backward(self, place, seed, retain):
        tensor, made = self.at(place)
        self.differentiate(tensor, made, seed, retain)

    def differentiate(self, tensor, made, seed, retain):
        weights = np.random.default_rng(seed).uniform(-1, 1, made.value.shape)
        history = made.root.history
        stale = any(note.storage is not None and note.storage.version != note.version for note in history)

        def call():
            return autograd.grad(
                [tensor], [self.leaf], [minidl.tensor(weights)], retain_graph=retain, allow_unused=True
            )

        if not made.root.requires:
            expect_error(call, "does not require grad")
        elif stale or any(note.node in self.freed for note in history):
            retain = True
            expect_error(call, "modified by an inplace operation|backward through the graph a second time")
        else:
            (found,) = call()
            wanted = (weights[..., None] * made.slope).reshape(-1, model.LEAVES).sum(0).reshape(2, 3)
            found = np.zeros((2, 3)) if found is None else found.numpy()
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
            self.freed |= set() if retain else {note.node for note in history}

    def teardown(self):
        for tensor, made in getattr(self, "pool", ()):
            self.differentiate(tensor, made, 0, True)

    @invariant()
    def values_and_flags_agree(self):
        for tensor, made in getattr(self, "pool", ()):
            np.testing.assert_allclose(tensor.detach().numpy(), made.value, rtol=1e-12, atol=1e-12)
            assert tensor.requires_grad == made.root.requires
            assert tensor._version == made.storage.version


def broadcasts_to(shape, target):
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


def expect_error(call, text):
    try:
        call()
    except RuntimeError as error:
        assert re.search(text, str(error)), error
    else:
        raise AssertionError(f"no error, though {text!r} was expected")


test_quick, test_long = quick_and_long(Tensors, examples=50, steps=30)
