"""``SwapEMAWeights``: validates, and saves, with the moving averages of the weights."""

from minidl.keras.callbacks.callback import Callback


class SwapEMAWeights(Callback):
    """Puts the optimizer's moving averages (``use_ema=True``) in the weights' place while the model is evaluated.

    ``swap_on_epoch=True`` does it at the end of each epoch, for the callbacks after it, such as ``ModelCheckpoint``.
    Source: Keras' ``SwapEMAWeights``.
    """

    def __init__(self, swap_on_epoch=False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _optimizer(self):
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                f"SwapEMAWeights must be used with `use_ema=True` set on the optimizer. Received: use_ema="
                f"{getattr(optimizer, 'use_ema', None)}"
            )
        return optimizer

    def _swap(self):
        self._optimizer().swap_averages()
        self._swapped = not self._swapped

    def on_epoch_begin(self, epoch, logs=None):
        if self.swap_on_epoch and self._swapped:
            self._swap()

    def on_epoch_end(self, epoch, logs=None):
        if self.swap_on_epoch and not self._swapped:
            self._swap()

    def on_test_begin(self, logs=None):
        if not self._swapped:
            self._swap()

    def on_test_end(self, logs=None):
        if self._swapped:
            self._swap()

    def on_train_end(self, logs=None):
        self._swapped = False  # the weights are the averages now

    def on_predict_begin(self, logs=None):
        if not self._swapped:
            self._swap()

    def on_predict_end(self, logs=None):
        if self._swapped and not self.swap_on_epoch:
            self._swap()
