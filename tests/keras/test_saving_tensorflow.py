"""What only TensorFlow's Keras 2 has in files: its functions on symbolic tensors, and cuDNN's recurrent layers."""

import numpy as np
import pytest

from minidl import keras

h5py = pytest.importorskip("h5py")
from files_of_keras2 import R, X, sequential, write  # noqa: E402

START = ["i", 0, 0]
SEQUENCES = R.normal(size=(5, 4, 3)).astype("float32")


def graph(calls, shape):
    """A model of calls [(class, function, inbound node)], one after another, named f0, f1, ..."""
    entries = [
        ("InputLayer", {"batch_input_shape": [None, *shape], "dtype": "float32", "name": "i"}, "i", [])
    ]
    for k, (kind, function, node) in enumerate(calls):
        entries.append((kind, {"name": f"f{k}", "function": function}, f"f{k}", [node]))
    layers = [{"class_name": c, "config": g, "name": n, "inbound_nodes": b} for c, g, n, b in entries]
    config = {"name": "m", "layers": layers, "input_layers": [START], "output_layers": [[f"f{k}", 0, 0]]}
    return {"class_name": "Functional", "config": config}


def tf(function, *node):
    return ("TFOpLambda", function, list(node))


def end(**kwargs):
    return {**kwargs, "name": None}


ALL = {"start": None, "stop": None, "step": None}
CASES = {
    "arithmetic": (
        [tf("math.multiply", "_CONSTANT_VALUE", -1, 2.0, end(y=START)), tf("__operators__.add", "f0", 0, 0, end(y=1)),
         tf("math.truediv", "f1", 0, 0, end(y=3)), tf("math.pow", "f2", 0, 0, end(y=2)),
         tf("math.subtract", "f3", 0, 0, end(y=START))],
        X, lambda x: ((2 * x + 1) / 3) ** 2 - x,
    ),
    "a constant array": ([tf("math.multiply", *START, end(y=[1.0, 2.0, 3.0]))], X, lambda x: x * [1, 2, 3]),
    "slices": (
        [("SlicingOpLambda", "__operators__.getitem",
          [*START, {"slice_spec": [ALL, {"start": 1, "stop": None, "step": 2}, -1]}])],
        SEQUENCES, lambda x: x[:, 1::2, -1],
    ),
    "reductions": (
        [tf("math.reduce_mean", *START, {"axis": 1, "keepdims": True}),
         tf("math.reduce_sum", "f0", 0, 0, {"axis": [1, 2]})],
        SEQUENCES, lambda x: x.mean(1).sum(-1),
    ),
    "lists": (
        [tf("math.exp", *START, end()), tf("concat", [*START, {"axis": -1}], ["f0", 0, 0, {"axis": -1}])],
        X, lambda x: np.concatenate([x, np.exp(x)], -1),
    ),
    "products": (
        [tf("linalg.matmul", *START, {"b": START, "transpose_b": True})],
        SEQUENCES, lambda x: x @ x.transpose(0, 2, 1),
    ),
    "shapes": (
        [tf("compat.v1.transpose", *START, {"perm": [0, 2, 1], "name": "transpose", "conjugate": False}),
         tf("reshape", "f0", 0, 0, {"shape": [-1, 12]}), tf("compat.v1.pad", "f1", 0, 0,
            {"paddings": [[0, 0], [1, 2]], "mode": "CONSTANT", "name": None, "constant_values": 0})],
        SEQUENCES, lambda x: np.pad(x.transpose(0, 2, 1).reshape(-1, 12), ((0, 0), (1, 2))),
    ),
    "choices": (
        [tf("math.greater", *START, end(y=0)),
         tf("clip_by_value", *START, {"clip_value_min": -0.5, "clip_value_max": 0.5}),
         tf("where", "f0", 0, 0, {"x": START, "y": ["f1", 0, 0]}),
         tf("compat.v1.gather", "f2", 0, 0, end(indices=[2, 0], validate_indices=None, axis=1, batch_dims=0))],
        X, lambda x: np.where(x > 0, x, np.clip(x, -0.5, 0.5))[:, [2, 0]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_functions_of_tensorflow(case, tmp_path):
    calls, x, expected = CASES[case]
    path = write(tmp_path / "m.h5", graph(calls, x.shape[1:]), {})
    model = keras.models.load_model(path, compile=False)
    got = model.predict(x, verbose=0)
    np.testing.assert_allclose(got, expected(x), rtol=2e-6, atol=1e-6)
    model.save(tmp_path / "m.keras")  # as Keras 3's operations
    again = keras.models.load_model(tmp_path / "m.keras", compile=False)
    np.testing.assert_array_equal(again.predict(x, verbose=0), got)


def test_a_function_without_a_counterpart_is_named(tmp_path):
    path = write(tmp_path / "m.h5", graph([tf("signal.fft", *START, end())], (3,)), {})
    with pytest.raises(ValueError, match=r"'f0'.*'signal\.fft'.*Lambda layer"):
        keras.models.load_model(path)


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_recurrent_layers_of_cudnn(kind, gates, tmp_path):
    kernel, recurrent, bias = (
        R.normal(size=s).astype("float32") for s in ((3, gates * 2), (2, gates * 2), (gates * 4,))
    )
    config = {
        "name": "r",
        "units": 2,
        "time_major": False,
        "return_sequences": True,
        "batch_input_shape": [None, 4, 3],
    }
    weights = {"r": {"r/kernel:0": kernel, "r/recurrent_kernel:0": recurrent, "r/bias:0": bias}}
    path = write(tmp_path / "m.h5", sequential({"class_name": f"CuDNN{kind}", "config": config}), weights)
    model = keras.models.load_model(path, compile=False)
    ours = keras.Sequential([keras.Input((4, 3)), getattr(keras.layers, kind)(2, return_sequences=True)])
    parts = [
        part.T.reshape(3, 2, order="F") for part in np.split(kernel, gates, axis=1)
    ]  # cuDNN: (units, in), by rows
    both = bias.reshape(2, -1)
    ours.set_weights([
        np.concatenate(parts, axis=1),
        np.concatenate([part.T for part in np.split(recurrent, gates, axis=1)], axis=1),
        both.sum(0) if gates == 4 else both,
    ])  # fmt: skip
    np.testing.assert_array_equal(model.predict(SEQUENCES, verbose=0), ours.predict(SEQUENCES, verbose=0))
    again = keras.Sequential(
        [keras.Input((4, 3)), getattr(keras.layers, kind)(2, return_sequences=True, name="r")]
    )
    again.load_weights(path, by_name=True)
    np.testing.assert_array_equal(again.predict(SEQUENCES, verbose=0), ours.predict(SEQUENCES, verbose=0))
