"""Programs that build, change, copy, convert and load nested modules, beside a model of plain dicts."""

import copy
import pickle
from collections import OrderedDict

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from stateful_runs import quick_and_long

import minidl
from minidl import nn

NAMES = st.sampled_from(["a", "b", "c"])
PLACES = st.integers(0, 1000)
SHAPES = st.sampled_from([(), (2,), (2, 3), (0,)])
DTYPES = st.sampled_from(["float32", "float64", "float16"])


class Twin:
    """A module in the model: its tensors as NumPy arrays, by kind and in the order in which names were added."""

    def __init__(self):
        self.parameters, self.buffers, self.modules = {}, {}, {}
        self.fleeting, self.frozen, self.training = set(), set(), True

    def stores(self):
        return self.parameters, self.buffers, self.modules

    def state(self, prefix=""):
        """What ``state_dict`` gives."""
        own = {**self.parameters, **{n: b for n, b in self.buffers.items() if n not in self.fleeting}}
        found = {prefix + name: array for name, array in own.items() if array is not None}
        for name, child in self.modules.items():
            if child is not None:
                found.update(child.state(f"{prefix}{name}."))
        return found

    def below(self):
        """This module and those below it, each once."""
        found = [self]
        for child in self.modules.values():
            found += child.below() if child is not None else []
        return found


def set_dtype(twin, dtype):
    for one in twin.below():
        for store in (one.parameters, one.buffers):
            for name, array in store.items():
                if array is not None and array.dtype.kind == "f":
                    store[name] = array.astype(dtype)


