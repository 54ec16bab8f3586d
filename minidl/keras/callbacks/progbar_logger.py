"""``ProgbarLogger``: the progress of ``fit``, ``evaluate`` and ``predict`` as text."""

from minidl.keras.callbacks.callback import Callback


class ProgbarLogger(Callback):
    """Prints epochs and their results."""

    def on_epoch_begin(self, epoch, logs=None):
        print(f"Epoch {epoch + 1}/{self.params['epochs']}")

    def on_epoch_end(self, epoch, logs=None):
        print(logs)
