"""Training repeats to the bit: in another process, with other threads, and from a checkpoint on."""

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl import amp, nn, optim
from minidl.utils import all_rng_states, restore_rng_states, set_seed
from minidl.utils.data import DataLoader, TensorDataset

# --- seeds --------------------------------------------------------------------------------------------------------


def draws():
    return random.random(), np.random.rand(), minidl.rand(1).item()


def test_a_seed_is_of_all_generators():
    set_seed(5)
    first = draws()
    draws()
    minidl.set_seed(np.int64(5))
    assert draws() == first
    minidl.set_seed(6)
    assert not set(draws()) & set(first)


def test_a_seed_may_ask_for_determinism():
    assert not minidl.are_deterministic_algorithms_enabled()
    set_seed(0, deterministic=True)
    assert minidl.are_deterministic_algorithms_enabled()
    set_seed(0)
    assert minidl.are_deterministic_algorithms_enabled()
    set_seed(0, deterministic=False)
    assert not minidl.are_deterministic_algorithms_enabled()
    minidl.backends.determinism.allow_any_order(False)  # what a program starts with


@pytest.mark.parametrize("seed", [-1, 1 << 32])
def test_seeds_that_not_all_take_are_refused_before_one_is_seeded(seed):
    set_seed(1)
    before = draws()
    set_seed(1)
    with pytest.raises(ValueError, match=r"between 0 and 2\*\*32 - 1"):
        set_seed(seed)
    for wrong in ("1", 1.5, None):
        with pytest.raises(TypeError, match="must be an integer"):
            set_seed(wrong)
    assert draws() == before


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_positions_of_generators_are_kept_in_files(ending, tmp_path, emulated):
    minidl.rand(2, device=emulated)
    np.random.randn()  # the legacy generator keeps the second of a pair
    states = all_rng_states()
    expected = draws(), np.random.randn(), minidl.rand(2, device=emulated).tolist()
    minidl.save(states, tmp_path / f"x.{ending}")
    set_seed(9)
    restore_rng_states(minidl.load(tmp_path / f"x.{ending}"))
    assert (draws(), np.random.randn(), minidl.rand(2, device=emulated).tolist()) == expected


WRONG = {"python": 1, "numpy": 2, "minidl": {}}


@pytest.mark.parametrize("wrong", [None, {}, WRONG, {**WRONG, "minidl": {"cpu": 3}}, {**WRONG, "minidl": 4}])
def test_what_are_no_positions_is_refused(wrong):
    with pytest.raises(ValueError, match="all_rng_states"):
        restore_rng_states(wrong)


# --- in another process -------------------------------------------------------------------------------------------

TRAIN = """
import sys
sys.path[:0] = [sys.argv[1]]
import test_reproducing as own
for threads in (1, 2):
    print(own.digest_of_training(threads))
"""


