"""What goes wrong in the middle: memory, exceptions, Ctrl-C, threads and forks. An error, and the program goes on."""

import os
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

import minidl
from minidl import nn, optim
from minidl.utils.data import DataLoader

# --- memory -------------------------------------------------------------------------------------------------------

SHORT_OF_MEMORY = """
import os, resource
import numpy as np
import minidl
from minidl import nn
F = nn.functional
x = minidl.ones(1 << 21, requires_grad=True)   # 8 MiB
image = minidl.ones(1, 8, 512, 512)            # 8 MiB
kernel, ids, table = minidl.ones(8, 8, 3, 3), minidl.zeros(1 << 17, dtype=minidl.int64), minidl.ones(2, 16)
rows, wide = minidl.ones(1 << 11, 1 << 10), minidl.ones(64, 1 << 15)
lstm, steps = nn.LSTM(64, 64), minidl.ones(64, 256, 64)
CALLS = {
    "add": lambda: x + x, "exp": lambda: x.exp(), "matmul": lambda: wide.t()[:2048] @ wide, "relu": lambda: x.relu(),
    "conv": lambda: F.conv2d(image, kernel), "pool": lambda: F.max_pool2d(image, 2, 1),
    "softmax": lambda: rows.softmax(1), "norm": lambda: F.layer_norm(rows, (1 << 10,)),
    "batch_norm": lambda: F.batch_norm(image, None, None, training=True), "embedding": lambda: F.embedding(ids, table),
    "dropout": lambda: F.dropout(x, 0.5), "cumsum": lambda: x.cumsum(0), "where": lambda: minidl.where(x > 0, x, x),
    "lstm": lambda: lstm(steps), "random": lambda: minidl.rand(1 << 21), "cat": lambda: minidl.cat([x, x]),
    "backward": lambda: (x * x).sum().backward(), "numpy": lambda: np.ones(1 << 21),
}
before = {name: call() for name, call in CALLS.items() if name in ("exp", "conv", "matmul")}
x.grad = None
release = getattr(minidl.backends.native._native, "release_blocks", lambda: None)
release()
used = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 20), resource.RLIM_INFINITY))
for name, call in CALLS.items():
    for _ in range(3):
        release()
        try:
            call()
        except MemoryError:
            continue
        raise AssertionError(name + " got its memory")
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
for name, value in before.items():
    assert (CALLS[name]() == value).all(), name
for call in CALLS.values():
    call()
assert x.grad.eq(2).all()   # of the one backward that ended
print("went on")
"""


def test_an_allocation_that_fails_is_a_memory_error_and_the_program_goes_on():
    run = python(SHORT_OF_MEMORY)
    assert run.stdout == "went on\n", run.stderr


def python(program, **environment):
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, **environment},
    )


# --- exceptions ---------------------------------------------------------------------------------------------------


class Planned(Exception):
    pass


def fail(*args):
    raise Planned


def net():
    minidl.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


def gradients(model, x):
    model.zero_grad()
    model(x).sum().backward()
    return [p.grad.tolist() for p in model.parameters()]


@pytest.mark.parametrize(
    "register",
    [
        lambda model, x: model[1].register_forward_pre_hook(fail),
        lambda model, x: model[1].register_forward_hook(fail),
        lambda model, x: model[1].register_full_backward_pre_hook(fail),
        lambda model, x: model[1].register_full_backward_hook(fail),
        lambda model, x: model[0].weight.register_hook(fail),
        lambda model, x: model[0].weight.register_post_accumulate_grad_hook(fail),
    ],
    ids=["forward-pre", "forward", "backward-pre", "backward", "tensor", "accumulated"],
)
def test_an_exception_of_a_hook_comes_out_and_leaves_the_model_as_it_was(register):
    model, x = net(), minidl.ones(2, 3)
    expected = gradients(model, x)
    handle = register(model, x)
    for _ in range(2):
        with pytest.raises(Planned):
            gradients(model, x)
    assert minidl.is_grad_enabled()
    handle.remove()
    assert gradients(model, x) == expected


