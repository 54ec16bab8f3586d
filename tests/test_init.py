"""nn.init: the values promised, the errors promised, and nothing on the tape."""

import math

import numpy as np
import pytest

import minidl
from minidl import nn
from minidl.nn import init


def host(tensor):
    return tensor.detach().numpy().astype(np.float64)


RANDOM = {
    "uniform_": {"a": -1.0, "b": 3.0},
    "normal_": {"mean": 1.0, "std": 2.0},
    "trunc_normal_": {},
    "xavier_uniform_": {"gain": 2.0},
    "xavier_normal_": {},
    "kaiming_uniform_": {"a": 0.1},
    "kaiming_normal_": {"mode": "fan_out", "nonlinearity": "relu"},
    "orthogonal_": {"gain": 2.0},
    "sparse_": {"sparsity": 0.3},
}


@pytest.mark.parametrize("name", RANDOM)
def test_fills_a_parameter_off_the_tape_by_its_generator(name):
    fill, options = getattr(init, name), RANDOM[name]
    parameter = nn.Parameter(minidl.zeros(6, 4))
    result = fill(parameter, **options, generator=minidl.Generator().manual_seed(3))
    assert result is parameter
    assert parameter.is_leaf
    assert parameter.requires_grad
    again = fill(minidl.zeros(6, 4), **options, generator=minidl.Generator().manual_seed(3))
    np.testing.assert_array_equal(host(parameter), host(again))
    state = minidl.get_rng_state().tolist()
    fill(minidl.zeros(6, 4), **options, generator=minidl.Generator())
    assert minidl.get_rng_state().tolist() == state
    fill(minidl.zeros(6, 4), **options)
    assert minidl.get_rng_state().tolist() != state


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("name", RANDOM)
def test_keeps_the_dtype(name, dtype):
    tensor = getattr(init, name)(minidl.empty(5, 5, dtype=getattr(minidl, dtype)), **RANDOM[name])
    assert tensor.dtype is getattr(minidl, dtype)
    assert np.isfinite(host(tensor)).all()


def test_fans():
    assert init._calculate_fan_in_and_fan_out(minidl.empty(3, 5)) == (5, 3)
    assert init._calculate_fan_in_and_fan_out(minidl.empty(3, 5, 2, 4)) == (40, 24)


def test_gains():
    wanted = {"linear": 1, "conv2d": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
    assert {name: init.calculate_gain(name) for name in wanted} == wanted
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / (1 + 0.01**2))
    assert init.calculate_gain("leaky_relu", 2) == math.sqrt(2 / 5)


@pytest.mark.parametrize(
    ("fill", "bound"),
    [
        (lambda w: init.xavier_uniform_(w, gain=2.0), 2 * math.sqrt(6 / (300 + 200))),
        (lambda w: init.kaiming_uniform_(w, nonlinearity="relu"), math.sqrt(2) * math.sqrt(3 / 300)),
        (lambda w: init.kaiming_uniform_(w, a=math.sqrt(5)), 1 / math.sqrt(300)),
        (lambda w: init.kaiming_uniform_(w, mode="fan_out"), math.sqrt(2) * math.sqrt(3 / 200)),
    ],
)
def test_uniform_spreads(fill, bound):
    values = host(fill(minidl.empty(200, 300)))
    assert abs(values).max() <= np.float32(bound)
    assert abs(values).max() > 0.999 * bound
    assert abs(values.std() / (bound / math.sqrt(3)) - 1) < 0.02
    assert abs(values.mean()) < 0.02 * bound


@pytest.mark.parametrize(
    ("fill", "std"),
    [
        (lambda w: init.xavier_normal_(w, gain=2.0), 2 * math.sqrt(2 / (300 + 200))),
        (lambda w: init.kaiming_normal_(w, nonlinearity="tanh"), 5 / 3 / math.sqrt(300)),
        (lambda w: init.kaiming_normal_(w, a=1, mode="fan_out"), 1 / math.sqrt(200)),
    ],
)
def test_normal_spreads(fill, std):
    values = host(fill(minidl.empty(200, 300)))
    assert abs(values.std() / std - 1) < 0.02
    assert abs(values.mean()) < 0.02 * std


