"""autocast and GradScaler beside PyTorch on the CPU: the dtype and value of every op, networks, scaled training."""

import contextlib
import itertools
import pickle
import warnings

import numpy as np
import pytest
import torch

import minidl

MODULES = {"minidl": minidl, "torch": torch}


def data(m, *shape, dtype="float32", seed=0):
    values = np.random.default_rng(seed).uniform(0.2, 0.8, shape).astype(np.float32)
    return m.tensor(values).to(getattr(m, dtype))


def drawing(m, dtype):
    """A function of shapes that gives other values at each call."""
    seeds = itertools.count()
    return lambda *shape: data(m, *shape, dtype=dtype, seed=next(seeds))


def F(m):
    return m.nn.functional


OPS = {
    "matmul": lambda m, d: d(4, 3) @ d(3, 2),
    "rmatmul": lambda m, d: d(3) @ d(3, 2),
    "mm": lambda m, d: m.mm(d(4, 3), d(3, 2)),
    "mv": lambda m, d: m.mv(d(4, 3), d(3)),
    "bmm": lambda m, d: m.bmm(d(2, 4, 3), d(2, 3, 2)),
    "baddbmm": lambda m, d: m.baddbmm(d(2, 4, 2), d(2, 4, 3), d(2, 3, 2)),
    "addmm": lambda m, d: m.addmm(d(4, 2), d(4, 3), d(3, 2)),
    "addmv": lambda m, d: m.addmv(d(4), d(4, 3), d(3)),
    "addr": lambda m, d: m.addr(d(4, 3), d(4), d(3)),
    "addbmm": lambda m, d: m.addbmm(d(4, 2), d(2, 4, 3), d(2, 3, 2)),
    "linear": lambda m, d: F(m).linear(d(4, 3), d(2, 3), d(2)),
    "einsum": lambda m, d: m.einsum("ij,jk->ik", d(4, 3), d(3, 2)),
    "tensordot": lambda m, d: m.tensordot(d(4, 3), d(3, 2), dims=1),
    "inner": lambda m, d: m.inner(d(4, 3), d(2, 3)),
    "multi_dot": lambda m, d: m.linalg.multi_dot([d(4, 3), d(3, 2)]),
    "vecdot": lambda m, d: m.linalg.vecdot(d(4, 3), d(4, 3)),
    "dot": lambda m, d: m.dot(d(3), d(3)),
    "outer": lambda m, d: m.outer(d(3), d(3)),
    "conv1d": lambda m, d: F(m).conv1d(d(1, 2, 5), d(3, 2, 3)),
    "conv2d": lambda m, d: F(m).conv2d(d(1, 2, 5, 5), d(3, 2, 3, 3), d(3)),
    "conv_transpose2d": lambda m, d: F(m).conv_transpose2d(d(1, 2, 3, 3), d(2, 3, 3, 3)),
    "attention": lambda m, d: F(m).scaled_dot_product_attention(d(1, 2, 4, 3), d(1, 2, 4, 3), d(1, 2, 4, 3)),
    "softmax": lambda m, d: m.softmax(d(2, 3), 1),
    "log_softmax": lambda m, d: m.log_softmax(d(2, 3), 1),
    "sum": lambda m, d: d(2, 3).sum(),
    "mean": lambda m, d: d(2, 3).mean(),
    "prod": lambda m, d: d(3).prod(),
    "cumsum": lambda m, d: d(2, 3).cumsum(1),
    "exp": lambda m, d: d(2, 3).exp(),
    "log": lambda m, d: d(2, 3).log(),
    "pow": lambda m, d: d(2, 3) ** 3,
    "relu": lambda m, d: m.relu(d(2, 3)),
    "norm": lambda m, d: d(2, 3).norm(),
    "cdist": lambda m, d: m.cdist(d(2, 3), d(4, 3)),
    "trace": lambda m, d: m.trace(d(3, 3)),
    "quantile": lambda m, d: m.quantile(d(5), 0.5),
    "inverse": lambda m, d: m.inverse(d(2, 2) + m.eye(2, dtype=m.bfloat16)),
    "layer_norm": lambda m, d: F(m).layer_norm(d(2, 3), (3,), d(3), d(3)),
    "batch_norm": lambda m, d: F(m).batch_norm(d(2, 3), m.zeros(3), m.ones(3), training=True),
    "cross_entropy": lambda m, d: F(m).cross_entropy(d(2, 3), m.tensor([0, 2])),
    "nll_loss": lambda m, d: F(m).nll_loss(d(2, 3), m.tensor([0, 2])),
    "mse_loss": lambda m, d: F(m).mse_loss(d(2, 3), d(2, 3) * 2),
    "l1_loss": lambda m, d: F(m).l1_loss(d(2, 3), d(2, 3) * 2),
    "smooth_l1_loss": lambda m, d: F(m).smooth_l1_loss(d(2, 3), d(2, 3) * 2),
    "huber_loss": lambda m, d: F(m).huber_loss(d(2, 3), d(2, 3) * 2),
    "kl_div": lambda m, d: F(m).kl_div(d(2, 3), d(2, 3), reduction="sum"),
    "bce": lambda m, d: F(m).binary_cross_entropy(d(2, 3), d(2, 3)),
    "bce logits": lambda m, d: F(m).binary_cross_entropy_with_logits(d(2, 3), d(2, 3)),
    "cat": lambda m, d: m.cat([d(2, 3), data(m, 2, 3)]),
    "stack": lambda m, d: m.stack([d(2, 3), data(m, 2, 3, dtype="bfloat16")]),
    "max_pool2d": lambda m, d: F(m).max_pool2d(d(1, 1, 4, 4), 2),
    "avg_pool2d": lambda m, d: F(m).avg_pool2d(d(1, 1, 4, 4), 2),
    "add": lambda m, d: d(2, 3) + data(m, 2, 3),
    "double": lambda m, d: data(m, 2, 3, dtype="float64") @ data(m, 3, 2, dtype="float64"),
    "integers": lambda m, d: m.tensor([[1, 2]]) @ m.tensor([[1], [2]]),
}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", OPS)
def test_dtypes_and_values_of_ops(name, dtype):
    results = []
    for m in (minidl, torch):
        with m.autocast("cpu", dtype=m.bfloat16):
            results.append(OPS[name](m, drawing(m, dtype)))
    ours, theirs = results
    assert str(ours.dtype).partition(".")[2] == str(theirs.dtype).partition(".")[2]
    rough = dtype == "bfloat16" or ours.dtype is minidl.bfloat16
    np.testing.assert_allclose(
        ours.float().numpy(),
        theirs.float().numpy(),
        rtol=2e-2 if rough else 1e-5,
        atol=1e-2 if rough else 1e-6,
    )


