"""Long training keeps its memory: no bytes, no Python objects, no open files and no threads are added with the steps.

An hour of training at thirty steps a second is 108,000 steps: ``pytest -m slow tests/test_soak.py``.
"""

import json
import subprocess
import sys

import pytest

NN = """
import minidl
from minidl import nn, optim
from minidl.utils.data import DataLoader, TensorDataset
model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(64, 3))
average = optim.swa_utils.AveragedModel(model)
optimizer = optim.AdamW(model.parameters())
scheduler = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 50)
scaler = minidl.amp.GradScaler("cpu")
data = TensorDataset(minidl.randn(40, 1, 6, 6), minidl.arange(40) % 3)
model[0].register_forward_hook(lambda *a: None)
def some():
    taken = 0
    for x, y in DataLoader(data, 4, shuffle=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
        average.update_parameters(model)
        taken += 1
    x = minidl.ones(2, requires_grad=True)
    (slope,) = minidl.autograd.grad((x**3).sum(), x, create_graph=True)
    slope.sum().backward()
    try:
        minidl.ones(2) @ minidl.ones(3)
    except RuntimeError:
        pass
    state = io.BytesIO()
    minidl.save(model.state_dict(), state)
    model.load_state_dict(minidl.load(io.BytesIO(state.getvalue())))
    return taken
"""

KERAS = """
from minidl import keras
layers = [keras.Input((5, 3)), keras.layers.LSTM(4), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
model = keras.Sequential(layers)
model.compile("adam", "mse", metrics=["mae"])
x, y = np.ones((40, 5, 3), "f4"), np.ones((40, 1), "f4")
def some():
    model.fit(x, y, batch_size=4, epochs=2, verbose=0, validation_split=0.2)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    model.set_weights(model.get_weights())
    return 16
"""

MEASURE = """
def size():
    gc.collect()
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return [resident, len(gc.get_objects()), len(os.listdir("/proc/self/fd")), threading.active_count()]
steps, warm, wanted = 0, int(sys.argv[1]), int(sys.argv[2])
while steps < warm:
    steps += some()
before = size()
while steps < warm + wanted:
    steps += some()
print(json.dumps({"steps": steps - warm, "before": before, "after": size()}))
"""

LEAK = "\nkept = []\nfirst = some\ndef some():\n    kept.append([np.ones(1 << 18)])\n    return first()\n"


def soak(program, warm, steps):
    head = "import gc, io, json, os, sys, threading\nimport numpy as np\n"
    command = [sys.executable, "-W", "ignore", "-c", head + program + MEASURE, str(warm), str(steps)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=3000)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    bytes_, objects, files, threads = (b - a for a, b in zip(found["before"], found["after"], strict=True))
    print(found)
    return bytes_, objects, files, threads


def is_flat(growth, bytes_allowed):
    bytes_, objects, files, threads = growth
    return bytes_ < bytes_allowed and objects < 50 and files <= 0 and threads <= 0


@pytest.mark.parametrize("program", [NN, KERAS], ids=["nn", "keras"])
def test_memory_is_flat(program):
    assert is_flat(growth := soak(program, 60, 150), 3 << 20), growth


def test_a_leak_is_noticed():
    assert not is_flat(soak(NN + LEAK, 20, 40), 3 << 20)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("program", [NN, KERAS], ids=["nn", "keras"])
def test_memory_is_flat_for_an_hour_of_steps(program):
    assert is_flat(growth := soak(program, 2000, 108_000), 6 << 20), growth