def normal_cdf(x):
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"), [(0, 1, -2, 2), (1, 2, -1, 2), (0, 1, 1.5, 4), (0, 0.02, -2, 2), (0, 1, -9, 9)]
)
def test_trunc_normal(mean, std, a, b):
    values = np.sort(host(init.trunc_normal_(minidl.empty(40_000, dtype=minidl.float64), mean, std, a, b)))
    assert a <= values[0]
    assert values[-1] <= b
    low, high = normal_cdf((a - mean) / std), normal_cdf((b - mean) / std)
    expected = np.array([(normal_cdf((v - mean) / std) - low) / (high - low) for v in values])
    distance = np.abs(expected - (np.arange(len(values)) + 0.5) / len(values)).max()
    assert distance < 2.7 / math.sqrt(len(values))


def test_trunc_normal_warns_of_far_bounds():
    with pytest.warns(UserWarning, match="mean is more than 2 std from"):
        values = host(init.trunc_normal_(minidl.empty(10), 0, 1, 3, 4))
    assert ((values >= 3) & (values <= 4)).all()
    with pytest.raises(RuntimeError, match="a <= b"):
        init.trunc_normal_(minidl.empty(1), 0, 1, 1, -1)


def test_constants():
    assert init.constant_(minidl.empty(2), 0.25).tolist() == [0.25, 0.25]
    assert init.ones_(minidl.empty(2)).tolist() == [1, 1]
    assert init.zeros_(minidl.ones(2)).tolist() == [0, 0]
    np.testing.assert_array_equal(host(init.eye_(minidl.empty(3, 2))), np.eye(3, 2))


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (4, 3, 2, 2), (1, 5), (5, 1)])
def test_orthogonal(shape):
    weight = host(init.orthogonal_(minidl.empty(*shape, dtype=minidl.float64), gain=2.0)).reshape(
        shape[0], -1
    )
    product = weight @ weight.T if weight.shape[0] <= weight.shape[1] else weight.T @ weight
    np.testing.assert_allclose(product, 4 * np.eye(min(weight.shape)), atol=1e-12)


def test_orthogonal_is_uniform():
    turns = np.stack([host(init.orthogonal_(minidl.empty(2, 2))) for _ in range(500)])
    assert abs(turns.mean(0)).max() < 0.15
    assert abs((np.linalg.det(turns) > 0).mean() - 0.5) < 0.1
    assert init.orthogonal_(minidl.empty(0, 3)).shape == (0, 3)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_dirac_hands_its_channels_on(rank, groups):
    weight = host(init.dirac_(minidl.empty(4, 2, *(3,) * rank), groups))
    wanted = np.zeros_like(weight)
    for group in range(groups):
        for channel in range(2):
            wanted[(group * 4 // groups + channel, channel, *(1,) * rank)] = 1
    np.testing.assert_array_equal(weight, wanted)


def test_sparse():
    weight = host(init.sparse_(minidl.empty(10, 50), 0.25, std=2.0))
    assert (weight == 0).sum(0).tolist() == [3] * 50
    assert abs(weight[weight != 0].std() - 2) < 0.4


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: init.xavier_normal_(minidl.empty(3)), "fewer than 2 dimensions"),
        (lambda: init.kaiming_uniform_(minidl.empty(3)), "fewer than 2 dimensions"),
        (lambda: init.kaiming_normal_(minidl.empty(3, 3), mode="fan"), "Mode fan not supported"),
        (lambda: init.kaiming_normal_(minidl.empty(3, 3), nonlinearity="x"), "Unsupported nonlinearity x"),
        (lambda: init.calculate_gain("leaky_relu", True), "negative_slope True not a valid number"),
        (lambda: init.calculate_gain("leaky_relu", "1"), "negative_slope 1 not a valid number"),
        (lambda: init.eye_(minidl.empty(3)), "2 dimensions are supported"),
        (lambda: init.dirac_(minidl.empty(3, 3)), "3, 4, or 5 dimensions"),
        (lambda: init.dirac_(minidl.empty(3, 3, 3), groups=2), "divisible by groups"),
        (lambda: init.orthogonal_(minidl.empty(3)), "2 or more dimensions"),
        (lambda: init.sparse_(minidl.empty(3), 0.1), "2 dimensions are supported"),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_nothing_to_initialise():
    with pytest.warns(UserWarning, match="zero-element tensors is a no-op"):
        assert init.kaiming_uniform_(minidl.empty(0, 3)).shape == (0, 3)
    with pytest.warns(UserWarning, match="zero-element tensors is a no-op"):
        init.kaiming_normal_(minidl.empty(3, 0))
