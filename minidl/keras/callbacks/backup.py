"""``BackupAndRestore``: training that was interrupted goes on where it stopped."""

import io
import json
import os
import shutil

import numpy as np

from minidl.io import load, save
from minidl.io.atomic import replacing
from minidl.keras.callbacks.callback import Callback
from minidl.keras.engine.tensors import as_numpy
from minidl.random import Generator
from minidl.utils.seeding import all_rng_states, restore_rng_states


class BackupAndRestore(Callback):
    """Saves weights, optimizer, epoch and the positions of all generators of random numbers to ``backup_dir`` after
    each epoch, or every ``save_freq`` batches.

    ``fit`` of the same model with the same directory goes on from there: from the end of an epoch, to the same bits as
    if it had not been stopped. The backup is deleted when training ends, unless ``delete_checkpoint=False``;
    ``double_checkpoint`` keeps the one before as well. A backup replaces the last one in one step: it is whole whenever
    the program ends. Source: Keras' ``BackupAndRestore``.
    """

    def __init__(self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True):
        super().__init__()
        if not backup_dir:
            raise ValueError("Empty `backup_dir` argument passed")
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int)):
            raise ValueError(
                "Invalid value for argument `save_freq`. Received: "
                f"save_freq={save_freq}. Expected either 'epoch' or an integer value."
            )
        self.backup_dir, self.save_freq = os.fspath(backup_dir), save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self._path = os.path.join(self.backup_dir, "backup.npz")
        self._batches = self._epoch = 0
        self._pending = None

    def on_train_begin(self, logs=None):
        self._pending = None
        for path in (self._path, self._path + ".previous"):
            if os.path.exists(path):
                with np.load(path, allow_pickle=False) as file:
                    self._pending = {name: file[name] for name in file.files}
                break
        if self._pending is None:
            return
        about = json.loads(str(self._pending["about"]))
        self.model._initial_epoch = about["epoch"]
        if self.model.built and self.model.weights:
            self._restore()

    def on_train_batch_begin(self, batch, logs=None):
        if self._pending is not None:  # a model that is built by its first batch
            if not self.model.weights:
                raise RuntimeError(
                    "BackupAndRestore: the model has no weights yet, so the backup cannot be "
                    "restored. Hint: build it first: "
                    "model.build((None, features))."
                )
            self._restore()

    def _restore(self):
        kept, self._pending = self._pending, None
        about = json.loads(str(kept["about"]))
        self.model.set_weights([kept[f"weight_{i}"] for i in range(about["weights"])])
        optimizer = self.model.optimizer
        if about["optimizer"] and optimizer is not None:
            if not optimizer.built:
                optimizer.build(self.model.trainable_variables)
            for variable, i in zip(optimizer.variables, range(about["optimizer"])):
                variable.assign(kept[f"optimizer_{i}"])
        if "random" in kept:
            states = load(io.BytesIO(kept["random"].tobytes()))
            restore_rng_states(states["all"])
            for (_, layer), state in zip(self._drawing(), states["layers"], strict=True):
                if state is not None:
                    object.__setattr__(layer, "_generator", Generator().set_state(state))

    def _drawing(self):
        """The layers that may draw from a generator of their own, by name."""
        return [(n, layer) for n, layer in self.model.named_modules() if hasattr(layer, "_generator")]

    def _random(self):
        """The positions of all generators, as bytes."""
        own = [layer._generator and layer._generator.get_state() for _, layer in self._drawing()]
        file = io.BytesIO()
        save({"all": all_rng_states(), "layers": own}, file)
        return np.frombuffer(file.getvalue(), np.uint8)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches % self.save_freq == 0:
            self._save(self._epoch)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(epoch + 1)

    def _save(self, epoch):
        os.makedirs(self.backup_dir, exist_ok=True)
        weights = self.model.get_weights()
        state = [as_numpy(v) for v in getattr(self.model.optimizer, "variables", ())]
        arrays = {f"weight_{i}": value for i, value in enumerate(weights)}
        arrays.update({f"optimizer_{i}": value for i, value in enumerate(state)})
        about = json.dumps({"epoch": epoch, "weights": len(weights), "optimizer": len(state)})
        with replacing(self._path) as file:
            np.savez(file, about=np.array(about), random=self._random(), **arrays)
            file.flush()  # a disk that is full says so before the last backup is moved
            if self.double_checkpoint and os.path.exists(self._path):
                os.replace(self._path, self._path + ".previous")

    def on_train_end(self, logs=None):
        if self.delete_checkpoint and os.path.isdir(self.backup_dir):
            for name in os.listdir(self.backup_dir):  # what a killed program began to write, too
                if name in ("backup.npz", "backup.npz.previous") or (
                    name.startswith(".backup.npz.") and name.endswith(".tmp")
                ):
                    os.remove(os.path.join(self.backup_dir, name))
            if not os.listdir(self.backup_dir):
                shutil.rmtree(self.backup_dir)
