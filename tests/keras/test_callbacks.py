"""Callbacks: when they act, what they write, what they say; and names of files, errors, interruptions."""

import http.server
import math
import threading
import urllib.parse
import warnings

import numpy as np
import pytest

from minidl import keras
from minidl.keras import callbacks, layers

X = np.random.default_rng(0).normal(size=(20, 3))
Y = X[:, 0]


def model_of(lr=0.1, **compiled):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(learning_rate=lr), "mse", **compiled)
    return model


class Scripted(callbacks.Callback):
    """Writes given values into the logs, before the callbacks after it."""

    def __init__(self, name, values):
        super().__init__()
        self.name, self.values = name, values

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]


def run(values, *others, name="val_loss", epochs=None, model=None, verbose=0):
    model = model or model_of(0.0)
    history = model.fit(
        X, Y, epochs=epochs or len(values), verbose=verbose, callbacks=[Scripted(name, values), *others]
    )
    return model, history


def test_early_stopping_counts(capsys):
    stop = callbacks.EarlyStopping(patience=2, verbose=1)
    _, history = run([1.0] * 9, stop)
    assert (stop.stopped_epoch, stop.best_epoch, len(history.epoch)) == (2, 0, 3)
    assert "Epoch 3: early stopping" in capsys.readouterr().out
    for values, options, epochs in (
        ([1.0, 0.9, 0.8, 0.8, 0.8, 0.8], {"patience": 1}, 4),
        ([1.0, 0.95, 0.9, 0.5, 0.5], {"patience": 2, "min_delta": 0.2}, 3),
        ([1.0, 0.9, 0.95, 0.97, 0.99], {"patience": 2, "baseline": 0.5}, 3),
        ([1.0, 1.0, 1.0, 1.0, 1.0], {"patience": 0, "start_from_epoch": 3}, 5),
        ([0.1, 0.2, 0.3, 0.2, 0.1], {"patience": 1, "mode": "max"}, 4),
    ):
        _, history = run(values, callbacks.EarlyStopping(**options))
        assert len(history.epoch) == epochs, (values, options)
    _, history = run(
        [0.1, 0.2, 0.3, 0.2], callbacks.EarlyStopping("val_accuracy", patience=1), name="val_accuracy"
    )
    assert len(history.epoch) == 4


def test_which_direction_is_better_is_known_or_asked_for():
    def odd(y_true, y_pred):
        return (y_true - y_pred).abs()

    inputs = keras.Input((3,))
    model = keras.Model(inputs, [layers.Dense(1, name="a")(inputs), layers.Dense(1, name="b")(inputs)])
    r2 = keras.metrics.R2Score(name="fit")
    model.compile("sgd", "mse", metrics={"a": ["mae", r2], "b": [odd, keras.losses.mean_squared_error]})
    model.train_on_batch(X, [Y, Y])
    for name, larger in (
        ("val_a_mae", False), ("val_a_fit", True), ("b_mean_squared_error", False), ("val_b_loss", False),
        ("val_accuracy", True), ("fmeasure", True), ("b_odd", None), ("val_score", None),
    ):  # fmt: skip
        stop = callbacks.EarlyStopping(name)
        stop.set_model(model)
        if larger is not None:
            assert stop.is_maximised() is larger, name
            continue
        with pytest.raises(ValueError, match=f"monitor={name}.*Pass `mode='max'`"):
            stop.is_maximised()


def test_early_stopping_restores_the_best_weights():
    model = model_of(0.5)
    kept = []
    note = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights()))
    run(
        [1.0, 0.5, 0.7, 0.9],
        callbacks.EarlyStopping(patience=2, restore_best_weights=True),
        note,
        model=model,
    )
    np.testing.assert_array_equal(model.get_weights()[0], kept[1][0])


def test_a_missing_monitor_is_one_warning_with_the_names():
    with pytest.warns(
        UserWarning, match=r"`val_loss` is not among the logs. Available: loss.*validation_split"
    ) as seen:
        model_of().fit(X, Y, epochs=3, verbose=0, callbacks=[callbacks.EarlyStopping()])
    assert len(seen) == 1


def test_reduce_on_plateau(capsys):
    _model, history = run(
        [1.0] * 6, callbacks.ReduceLROnPlateau(patience=2, factor=0.5, verbose=1), model=model_of(0.1)
    )
    np.testing.assert_allclose(
        history.history["learning_rate"], [0.1, 0.1, 0.1, 0.05, 0.05, 0.025], rtol=1e-6
    )
    assert "Epoch 3: ReduceLROnPlateau reducing learning rate to 0.05" in capsys.readouterr().out
    _, history = run([1.0] * 4, callbacks.ReduceLROnPlateau(patience=1, min_lr=0.04), model=model_of(0.1))
    assert float(history.history["learning_rate"][-1]) == pytest.approx(0.04)
    with pytest.raises(ValueError, match=r"factor >= 1\.0"):
        callbacks.ReduceLROnPlateau(factor=1.0)
    _, history = run([1.0] * 5, callbacks.ReduceLROnPlateau(patience=1, cooldown=2), model=model_of(1.0))
    np.testing.assert_allclose(history.history["learning_rate"], [1, 1, 0.1, 0.1, 0.01], rtol=1e-6)


