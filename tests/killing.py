"""Kills programs while they save, and looks at what is there afterwards: the old file or the new one, whole.

A program of its own, so that what it forks has nothing of the test suite's:

    python tests/killing.py WRITER[,WRITER...] KILLS SEED      (or all; so many kills of each)

A child saves generation after generation over one path; each generation is arrays full of its number. It notes in
shared memory which generation is being written and which is done. Three ways to die: SIGKILL before or after the n-th
call of the operating system (``os.open``, ``fsync``, ``replace``, ...), the limit of a file's size (the process dies
within a write, after exactly so many bytes), SIGKILL of the parent's at a random moment. And two to fail: a full disk
and a folder that cannot be written to. Afterwards the path must hold
a generation that is whole, not older than the last that was done and not newer than the one being written.
"""

import json
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
from mmap import mmap
from pathlib import Path

import numpy as np

import minidl
from minidl import nn, optim

_LAST_STEP = 30  # of the steps of one save; a later number is of the next save
_STEPS = (
    "open",
    "fdopen",
    "fsync",
    "chmod",
    "replace",
    "rename",
    "unlink",
    "remove",
    "close",
    "makedirs",
    "stat",
)


def _value(generation):
    return {"w": minidl.full((50, 41), float(generation)), "b": minidl.full((7,), float(generation))}


class Saved:
    """``minidl.save`` of a dict, in a format."""

    def __init__(self, ending):
        self.name = f"value.{ending}"

    def write(self, path, generation):
        minidl.save(_value(generation), path)

    def read(self, path):
        return [np.asarray(value) for value in minidl.load(path).values()]


class Training(Saved):
    """A checkpoint of module, optimizer and scheduler."""

    def __init__(self):
        self.name = "training.pt"
        self._model = nn.Linear(6, 5)
        self._optimizer = optim.Adam(self._model.parameters(), lr=0.0)
        self._model(minidl.ones(1, 6)).sum().backward()
        self._optimizer.step()

    def write(self, path, generation):
        with minidl.no_grad():
            for parameter in self._model.parameters():
                parameter.fill_(float(generation))
            for state in self._optimizer.state.values():
                state["exp_avg"].fill_(float(generation))
        state = {"model": self._model.state_dict(), "optimizer": self._optimizer.state_dict()}
        minidl.save(state, path)

    def read(self, path):
        state = minidl.load(path)
        moments = [row["exp_avg"] for row in state["optimizer"]["state"].values()]
        return [np.asarray(value) for value in (*state["model"].values(), *moments)]


class KerasFile:
    """A whole model or its weights, by ``save``, ``save_weights`` or a callback."""

    def __init__(self, ending, through=None):
        from minidl import keras

        self._keras, self._through = keras, through
        self.name = f"model{ending}"
        layers = [keras.Input((6,)), keras.layers.Dense(20, name="a"), keras.layers.Dense(3, name="b")]
        self._model = keras.Sequential(layers)
        self._model.compile("sgd", "mse")
        self._shapes = [w.shape for w in self._model.get_weights()]

    def write(self, path, generation):
        self._model.set_weights([np.full(shape, generation, np.float32) for shape in self._shapes])
        if self._through is not None:
            callback = self._through(self._keras, path)
            callback.set_model(self._model)
            callback.on_epoch_end(generation, {})
        elif path.endswith((".weights.h5", ".npz", ".safetensors")):
            self._model.save_weights(path, overwrite=True)
        else:
            self._model.save(path)

    def read(self, path):
        if self.name.startswith("model.backup"):
            return self._restored(path)
        if self._weights_alone(path):
            self._model.load_weights(path)
            return self._model.get_weights()
        return self._keras.models.load_model(path, compile=False).get_weights()

    def _restored(self, path):
        callback = self._through(self._keras, path)
        callback.set_model(self._model)
        callback.on_train_begin()
        return self._model.get_weights()

    def _weights_alone(self, path):
        return path.endswith((".weights.h5", ".npz", ".safetensors"))


def _checkpoint(keras, path):
    return keras.callbacks.ModelCheckpoint(path)


def _backup(keras, path, double=False):
    return keras.callbacks.BackupAndRestore(path, double_checkpoint=double)


def _double_backup(keras, path):
    return _backup(keras, path, double=True)


WRITERS = {
    "safetensors": lambda: Saved("safetensors"),
    "pt": lambda: Saved("pt"),
    "npz": lambda: Saved("npz"),
    "training": Training,
    "h5": lambda: KerasFile(".h5"),
    "keras": lambda: KerasFile(".keras"),
    "weights.h5": lambda: KerasFile(".weights.h5"),
    "weights.npz": lambda: KerasFile(".npz"),
    "weights.safetensors": lambda: KerasFile(".safetensors"),
    "ModelCheckpoint": lambda: KerasFile(".keras", _checkpoint),
    "ModelCheckpoint.h5": lambda: KerasFile(".weights.h5", _checkpoint),
    "BackupAndRestore": lambda: KerasFile(".backup", _backup),
    "BackupAndRestore.double": lambda: KerasFile(".backup2", _double_backup),
}


# --- ways to die --------------------------------------------------------------------------------------------------


