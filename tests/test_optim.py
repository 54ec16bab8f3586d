"""Optimizers: updates, groups, hooks, state."""

import copy
import pickle

import numpy as np
import pytest

import minidl
from minidl import nn, optim

RNG = np.random.default_rng(0)


def parameter(*shape, grad=True, dtype=minidl.float32):
    out = nn.Parameter(minidl.tensor(RNG.standard_normal(shape), dtype=dtype))
    if grad:
        out.grad = minidl.tensor(RNG.standard_normal(shape), dtype=dtype)
    return out


def adam_by_hand(p, grads, lr, betas=(0.9, 0.999), eps=1e-8, decay=0.0, decoupled=False):
    m = v = 0.0
    for t, g in enumerate(grads, 1):
        if decoupled:
            p = p - lr * decay * p
        else:
            g = g + decay * p
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        p = p - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
    return p


@pytest.mark.parametrize("decoupled", [False, True])
def test_adam_follows_the_paper(decoupled):
    start, grads = RNG.standard_normal((4, 3)), RNG.standard_normal((20, 4, 3))
    p = nn.Parameter(minidl.tensor(start))
    optimizer = (optim.AdamW if decoupled else optim.Adam)([p], lr=0.05, weight_decay=0.1)
    for g in grads:
        p.grad = minidl.tensor(g)
        optimizer.step()
    wanted = adam_by_hand(start, grads, 0.05, decay=0.1, decoupled=decoupled)
    np.testing.assert_allclose(p.detach().numpy(), wanted, rtol=1e-12)


NARROW = {
    "SGD": {"lr": 0.1, "momentum": 0.9},
    "AdamW": {"lr": 0.1},
    "RMSprop": {"momentum": 0.9, "centered": True, "eps": 1e-2},
    "Adagrad": {"lr": 0.1},
    "Adadelta": {"eps": 1e-2},
    "Adamax": {"lr": 0.1},
    "NAdam": {"lr": 0.1},
    "RAdam": {"lr": 0.1, "betas": (0.5, 0.9)},
    "ASGD": {"lr": 0.1, "t0": 0},
    "Rprop": {"lr": 0.1},
    "Adafactor": {"lr": 0.1, "eps": (1e-3, 1e-3)},
}


@pytest.mark.parametrize("make", [getattr(optim, name) for name in NARROW], ids=NARROW)
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_16_bit_parameters_follow_float32_ones(make, name):
    if name == "bfloat16":
        pytest.importorskip("ml_dtypes")
    start = RNG.standard_normal((5,))
    found = []
    for dtype in (getattr(minidl, name), minidl.float32):
        p = nn.Parameter(minidl.tensor(start, dtype=dtype))
        optimizer = make([p], **NARROW[make.__name__])
        for i in range(3):
            p.grad = minidl.tensor(start * 0.1 * (i + 1), dtype=dtype)
            optimizer.step()
        assert p.dtype is dtype
        found.append(p.detach().float().numpy())
    np.testing.assert_allclose(found[0], found[1], rtol=0.02, atol=0.02)


def test_parameters_of_several_dtypes_in_one_group_and_without_gradient():
    single, double, none = parameter(3), parameter(3, dtype=minidl.float64), parameter(2, grad=False)
    before = [p.detach().clone() for p in (single, double, none)]
    optim.SGD([single, double, none], lr=1.0).step()
    for p, start in zip((single, double), before, strict=False):
        np.testing.assert_allclose(p.detach().numpy(), (start - p.grad).numpy(), rtol=1e-6)
    np.testing.assert_array_equal(none.detach().numpy(), before[2].numpy())


def test_a_parameter_that_is_not_contiguous_is_updated():
    p = nn.Parameter(minidl.zeros(3, 4).T)
    p.grad = minidl.ones(4, 3)
    optim.SGD([p], lr=0.5).step()
    np.testing.assert_array_equal(p.detach().numpy(), np.full((4, 3), -0.5, np.float32))


