"""Callbacks that write, send or call: ``CSVLogger``, ``LambdaCallback``, ``RemoteMonitor``."""

import csv
import json
import os
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterable

from minidl.keras.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes a row of a CSV file an epoch: ``epoch`` (from 0) and the logs, ``NA`` for what the epoch does not have.

    The columns are the first epoch's logs and, where it did not validate, ``val_`` of each. ``append`` goes on in an
    existing file.

    Source: Keras' ``CSVLogger``.
    """

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self.writer = self.file = self.keys = None
        self.append_header = True

    def on_train_begin(self, logs=None):
        if self.append and os.path.exists(self.filename):
            with open(self.filename, encoding="utf-8") as file:
                self.append_header = not file.readline().strip()
        self.file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")  # noqa: SIM115
        self.writer = None

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self.writer is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in logs):
                self.keys += [f"val_{key}" for key in self.keys]  # they may come in a later epoch: else NA
            self.writer = csv.DictWriter(self.file, ["epoch", *self.keys], delimiter=self.sep)
            if self.append_header:
                self.writer.writeheader()
        row = {key: _cell(logs.get(key, "NA")) for key in self.keys}
        self.writer.writerow({"epoch": epoch, **row})
        self.file.flush()

    def on_train_end(self, logs=None):
        self.file.close()
        self.writer = None


def _cell(value):
    many = isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "ndim", 1) > 0
    return f'"[{", ".join(map(str, value))}]"' if many else value


class LambdaCallback(Callback):
    """Calls functions: ``on_epoch_begin(epoch, logs)``, ``on_epoch_end``, ``on_train_batch_begin(batch, logs)``,
    ``on_train_batch_end``, ``on_train_begin(logs)``, ``on_train_end``, and any other method of a callback by its name.

    >>> from minidl import keras
    >>> tell = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(
        self, on_epoch_begin=None, on_epoch_end=None, on_train_begin=None, on_train_end=None,
        on_train_batch_begin=None, on_train_batch_end=None, **kwargs,
    ):  # fmt: skip
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin,
            "on_train_end": on_train_end, "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end, **kwargs,
        }  # fmt: skip
        for name, function in given.items():
            if not hasattr(Callback, name) and name.startswith("on_"):
                raise TypeError(f"LambdaCallback: a callback has no method {name!r}")
            if function is not None:
                self.__dict__[name] = function


class RemoteMonitor(Callback):
    """Posts each epoch's logs as JSON to ``root + path``; a server that does not answer is a warning, not an error.

    ``send_as_json`` sends a JSON body, else a form with the field ``field``. Source: Keras' ``RemoteMonitor``.
    """

    def __init__(
        self,
        root="http://localhost:9000",
        path="/publish/epoch/end/",
        field="data",
        headers=None,
        send_as_json=False,
    ):
        super().__init__()
        self.root, self.path, self.field, self.headers = root, path, field, headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch, logs=None):
        send = {
            "epoch": epoch,
            **{k: v.tolist() if hasattr(v, "tolist") else v for k, v in (logs or {}).items()},
        }
        body, kind = json.dumps(send), "application/json"
        if not self.send_as_json:
            body, kind = urllib.parse.urlencode({self.field: body}), "application/x-www-form-urlencoded"
        request = urllib.request.Request(
            self.root + self.path, body.encode(), {"Content-Type": kind, **(self.headers or {})}
        )
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except (urllib.error.URLError, OSError):
            warnings.warn(f"Could not reach RemoteMonitor root server at {self.root}", stacklevel=2)