def test_an_exception_of_a_step_hook_leaves_the_optimizer_usable():
    model = net()
    optimizer = optim.Adam(model.parameters())
    gradients(model, minidl.ones(2, 3))
    handle = optimizer.register_step_pre_hook(fail)
    before = [p.tolist() for p in model.parameters()]
    with pytest.raises(Planned):
        optimizer.step()
    assert [p.tolist() for p in model.parameters()] == before
    handle.remove()
    optimizer.step()
    assert [p.tolist() for p in model.parameters()] != before


class Fails(minidl.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        raise Planned


def test_an_exception_within_backward_leaves_no_thread_of_it_behind():
    x = minidl.ones(2, requires_grad=True)
    shared = x.exp()
    with pytest.raises(Planned):
        (Fails.apply(shared) + shared).sum().backward()
    x.grad = None
    y = x.exp()
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), y.detach().numpy())


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("worker_type", ["process", "thread"])
def test_an_exception_of_a_collate_function_is_raised_and_no_hang(workers, worker_type):
    def collate(samples):
        if 3 in samples:
            raise Planned("three")
        return samples

    loader = DataLoader(range(8), 2, num_workers=workers, collate_fn=collate, worker_type=worker_type)
    began, found = time.monotonic(), []
    with pytest.raises(Planned, match="three"):
        found.extend(iter(loader))
    assert time.monotonic() - began < 20
    again = DataLoader(range(2), 2, num_workers=workers, worker_type=worker_type)
    assert [batch.tolist() for batch in again] == [[0, 1]]


# --- one backward within another, or beside it ----------------------------------------------------------------------