def same_weights(ours, theirs):
    with minidl.no_grad():
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            mine.copy_(minidl.tensor(other.detach().numpy()))


NETWORKS = {
    "mlp": (
        lambda nn: nn.Sequential(nn.Linear(6, 16), nn.GELU(), nn.LayerNorm(16), nn.Linear(16, 3)),
        (5, 6),
    ),
    "convolution": (
        lambda nn: nn.Sequential(
            *[
                nn.Conv2d(2, 4, 3, padding=1, bias=False),
                nn.BatchNorm2d(4),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Flatten(),
            ],
            *[nn.Linear(16, 3), nn.Softmax(1)],
        ),
        (3, 2, 4, 4),
    ),
    "lstm": (lambda nn: nn.LSTM(6, 4, batch_first=True), (2, 5, 6)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_and_their_gradients(name):
    build, shape = NETWORKS[name]
    models = {key: build(m.nn) for key, m in MODULES.items()}
    same_weights(models["minidl"], models["torch"])
    found = {}
    for key, m in MODULES.items():
        with m.autocast("cpu"):
            out = models[key](data(m, *shape))
            out = out[0] if isinstance(out, tuple) else out
            loss = F(m).mse_loss(out, m.zeros(out.shape))
        loss.backward()
        found[key] = out, loss, [p.grad for p in models[key].parameters()]
    ours, theirs = found["minidl"], found["torch"]
    assert str(ours[0].dtype)[7:] == str(theirs[0].dtype)[6:]
    assert str(ours[1].dtype)[7:] == str(theirs[1].dtype)[6:] == "float32"
    np.testing.assert_allclose(ours[1].item(), theirs[1].item(), rtol=2e-2)
    for mine, other in zip(ours[2], theirs[2], strict=True):
        assert mine.dtype is minidl.float32
        scale = float(other.abs().max())
        np.testing.assert_allclose(mine.numpy(), other.numpy(), atol=0.05 * scale + 1e-6)


def state(m):
    return [
        m.is_autocast_enabled("cpu"), m.is_autocast_enabled("cuda"), str(m.get_autocast_dtype("cpu")).partition(".")[2],
        str(m.get_autocast_dtype("cuda")).partition(".")[2], m.is_autocast_cache_enabled(),
    ]  # fmt: skip


def test_the_state_within_nested_ones():
    states = {}
    for key, m in MODULES.items():
        states[key] = [state(m)]
        with m.autocast("cpu", dtype=m.float16, cache_enabled=False):
            states[key].append(state(m))
            with m.amp.autocast(device_type="cpu", enabled=False):
                states[key].append([*state(m), str((m.ones(1, 1) @ m.ones(1, 1)).dtype)[-7:]])
                with m.autocast("cpu"):
                    states[key].append([*state(m), str((m.ones(1, 1) @ m.ones(1, 1)).dtype)[-7:]])
            states[key].append(state(m))
            with contextlib.suppress(ValueError), m.autocast("cpu"):
                raise ValueError
            states[key].append(state(m))
        states[key].append(state(m))
        m.set_autocast_enabled("cpu", True)
        states[key].append(state(m))
        m.set_autocast_enabled("cpu", False)
        m.set_autocast_dtype("cpu", m.float16)
        states[key].append(state(m))
        m.set_autocast_dtype("cpu", m.bfloat16)
    assert states["minidl"] == states["torch"]


def test_decorated_functions():
    for m in MODULES.values():

        @m.autocast("cpu")
        def product(a, b):
            return a @ b

        assert product(m.ones(1, 1), b=m.ones(1, 1)).dtype is m.bfloat16
        assert (m.ones(1, 1) @ m.ones(1, 1)).dtype is m.float32


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda m: m.autocast(3), ValueError),
    ],
)
def test_errors(call, kind):
    texts = []
    for m in (minidl, torch):
        with pytest.raises(kind) as raised:
            call(m)
        texts.append(str(raised.value).partition(" Hint")[0])
    assert texts[0] == texts[1]


