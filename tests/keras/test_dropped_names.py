"""The names that Keras 3 dropped: each works, and says so once, at the line that used it."""

import pickle
import warnings

import numpy as np
import pytest

from minidl import keras
from minidl.keras import layers

X, Y = np.random.default_rng(0).normal(size=(12, 4)).astype("float32"), np.arange(12) % 3


def trained():
    model = keras.Sequential([layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, verbose=0)
    return model


def batches():
    while True:
        yield X, Y


def set_rate(model):
    model.optimizer.lr = 0.5
    return float(model.optimizer.learning_rate)


def embedded(**kwargs):
    return keras.Sequential(
        [layers.Embedding(9, 2, **kwargs), layers.Flatten(), layers.Dense(1)]
    ).output_shape


LIMIT = {"workers": 1, "use_multiprocessing": False, "max_queue_size": 10}
USES = {
    "predict_classes": (lambda m: m.predict_classes(X).shape, (12,)),
    "layer.input_shape": (lambda m: m.layers[0].input_shape, (None, 4)),
    "layer.output_shape": (lambda m: m.layers[0].output_shape, (None, 3)),
    "predict_proba": (lambda m: m.predict_proba(X).shape, (12, 3)),
    "fit_generator": (lambda m: m.fit_generator(batches(), 2, **LIMIT).epoch, [0]),
    "nb_epoch": (lambda m: m.fit(X, Y, nb_epoch=2, verbose=0).epoch, [0, 1]),
    "workers": (lambda m: m.fit(X, Y, verbose=0, **LIMIT).epoch, [0]),
    "evaluate_generator": (lambda m: len(m.evaluate_generator(batches(), steps=2)), 2),
    "predict_generator": (lambda m: m.predict_generator(batches(), steps=2).shape, (24, 3)),
    "lr=": (lambda m: round(float(keras.optimizers.AdamW(lr=0.1).learning_rate), 6), 0.1),
    "lr= decay=": (lambda m: round(float(keras.optimizers.SGD(lr=0.1, decay=0.1).learning_rate), 6), 0.1),
    "optimizer.lr": (lambda m: round(float(m.optimizer.lr), 6), 0.01),
    "optimizer.lr = ": (set_rate, 0.5),
    "batch_input_shape": (
        lambda m: layers.Dense(3, batch_input_shape=(None, 4))._batch_input_shape,
        (None, 4),
    ),
    "batch_input_shape of a model": (lambda m: embedded(batch_input_shape=(None, 4)), (None, 1)),
    "input_length": (lambda m: embedded(input_length=4), (None, 1)),
    "np_utils": (lambda m: keras.utils.np_utils.to_categorical([0, 1]).tolist(), [[1, 0], [0, 1]]),
    "CuDNNLSTM": (lambda m: type(layers.CuDNNLSTM(3)), layers.LSTM),
    "optimizers.legacy": (lambda m: type(keras.optimizers.legacy.Adam(0.1)), keras.optimizers.Adam),
    "experimental": (lambda m: layers.experimental.preprocessing.Rescaling, layers.Rescaling),
    "history acc": (lambda m: len(m.fit(X, Y, verbose=0).history["acc"]), 1),
    "InputLayer": (lambda m: layers.InputLayer(input_shape=(3,)).batch_shape, (None, 3)),
    "add_loss(inputs=)": (lambda m: m.layers[0].add_loss(1.0, inputs=X) or m.layers[0].losses, [1.0]),
    "alpha": (lambda m: layers.LeakyReLU(alpha=0.5).negative_slope, 0.5),
}


@pytest.mark.parametrize("name", USES)
def test_it_works_and_says_so_once_here(name):
    use, expected = USES[name]
    model = trained()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert use(model) == expected
    assert [(w.category, w.filename) for w in said] == [(DeprecationWarning, __file__)]


PATHS = {
    "layers.convolutional": "Conv2D, MaxPooling2D, ZeroPadding2D", "layers.embeddings": "Embedding",
    "layers.merge": "Concatenate, concatenate, add", "layers.core": "Dense, Dropout, Lambda, Masking",
    "layers.recurrent": "LSTM, GRU", "layers.pooling": "GlobalAveragePooling2D", "layers.noise": "GaussianNoise",
    "layers.normalization": "BatchNormalization", "layers.advanced_activations": "LeakyReLU, PReLU",
    "layers.wrappers": "Bidirectional, TimeDistributed", "layers.experimental.preprocessing": "Rescaling",
    "layers.convolutional_recurrent": "ConvLSTM2D", "layers.local": "Layer", "utils.vis_utils": "plot_model",
    "utils.np_utils": "to_categorical", "utils.generic_utils": "get_custom_objects, Progbar",
    "utils.data_utils": "Sequence, get_file", "utils.layer_utils": "normalize", "engine": "Layer, InputSpec",
    "engine.topology": "Layer, InputSpec, Input", "engine.training": "Model", "engine.base_layer": "Layer",
    "engine.input_layer": "InputLayer", "optimizers.legacy": "SGD, Adam", "optimizer_v2.adam": "Adam",
    "objectives": "mean_squared_error",
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_module_keras_dropped_gives_the_same_objects_and_says_so_once(path):
    for _ in range(2):  # also where it runs again
        found = {}
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            exec(f"from minidl.keras.{path} import {PATHS[path]}", found)
        assert [(w.category, w.filename) for w in said] == [(DeprecationWarning, "<string>")]
        assert path in str(said[0].message)
    for name in PATHS[path].split(", "):
        rooms = (keras, layers, keras.utils, keras.optimizers, keras.losses)
        assert any(found[name] is getattr(room, name, None) for room in rooms)


def test_a_dropped_module_completes_and_knows_what_it_has_not():
    assert "Conv2D" in dir(layers.convolutional)
    with pytest.raises(ImportError, match="Wrong"):
        from minidl.keras.layers.core import Wrong  # noqa: F401


def test_a_config_with_an_old_name_says_nothing():
    layer = layers.Dense.from_config({"name": "dense", "units": 3, "batch_input_shape": [None, 4]})
    model = keras.models.clone_model(keras.Sequential([layer]))
    assert model.input_shape == (None, 4)


def test_the_history_finds_nothing_else_by_an_old_name():
    history = trained().history.history
    with pytest.raises(KeyError, match="val_acc"):
        _ = history["val_acc"]
    assert type(pickle.loads(pickle.dumps(history))) is dict
