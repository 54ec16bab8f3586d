"""What is shown: progress lines and the live bar, the summary, the history's table."""

import io
import re
import sys

import numpy as np
import pytest

from minidl import keras
from minidl.keras import layers
from minidl.keras.engine import progress
from minidl.keras.engine.progress import Progress

X = np.random.default_rng(0).normal(size=(100, 3))
Y = (X[:, 0] > 0).astype(int)
LINE = r"\d+/\d+ - \d+s - \d+(us|ms|s)/step - accuracy: \d\.\d{4} - loss: \d\.\d{4}"


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.delenv("MINIDL_PROGRESS", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    keras.backend.clear_session()


def classifier():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_lines_in_a_file(verbose, capsys):
    classifier().fit(X, Y, epochs=2, batch_size=10, validation_split=0.2, verbose=verbose)
    out = capsys.readouterr().out
    assert all(letter == "\n" or letter.isprintable() for letter in out)
    lines = out.splitlines()
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2" and len(lines) == 4
    assert re.fullmatch(
        LINE.replace(r"\d+/\d+", "8/8") + r" - val_accuracy: \d\.\d{4} - val_loss: \d\.\d{4}", lines[1]
    )


def test_silence(capsys, monkeypatch):
    model = classifier()
    model.fit(X, Y, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    monkeypatch.setenv("MINIDL_PROGRESS", "0")
    model.fit(X, Y)
    model.evaluate(X, Y)
    assert capsys.readouterr() == ("", "")


def test_evaluate_and_predict_lines(capsys):
    model = classifier()
    model.evaluate(X, Y, batch_size=10)
    model.predict(X, batch_size=10)
    model.fit(iter([(X, Y)] * 3), epochs=1)
    first, second, third = capsys.readouterr().out.splitlines()
    assert re.fullmatch(LINE, first) and first.startswith("10/10")
    assert re.fullmatch(r"10/10 - \d+s - \d+(us|ms|s)/step", second)
    assert third.startswith("3/3 - ")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_the_live_bar(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    monkeypatch.setattr(progress, "_INTERVAL", -1.0)
    monkeypatch.setattr(sys, "stdout", stream)
    classifier().fit(X, Y, epochs=2, batch_size=10, validation_split=0.2)
    text = stream.getvalue()
    assert text.count("\r") == 18 and text.count("\n") == 4
    final = re.sub(r"\x1b\[\d+m", "", text.split("\n")[1].split("\r")[-1]).rstrip()
    assert re.fullmatch(
        r"8/8 ━{20} \d+s \d+(us|ms|s)/step - accuracy: \d\.\d{4} - loss: \d\.\d{4} - val_accuracy: .* - val_loss: .*",
        final,
    )
    assert "\x1b[32m" in text and "\b" not in text


def test_no_colour_ascii_and_narrow_terminals(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    stream.encoding = "ascii"
    bar = Progress(10, 1, stream)
    bar.shown = -1e9
    bar.update(5, lambda: {"loss": 0.5, "something_long": 1.0})
    assert "\x1b" not in stream.getvalue() and "==========.........." in stream.getvalue()
    assert len(stream.getvalue().removeprefix("\r").rstrip()) <= 29
    stream.encoding = "utf-8"
    unknown = Progress(None, 1, stream)
    unknown.shown = -1e9
    unknown.update(3, dict)
    assert "3/Unknown" in stream.getvalue()


def test_updates_are_rare_and_ask_for_nothing_between():
    asked = []
    bar = Progress(1000, 1, Terminal())
    for step in range(1000):
        bar.update(step, lambda: asked.append(1) or {})
    assert len(asked) <= 3


def test_numbers_as_keras_writes_them():
    assert progress.value_text("a", 0.001) == "a: 1.0000e-03"
    assert progress.value_text("a", -0.5) == "a: -0.5000" and progress.value_text("a", 0) == "a: 0.0000e+00"
    assert progress.value_text("a", np.array([0.5, 1.0])) == "a: [0.5000, 1.0000]"


SUMMARY = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ dense (Dense)                   │ (None, 64)             │         5,440 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dropout (Dropout)               │ (None, 64)             │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 1)              │            65 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 5,505 (21.50 KB)
 Trainable params: 65 (260.00 B)
 Non-trainable params: 5,440 (21.25 KB)
"""


def test_summary(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    model = keras.Sequential([layers.Dense(64, input_shape=(84,)), layers.Dropout(0.1), layers.Dense(1)])
    model.layers[0].trainable = False
    model.summary()
    assert capsys.readouterr().out == SUMMARY
    lines = []
    model.summary(print_fn=lines.append, line_length=60, show_trainable=True)
    assert "Trai" in lines[0] and max(map(len, lines[0].splitlines())) == 60
    model.compile("adam", "mse")
    model.fit(np.ones((2, 84)), np.ones(2), verbose=0)
    model.summary()
    out = capsys.readouterr().out
    assert "Optimizer params: 132 (528.00 B)" in out and "Total params: 5,637" in out
    with pytest.raises(ValueError, match="two layer names"):
        model.summary(layer_range=("dense", "nothing"))


def test_summary_of_graphs_lazy_and_nested_models(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    keras.Sequential([layers.Dense(3)]).summary()
    out = capsys.readouterr().out
    assert "│ ?  " in out and "0 (unbuilt)" in out
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared = layers.Dense(2, name="shared")
    model = keras.Model([a, b], shared(a) + shared(b))
    model.summary()
    out = capsys.readouterr().out
    assert "Connected to" in out and "a[0][0], b[0][0]" in out and "shared[1][0]" in out
    outer = keras.Sequential([keras.Input((3,)), keras.Sequential([layers.Dense(4)]), layers.Dense(1)])
    outer.summary(expand_nested=True)
    assert "│    └ dense" in capsys.readouterr().out


def test_summary_without_unicode(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    keras.Sequential([keras.Input((3,)), layers.Dense(1)]).summary()
    stream.flush()
    assert b"| dense (Dense)" in stream.buffer.getvalue()


def test_history_table_frame_and_plot(tmp_path):
    history = classifier().fit(X, Y, epochs=20, verbose=0, validation_split=0.2)
    lines = repr(history).splitlines()
    assert lines[0] == "<History: 20 epochs>" and "   ..." in lines and len(lines) == 13
    assert history.sparklines().count("\n") == 3
    pandas = pytest.importorskip("pandas")
    frame = history.to_frame()
    assert isinstance(frame, pandas.DataFrame) and frame.shape == (20, 4) and frame.index.name == "epoch"
    pytest.importorskip("matplotlib")
    figure = history.plot(tmp_path / "h.png")
    assert (tmp_path / "h.png").stat().st_size > 1000 and len(figure.axes) == 2


def test_models_as_dot(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    inputs = keras.Input((3,), name="x")
    hidden = layers.Dense(3, activation="relu", name="h")(inputs)
    model = keras.Model(inputs, layers.Dense(1, name="y")(hidden + inputs))
    path = keras.utils.plot_model(model, tmp_path / "m.png", show_shapes=True, show_layer_activations=True)
    text = (tmp_path / "m.dot").read_text(encoding="utf-8")
    assert path.endswith("m.dot")
    for part in (
        '"x" -> "h";',
        '"h" -> "add";',
        '"x" -> "add";',
        '"add" -> "y";',
        'label="Dense|relu|(None, 3)"',
    ):
        assert part in text
    lazy = keras.Sequential([layers.Dense(1)])
    with pytest.raises(ValueError, match="not yet been built"):
        keras.utils.plot_model(lazy)


def test_progbar(capsys):
    bar = keras.utils.Progbar(3)
    for step in range(3):
        bar.update(step + 1, [("loss", step), ("rate", 0.5)])
    assert re.fullmatch(
        r"3/3 - \d+s - \d+(us|ms|s)/step - loss: 1\.0000 - rate: 0\.5000\n", capsys.readouterr().out
    )