class Inner(minidl.autograd.Function):
    """x^3, whose backward runs a backward of its own."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        with minidl.enable_grad():
            leaf = x.detach().requires_grad_()
            (leaf**3).sum().backward()
        return g * leaf.grad


def test_a_backward_within_a_backward():
    x = minidl.tensor([1.0, 2.0], requires_grad=True)
    y = Inner.apply(x * 2)
    for _ in range(3):  # three deep
        y = Inner.apply(y) * 1e-3
    y.sum().backward()
    plain = minidl.tensor([1.0, 2.0], requires_grad=True)
    z = (plain * 2) ** 3
    for _ in range(3):
        z = z**3 * 1e-3
    z.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), plain.grad.numpy(), rtol=1e-5)


def test_a_hook_may_run_a_backward_of_the_same_leaf():
    x = minidl.ones(2, requires_grad=True)
    y = x * 3
    with pytest.raises(
        RuntimeError, match="does not require grad"
    ):  # hooks run without a tape, as PyTorch's do
        handle = y.register_hook(lambda g: (x * 5).sum().backward())
        y.sum().backward(retain_graph=True)
    handle.remove()

    @minidl.enable_grad()
    def within(g):
        (x * 5).sum().backward()

    y.register_hook(within)
    y.sum().backward()
    assert x.grad.tolist() == [8.0, 8.0]


def test_threads_may_add_to_the_gradient_of_one_leaf():
    x = minidl.ones(1000, requires_grad=True)
    in_threads(lambda i: [(x * float(i)).sum().backward() for _ in range(50)], 4)
    assert x.grad.eq(50.0 * (0 + 1 + 2 + 3)).all()


def in_threads(work, count):
    """Results of ``work(i)``, one thread each, begun together."""
    found, errors, gate = {}, [], threading.Barrier(count)

    def run(i):
        gate.wait(20)
        try:
            found[i] = work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not errors, errors
    assert len(found) == count, "a thread hangs"
    return [found[i] for i in range(count)]


def trained(seed):
    """The weights of a model after a few steps, from generators of its own."""
    generator = minidl.Generator().manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.LayerNorm(4 * 36), nn.Linear(4 * 36, 3)
    )
    with minidl.no_grad():
        for parameter in model.parameters():
            parameter.copy_(minidl.randn(*parameter.shape, generator=generator) * 0.1)
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    for step in range(6):
        x = minidl.randn(8, 1, 8, 8, generator=generator)
        if step == 3:
            with minidl.no_grad():
                model(x)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), minidl.arange(8) % 3).backward()
        optimizer.step()
    return [p.detach().numpy().tobytes() for p in model.parameters()]


def test_eight_threads_train_to_the_numbers_of_one():
    alone = [trained(seed) for seed in range(8)]
    assert in_threads(trained, 8) == alone


def test_a_forked_child_trains_to_the_same_numbers():
    expected = trained(0)  # the pool of threads runs
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12: a fork beside threads
        child = os.fork()
    if child == 0:
        signal.alarm(60)
        os._exit(0 if os.write(theirs, b"y" if trained(0) == expected else b"n") else 1)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        assert pipe.read() == b"y"
    os.waitpid(child, 0)
    assert trained(0) == expected


# --- Ctrl-C -------------------------------------------------------------------------------------------------------

INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np
from minidl import keras
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may have it ignored
keras.utils.set_random_seed(0)
X = np.random.default_rng(0).normal(size=(64, 8)).astype("f4")
Y = X[:, :1]
def made():
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, "relu"), keras.layers.Dropout(0.2),
                              keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model
model = made()
start = model.get_weights()
path = sys.argv[1]
draw = np.random.default_rng(int(sys.argv[2]))
stopped = 0
def interrupt(delay, done):
    while not done.wait(delay):
        os.kill(os.getpid(), signal.SIGINT)
        delay = 5  # again, where Python dropped the exception because a destructor ran
for turn in range(int(sys.argv[3])):
    done = threading.Event()
    try:
        threading.Thread(target=interrupt, args=(draw.uniform(0.0, 0.2), done), daemon=True).start()
        while True:
            model.fit(X, Y, batch_size=4, epochs=1000, verbose=0, validation_data=(X, Y),
                      callbacks=[keras.callbacks.ModelCheckpoint(path), keras.callbacks.CSVLogger(path + ".csv")])
    except KeyboardInterrupt:
        done.set()
        stopped += 1
    assert all(np.isfinite(w).all() for w in model.get_weights())
    iterations = int(model.optimizer.iterations)
    model.fit(X, Y, batch_size=32, verbose=0)
    assert int(model.optimizer.iterations) == iterations + 2
    assert np.isfinite(model.evaluate(X, Y, verbose=0)).all()
    again = keras.models.load_model(path) if os.path.exists(path) else made()
    again.fit(X, Y, verbose=0)
    for line in open(path + ".csv").read().splitlines():
        assert line.count(",") == 4, line
print("stopped", stopped)
"""


@pytest.mark.parametrize("turns", [4, pytest.param(60, marks=pytest.mark.slow)])
def test_an_interrupted_fit_leaves_a_model_that_goes_on(turns, tmp_path):
    pytest.importorskip("h5py")
    command = [sys.executable, "-W", "ignore", "-c", INTERRUPTED, str(tmp_path / "m.keras"), "0", str(turns)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert run.stdout == f"stopped {turns}\n", run.stderr


def test_a_callback_that_fails_leaves_a_model_that_goes_on():
    from minidl import keras

    x, y = np.ones((8, 2), "f4"), np.ones((8, 1), "f4")
    names = (
        "on_train_begin",
        "on_epoch_begin",
        "on_train_batch_begin",
        "on_train_batch_end",
        "on_test_begin",
    )
    for name in (*names, "on_epoch_end", "on_train_end"):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        callback = keras.callbacks.LambdaCallback(**{name: fail})
        with pytest.raises(Planned):
            model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=[callback])
        history = model.fit(x, y, epochs=2, verbose=0)
        assert len(history.history["loss"]) == 2
        assert minidl.is_grad_enabled()
        assert not model._in_epoch
