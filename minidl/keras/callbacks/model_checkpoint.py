"""``ModelCheckpoint``: saves the model, or its weights, as it trains."""

import os

from minidl.keras.callbacks.callback import Callback
from minidl.keras.callbacks.monitor import Monitor, say
from minidl.keras.dropped import warn

_WHOLE = (".keras", ".h5", ".hdf5")
_WEIGHTS = (".weights.h5", ".h5", ".hdf5", ".npz", ".safetensors")


class ModelCheckpoint(Monitor):
    """Saves to ``filepath``, which may hold ``{epoch:02d}`` (from 1) and the logs' names, ``{val_loss:.2f}``.

    ``save_best_only`` saves when ``monitor`` improves; ``save_weights_only`` writes ``.weights.h5``,
    ``.h5``, ``.npz`` or
    ``.safetensors`` instead of a whole model, ``.keras`` or ``.h5``; ``save_freq`` is ``'epoch'`` or a number of
    batches. Where the logs have no ``monitor``, a warning says so and every epoch is saved. Source: Keras'
    ``ModelCheckpoint``.

    >>> from minidl import keras
    >>> keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True).monitor
    'val_loss'
    """

    def __init__(
        self, filepath, monitor="val_loss", verbose=0, save_best_only=False, save_weights_only=False, mode="auto",
        save_freq="epoch", initial_value_threshold=None, **dropped,
    ):  # fmt: skip
        super().__init__(monitor, mode)
        self.period = dropped.pop("period", 1)
        if dropped:
            raise TypeError(f"ModelCheckpoint got an unexpected keyword argument '{next(iter(dropped))}'")
        if self.period != 1:
            warn(
                f"ModelCheckpoint(period={self.period}) is a name that Keras dropped: use save_freq=, in batches"
            )
        self.filepath = os.fspath(filepath)
        self.verbose, self.save_best_only, self.save_weights_only = verbose, save_best_only, save_weights_only
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int)):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq}. Expected save_freq are 'epoch' or integer values"
            )
        self.save_freq, self.best = save_freq, initial_value_threshold
        endings = _WEIGHTS if save_weights_only else (*_WHOLE, *_WEIGHTS)
        if not self.filepath.endswith(endings):
            what = "weights" if save_weights_only else "a model"
            raise ValueError(
                f"The filepath provided must end in {', '.join(dict.fromkeys(endings))} (to save {what}). Received: "
                f"filepath={self.filepath}"
            )
        weights_file = self.filepath.endswith((".weights.h5", ".npz", ".safetensors"))
        self.save_weights_only = save_weights_only or weights_file
        self._batches = self._epoch = self._epochs = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._epochs += 1
        if self.save_freq == "epoch" and self._epochs % self.period == 0:
            self._save(epoch, None, logs)

    def _save(self, epoch, batch, logs):
        logs = logs or {}
        path = self._path(epoch, batch, logs)
        current = self.watched(logs) if self.save_best_only else None
        if current is not None:
            before = "None" if self.best is None else f"{self.best:.5f}"
            if not self.is_better(current, self.best):
                self._say(epoch, f"{self.monitor} did not improve from {before}")
                return
            self._say(
                epoch, f"{self.monitor} improved from {before} to {current:.5f}, saving model to {path}"
            )
            self.best = current
        else:
            self._say(epoch, f"saving model to {path}")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        self._say(epoch, f"finished saving model to {path}")

    def _say(self, epoch, text):
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: {text}")

    def _path(self, epoch, batch, logs):
        try:
            extra = {} if batch is None else {"batch": batch + 1}
            return self.filepath.format(epoch=epoch + 1, **extra, **logs)
        except KeyError as error:
            raise KeyError(
                f"Failed to format this callback filepath: '{self.filepath}'. {error} is not among epoch, "
                f"{', '.join(sorted(logs))}."
            ) from None


class OrbaxCheckpoint(Callback):
    """Keras' callback for checkpoints in the format of JAX's Orbax: ``NotImplementedError`` that says what to use."""

    def __init__(self, directory, *args, **kwargs):
        raise NotImplementedError(
            "OrbaxCheckpoint writes the format of JAX's orbax-checkpoint, which minidl does not have. Hint: "
            f"ModelCheckpoint({os.path.join(str(directory), '{epoch:02d}.keras')!r}) keeps each epoch, "
            f"BackupAndRestore({directory!r}) goes on where a run was stopped."
        )