def test_scheduler():
    _, history = run(
        [0.0] * 3, callbacks.LearningRateScheduler(lambda epoch, lr: lr / 2), model=model_of(1.0)
    )
    assert history.history["learning_rate"] == [0.5, 0.25, 0.125]
    _, history = run([0.0] * 2, callbacks.LearningRateScheduler(lambda epoch: 0.5**epoch))
    assert history.history["learning_rate"] == [1.0, 0.5]
    with pytest.raises(ValueError, match="should be a float"):
        run([0.0], callbacks.LearningRateScheduler(lambda epoch: None))


def test_nan_ends_training(capsys):
    model = model_of(1e30)
    history = model.fit(
        X * 1e20, Y, epochs=5, batch_size=4, verbose=0, callbacks=[callbacks.TerminateOnNaN()]
    )
    assert len(history.epoch) == 1 and not math.isfinite(history.history["loss"][0])
    assert "Invalid loss, terminating training" in capsys.readouterr().out
    ended = []
    note = callbacks.LambdaCallback(on_train_end=ended.append)
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 0"):
        strict = callbacks.TerminateOnNaN(raise_error=True)
        model.fit(X * np.nan, Y, verbose=0, callbacks=[strict, note])
    assert not ended


def test_csv(tmp_path):
    path = tmp_path / "log.csv"
    run([0.5, 0.25], callbacks.CSVLogger(path))
    lines = path.read_text().splitlines()
    assert lines[0] == "epoch,loss,val_loss" and lines[2].startswith("1,") and lines[2].endswith(",0.25")
    run([0.5], callbacks.CSVLogger(path, append=True))
    assert len(path.read_text().splitlines()) == 4
    late = callbacks.CSVLogger(path, separator=";")
    model_of().fit(X, Y, epochs=2, validation_data=(X, Y), validation_freq=2, verbose=0, callbacks=[late])
    lines = [line.split(";") for line in path.read_text().splitlines()]
    assert lines[0] == ["epoch", "loss", "val_loss"] and lines[1][2] == "NA" and float(lines[2][2]) > 0
    many = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(x=[1, 2], y=np.array([0.5])))
    model_of().fit(X, Y, verbose=0, callbacks=[many, callbacks.CSVLogger(path)])
    header, row = path.read_bytes().split(b"\r\n")[:2]  # Keras' bytes
    assert header == b"epoch,loss,x,y,val_loss,val_x,val_y"
    assert row.endswith(b',"""[1, 2]""","""[0.5]""",NA,NA,NA')


def test_orbax_says_what_to_use():
    with pytest.raises(NotImplementedError, match=r"ModelCheckpoint\('run/\{epoch:02d\}\.keras'\)"):
        callbacks.OrbaxCheckpoint("run")


def test_lambda_and_order_of_logs():
    seen = []
    tell = callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(("begin", epoch)),
        on_train_batch_end=lambda batch, logs: seen.append((batch, sorted(logs))),
        on_train_end=lambda logs: seen.append(sorted(logs)),
    )
    model_of(metrics=["mae"]).fit(X, Y, batch_size=10, verbose=0, callbacks=[tell])
    assert seen == [("begin", 0), (0, ["loss", "mae"]), (1, ["loss", "mae"]), ["loss", "mae"]]
    with pytest.raises(TypeError, match="no method 'on_epoch_finish'"):
        callbacks.LambdaCallback(on_epoch_finish=print)


def test_errors_say_which_callback():
    def broken(epoch, logs):
        raise RuntimeError("oh")

    with pytest.raises(RuntimeError, match="oh") as found:
        run([1.0], callbacks.LambdaCallback(on_epoch_end=broken))
    assert found.value.__notes__ == ["In on_epoch_end of the callback LambdaCallback."]
    with pytest.raises(TypeError, match=r"make an instance of it, with \(\)"):
        run([1.0], callbacks.TerminateOnNaN)