def test_a_dtype_that_is_not_low_is_warned_of():
    for m in MODULES.values():
        with pytest.warns(UserWarning, match="In CPU autocast, but the target dtype is not supported"):
            within = m.autocast("cpu", dtype=m.float64)
        with within:
            assert (m.ones(1, 1) @ m.ones(1, 1)).dtype is m.float32


@pytest.mark.parametrize("cast_inputs", [None, "float32"])
def test_custom_functions(cast_inputs):
    seen = {}
    for key, m in MODULES.items():
        cast = None if cast_inputs is None else getattr(m, cast_inputs)

        class Product(m.autograd.Function):
            @staticmethod
            @m.amp.custom_fwd(device_type="cpu", cast_inputs=cast)
            def forward(ctx, a, b, m=m, key=key):
                ctx.save_for_backward(a, b)
                seen[key] = [str(a.dtype)[-7:], m.is_autocast_enabled("cpu"), str((a @ b).dtype)[-7:]]
                return a @ b

            @staticmethod
            @m.amp.custom_bwd(device_type="cpu")
            def backward(ctx, g, m=m, key=key):
                a, b = ctx.saved_tensors
                seen[key].append(m.is_autocast_enabled("cpu"))
                return g.float() @ b.float().t(), a.float().t() @ g.float(), None, None

        a, b = (m.ones(2, 2, requires_grad=True) for _ in range(2))
        with m.autocast("cpu"):
            out = Product.apply(a.bfloat16(), b)
        out.sum().backward()
        seen[key] += [str(out.dtype)[-7:], b.grad.tolist()]
    assert seen["minidl"] == seen["torch"]


