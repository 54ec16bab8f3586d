"""The Keras face beside Keras 3 on its torch backend, in one process: equal data, weights and batches, two threads.

``python benchmarks/keras_table.py [--write] [ROW ...]`` needs Keras, PyTorch and SciPy. A sample is an epoch after
the first, from ``on_epoch_begin`` to ``on_epoch_end``, or whatever the row says; the libraries take turns. A ratio is
Keras' time / ours: that of the medians, and p10 to p90 of those turn by turn. The floor is what the row's arithmetic or
traffic takes at this machine's ceilings (``minidl/bench/ceilings.py``).
"""

import dataclasses
import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from beside import write

import minidl
from minidl import keras as ours
from minidl.bench import ceilings
from minidl.bench.statistics import ratio, summary
from minidl.bench.text import seconds
from minidl.bench.timing import Budget, interleaved

os.environ["KERAS_BACKEND"] = "torch"
theirs, torch = importlib.import_module("keras"), importlib.import_module("torch")
legacy_image = importlib.import_module("keras.src.legacy.preprocessing.image")

THREADS, BATCH = 2, 32
ROWS = {}


@dataclasses.dataclass(frozen=True)
class Row:
    """What is timed: ``make(keras)`` gives a function that runs once and returns the seconds of its timed part."""

    make: Callable
    must: float | None  # the least ratio that is asked for
    what: str
    flops: int
    traffic: int  # bytes


def row(what, flops=0, traffic=0, must=None):
    """Registers a function of a library's ``keras`` as a row by its name."""

    def registered(make):
        ROWS[make.__name__] = Row(make, must, what, flops, traffic)
        return make

    return registered


class OwnSeconds:
    """A timer of functions that return their seconds themselves."""

    def seconds(self, call, count):
        return statistics.fmean(call() for _ in range(count))


def epochs(keras, model, x, y, **options):
    """A function that trains for an epoch and returns the epoch's seconds."""

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.spent = time.perf_counter() - self.start

    clock = Clock()

    def epoch():
        model.fit(x, y, epochs=1, batch_size=BATCH, verbose=0, callbacks=[clock], **options)
        return clock.spent

    return epoch


def timed(call):
    """A function that calls ``call`` and returns the seconds of it."""

    def run():
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return run


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def classes(count, rows, seed=1):
    return np.random.default_rng(seed).integers(0, count, rows)


def built(keras, layers, loss, x, **options):
    """A compiled model whose weights are the same numbers in both libraries, and so are its outputs."""
    model = keras.Sequential(layers)
    model.compile(loss=loss, **options)
    model.predict(x[:2], verbose=0)
    rng = np.random.default_rng(2)
    model.set_weights([rng.uniform(-0.05, 0.05, weight.shape).astype("float32") for weight in model.weights])
    return model


# --- the rows ---------------------------------------------------------------------------------------------------------


def mlp_model(keras, x):
    dense = keras.layers.Dense
    layers = [
        keras.Input((x.shape[1],)), dense(64, "relu"), dense(32, "relu"), dense(1, "sigmoid")
    ]  # fmt: skip
    return built(keras, layers, "binary_crossentropy", x, optimizer="adam", metrics=["accuracy"])


MLP_X, MLP_Y = numbers(1000, 20), classes(2, 1000).astype("float32")
MLP_FLOPS = 2 * (20 * 64 + 64 * 32 + 32)  # a row, forward


@row("the cheatsheet's MLP, 800 rows and 200 that validate", MLP_FLOPS * (3 * 800 + 200), must=3)
def mlp(keras):
    return epochs(keras, mlp_model(keras, MLP_X), MLP_X, MLP_Y, validation_split=0.2)


def cnn_model(keras, x):
    of = keras.layers
    layers = [
        keras.Input((28, 28, 1)), of.Conv2D(32, (3, 3), activation="relu"), of.MaxPooling2D((2, 2)), of.Flatten(),
        of.Dense(128, "relu"), of.Dense(10, "softmax"),
    ]  # fmt: skip
    loss = "sparse_categorical_crossentropy"
    return built(keras, layers, loss, x, optimizer="adam", metrics=["accuracy"])


CNN_X, CNN_Y = numbers(256, 28, 28, 1), classes(10, 256)
CNN_FLOPS = 2 * (26 * 26 * 9 * 32 + 13 * 13 * 32 * 128 + 1280)


@row("the cheatsheet's CNN on 256 images of 28x28", 3 * 256 * CNN_FLOPS, must=1.5)
def cnn(keras):
    return epochs(keras, cnn_model(keras, CNN_X), CNN_X, CNN_Y)


WORDS, STEPS = 5000, 80
LSTM_X, LSTM_Y = classes(WORDS, (128, STEPS)), classes(2, 128).astype("float32")