class Net(nn.Module):
    """Of the kinds of layers whose sums are cut between threads."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8)
        self.table = nn.Embedding(20, 16)
        self.attention = nn.MultiheadAttention(16, 2, dropout=0.1, batch_first=True)
        self.lstm, self.out = nn.LSTM(16, 12, batch_first=True), nn.Linear(8 * 25 + 12, 5)

    def forward(self, image, words):
        x = nn.functional.max_pool2d(self.norm(self.conv(image)).relu(), 2).flatten(1)
        y = self.table(words)
        y = self.lstm(self.attention(y, y, y, need_weights=False)[0])[0][:, -1]
        return self.out(nn.functional.dropout(minidl.cat([x, y], 1), 0.2, self.training))


def digest_of_training(threads):
    set_seed(3, deterministic=True)
    before = minidl.get_num_threads()
    minidl.set_num_threads(threads)
    data = TensorDataset(
        minidl.randn(96, 1, 12, 12), minidl.randint(0, 20, (96, 7)), minidl.randint(0, 5, (96,))
    )
    model = Net()
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(2):
        for image, words, target in DataLoader(data, 32, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(image, words), target).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    minidl.set_num_threads(before)
    return digest(model.state_dict().values())


def digest(tensors):
    found = hashlib.sha256()
    for tensor in tensors:
        array = np.asarray(tensor.detach())
        assert array.dtype.kind != "f" or np.isfinite(array).all()
        found.update(array.tobytes())
    return found.hexdigest()


def test_three_processes_train_to_the_same_bits_with_one_and_two_threads():
    here = str(Path(__file__).parent)
    commands = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN, here],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": str(number)},
        )
        for number in range(3)
    ]
    lines = [line for command in commands for line in command.communicate(timeout=200)[0].split()]
    assert len(lines) == 6
    assert len(set(lines)) == 1
    assert digest_of_training(1) == lines[0]
    minidl.settings._state["deterministic"] = False


# --- from a checkpoint on -----------------------------------------------------------------------------------------


class Training:
    """All that has a state: a model with dropout, an optimizer, two schedulers, a scaler, a loader, an average."""

    def __init__(self, workers):
        self.model = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 1)
        )
        self.optimizer = optim.Adam(self.model.parameters(), lr=0.01, amsgrad=True)
        warm = optim.lr_scheduler.LinearLR(self.optimizer, total_iters=3)
        later = optim.lr_scheduler.CosineAnnealingLR(self.optimizer, 10)
        self.scheduler = optim.lr_scheduler.SequentialLR(self.optimizer, [warm, later], [3])
        self.plateau = optim.lr_scheduler.ReduceLROnPlateau(self.optimizer, patience=1)
        self.scaler = amp.GradScaler("cpu", init_scale=8.0, growth_interval=3)
        self.average = optim.swa_utils.AveragedModel(self.model)
        x = minidl.arange(96.0).reshape(24, 4).sin()
        self.order = minidl.Generator().manual_seed(11)
        self.loader = DataLoader(
            TensorDataset(x, x.sum(1, keepdim=True)),
            5,
            shuffle=True,
            num_workers=workers,
            generator=self.order,
        )

    def epochs(self, count):
        for _ in range(count):
            for x, y in self.loader:
                self.optimizer.zero_grad()
                x = x + random.random() * 0.1 + np.random.randn() * 0.1
                with minidl.autocast("cpu", minidl.bfloat16):
                    loss = nn.functional.mse_loss(self.model(x).float(), y)
                self.scaler.scale(loss).backward()
                self.scaler.step(self.optimizer)
                self.scaler.update()
                self.average.update_parameters(self.model)
            self.scheduler.step()
            self.plateau.step(loss.item())
        return self

    def _stateful(self):
        names = ("model", "optimizer", "scheduler", "plateau", "scaler", "average")
        return {name: getattr(self, name) for name in names}

    def save(self, path):
        state = {name: item.state_dict() for name, item in self._stateful().items()}
        minidl.save({**state, "order": self.order.get_state(), "rng": all_rng_states()}, path)

    def load(self, path):
        state = minidl.load(path)
        for name, item in self._stateful().items():
            item.load_state_dict(state[name])
        self.order.set_state(state["order"])
        restore_rng_states(state["rng"])
        return self

    def digest(self):
        moments = [value for row in self.optimizer.state_dict()["state"].values() for value in row.values()]
        tensors = [*self.model.state_dict().values(), *self.average.state_dict().values(), *moments]
        rates = [group["lr"] for group in self.optimizer.param_groups]
        return digest([minidl.as_tensor(t) for t in tensors]), rates, self.scaler.state_dict(), draws()


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(ending, workers, tmp_path):
    path = tmp_path / f"x.{ending}"
    set_seed(1)
    stopped = Training(workers).epochs(3)
    stopped.save(path)
    whole = stopped.epochs(3).digest()
    set_seed(2)  # another process, where much else happened
    again = Training(workers).load(path).epochs(3)
    assert again.digest() == whole


def test_what_is_left_out_of_a_checkpoint_is_noticed(tmp_path):
    """The comparison itself: each piece of state counts."""
    set_seed(1)
    stopped = Training(0).epochs(3)
    stopped.save(tmp_path / "x.pt")
    whole = stopped.epochs(2).digest()
    state = minidl.load(tmp_path / "x.pt")
    fresh = Training(0)
    for name in ("model", "optimizer", "scheduler", "scaler", "average", "order", "rng"):
        other = fresh._stateful()[name].state_dict() if hasattr(fresh, name) and name != "order" else None
        if name == "order":
            other = fresh.order.get_state()
        if name == "rng":
            other = all_rng_states()
        minidl.save({**state, name: other}, tmp_path / "less.pt")
        assert Training(0).load(tmp_path / "less.pt").epochs(2).digest() != whole, name
