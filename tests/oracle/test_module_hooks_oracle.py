"""What hooks of every kind see and in which order, the paths of layers, and Module's odds and ends: beside PyTorch."""

import collections
import copy
import importlib
import pickle
import pkgutil
import re
import warnings

import numpy as np
import pytest
import torch

import minidl
from minidl.nn import modules


def both(function):
    """``function(library)`` here and there must give the same; an error counts by its class and text."""
    found = []
    for library in (minidl, torch):
        try:
            found.append(function(library))
        except Exception as error:
            endless = isinstance(error, RecursionError)  # its text depends on where the last call was
            found.append((type(error).__name__, None if endless else str(error)))
    assert found[0] == found[1]
    return found[0]


def shapes(values):
    return [None if value is None else tuple(value.shape) for value in values]


def everywhere(library):
    """Which hook of all modules and which of one module runs when."""
    nn, log = library.nn, []
    place = nn.modules.module
    handles = [
        place.register_module_forward_pre_hook(lambda m, args: log.append("all-pre")),
        place.register_module_forward_hook(lambda m, args, out: log.append("all-forward")),
        place.register_module_forward_hook(
            lambda m, args, kw, out: log.append(("all-kwargs", kw)), with_kwargs=True
        ),
        place.register_module_full_backward_pre_hook(lambda m, go: log.append("all-backward-pre")),
        place.register_module_full_backward_hook(lambda m, gi, go: log.append(("all-backward", shapes(gi)))),
        place.register_module_parameter_registration_hook(lambda m, name, p: log.append(("parameter", name))),
        place.register_module_buffer_registration_hook(lambda m, name, b: log.append(("buffer", name))),
        place.register_module_module_registration_hook(lambda m, name, c: log.append(("module", name))),
    ]
    try:
        net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
        net.register_buffer("none", None)
        layer = net[1]
        layer.register_forward_pre_hook(lambda m, args: log.append("pre"))
        layer.register_forward_hook(lambda m, args, out: log.append("forward"))
        layer.register_full_backward_hook(lambda m, gi, go: log.append("backward"))
        layer.register_full_backward_pre_hook(lambda m, go: log.append("backward-pre"))
        net(library.ones(4, 2, requires_grad=True)).sum().backward()
    finally:
        for handle in handles:
            handle.remove()
    before = len(log)
    net[0](library.ones(4, 2))
    assert len(log) == before
    return log


def always(library):
    nn, log = library.nn, []
    with (
        nn.modules.module.register_module_forward_hook(
            lambda m, args, out: log.append(out), always_call=True
        ),
        pytest.raises(RuntimeError),
    ):
        nn.Linear(2, 3)(library.ones(1, 5))
    return log


def replaced(library):
    """Registration hooks that put something else in the place of what is registered."""
    nn = library.nn
    place = nn.modules.module
    with place.register_module_parameter_registration_hook(lambda m, n, p: nn.Parameter(p.detach() * 0 + 7)):
        layer = nn.Linear(2, 1)
    with place.register_module_module_registration_hook(lambda m, n, c: nn.Sequential(c)):
        net = nn.Sequential(nn.Tanh())
    return layer.bias.tolist(), repr(net)


def not_full(library):
    """Backward hooks of the old kind, on a module that is one operation, and what mixing kinds says."""
    nn, log = library.nn, []
    layer = nn.Tanh()
    layer.register_backward_hook(lambda m, gi, go: log.append((shapes(gi), shapes(go))))
    layer(library.ones(4, 2, requires_grad=True)).sum().backward()
    layer(library.ones(4, 2))
    layer.register_backward_hook(lambda m, gi, go: (gi[0] * 3,))
    x = library.ones(2, requires_grad=True)
    layer(x).sum().backward()
    log.append(np.round(x.grad.tolist(), 4).tolist())
    with pytest.raises(RuntimeError) as error:
        layer.register_full_backward_hook(print)
    log.append(str(error.value))
    other = nn.Tanh()
    other.register_full_backward_hook(lambda m, gi, go: None)
    with pytest.raises(RuntimeError) as error:
        other.register_backward_hook(print)
    return [*log, str(error.value)]


def not_full_of_several(library):
    nn, seen = library.nn, []
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    net.register_backward_hook(lambda m, gi, go: seen.append((shapes(gi), shapes(go))))
    with pytest.warns(FutureWarning, match="multiple autograd Nodes is deprecated"):
        net(library.ones(4, 2, requires_grad=True)).sum().backward()
    return seen


def state_hooks(library):
    nn, log = library.nn, []
    net = nn.Sequential(nn.Linear(2, 1))
    net._register_state_dict_hook(lambda m, state, prefix, meta: {f"x.{key}": 1 for key in state})
    found = list(net.state_dict())
    net._register_load_state_dict_pre_hook(
        lambda state, prefix, *rest: log.append((prefix, len(rest), sorted(state)))
    )
    net[0]._register_load_state_dict_pre_hook(
        lambda m, state, prefix, *rest: log.append(prefix), with_module=True
    )
    net.load_state_dict(nn.Sequential(nn.Linear(2, 1)).state_dict())
    return found, log


def positional(library):
    with pytest.warns(FutureWarning, match="Positional args are being deprecated, use kwargs instead"):
        return list(library.nn.Linear(2, 1).state_dict(None, "a.", True))


def super_init(library):
    class Mixin:
        def __init__(self, size=1):
            self.size = size

    class Layer(library.nn.Module, Mixin):
        call_super_init = True

        def __init__(self):
            super().__init__(size=3)

    return Layer().size


