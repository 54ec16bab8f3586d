"""``History``: what every epoch ended with."""

from minidl.keras.callbacks.callback import Callback


class History(Callback):
    """The record that ``fit`` returns: ``history`` maps each name to its values, one an epoch; ``epoch`` the numbers."""

    def __init__(self):
        super().__init__()
        self.history = {}
        self.epoch = []

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name in sorted(logs or {}):
            self.history.setdefault(name, []).append(logs[name])
        self.model.history = self