def test_checkpoints(tmp_path, capsys):
    model = model_of()
    saved = []
    model.save = lambda path, overwrite: saved.append(path)
    run(
        [1.0, 2.0, 0.5],
        callbacks.ModelCheckpoint(str(tmp_path / "{epoch:02d}-{val_loss:.2f}.keras")),
        model=model,
    )
    assert [path.rpartition("/")[2] for path in saved] == ["01-1.00.keras", "02-2.00.keras", "03-0.50.keras"]
    saved.clear()
    best = callbacks.ModelCheckpoint(tmp_path / "best.h5", save_best_only=True, verbose=1)
    run([1.0, 2.0, 0.5], best, model=model)
    assert len(saved) == 2 and best.best == 0.5
    out = capsys.readouterr().out
    assert "Epoch 2: val_loss did not improve from 1.00000" in out
    assert "Epoch 1: val_loss improved from None to 1.00000, saving model to" in out
    assert "Epoch 3: val_loss improved from 1.00000 to 0.50000, saving model to" in out
    assert "Epoch 3: finished saving model to" in out
    saved.clear()
    with pytest.warns(UserWarning, match="`val_loss` is not among the logs"):  # rather one too many than none
        model.fit(
            X, Y, epochs=2, verbose=0, callbacks=[callbacks.ModelCheckpoint("m.h5", save_best_only=True)]
        )
    assert saved == ["m.h5", "m.h5"]
    saved.clear()
    with pytest.warns(DeprecationWarning, match="save_freq"):
        every = callbacks.ModelCheckpoint("{epoch}.h5", period=2)
    run([1.0] * 5, every, model=model)
    assert saved == ["2.h5", "4.h5"]
    with pytest.raises(ValueError, match=r"must end in .keras, .h5"):
        callbacks.ModelCheckpoint("model.pb")
    with pytest.raises(ValueError, match="Unrecognized save_freq"):
        callbacks.ModelCheckpoint("m.keras", save_freq="batch")
    with pytest.raises(KeyError, match="val_acc"):
        run([1.0], callbacks.ModelCheckpoint("{val_acc}.keras"), model=model)


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_checkpoints_of_weights(tmp_path, ending):
    model = model_of()
    path = tmp_path / f"deep/er{ending}"
    run([1.0], callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=1), model=model)
    other = model_of()
    other.load_weights(path)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    with pytest.raises(FileNotFoundError, match="no file"):
        other.load_weights(tmp_path / f"missing{ending}")
    wrong = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    with pytest.raises(ValueError, match=r"\(4, 1\)"):
        wrong.load_weights(path)


def test_backup_goes_on(tmp_path):
    keras.utils.set_random_seed(0)
    whole = model_of()
    start = whole.get_weights()
    whole.compile("adam", "mse")
    whole.fit(X, Y, epochs=4, shuffle=False, verbose=0)

    class Stop(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    model = model_of()
    model.set_weights(start)
    model.compile("adam", "mse")
    backup = callbacks.BackupAndRestore(tmp_path / "b")
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=4, shuffle=False, verbose=0, callbacks=[backup, Stop()])
    again = model_of()
    again.compile("adam", "mse")
    history = again.fit(
        X, Y, epochs=4, shuffle=False, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path / "b")]
    )
    assert history.epoch == [2, 3]
    np.testing.assert_allclose(again.get_weights()[0], whole.get_weights()[0], rtol=1e-6)
    assert not (tmp_path / "b").exists()


def test_a_backup_goes_on_to_the_same_bits(tmp_path):
    """Data order, dropout with and without a seed of its own, a schedule of the learning rate, the optimizer."""

    def made():
        layers = [keras.layers.Dense(8), keras.layers.Dropout(0.3), keras.layers.Dropout(0.3, seed=4)]
        model = keras.Sequential([keras.Input(X.shape[1:]), *layers, keras.layers.Dense(1)])
        schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 3, 0.9)
        model.compile(keras.optimizers.Adam(schedule), "mse")
        return model

    def fit(model, *others):
        backup = callbacks.BackupAndRestore(tmp_path / "b")
        model.fit(X, Y, batch_size=3, epochs=5, verbose=0, callbacks=[backup, *others])
        return model

    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations > 2 * -(-len(X) // 3):  # within the third epoch
                raise KeyboardInterrupt

    keras.utils.set_random_seed(3)
    start = made().get_weights()
    for stops in (False, True):
        keras.utils.set_random_seed(3)
        model = made()
        model.set_weights(start)
        if not stops:
            whole = fit(model)
            continue
        with pytest.raises(KeyboardInterrupt):
            fit(model, Stop())
        keras.utils.set_random_seed(8)  # another process
        again = fit(made())
    for one, two in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(whole.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_remote_monitor():
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    run([0.5], callbacks.RemoteMonitor(root=root))
    run([0.5], callbacks.RemoteMonitor(root=root, send_as_json=True))
    server.shutdown()
    server.server_close()
    assert '"val_loss": 0.5' in urllib.parse.unquote_plus(got[0]) and got[1].startswith('{"epoch": 0')
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor"):
        run([0.5], callbacks.RemoteMonitor(root=root))


def test_stop_from_a_callback():
    model = model_of()

    def stop(batch, logs):
        model.stop_training = batch == 1

    history = model.fit(
        X, Y, epochs=3, batch_size=5, verbose=0, callbacks=[callbacks.LambdaCallback(on_train_batch_end=stop)]
    )
    assert history.epoch == [0]


def test_old_names_of_callbacks():
    with pytest.warns(DeprecationWarning):
        assert callbacks.ReduceLROnPlateau(epsilon=0.5).min_delta == 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        callbacks.EarlyStopping(mode="min")
    with pytest.warns(UserWarning, match="fallback to auto"):
        callbacks.EarlyStopping(mode="lowest")
