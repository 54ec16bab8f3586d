"""``nn.utils.parametrize`` and ``parametrizations`` beside PyTorch's: values, names, gradients, refusals."""

import copy

import numpy as np
import pytest
import torch

import minidl

BOTH = (minidl, torch)


def parametrizations(lib):
    """Parametrizations of a library, by name: with an inverse or without, of one original or two, wrong ones."""

    def kind(name, forward, right_inverse=None):
        methods = {"forward": forward} | ({"right_inverse": right_inverse} if right_inverse else {})
        return type(name, (lib.nn.Module,), methods)

    def none_yet(self, y):
        raise NotImplementedError

    kinds = [
        kind("Symmetric", lambda self, x: x.triu() + x.triu(1).mT),
        kind("Doubled", lambda self, x: 2 * x, lambda self, y: y / 2),
        kind("Summed", lambda self, a, b: a + b, lambda self, y: (y * 0.75, y * 0.25)),
        kind("Above", lambda self, x: x[:2], lambda self, y: lib.cat([y, y])),
        kind("NoInverseYet", lambda self, x: x * 2, none_yet),
        kind("Row", lambda self, x: x[:1]),
        kind("Wide", lambda self, x: x.double()),
        kind("Number", lambda self, x: 3),
        kind("WideInverse", lambda self, x: x.float(), lambda self, y: y.double()),
        kind("TextInverse", lambda self, x: x, lambda self, y: "text"),
        kind("OneTextInverse", lambda self, a, b: a, lambda self, y: (y, 3)),
    ]
    return {each.__name__: each for each in kinds}


def layer(lib):
    module = lib.nn.Linear(2, 2)
    with lib.no_grad():
        module.weight.copy_(lib.tensor([[1.0, 2.0], [3.0, 4.0]]))
        module.bias.zero_()
    return module


def state(module):
    return {key: value.tolist() for key, value in module.state_dict().items()}


def register(lib, name, unsafe):
    module = layer(lib)
    lib.nn.utils.parametrize.register_parametrization(
        module, "weight", parametrizations(lib)[name](), unsafe=unsafe
    )
    return module


def registered(lib, name, unsafe):
    module = register(lib, name, unsafe)
    return repr(module), state(module), np.asarray(module.weight.tolist()).shape


def after_another(lib, name, unsafe):
    module = register(lib, "Doubled", False)
    other = parametrizations(lib)[name]()
    lib.nn.utils.parametrize.register_parametrization(module, "weight", other, unsafe=unsafe)
    return repr(module), state(module), module.weight.tolist()


def assigned(lib, name, unsafe):
    module = register(lib, name, unsafe)
    module.weight = lib.ones(2, 2)
    return state(module), module.weight.tolist()


def removed(lib, name, unsafe, leave=True):
    module = layer(lib)
    parameter, parametrize = module.weight, lib.nn.utils.parametrize
    parametrize.register_parametrization(module, "weight", parametrizations(lib)[name](), unsafe=unsafe)
    assert parametrize.remove_parametrizations(module, "weight", leave_parametrized=leave) is module
    return (
        type(module).__name__,
        state(module),
        module.weight is parameter,
        hasattr(module, "parametrizations"),
    )


def original_back(lib, name, unsafe):
    return removed(lib, name, unsafe, leave=False)


def learned(lib, name, unsafe):
    module = register(lib, name, unsafe)
    optimizer = lib.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        (module(lib.ones(1, 2)) ** 2).sum().backward()
        optimizer.step()
    return state(module)


def outcome(call, *args):
    try:
        return "given", call(*args)
    except (ValueError, RuntimeError, TypeError, NotImplementedError, AttributeError) as error:
        return type(error).__name__, str(error).partition(" Hint:")[0].replace("minidl.", "torch.")


# Refused by both, each in its own words.
OWN_WORDS = {("removed", "Wide", True), ("removed", "Number", True)}


@pytest.mark.parametrize("unsafe", [False, True])
@pytest.mark.parametrize("name", parametrizations(minidl))
@pytest.mark.parametrize("program", [registered, after_another, assigned, removed, original_back])
def test_a_parametrization_does_what_pytorch_s_does(program, name, unsafe):
    ours, theirs = (outcome(program, lib, name, unsafe) for lib in BOTH)
    if (program.__name__, name, unsafe) in OWN_WORDS:
        assert "given" not in (ours[0], theirs[0]) and ours[0] == theirs[0]
    else:
        assert ours == theirs


@pytest.mark.parametrize("name", ["Symmetric", "Doubled", "Summed"])
def test_the_originals_learn(name):
    ours, theirs = (learned(lib, name, False) for lib in BOTH)
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        np.testing.assert_allclose(ours[key], value, rtol=1e-5, atol=1e-6)


def weight_normed(lib, dim):
    module = lib.nn.utils.parametrizations.weight_norm(layer(lib), dim=dim)
    module(lib.ones(1, 2)).square().sum().backward()
    return state(module), {name: p.grad.tolist() for name, p in module.named_parameters()}


