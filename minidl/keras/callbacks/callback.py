"""``Callback``: the base class, with a method for every moment at which ``fit`` calls."""


class Callback:
    """Does nothing at any moment; a subclass overrides the ones it wants.

    ``self.model`` is the model and ``self.params`` a dict with ``verbose``, ``epochs`` and ``steps``. ``logs`` hold the
    losses and metrics, as floats: those of ``on_epoch_end`` may be changed and are what the next callbacks
    and the history see. Source: Keras' ``Callback``.

    >>> from minidl import keras
    >>> class Tell(keras.callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print("epoch", epoch, sorted(logs))
    """

    def __init__(self):
        self.params = None
        self._model = None

    @property
    def model(self):
        """The model that runs."""
        return self.__dict__.get("_model")

    def set_params(self, params):
        """Gets ``verbose``, ``epochs``, ``steps``."""
        self.params = params

    def set_model(self, model):
        """Gets the model."""
        self._model = model

    def on_epoch_begin(self, epoch, logs=None):
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, epoch, logs=None):
        """After an epoch and its validation."""

    def on_batch_begin(self, batch, logs=None):
        """The same as ``on_train_batch_begin``, unless that is overridden."""

    def on_batch_end(self, batch, logs=None):
        """The same as ``on_train_batch_end``, unless that is overridden."""

    def on_train_batch_begin(self, batch, logs=None):
        """Before a batch of training."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch, logs=None):
        """After a batch of training; ``logs`` are the means over the epoch so far."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch, logs=None):
        """Before a batch of ``evaluate``, and of validation."""

    def on_test_batch_end(self, batch, logs=None):
        """After a batch of ``evaluate``, and of validation."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Before a batch of ``predict``."""

    def on_predict_batch_end(self, batch, logs=None):
        """After a batch of ``predict``; ``logs["outputs"]`` are its outputs."""

    def on_train_begin(self, logs=None):
        """Before ``fit``'s first epoch."""

    def on_train_end(self, logs=None):
        """After ``fit``'s last epoch; ``logs`` are those of the last epoch."""

    def on_test_begin(self, logs=None):
        """Before ``evaluate``, and before each validation."""

    def on_test_end(self, logs=None):
        """After ``evaluate``, and after each validation."""

    def on_predict_begin(self, logs=None):
        """Before ``predict``."""

    def on_predict_end(self, logs=None):
        """After ``predict``."""
