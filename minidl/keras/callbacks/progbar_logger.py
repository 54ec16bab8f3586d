"""``ProgbarLogger``: the progress of ``fit``, ``evaluate`` and ``predict`` as text."""

import sys

from minidl.keras.callbacks.callback import Callback
from minidl.keras.engine.progress import Progress, is_live, is_silent


class ProgbarLogger(Callback):
    """Shows the steps, the time and the values: a live bar on a terminal or in a notebook, else a line an epoch.

    ``fit`` adds one itself unless ``verbose=0``. The environment's ``NO_COLOR`` and ``MINIDL_PROGRESS``
    (``0``, ``plain``, ``rich``) are honoured. Source: Keras' ``ProgbarLogger``.
    """

    def __init__(self):
        super().__init__()
        self.display = None
        self.fitting = False

    @property
    def live(self):
        """Whether batches are shown as they go."""
        return (self.params or {}).get("verbose") == 1 and is_live() and not is_silent()

    def _start(self):
        self.display = Progress(self.params.get("steps"), self.params.get("verbose", 1))

    def on_train_begin(self, logs=None):
        self.fitting = True

    def on_train_end(self, logs=None):
        self.fitting = False

    def on_epoch_begin(self, epoch, logs=None):
        self._start()
        self.done = 0
        epochs = self.params.get("epochs", 1)
        if epochs > 1 and self.params.get("verbose") and not is_silent():
            sys.stdout.write(f"Epoch {epoch + 1}/{epochs}\n")

    def on_train_batch_end(self, batch, logs=None):
        self.done = batch + 1
        self.display.update(self.done, lambda: self.model._logs(logs))

    def on_epoch_end(self, epoch, logs=None):
        self.display.finish(self.model._steps_done, logs or {})

    def on_test_begin(self, logs=None):
        if not self.fitting:
            self._start()

    def on_test_batch_end(self, batch, logs=None):
        if not self.fitting:
            self.display.update(batch + 1, lambda: self.model._logs(logs))

    def on_test_end(self, logs=None):
        if not self.fitting:
            self.display.finish(self.model._steps_done, logs or {})

    def on_predict_begin(self, logs=None):
        if not self.fitting:
            self._start()

    def on_predict_batch_end(self, batch, logs=None):
        if not self.fitting:
            self.display.update(batch + 1, dict)

    def on_predict_end(self, logs=None):
        if not self.fitting:
            self.display.finish(self.model._steps_done, {})