class Modules(RuleBasedStateMachine):
    """One tree of modules, no module in it twice, and its twin."""

    @initialize()
    def start(self):
        self.rng = np.random.default_rng(0)
        self.net, self.twin = nn.Module(), Twin()

    def at(self, place):
        """One of the modules and its twin."""
        pairs = list(zip(self.net.modules(), self.twin.below(), strict=True))
        return pairs[place % len(pairs)]

    def array(self, shape, dtype="float32"):
        return self.rng.uniform(-1, 1, shape).astype(dtype)

    @rule(place=PLACES, name=NAMES, shape=SHAPES, dtype=DTYPES, by_attribute=st.booleans())
    def parameter(self, place, name, shape, dtype, by_attribute):
        module, twin = self.at(place)
        array = self.array(shape, dtype)
        value = nn.Parameter(minidl.tensor(array))
        if by_attribute:
            setattr(module, name, value)
            twin.buffers.pop(name, None), twin.modules.pop(name, None)
            twin.fleeting.discard(name)
        elif name in twin.buffers or name in twin.modules:
            expect(KeyError, lambda: module.register_parameter(name, value))
            return
        else:
            module.register_parameter(name, value)
        twin.parameters[name] = array
        twin.frozen.discard(name)

    @rule(place=PLACES, name=NAMES, shape=SHAPES, persistent=st.booleans(), whole=st.booleans())
    def buffer(self, place, name, shape, persistent, whole):
        module, twin = self.at(place)
        array = self.rng.integers(0, 9, shape) if whole else self.array(shape)
        if name in twin.parameters or name in twin.modules:
            expect(KeyError, lambda: module.register_buffer(name, minidl.tensor(array)))
            return
        module.register_buffer(name, minidl.tensor(array), persistent)
        twin.buffers[name] = array
        (twin.fleeting.discard if persistent else twin.fleeting.add)(name)

    @rule(place=PLACES, name=NAMES, by_attribute=st.booleans())
    def child(self, place, name, by_attribute):
        module, twin = self.at(place)
        if len(self.twin.below()) > 8:
            return
        if by_attribute:
            setattr(module, name, nn.Module())
            twin.parameters.pop(name, None), twin.buffers.pop(name, None)
            twin.fleeting.discard(name)
        elif name in twin.parameters or name in twin.buffers:
            expect(KeyError, lambda: module.add_module(name, nn.Module()))
            return
        else:
            module.add_module(name, nn.Module())
        twin.modules[name] = Twin()

    @rule(place=PLACES, name=NAMES)
    def set_none(self, place, name):
        module, twin = self.at(place)
        for store in twin.stores():
            if name in store:
                setattr(module, name, None)
                store[name] = None
                twin.frozen.discard(name)

    @rule(place=PLACES, name=NAMES)
    def delete(self, place, name):
        module, twin = self.at(place)
        if not any(name in store for store in twin.stores()):
            expect(AttributeError, lambda: delattr(module, name))
            return
        delattr(module, name)
        for store in twin.stores():
            store.pop(name, None)
        twin.fleeting.discard(name), twin.frozen.discard(name)

    @rule(place=PLACES, name=NAMES)
    def refuse_a_plain_tensor(self, place, name):
        module, twin = self.at(place)
        if name in twin.parameters or name in twin.modules:
            expect(TypeError, lambda: setattr(module, name, minidl.ones(1)))

    @rule(place=PLACES, flag=st.booleans())
    def train(self, place, flag):
        module, twin = self.at(place)
        assert module.train(flag) is module
        for one in twin.below():
            one.training = flag

    @rule(place=PLACES, name=NAMES)
    def freeze(self, place, name):
        module, twin = self.at(place)
        if twin.parameters.get(name) is not None:
            getattr(module, name).requires_grad_(False)
            twin.frozen.add(name)

    @rule(place=PLACES, dtype=DTYPES)
    def convert(self, place, dtype):
        module, twin = self.at(place)
        assert module.to(getattr(minidl, dtype)) is module
        set_dtype(twin, dtype)

    @rule(how=st.sampled_from(["deepcopy", "pickle"]), place=PLACES)
    def copy(self, how, place):
        kept = self.net.state_dict()
        before = {name: value.numpy().copy() for name, value in kept.items()}
        made = copy.deepcopy(self.net) if how == "deepcopy" else pickle.loads(pickle.dumps(self.net))
        with minidl.no_grad():
            for value in made.parameters():
                value.add_(1)
        for name, value in kept.items():
            np.testing.assert_array_equal(value.numpy(), before[name])
        for store in (one.parameters for one in self.twin.below()):
            for name, array in store.items():
                store[name] = (
                    None if array is None else (array + np.ones((), array.dtype)).astype(array.dtype)
                )
        self.net = made

    @rule(place=PLACES, lost=st.booleans(), extra=st.booleans(), wrong=st.booleans(), strict=st.booleans())
    def load(self, place, lost, extra, wrong, strict):
        """A dict with other values, perhaps without a name, with one too many, with one of another shape."""
        module, twin = self.at(place)
        arrays = {name: (array + 1).astype(array.dtype) for name, array in twin.state().items()}
        missing = [name for name in list(arrays)[:1] if lost]
        for name in missing:
            del arrays[name]
        bad = [name for name in list(arrays)[-1:] if wrong]
        given = OrderedDict((n, minidl.tensor(np.ones((5, 5)) if n in bad else a)) for n, a in arrays.items())
        if extra:
            given["surplus"] = minidl.ones(1)
        fails = bad or (strict and (missing or extra))
        if fails:
            error = expect(RuntimeError, lambda: module.load_state_dict(given, strict=strict))
            listed = missing + ["surplus"] * extra if strict else []
            assert all(f'"{name}"' in error for name in listed) and all(
                f"for {name}:" in error for name in bad
            )
        else:
            found = module.load_state_dict(given, strict=strict)
            assert sorted(found.missing_keys) == sorted(missing)
            assert found.unexpected_keys == ["surplus"] * extra
        for name, array in arrays.items():
            if name not in bad:
                assign(twin, name, array)

    @invariant()
    def state_agrees(self):
        state, wanted = self.net.state_dict(), self.twin.state()
        assert list(state) == list(wanted)
        for name, array in wanted.items():
            assert state[name].dtype.name == array.dtype.name, name
            np.testing.assert_array_equal(state[name].numpy(), array, err_msg=name)

    @invariant()
    def walks_agree(self):
        twins = self.twin.below()
        modules = list(self.net.modules())
        assert len(modules) == len(twins)
        for module, twin in zip(modules, twins, strict=True):
            assert module.training == twin.training
            own = dict(module.named_parameters(recurse=False))
            assert list(own) == [n for n, array in twin.parameters.items() if array is not None]
            assert all(p.requires_grad == (n not in twin.frozen) for n, p in own.items())
            held = [n for n, _ in module.named_buffers(recurse=False)]
            assert held == [n for n, array in twin.buffers.items() if array is not None]
            assert [n for n, _ in module.named_children()] == [
                n for n, m in twin.modules.items() if m is not None
            ]


def assign(twin, name, array):
    head, dot, rest = name.partition(".")
    if dot:
        assign(twin.modules[head], rest, array)
    elif head in twin.parameters:
        twin.parameters[head] = array
    else:
        twin.buffers[head] = array


def expect(error, call):
    """The text of the error that a call must raise."""
    try:
        call()
    except error as raised:
        return str(raised)
    raise AssertionError(f"no {error.__name__} was raised")


test_quick, test_long = quick_and_long(Modules, examples=30, steps=20)
