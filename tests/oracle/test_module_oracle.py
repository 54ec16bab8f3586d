"""Module beside PyTorch's where no layer row goes: texts of errors, hooks, gradients seen, sequences of names."""

import numpy as np
import pytest
import torch

import minidl


def _network(library):
    nn = library.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(3, 4)
            self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4), nn.ReLU()])
            self.table = nn.ModuleDict({"a": nn.Sequential(nn.Linear(4, 2), nn.Flatten(0))})
            self.register_buffer("scale", library.ones(1))
            self.register_buffer("hidden", library.ones(1), persistent=False)
            self.tied = self.first

        def forward(self, x):
            for layer in (self.first, *self.layers):
                x = layer(x)
            return self.table["a"](x)

        def extra_repr(self):
            return "one line\nand another"

    return Net()


def both(function):
    """What ``function(library)`` gives or raises here and there, with the names of this library."""
    found = []
    for library in (minidl, torch):
        try:
            found.append(function(library))
        except Exception as error:
            bases = (
                KeyError,
                AttributeError,
                TypeError,
                ValueError,
                IndexError,
                NotImplementedError,
                RuntimeError,
            )
            found.append((next(c for c in bases if isinstance(error, c)), str(error)))
    if isinstance(found[1], tuple) and isinstance(found[1][-1], str):
        found[1] = (found[1][0], found[1][1].replace("torch.nn", "minidl.nn").replace("torch.F", "minidl.F"))
    return found


LOOKS = {
    "repr": lambda lib: repr(_network(lib)),
    "modules": lambda lib: [n for n, _ in _network(lib).named_modules()],
    "modules-repeated": lambda lib: [n for n, _ in _network(lib).named_modules(remove_duplicate=False)],
    "parameters": lambda lib: [n for n, _ in _network(lib).named_parameters("top")],
    "parameters-repeated": lambda lib: [n for n, _ in _network(lib).named_parameters(remove_duplicate=False)],
    "buffers": lambda lib: [n for n, _ in _network(lib).named_buffers()],
    "children": lambda lib: [n for n, _ in _network(lib).named_children()],
    "state": lambda lib: list(_network(lib).state_dict()),
    "metadata": lambda lib: _network(lib).state_dict()._metadata,
    "loose": lambda lib: repr(_network(lib).load_state_dict({"scale": lib.ones(1), "odd": 1}, strict=False)),
    "matched": lambda lib: repr(_network(lib).load_state_dict(_network(lib).state_dict())),
    "0-d": lambda lib: repr(lib.nn.Parameter(lib.tensor(1.0))),
    "empty-sequential": lambda lib: repr(lib.nn.Sequential()),
    "empty-list": lambda lib: repr(lib.nn.ModuleList()),
    "empty-dict": lambda lib: repr(lib.nn.ModuleDict()),
    "nested-list": lambda lib: repr(lib.nn.ModuleList([lib.nn.Sequential(lib.nn.ReLU())] * 2)),
}
RAISES = {
    "load": lambda lib: _network(lib).load_state_dict(
        {
            "first.weight": lib.ones(2, 2),
            "first.bias": lib.ones(4),
            "odd": lib.ones(1),
            "layers.7.x": lib.ones(1),
        }
    ),
    "load-type": lambda lib: _network(lib).load_state_dict([1]),
    "attribute": lambda lib: _network(lib).missing,
    "parameter-int": lambda lib: setattr(lib.nn.Linear(1, 1), "weight", 3),
    "parameter-tensor": lambda lib: setattr(lib.nn.Linear(1, 1), "weight", lib.ones(1)),
    "module": lambda lib: setattr(_network(lib), "first", 3),
    "forward": lambda lib: lib.nn.Module()(1),
    "get": lambda lib: _network(lib).get_submodule("first.weight"),
    "get-missing": lambda lib: _network(lib).get_parameter("first.w"),
    "name": lambda lib: lib.nn.Module().register_parameter("a.b", None),
    "module-name": lambda lib: lib.nn.Module().add_module("a.b", lib.nn.ReLU()),
    "module-type": lambda lib: lib.nn.Sequential(3),
    "buffer-taken": lambda lib: lib.nn.Module().register_buffer("forward", None),
    "index": lambda lib: lib.nn.Sequential(lib.nn.ReLU())[2],
    "train": lambda lib: lib.nn.ReLU().train("yes"),
    "prelu": lambda lib: lib.nn.PReLU(3)(lib.ones(2, 2)),
    "glu": lambda lib: lib.nn.GLU()(lib.ones(3)),
}


@pytest.mark.parametrize("name", LOOKS)
def test_looks_are_the_same(name):
    ours, theirs = both(LOOKS[name])
    assert ours == theirs


@pytest.mark.parametrize("name", RAISES)
def test_errors_are_the_same(name):
    ours, theirs = both(RAISES[name])
    assert ours == theirs


def _trace(library, weights):
    """Every hook of a small network with what it saw, in order."""
    nn, seen = library.nn, []
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    net.load_state_dict({k: library.tensor(v) for k, v in weights.items()})
    for name, module in net.named_modules():

        def note(kind, name=name):
            def hook(module, *values):
                arrays = [v for group in values for v in (group if isinstance(group, tuple) else (group,))]
                seen.append((kind, name, [None if v is None else v.detach().numpy() for v in arrays]))

            return hook

        module.register_forward_pre_hook(note("pre"))
        module.register_forward_hook(note("post"))
        module.register_full_backward_pre_hook(note("backward pre"))
        module.register_full_backward_hook(note("backward"))
    x = library.tensor(np.linspace(-1, 1, 8).reshape(4, 2), requires_grad=True)
    net.to(library.float64)(x).sum().backward()
    seen.append(("grad", "x", [x.grad.numpy()]))
    return seen


def test_hooks_see_the_same_in_the_same_order():
    rng = np.random.default_rng(0)
    shapes = {"0.weight": (3, 2), "0.bias": (3,), "2.weight": (1, 3), "2.bias": (1,)}
    weights = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    ours, theirs = (_trace(library, weights) for library in (minidl, torch))
    assert [entry[:2] for entry in ours] == [entry[:2] for entry in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        for a, b in zip(mine[2], other[2], strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7, err_msg=str(mine[:2]))