# --- GradScaler -------------------------------------------------------------------------------------------------


def scaled_training(m, poison):
    weight = m.nn.Parameter(m.ones(3))
    optimizer = m.optim.SGD([weight], lr=0.1)
    scaler = m.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
    trace = [scaler.get_scale()]
    for step in range(7):
        optimizer.zero_grad()
        loss = (weight * m.tensor([1.0, float("inf") if step in poison else 2.0, 3.0])).square().sum()
        scaler.scale(loss).backward()
        if step % 2:
            scaler.unscale_(optimizer)
            m.nn.utils.clip_grad_norm_([weight], 1.0)
        scaler.step(optimizer)
        scaler.update()
        trace += [scaler.get_scale(), scaler._get_growth_tracker(), weight.tolist()]
    return trace, scaler


@pytest.mark.parametrize("poison", [(), (2,), (0, 3, 4)])
def test_scaled_training(poison):
    ours, mine = scaled_training(minidl, poison)
    theirs, other = scaled_training(torch, poison)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    assert mine.state_dict() == other.state_dict()
    fresh = minidl.amp.GradScaler("cpu")
    fresh.load_state_dict(other.state_dict())
    assert fresh.state_dict() == other.state_dict()
    assert pickle.loads(pickle.dumps(mine)).state_dict() == other.state_dict()


def wrong(m, what):
    weight = m.nn.Parameter(m.ones(1))
    optimizer, empty = m.optim.SGD([weight], lr=0.1), m.optim.SGD([m.nn.Parameter(m.ones(1))], lr=0.1)
    scaler = m.amp.GradScaler("cpu")
    if what == "growth":
        m.amp.GradScaler("cpu", growth_factor=1.0)
    if what == "early":
        scaler.step(optimizer)
    scaled = scaler.scale(weight.sum())
    if what == "update":
        scaler.update()
    if what == "no gradients":
        scaler.step(empty)
    if what == "outputs":
        scaler.scale(3)
    scaled.backward()
    if what == "closure":
        scaler.step(optimizer, closure=lambda: None)
    if what == "state":
        scaler.load_state_dict({})
    scaler.unscale_(optimizer)
    if what == "twice":
        scaler.unscale_(optimizer)
    if what == "pickle":
        pickle.dumps(scaler)
    scaler.step(optimizer)
    if what == "unscale after step":
        scaler.unscale_(optimizer)
    if what == "steps":
        scaler.step(optimizer)
    scaler.update(m.ones(2) if what == "new scale" else None)


@pytest.mark.parametrize(
    "what",
    [
        *["growth", "early", "update", "no gradients", "outputs", "closure", "state", "twice", "pickle"],
        *["unscale after step", "steps", "new scale"],
    ],
)
def test_errors_of_the_scaler(what):
    errors = []
    for m in (minidl, torch):
        with pytest.raises((RuntimeError, ValueError, AssertionError)) as raised:
            wrong(m, what)
        errors.append(raised.value)
    assert type(errors[0]) is type(errors[1])
    assert str(errors[0])[:30] == str(errors[1])[:30]


@pytest.mark.parametrize("m", MODULES.values(), ids=MODULES)
def test_without_a_gpu_the_default_scaler_is_off(m):
    if m.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.warns(UserWarning, match="CUDA is not available"):
        scaler = m.amp.GradScaler()
    assert not scaler.is_enabled()
    loss = m.ones(1)
    assert scaler.scale(loss) is loss
    assert scaler.get_scale() == 1.0
    assert scaler.state_dict() == {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with m.cuda.amp.autocast():
            pass
        m.cuda.amp.GradScaler()
    assert [w.category for w in caught].count(FutureWarning) == 2