def die_at_step(number):
    """From now on the process kills itself before or after its n-th call of a function that touches files."""
    left = [number]

    def watched(function):
        def call(*args, **kwargs):
            _count(left)
            out = function(*args, **kwargs)
            _count(left)
            return out

        return call

    for name in _STEPS:
        setattr(os, name, watched(getattr(os, name)))


def _count(left):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)


def die_at_byte(number):
    """From now on a file that grows beyond ``number`` bytes ends the process within the write."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (number, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def kill(writer, path, shared, way, place):
    """Starts a child that saves without end, and kills it in a way: at the ``place``-th step, byte or microsecond."""
    begun = struct.unpack("<qq", shared[:16])[1]
    child = os.fork()
    if child == 0:
        try:
            _save_without_end(writer, path, shared, way, place, begun)
        finally:
            os._exit(1)
    if way == "moment":
        time.sleep(place / 1e6)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise AssertionError(f"{way}: the child was not killed, its status is {status}")


def fail(writer, path, way, place, generation):
    """Saves in a child where the disk is full after ``place`` bytes, or the folder cannot be written to: an ``OSError``
    that leaves nothing behind."""
    before = {entry.name for entry in Path(path).parent.rglob("*")}
    child = os.fork()
    if child == 0:
        try:
            if way == "full":
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(
                    resource.RLIMIT_FSIZE, (place, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
                )
            elif os.geteuid() == 0:  # whom no mode bit stops
                os.setuid(65534)
            writer.write(path, generation)
        except OSError:
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0, f"{way}: no OSError"
    left = {entry.name for entry in Path(path).parent.rglob("*")} - before
    assert not left, f"{way}: left behind {left}"


def _fail_each_way(writer, path, shared, draw, largest):
    folders = [Path(path).parent, *(entry for entry in Path(path).parent.rglob("*") if entry.is_dir())]
    most = largest * 7 // 8  # sizes differ a little between generations
    for place in (0, draw.randrange(most), most):
        fail(writer, path, "full", place, 1000)
        check(writer, path, shared)
    for folder in folders:
        folder.chmod(0o555)
    try:
        fail(writer, path, "readonly", 0, 1000)
        check(writer, path, shared)
    finally:
        for folder in folders:
            folder.chmod(0o755)


def _save_without_end(writer, path, shared, way, place, done):
    if way == "step":
        die_at_step(place)
    elif way == "byte":
        die_at_byte(place)
    for generation in range(done + 1, done + 10_000):
        shared[:8] = struct.pack("<q", generation)
        writer.write(path, generation)
        shared[8:16] = struct.pack("<q", generation)


def check(writer, path, shared):
    """The generation that the path holds. ``AssertionError`` where it holds none, or one that is too old or mixed."""
    writing, done = struct.unpack("<qq", shared[:16])
    arrays = writer.read(path)
    values = {float(value) for array in arrays for value in np.ravel(array)}
    assert len(values) == 1, f"the file mixes generations {values}"
    (found,) = values
    assert done <= found <= writing, (
        f"generation {found}, but {done} was done and {writing} was being written"
    )
    return int(found)


def main(kind, kills, seed, folder):
    """Kills a writer's program and prints what was found. Steps are taken one after the other, the rest is drawn."""
    writer, draw = WRITERS[kind](), random.Random(f"{kind} {seed}")
    path = os.path.join(folder, writer.name)
    shared = mmap(-1, 16)
    writer.write(path, 1)
    shared[:16] = struct.pack("<qq", 1, 1)
    files = [entry for entry in Path(folder).rglob("*") if entry.is_file()]
    largest = max(entry.stat().st_size for entry in files)
    ways = {"step": lambda: (first + number // 3) % _LAST_STEP, "byte": lambda: draw.randrange(largest)}
    ways["moment"] = lambda: draw.randrange(20_000)
    _fail_each_way(writer, path, shared, draw, largest)
    counts, kept, replaced, first = dict.fromkeys(ways, 0), 0, 0, draw.randrange(_LAST_STEP)
    for number in range(kills):
        way = list(ways)[number % 3]
        kill(writer, path, shared, way, ways[way]())
        found = check(writer, path, shared)
        counts[way] += 1
        writing, done = struct.unpack("<qq", shared[:16])
        replaced, kept = replaced + (found == writing != done), kept + (found == done != writing)
        shared[:16] = struct.pack("<qq", found, found)
    litter = _litter(folder, files)
    print(json.dumps({"writer": kind, **counts, "old": kept, "new": replaced, "litter": litter}), flush=True)


def _litter(folder, files):
    """Files that kills left behind: hidden ones of the writer's, that the next program's save may remove."""
    left = {entry for entry in Path(folder).rglob("*") if entry.is_file()} - set(files)
    strange = [
        str(entry) for entry in left if not (entry.name.startswith(".") and entry.name.endswith(".tmp"))
    ]
    strange = [name for name in strange if not name.endswith(".previous")]
    assert not strange, f"left behind: {strange}"
    return len(left)


if __name__ == "__main__":
    kinds, (count, start) = sys.argv[1].split(","), map(int, sys.argv[2:4])
    for kind in WRITERS if kinds == ["all"] else kinds:
        with tempfile.TemporaryDirectory() as where:
            main(kind, count, start, where)
