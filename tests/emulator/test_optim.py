"""Optimizer steps by the CUDA kernels against the reference: many tensors, odd sizes, what is copied and when."""

import ml_dtypes
import numpy as np
import pytest

import minidl
from minidl import backends, nn
from minidl.backends.cuda import optim

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-6, "float64": 1e-13}
floats = pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: np.dtype(d).name)
SHAPES = [(5,), (), (3, 7), (0, 2), (4100,), (2, 3, 4)]


@pytest.fixture
def space(gpu):
    optim._plans.clear()
    return backends.on(gpu)


def arrays(dtype, seed, shapes=SHAPES):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def run(space, function, columns, *options, steps=3):
    """Runs a step several times, with new gradients each, and gives all columns back as NumPy arrays."""
    on_device = space.xp is not np
    columns = [
        column if column is None or isinstance(column[0], bool)
        else [space.xp.asarray(a) if on_device else a.copy() for a in column]
        for column in columns
    ]  # fmt: skip
    counts = [np.zeros((), np.float32) for _ in columns[0]]
    dtype, shapes = columns[0][0].dtype, [a.shape for a in columns[0]]
    for step in range(steps):
        grads = arrays(dtype, 100 + step, shapes)
        for target, grad in zip(columns[1], grads, strict=True):
            target[...] = space.xp.asarray(grad) if on_device else grad
        with backends.trace_fallbacks() as fallen:
            if function == "adam_step":
                space.adam_step(*columns, counts, *options)
            else:
                fresh = [step == 0] * len(shapes)
                space.sgd_step(*columns, fresh, *options)
        assert not fallen
    found = [a.get() if on_device else a for column in columns if column for a in column]
    return found + (counts if function == "adam_step" else [])


def compare(space, function, columns, *options):
    wanted = run(backends.reference, function, columns, *options)
    found = run(space, function, columns, *options)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        limit = TOLERANCE[columns[0][0].dtype.name]
        np.testing.assert_allclose(ours.astype(float), theirs.astype(float), rtol=limit, atol=limit)


@floats
@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam(space, dtype, amsgrad, decoupled):
    zeros = [np.zeros(shape, dtype) for shape in SHAPES]
    columns = arrays(dtype, 0), arrays(dtype, 1), zeros, zeros, zeros if amsgrad else None
    compare(space, "adam_step", columns, 0.05, 0.9, 0.99, 1e-4, 0.1, decoupled, amsgrad)


@floats
@pytest.mark.parametrize(
    "options", [(0.0, 0.0, False, 0.0, False), (0.9, 0.5, False, 0.1, True), (0.9, 0.0, True, 0.1, False)]
)
def test_sgd(space, dtype, options):
    buffers = [np.full(shape, np.nan, dtype) for shape in SHAPES] if options[0] else None
    compare(space, "sgd_step", (arrays(dtype, 0), arrays(dtype, 1), buffers), 0.05, *options)


def test_arrays_in_another_order_than_c(space):
    def turned(a):
        return space.xp.asarray(a).transpose(1, 0)

    p, g = (arrays(np.float32, n, [(6, 5)])[0] for n in (0, 1))
    target = turned(p)
    with backends.trace_fallbacks() as fallen:
        space.sgd_step([target], [turned(g)], None, [False], 0.5, 0.0, 0.0, False, 0.0, False)
    assert not fallen
    np.testing.assert_allclose(target.get(), (p - 0.5 * g).T, rtol=1e-6)
    with backends.trace_fallbacks() as fallen:  # orders that differ: the reference
        gradient = space.xp.asarray(np.ascontiguousarray(g.T))
        space.sgd_step([target], [gradient], None, [False], 0.5, 0.0, 0.0, False, 0.0, False)
    assert fallen
    np.testing.assert_allclose(target.get(), (p - g).T, rtol=1e-6)


def test_addresses_off_a_pack_and_nan(space):
    p, g = arrays(np.float32, 0, [(70,)])[0], arrays(np.float32, 1, [(70,)])[0]
    g[7] = np.nan
    target, gradient = space.xp.asarray(p)[1:], space.xp.asarray(g)[1:]
    space.sgd_step([target], [gradient], None, [False], 0.5, 0.0, 0.0, False, 0.0, False)
    np.testing.assert_allclose(target.get(), (p - 0.5 * g)[1:], rtol=1e-6)


def test_nothing_is_copied_where_nothing_moved(space, monkeypatch):
    xp, written = space.xp, []
    write = optim._written
    monkeypatch.setattr(optim, "_written", lambda *args: written.append(args[2].shape) or write(*args))
    p, g, m, v = ([xp.asarray(a)] for a in arrays(np.float32, 0, [(9,)] * 4))
    steps = [np.zeros((), np.float32)]

    def step(lr, grad=g):
        written.clear()
        space.adam_step(p, grad, m, v, None, steps, lr, 0.9, 0.99, 1e-8, 0.0, False, False)
        return list(written)

    assert step(0.1) == [(2, 8), (5,), (1, 3)]
    assert step(0.1) == []
    assert step(0.2) == [(5,)]
    assert step(0.2, [xp.asarray(np.ones(9, np.float32))]) == [(2, 8)]
    steps[0][...] = 0
    assert step(0.2, g) == [(2, 8), (1, 3)]
    assert float(steps[0]) == 1


WITHOUT_A_KERNEL = {
    "RMSprop": {"momentum": 0.9, "centered": True, "eps": 1e-2},
    "Adagrad": {},
    "Adadelta": {},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {"betas": (0.5, 0.9)},
    "ASGD": {"t0": 1},
    "Rprop": {},
    "Adafactor": {},
}


@floats
@pytest.mark.parametrize("name", WITHOUT_A_KERNEL)
def test_optimizers_without_a_kernel(gpu, name, dtype):
    options = WITHOUT_A_KERNEL[name]
    found = []
    for device in ("cpu", gpu):
        params = [nn.Parameter(minidl.from_numpy(a.copy()).to(device)) for a in arrays(dtype, 0) if a.size]
        optimizer = getattr(minidl.optim, name)(params, **options)
        for step in range(3):
            for p, grad in zip(params, [a for a in arrays(dtype, 100 + step) if a.size], strict=True):
                p.grad = minidl.from_numpy(grad).to(device)
            optimizer.step()
        found.append([p.detach().cpu().double().numpy() for p in params])
    limit = TOLERANCE[np.dtype(dtype).name]
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=limit, atol=limit)


def test_muon(gpu):
    found = []
    for device in ("cpu", gpu):
        p = nn.Parameter(minidl.from_numpy(arrays(np.float32, 0, [(5, 8)])[0]).to(device))
        optimizer = minidl.optim.Muon([p], lr=0.1)
        p.grad = minidl.from_numpy(arrays(np.float32, 1, [(5, 8)])[0]).to(device)
        optimizer.step()
        found.append(p.detach().cpu().numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-2, atol=1e-3)