def spectral(lib, make, dim, training):
    """Of equal vectors, in training or not."""
    module = make(lib)
    lib.nn.utils.parametrizations.spectral_norm(module, n_power_iterations=2, dim=dim).train(training)
    chain = module.parametrizations.weight
    weight = np.linspace(-1, 2, chain.original.numel()).reshape(chain.original.shape) ** 2
    with lib.no_grad():
        chain.original.copy_(lib.tensor(weight))
        for vector in (chain[0]._u, chain[0]._v):
            vector.copy_(lib.ones(len(vector)) / len(vector) ** 0.5)
    value = module.weight
    (value**3).sum().backward()
    return [t.tolist() for t in (value, chain.original.grad, chain[0]._u, chain[0]._v)]


def orthogonal(lib, shape, kind):
    """Of an equal matrix, without a base; a map's value and gradient."""
    module = lib.nn.Linear(*shape[::-1], bias=False)
    lib.nn.utils.parametrizations.orthogonal(module, orthogonal_map=kind, use_trivialization=False)
    original = module.parametrizations.weight.original
    values = np.cos(np.arange(np.prod(shape))).reshape(shape)
    np.fill_diagonal(values, 1)
    with lib.no_grad():
        original.copy_(lib.tensor(values))
    value = module.weight
    (value * lib.arange(value.numel()).reshape(value.shape)).sum().backward()
    return [value.tolist(), original.grad.tolist()]


@pytest.mark.parametrize("dim", [0, 1, None, -1])
def test_weight_norm(dim):
    for ours, theirs in zip(*(weight_normed(lib, dim) for lib in BOTH), strict=True):
        assert ours.keys() == theirs.keys()
        for key in theirs:
            np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dim", [None, 0, 1])
@pytest.mark.parametrize(
    "make", [layer, lambda lib: lib.nn.Conv2d(2, 3, 2), lambda lib: lib.nn.ConvTranspose2d(2, 3, 2)]
)
def test_spectral_norm(make, dim, training):
    for ours, theirs in zip(*(spectral(lib, make, dim, training) for lib in BOTH), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_orthogonal(shape, kind):
    for ours, theirs in zip(*(orthogonal(lib, shape, kind) for lib in BOTH), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_an_orthogonal_matrix_can_be_assigned(shape, kind):
    module = minidl.nn.Linear(*shape[::-1], bias=False)
    minidl.nn.utils.parametrizations.orthogonal(module, orthogonal_map=kind)
    wanted = np.linalg.qr(np.cos(np.arange(shape[0] * shape[1])).reshape(max(shape), min(shape)))[0]
    wanted = (wanted if shape[0] >= shape[1] else wanted.T).astype(np.float32)
    module.weight = minidl.tensor(wanted)
    np.testing.assert_allclose(module.weight.tolist(), wanted, atol=1e-5)


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm", "orthogonal"])
def test_states_travel(name):
    """What a library saved the other loads, and computes the same weight."""
    ours, theirs = (getattr(lib.nn.utils.parametrizations, name)(lib.nn.Linear(3, 3)) for lib in BOTH)
    theirs.load_state_dict({key: torch.tensor(value) for key, value in state(ours).items()})
    np.testing.assert_allclose(ours.eval().weight.tolist(), theirs.eval().weight.tolist(), atol=1e-5)
    old = {"weight_g": minidl.ones(3, 1), "weight_v": minidl.eye(3), "bias": minidl.zeros(3)}
    if name == "weight_norm":
        ours.load_state_dict(old)
        np.testing.assert_allclose(ours.weight.tolist(), np.eye(3))


def refusals(lib):
    made = lib.nn.utils.parametrizations
    yield lambda: made.weight_norm(lib.nn.ReLU())
    yield lambda: made.spectral_norm(lib.nn.ReLU())
    yield lambda: made.spectral_norm(layer(lib), n_power_iterations=0)
    yield lambda: made.orthogonal(layer(lib), "bias")
    yield lambda: made.orthogonal(layer(lib), orthogonal_map="other")
    yield lambda: lib.nn.utils.parametrize.remove_parametrizations(layer(lib), "weight")
    yield lambda: lib.nn.utils.parametrize.ParametrizationList([], lib.ones(2))


def test_what_is_refused_is_refused_in_pytorch_s_words():
    for ours, theirs in zip(*(map(outcome, refusals(lib)) for lib in BOTH), strict=True):
        assert ours == theirs and theirs[0] != "given"


def test_a_copy_is_parametrized_by_itself():
    for lib in BOTH:
        module = lib.nn.utils.parametrizations.weight_norm(layer(lib))
        twin = copy.deepcopy(module)
        with lib.no_grad():
            twin.parametrizations.weight.original0.mul_(2)
        assert twin.weight.tolist() == [[2.0, 4.0], [6.0, 8.0]] and module.weight.tolist() == [
            [1.0, 2.0],
            [3.0, 4.0],
        ]
