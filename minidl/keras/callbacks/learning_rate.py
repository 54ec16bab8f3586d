"""``LearningRateScheduler`` and ``ReduceLROnPlateau``: they change the optimizer's learning rate."""

import inspect

from minidl.keras.callbacks.callback import Callback
from minidl.keras.callbacks.monitor import Monitor, say
from minidl.keras.dropped import warn


def learning_rate_of(model):
    """The optimizer's learning rate, a float."""
    return float(model.optimizer.learning_rate)


class LearningRateScheduler(Callback):
    """Sets the learning rate to ``schedule(epoch, lr)``, or ``schedule(epoch)``, before each epoch.

    >>> from minidl import keras
    >>> halving = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr / 2)
    """

    def __init__(self, schedule, verbose=0):
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch, logs=None):
        if not hasattr(self.model.optimizer, "learning_rate"):
            raise ValueError('Optimizer must have a "learning_rate" attribute.')
        rate = learning_rate_of(self.model)
        rate = self.schedule(epoch, rate) if _takes_two(self.schedule) else self.schedule(epoch)
        if isinstance(rate, bool) or not hasattr(rate, "__float__"):
            raise ValueError(
                f"The output of the `schedule` function should be a float. Got: {rate} of type {type(rate).__name__}"
            )
        self.model.optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(rate)}.")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = learning_rate_of(self.model)


def _takes_two(schedule):
    try:
        inspect.signature(schedule).bind(0, 0.1)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by ``factor`` when ``monitor`` has not improved for ``patience`` epochs.

    After that it waits ``cooldown`` epochs; it never goes below ``min_lr``. Source: Keras' ``ReduceLROnPlateau``.

    >>> from minidl import keras
    >>> keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2).factor
    0.5
    """

    def __init__(
        self, monitor="val_loss", factor=0.1, patience=10, verbose=0, mode="auto", min_delta=1e-4, cooldown=0,
        min_lr=0.0, **dropped,
    ):  # fmt: skip
        if "epsilon" in dropped:
            warn("ReduceLROnPlateau(epsilon=...) is now min_delta=")
            min_delta = dropped.pop("epsilon")
        if dropped:
            raise TypeError(f"ReduceLROnPlateau got an unexpected keyword argument '{next(iter(dropped))}'")
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.cooldown_counter = self.wait = 0
        self.best = None

    def on_train_begin(self, logs=None):
        self.cooldown_counter = self.wait = 0
        self.best = None

    def on_epoch_end(self, epoch, logs=None):
        logs = logs if logs is not None else {}
        logs["learning_rate"] = learning_rate_of(self.model)
        current = self.watched(logs)
        if current is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_better(current, self.best):
            self.best, self.wait = current, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch):
        old = learning_rate_of(self.model)
        if old <= self.min_lr:
            return
        new = max(old * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
        self.cooldown_counter, self.wait = self.cooldown, 0
