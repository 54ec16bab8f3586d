"""Files of Keras 2 by their structure: bytes for names, ``batch_input_shape``, its orders of state."""

import json

import h5py
import numpy as np

R = np.random.default_rng(0)
KERNEL, BIAS = R.normal(size=(3, 2)).astype("float32"), R.normal(size=2).astype("float32")
X = R.normal(size=(5, 3)).astype("float32")


def initializer(name, **config):
    return {"class_name": name, "config": config}


def dense(**more):
    return {
        "class_name": "Dense",
        "config": {
            "name": "dense", "trainable": True, "batch_input_shape": [8, 3], "dtype": "float32", "units": 2,
            "activation": "linear", "use_bias": True, "bias_initializer": initializer("Zeros"),
            "kernel_initializer": {
                "module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None},
                "registered_name": None,
            },
            "kernel_regularizer": None, "bias_regularizer": None, "activity_regularizer": None,
            "kernel_constraint": None, "bias_constraint": None, **more,
        },
    }  # fmt: skip


def input_layer(shape=(None, 3), name="input_1"):
    config = {
        "batch_input_shape": list(shape),
        "dtype": "float32",
        "sparse": False,
        "ragged": False,
        "name": name,
    }
    return {"class_name": "InputLayer", "config": config}


def sequential(*layers):
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": list(layers)}}


def write(path, config, layers, training=None, optimizer=(), root=False):
    with h5py.File(path, "w") as file:
        if not root:
            file.attrs["keras_version"], file.attrs["backend"] = b"2.9.0", b"tensorflow"
            file.attrs["model_config"] = json.dumps(config).encode()
            if training:
                file.attrs["training_config"] = json.dumps(training).encode()
        group = file if root else file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([name.encode() for name in layers])
        group.attrs["keras_version"] = b"2.9.0"
        for name, arrays in layers.items():
            inner = group.create_group(name)
            inner.attrs["weight_names"] = np.array([n.encode() for n in arrays]) if arrays else np.zeros(0)
            for weight, array in arrays.items():
                inner[weight] = array
        if optimizer:
            inner = file.create_group("optimizer_weights")
            inner.attrs["weight_names"] = np.array([n.encode() for n in dict(optimizer)])
            for name, array in dict(optimizer).items():
                inner[name] = array
    return path


WEIGHTS = {"dense": {"dense/kernel:0": KERNEL, "dense/bias:0": BIAS}}
TRAINING = {
    "loss": "mse", "metrics": [[{"class_name": "MeanMetricWrapper",
                                 "config": {"name": "accuracy", "dtype": "float32", "fn": "binary_accuracy"}}, "mae"]],
    "weighted_metrics": None, "loss_weights": None,
    "optimizer_config": {"class_name": "Custom>Adam", "config": {"name": "Adam", "lr": 0.002, "decay": 0.0}},
}  # fmt: skip
M, V = np.full((3, 2), 0.5, "float32"), np.full((3, 2), 0.25, "float32")
MB, VB = np.full(2, 0.1, "float32"), np.full(2, 0.2, "float32")
