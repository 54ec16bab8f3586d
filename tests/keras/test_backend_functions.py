"""Programs of Keras 2's days: ``K`` in losses and in a Lambda, nested structures, policies by name."""

import numpy as np
import pytest

from minidl import keras
from minidl.keras import backend as K


def test_variational_autoencoder_with_backend_functions():
    x = keras.Input((4,))
    mean, log_variance = keras.layers.Dense(2)(x), keras.layers.Dense(2)(x)

    def sampling(args):
        mean, log_variance = args
        return mean + K.exp(0.5 * log_variance) * K.random_normal(shape=(K.shape(mean)[0], 2))

    z = keras.layers.Lambda(sampling, output_shape=(2,))([mean, log_variance])
    assert z.shape == (None, 2)
    model = keras.Model(x, keras.layers.Dense(4)(z))
    model.compile("adam", lambda y, p: K.mean(K.square(y - p), axis=-1))
    loss = model.fit(np.ones((8, 4)), np.ones((8, 4)), verbose=0).history["loss"][0]
    assert np.isfinite(loss)


def test_backend_functions_keep_the_defaults_of_keras2():
    assert K.argmax(np.eye(3)).tolist() == [0, 1, 2]
    assert tuple(K.batch_flatten(K.ones((2, 3, 4))).shape) == (2, 12)
    np.testing.assert_allclose(K.l2_normalize(np.ones((2, 4)), axis=1).numpy(), 0.5)
    assert tuple(K.repeat(np.ones((2, 3)), 4).shape) == (2, 4, 3)
    assert tuple(K.concatenate([np.ones((2, 3)), np.ones((2, 1))]).shape) == (2, 4)


def test_graph_with_functions_is_saved_and_read(tmp_path):
    pytest.importorskip("h5py")
    x = keras.Input((4, 3))
    mixed = keras.ops.concatenate([keras.ops.mean(x, axis=1), keras.ops.max(x, axis=1)], axis=-1)
    rows = keras.ops.einsum("nij,nij->ni", x, x)
    mixed = keras.ops.add(mixed, keras.ops.reshape(keras.ops.matmul(rows, np.ones((4, 6))), (-1, 6)))
    model = keras.Model(x, keras.layers.Dense(2)(mixed))
    data = np.random.default_rng(0).normal(size=(5, 4, 3)).astype("float32")
    model.save(tmp_path / "m.keras")  # its operations are Keras 3's, which knows them
    with pytest.warns(UserWarning, match="on a symbolic tensor"):
        model.save(tmp_path / "m.h5")
    for ending in ("keras", "h5"):
        again = keras.models.load_model(tmp_path / f"m.{ending}", compile=False)
        np.testing.assert_allclose(again.predict(data, verbose=0), model.predict(data, verbose=0), rtol=1e-4)


def test_trees_and_policies():
    assert keras.tree.flatten({"b": 1, "a": [2]}) == [2, 1]
    with pytest.raises(ValueError, match="structure"):
        keras.tree.map_structure(lambda a, b: a, [1, 2], [1])
    policy = keras.dtype_policies.deserialize(
        keras.dtype_policies.serialize(keras.DTypePolicy("mixed_float16"))
    )
    assert policy.compute_dtype == "float16"