def emptied(library):
    net = library.nn.Sequential(library.nn.Linear(2, 1), library.nn.BatchNorm1d(1))
    weight = net[0].weight
    same = net.to_empty(device="cpu") is net
    return same, net[0].weight is weight, [(n, tuple(v.shape)) for n, v in net.state_dict().items()]


def made_of(library):
    nn = library.nn
    made = nn.ParameterDict().fromkeys(["a", "b"], library.ones(1))
    return list(made), type(made["a"]).__name__


PROGRAMS = [
    everywhere,
    always,
    replaced,
    not_full,
    not_full_of_several,
    state_hooks,
    positional,
    super_init,
    emptied,
]


def _nothing(module, args, output):
    return output * 0


def pickled(library):
    """A handle in its module removes the hook of the copy; alone, it removes nothing."""
    net = library.nn.Sequential(library.nn.Linear(2, 2))
    net.handle = net[0].register_forward_hook(_nothing)
    found = []
    for other in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        found.append((other.handle.id == net.handle.id, other(library.ones(2)).tolist()))
        other.handle.remove()
        found.append((len(other[0]._forward_hooks), len(net[0]._forward_hooks)))
        later = other[0].register_forward_hook(_nothing)
        found.append(later.id > net.handle.id)
    pickle.loads(pickle.dumps(net.handle)).remove()
    return *found, len(net[0]._forward_hooks)


def _shift(module, args, output):
    return output + 1


def _named(module, args, kwargs):
    return args, {}


def kept(library):
    """What a module keeps is the functions, in ordered dicts that programs read, empty and replace."""
    layer = library.nn.ReLU()
    layer.register_forward_hook(_shift)
    first = layer.register_forward_pre_hook(_named, with_kwargs=True)
    found = [
        re.sub(r"\d+", "id", repr(layer._forward_hooks).split(" at ")[0]),
        list(layer._forward_hooks.values()) == [_shift],
    ]
    found += [list(layer._forward_pre_hooks.values()) == [_named], layer(library.ones(1), unknown=2).tolist()]
    found += [list(layer._forward_pre_hooks_with_kwargs) == [first.id]]
    layer._forward_hooks.clear()
    found.append(layer(library.ones(1)).tolist())
    layer._forward_hooks = collections.OrderedDict({7: lambda module, args, output: output * 5})
    return *found, layer(library.ones(1)).tolist()


PROGRAMS += [made_of, pickled, kept]


@pytest.mark.filterwarnings("ignore:Using a non-full backward hook")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_programs_see_the_same(program):
    both(program)


@pytest.mark.parametrize(
    "call",
    [
        lambda lib: lib.nn.Module(1, 2),
        lambda lib: lib.nn.Module(x=1),
        lambda lib: lib.nn.modules.utils._pair(3),
        lambda lib: lib.nn.modules.utils._triple([1, 2, 3]),
        lambda lib: lib.nn.modules.utils._ntuple(2)(5),
        lambda lib: lib.nn.modules.module._addindent("a\nb\nc", 2),
    ],
)
def test_refusals_and_helpers_are_the_same(call):
    both(call)


def test_layers_are_under_pytorchs_paths():
    for room in pkgutil.iter_modules(torch.nn.modules.__path__):
        theirs = importlib.import_module(f"torch.nn.modules.{room.name}")
        for name in getattr(theirs, "__all__", ()):
            if hasattr(minidl.nn, name) and isinstance(getattr(theirs, name), type):
                ours = importlib.import_module(f"minidl.nn.modules.{room.name}")
                assert getattr(ours, name) is getattr(minidl.nn, name), f"{room.name}.{name}"
    for room, extras in modules._IN_ROOMS.items():
        for name in extras:
            assert getattr(importlib.import_module(f"minidl.nn.modules.{room}"), name) is not None
            assert hasattr(importlib.import_module(f"torch.nn.modules.{room}"), name)
    with pytest.raises(AttributeError, match="has no attribute 'Conv2d'"):
        _ = modules.linear.Conv2d


def test_every_layer_has_a_path():
    for name in minidl.nn.__all__:
        value = getattr(torch.nn, name, None)
        if (
            value is not None
            and issubclass(value, torch.nn.Module)
            and value.__module__.startswith("torch.nn.modules")
        ):
            assert getattr(modules, name) is getattr(minidl.nn, name)


def test_prefixes_are_taken_off():
    def run(lib):
        state = lib.nn.DataParallel(lib.nn.Sequential(lib.nn.Linear(2, 1))).state_dict()
        lib.nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
        return list(state), list(state._metadata)

    both(run)


@pytest.mark.parametrize(
    "name",
    [
        "uniform",
        "normal",
        "xavier_uniform",
        "xavier_normal",
        "kaiming_uniform",
        "kaiming_normal",
        "orthogonal",
        "eye",
    ],
)
def test_names_of_old_warn_and_fill(name):
    warned = []
    for library in (minidl, torch):
        function, x = getattr(library.nn.init, name), library.zeros(3, 3)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert function(x) is x
        assert abs(x).sum() > 0
        warned.append((str(caught[0].message), caught[0].category, function.__name__))
    assert warned[0] == warned[1]


def test_compiling_changes_nothing():
    layer = minidl.nn.Linear(2, 1)
    assert layer.compile(mode="max-autotune") is None
    assert layer(minidl.ones(1, 2)).shape == (1, 1)
