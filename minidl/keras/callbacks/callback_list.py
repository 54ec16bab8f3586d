"""``CallbackList``: calls the callbacks in turn, only those that have something to do, and says which one failed."""

from minidl.keras.callbacks.callback import Callback
from minidl.keras.callbacks.history import History
from minidl.keras.callbacks.progbar_logger import ProgbarLogger

_BATCH = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
    "on_test_batch_begin": None,
    "on_test_batch_end": None,
    "on_predict_batch_begin": None,
    "on_predict_batch_end": None,
}


def does(callback, name):
    """Whether the callback's class overrides the method."""
    return getattr(type(callback), name, None) is not getattr(Callback, name) or name in callback.__dict__


class CallbackList:
    """The callbacks of one run, with the history and the progress display where they are wanted."""

    def __init__(self, callbacks=None, add_history=False, add_progbar=False, model=None, **params):
        given = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
        for callback in given:
            if isinstance(callback, type) or not hasattr(callback, "set_model"):
                hint = " Hint: make an instance of it, with ()." if isinstance(callback, type) else ""
                raise TypeError(
                    f"callbacks must be keras.callbacks.Callback objects, but got {callback!r}.{hint}"
                )
        self.callbacks = given
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in given):
            self.callbacks.append(ProgbarLogger())
        self.history = next((c for c in given if isinstance(c, History)), None)
        if add_history and self.history is None:
            self.history = History()
            self.callbacks.append(self.history)
        self.model = model
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)
            if model is not None:
                callback.set_model(model)
        self.of_batches = {name: self._those(name, other) for name, other in _BATCH.items()}

    def _those(self, name, other):
        found = [c for c in self.callbacks if does(c, name) or (other is not None and does(c, other))]
        return [c for c in found if not isinstance(c, ProgbarLogger) or c.live]

    def wants_logs(self, name):
        """Whether a callback of the user's own looks at the logs after a batch."""
        return any(not isinstance(c, ProgbarLogger) for c in self.of_batches[name])

    def call(self, name, *args):
        """Calls ``name`` of every callback, or of those that override it."""
        for callback in self.of_batches.get(name, self.callbacks):
            try:
                getattr(callback, name)(*args)
            except Exception as error:
                error.add_note(f"In {name} of the callback {type(callback).__name__}.")
                raise

    def __iter__(self):
        return iter(self.callbacks)

    def append(self, callback):
        """Adds a callback."""
        callback.set_params(self.params)
        callback.set_model(self.model)
        self.callbacks.append(callback)
        self.of_batches = {name: self._those(name, other) for name, other in _BATCH.items()}


def _moment(name):
    numbered = "epoch" in name or "batch" in name
    lazy = name in (
        "on_train_batch_end",
        "on_test_batch_end",
    )  # None there: the display asks for the values itself

    def plain(self, logs=None):
        self.call(name, {} if logs is None else logs)

    def counted(self, number, logs=None):
        self.call(name, number, {} if logs is None and not lazy else logs)

    method = counted if numbered else plain
    method.__name__ = name
    method.__doc__ = f"Calls ``{name}`` of the callbacks."
    return method


for _name in [name for name in dir(Callback) if name.startswith("on_")]:
    setattr(CallbackList, _name, _moment(_name))