@row("the cheatsheet's LSTM, 128 reviews of 80 words", 3 * 2 * 128 * STEPS * 256 * (128 + 64), must=1.5)
def lstm(keras):
    of = keras.layers
    layers = [
        keras.Input((STEPS,), dtype="int32"),
        of.Embedding(WORDS, 128),
        of.LSTM(64),
        of.Dense(1, "sigmoid"),
    ]
    model = built(keras, layers, "binary_crossentropy", LSTM_X, optimizer="adam", metrics=["accuracy"])
    return epochs(keras, model, LSTM_X, LSTM_Y)


IMAGES, LABELS = (
    np.random.default_rng(3).integers(0, 256, (128, 64, 64, 3)).astype("float32"),
    classes(10, 128),
)


@row(
    "a round of ImageDataGenerator.flow, 128 images of 64x64x3, all moves", traffic=2 * IMAGES.nbytes, must=5
)
def images(keras):
    package = ours.preprocessing.image if keras is ours else legacy_image
    generator = package.ImageDataGenerator(
        rotation_range=20, width_shift_range=0.2, height_shift_range=0.2, zoom_range=0.2, horizontal_flip=True
    )
    flow = generator.flow(IMAGES, LABELS, batch_size=BATCH, seed=0)
    return timed(lambda: [next(flow) for _ in range(len(flow))])


@row("predict, 1000 rows through the MLP", MLP_FLOPS * 1000)
def predict(keras):
    model = mlp_model(keras, MLP_X)
    return timed(lambda: model.predict(MLP_X, batch_size=BATCH, verbose=0))


@row("predict, one row through the MLP: what a call costs", MLP_FLOPS)
def predict_one(keras):
    model = mlp_model(keras, MLP_X)
    return timed(lambda: model.predict(MLP_X[:1], verbose=0))


@row("evaluate, 1000 rows through the MLP", MLP_FLOPS * 1000)
def evaluate(keras):
    model = mlp_model(keras, MLP_X)
    return timed(lambda: model.evaluate(MLP_X, MLP_Y, batch_size=BATCH, verbose=0))


@row("a step of fit on one unit: what a batch costs", 3 * 2 * 4 * BATCH)
def batch(keras):
    x, y = numbers(32 * BATCH, 4), numbers(32 * BATCH, 1)
    model = built(keras, [keras.Input((4,)), keras.layers.Dense(1)], "mse", x, optimizer="sgd")
    epoch = epochs(keras, model, x, y)
    return lambda: epoch() / 32


# --- measuring --------------------------------------------------------------------------------------------------------


def agreement():
    """The largest difference between both libraries' predictions, from equal weights."""
    pairs = [
        [make(keras, x).predict(x[:64], verbose=0) for keras in (ours, theirs)]
        for make, x in ((mlp_model, MLP_X), (cnn_model, CNN_X))
    ]
    return max(float(abs(mine - other).max()) for mine, other in pairs)


def measure(name, ceiling):
    """A row as JSON takes it, and its line is printed."""
    made = ROWS[name]
    calls = {"keras": made.make(theirs), "minidl": made.make(ours)}
    samples = interleaved(calls, OwnSeconds(), Budget(seconds=12, least=11, most=301))
    found = {
        "row": name, "what": made.what, "must": made.must,
        **{side: summary(times) for side, times in samples.items()},
        "ratio": ratio(samples["keras"], samples["minidl"]),
        "floor": ceilings.least_seconds(ceiling, made.flops, made.traffic),
    }  # fmt: skip
    factor, must = found["ratio"], "" if made.must is None else f"must {made.must:g}"
    print(
        f"{name:12} {seconds(found['minidl']['median']):>10} {seconds(found['keras']['median']):>10} "
        f"{factor['median']:7.2f} {factor['p10']:6.2f} {factor['p90']:6.2f}  {seconds(found['floor']):>10} {must}",
        flush=True,
    )
    return found


def main(argv):
    chosen = [a for a in argv if not a.startswith("-")] or list(ROWS)
    for library in (minidl, torch):
        library.set_num_threads(THREADS)
    difference = agreement()
    assert difference <= 1e-5, f"predictions differ by {difference}"
    ceiling = ceilings.probe("float32", "cpu", THREADS)
    print(f"{'row':12} {'minidl':>10} {'keras':>10} {'ratio':>7} {'p10':>6} {'p90':>6}  {'floor':>10}")
    rows = [measure(name, ceiling) for name in chosen]
    if "--write" in argv:
        versions = {side.__name__: side.__version__ for side in (minidl, theirs, torch, np)}
        rows.append({"settings": {"threads": THREADS, "batch": BATCH}, "prediction_difference": difference})
        write("keras_table", "python benchmarks/keras_table.py --write", versions, rows)


if __name__ == "__main__":
    main(sys.argv[1:])
