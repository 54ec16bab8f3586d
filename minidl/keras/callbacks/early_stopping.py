"""``EarlyStopping`` and ``TerminateOnNaN``: they end training."""

import math

from minidl.keras.callbacks.callback import Callback
from minidl.keras.callbacks.monitor import Monitor, say


class EarlyStopping(Monitor):
    """Stops when ``monitor`` has not improved by more than ``min_delta`` for ``patience`` epochs.

    ``baseline``: a value that must be beaten; ``start_from_epoch``: epochs that are not counted;
    ``restore_best_weights``: the model ends with the weights of the best epoch. ``stopped_epoch`` and
    ``best_epoch`` count
    from 0. Source: Keras' ``EarlyStopping``.

    >>> from minidl import keras
    >>> keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True).patience
    3
    """

    def __init__(
        self, monitor="val_loss", min_delta=0, patience=0, verbose=0, mode="auto", baseline=None,
        restore_best_weights=False, start_from_epoch=0,
    ):  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = self.best_weights = None

    def on_train_begin(self, logs=None):
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = self.best_weights = None

    def on_epoch_end(self, epoch, logs=None):
        current = self.watched(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        better = self.is_better(current, self.best)
        if better:
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
        beats = better and (self.baseline is None or self.is_better(current, self.baseline))
        self.wait = 0 if beats else self.wait + 1
        if not better and self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose > 0:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class TerminateOnNaN(Callback):
    """Stops when the loss is no number, or infinite; ``raise_error=True`` raises ``RuntimeError`` at once, before any
    ``on_train_end``. Source: Keras' ``TerminateOnNaN``."""

    def __init__(self, raise_error=False):
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            if self.raise_error:
                raise RuntimeError(
                    f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. "
                    "Terminating training immediately."
                )
            say(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True
