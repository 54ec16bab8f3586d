"""The event files that TensorBoard shows: their records, tags and steps."""

import struct

import numpy as np
import pytest

from minidl import keras
from minidl.keras import callbacks, layers
from minidl.keras.callbacks.event_file import crc32c, masked

X = np.random.default_rng(0).normal(size=(20, 3))
Y = X[:, 0]


def model_of():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(learning_rate=0.1), "mse")
    return model


def events(folder):
    """(tag, value, step) of a folder's event file; every checksum is verified."""
    (path,) = folder.iterdir()
    data, place, found = path.read_bytes(), 0, []
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        assert struct.unpack_from("<I", data, place + 8)[0] == masked(crc32c(data[place : place + 8]))
        body = data[place + 12 : place + 12 + length]
        assert struct.unpack_from("<I", data, place + 12 + length)[0] == masked(crc32c(body))
        found.append(body)
        place += 16 + length
    assert b"brain.Event:2" in found[0]
    return found[1:]


def test_tensorboard(tmp_path):
    board = callbacks.TensorBoard(
        tmp_path, histogram_freq=1, update_freq="batch", write_steps_per_second=True
    )
    model_of().fit(X, Y, epochs=2, batch_size=10, validation_split=0.2, verbose=0, callbacks=[board])
    train, validation = events(tmp_path / "train"), events(tmp_path / "validation")
    for tag in (
        b"epoch_loss",
        b"batch_loss",
        b"learning_rate",
        b"/kernel/histogram",
        b"epoch_steps_per_second",
    ):
        assert any(tag in event for event in train), tag
    assert any(b"epoch_loss" in e for e in validation)
    assert any(b"evaluation_loss_vs_iterations" in e for e in validation)
    assert crc32c(b"123456789") == 0xE3069283
    later = callbacks.TensorBoard(tmp_path / "later")
    model = model_of()
    model.fit(X, Y, epochs=3, batch_size=10, verbose=0)
    model.evaluate(X, Y, verbose=0, callbacks=[later])
    later.on_train_end()
    step = int(model.optimizer.iterations)  # the optimizer's, as in Keras: field 2 of the event
    assert all(bytes([0x10, step]) in event for event in events(tmp_path / "later" / "validation"))
    with pytest.raises(NotImplementedError, match="embeddings_freq"):
        callbacks.TensorBoard(embeddings_freq=1)