@pytest.mark.parametrize("name", [name for name in NARROW if name != "Adafactor"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_large_parameters_are_updated_as_small_ones_are(name, order):
    start, grads = RNG.standard_normal((4, 10000)), RNG.standard_normal((3, 4, 10000))
    large = nn.Parameter(minidl.from_numpy(np.asarray(start.copy(), order=order)))
    small = [nn.Parameter(minidl.tensor(row)) for row in start]
    optimizers = [getattr(optim, name)(params, **NARROW[name]) for params in ([large], small)]
    for grad in grads:
        large.grad = minidl.tensor(grad)
        for p, row in zip(small, grad, strict=True):
            p.grad = minidl.tensor(row)
        for optimizer in optimizers:
            optimizer.step()
    wanted = np.stack([p.detach().numpy() for p in small])
    np.testing.assert_allclose(large.detach().numpy(), wanted, rtol=1e-12, atol=1e-15)


def test_step_is_seen_by_version_checks():
    p = parameter(3)
    loss = (p * p).sum()
    optim.SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_closure_runs_with_gradients_on_and_its_loss_is_returned():
    p = parameter(2, grad=False)
    optimizer = optim.SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with minidl.no_grad():
        first, second = optimizer.step(closure), optimizer.step(closure)
    assert second.item() < first.item()


def test_zero_grad():
    p = parameter(2)
    optimizer = optim.SGD([p], lr=0.1)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert p.grad is None


def test_groups_have_options_of_their_own():
    a, b = parameter(2), parameter(2)
    optimizer = optim.SGD([{"params": [a], "lr": 1.0}, {"params": b}], lr=0.0)
    kept = b.detach().clone()
    wanted = (a.detach() - a.grad).numpy()
    optimizer.step()
    np.testing.assert_allclose(a.detach().numpy(), wanted, rtol=1e-6)
    np.testing.assert_array_equal(b.detach().numpy(), kept.numpy())
    optimizer.add_param_group({"params": [parameter(1)], "momentum": 0.5})
    assert [g["momentum"] for g in optimizer.param_groups] == [0, 0, 0.5]


def test_step_hooks():
    p = parameter(2)
    optimizer = optim.SGD([p], lr=0.1)
    seen = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("pre", args[0] is o)))
    after = optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("post", args[0] is o)))
    optimizer.step()
    assert seen == [("pre", True), ("post", True)]
    before.remove()
    after.remove()
    optimizer.step()
    assert len(seen) == 2
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="must return None or a tuple of"):
        optimizer.step()


def test_hooks_surround_the_step_of_a_users_optimizer():
    class Sign(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    with minidl.no_grad():
                        p -= group["lr"] * minidl.sign(p.grad)

    p = parameter(2)
    optimizer, seen = Sign([p], 0.1), []
    optimizer.register_step_post_hook(lambda *a: seen.append(1))
    optimizer.step()
    assert seen == [1]


MAKERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "adam": lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.1),
    "rmsprop": lambda p: optim.RMSprop(p, momentum=0.9, centered=True, eps=1e-2),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, initial_accumulator_value=0.1),
    "adadelta": optim.Adadelta,
    "adamax": optim.Adamax,
    "nadam": optim.NAdam,
    "radam": optim.RAdam,
    "asgd": lambda p: optim.ASGD(p, t0=2),
    "rprop": optim.Rprop,
    "adafactor": optim.Adafactor,
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("way", ["state_dict", "pickle", "deepcopy"])
def test_state_goes_on_where_it_was(name, way):
    start, grads = RNG.standard_normal(3), RNG.standard_normal((6, 3))

    def run(optimizer, p, gradients):
        for g in gradients:
            p.grad = minidl.tensor(g)
            optimizer.step()

    p = nn.Parameter(minidl.tensor(start))
    first = MAKERS[name]([p])
    run(first, p, grads[:3])
    if way == "state_dict":
        q = nn.Parameter(p.detach().clone())
        second = MAKERS[name]([q])
        second.load_state_dict(first.state_dict())
    else:
        second = pickle.loads(pickle.dumps(first)) if way == "pickle" else copy.deepcopy(first)
        q = second.param_groups[0]["params"][0]
    run(first, p, grads[3:])
    run(second, q, grads[3:])
    np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_goes_on_where_it_was_and_reaches_a_minimum(search):
    def run(optimizer, p, steps):
        def closure():
            optimizer.zero_grad()
            loss = ((p - 1) ** 4).sum() + (p[0] * p[1] - 1) ** 2
            loss.backward()
            return loss

        for _ in range(steps):
            optimizer.step(closure)

    p = nn.Parameter(minidl.tensor([2.0, 3.0], dtype=minidl.float64))
    first = optim.LBFGS([p], lr=0.5, max_iter=4, history_size=3, line_search_fn=search)
    run(first, p, 2)
    second = pickle.loads(pickle.dumps(first))
    q = nn.Parameter(p.detach().clone())
    third = optim.LBFGS([q], lr=0.5, max_iter=4, history_size=3, line_search_fn=search)
    third.load_state_dict(first.state_dict())
    copies = [(second, second.param_groups[0]["params"][0]), (third, q)]
    for optimizer, parameter_ in [(first, p), *copies]:
        run(optimizer, parameter_, 8)
    for _, parameter_ in copies:
        np.testing.assert_array_equal(parameter_.detach().numpy(), p.detach().numpy())
    np.testing.assert_allclose(p.detach().numpy(), [1, 1], atol=2e-2)


def test_loaded_state_is_a_copy_in_the_dtype_of_its_parameter():
    p, q = parameter(2), parameter(2, dtype=minidl.float64)
    first, second = optim.Adam([p]), optim.Adam([q])
    first.step()
    saved = first.state_dict()
    second.load_state_dict(saved)
    state = second.state[q]
    assert state["exp_avg"].dtype is minidl.float64
    assert state["step"].dtype is minidl.float32
    second.step()
    assert saved["state"][0]["step"].item() == 1


def test_state_dict_layout():
    p = parameter(2)
    optimizer = optim.Adam([p])
    optimizer.step()
    saved = optimizer.state_dict()
    assert list(saved) == ["state", "param_groups"]
    assert list(saved["state"]) == [0]
    assert list(saved["state"][0]) == ["step", "exp_avg", "exp_avg_sq"]
    assert saved["param_groups"][0]["params"] == [0]
