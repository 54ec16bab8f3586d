"""``get``, ``serialize`` and ``deserialize`` of every kind of object, without Keras."""

import numpy as np
import pytest

from minidl import keras

ROOMS = [keras.activations, keras.initializers, keras.regularizers, keras.constraints]


@pytest.mark.parametrize(
    ("room", "name", "expected"),
    [
        (keras.initializers, "glorot_uniform", "GlorotUniform"),
        (keras.initializers, "GlorotUniform", "GlorotUniform"),
        (keras.initializers, "GLOROT_UNIFORM", "GlorotUniform"),
        (keras.initializers, "normal", "RandomNormal"),
        (keras.initializers, "one", "Ones"),
        (keras.regularizers, "l1_l2", "L1L2"),
        (keras.regularizers, "L2", "L2"),
        (keras.constraints, "max_norm", "MaxNorm"),
        (keras.constraints, "nonneg", "NonNeg"),
    ],
)
def test_a_name_is_taken_whatever_its_case(room, name, expected):
    found = room.get(name)
    assert type(found).__name__ == expected
    again = room.deserialize(room.serialize(found))
    assert type(again) is type(found)
    assert again.get_config() == found.get_config()
    bare = {"class_name": expected, "config": found.get_config()}
    assert type(room.get(bare)) is type(found)


@pytest.mark.parametrize("room", ROOMS)
def test_none_classes_and_callables(room):
    own = lambda x: x  # noqa: E731
    assert room.get(own) is own
    if room is keras.activations:
        assert room.get(None) is keras.activations.linear
    else:
        assert room.get(None) is None
    with pytest.raises(ValueError, match="Could not interpret"):
        room.get(3)


@pytest.mark.parametrize(
    ("room", "wrong", "meant"),
    [
        (keras.activations, "rellu", "relu"),
        (keras.initializers, "glorot_unifrom", "glorot_uniform"),
        (keras.regularizers, "l3", "l2"),
        (keras.constraints, "maxnrm", "max_norm"),
    ],
)
def test_an_unknown_name_says_what_was_meant(room, wrong, meant):
    with pytest.raises(ValueError, match=f"Could not interpret .* identifier: {wrong}.*{meant}"):
        room.get(wrong)


def test_custom_objects():
    def wave(x):
        return x

    with pytest.raises(ValueError, match="wave"):
        keras.activations.get("wave")
    with keras.utils.custom_object_scope({"wave": wave}):
        assert keras.activations.get("wave") is wave
    assert keras.activations.deserialize("wave", custom_objects={"wave": wave}) is wave
    registered = keras.utils.register_keras_serializable("test_package")(wave)
    assert keras.utils.get_registered_name(registered) == "test_package>wave"
    assert keras.utils.get_registered_object("test_package>wave") is wave
    assert keras.activations.deserialize(keras.activations.serialize(wave)) is wave
    del keras.utils.get_custom_objects()["test_package>wave"]


def test_registering_a_class_needs_a_config():
    with pytest.raises(ValueError, match="get_config"):
        keras.utils.register_keras_serializable()(type("Bare", (), {}))


def test_seeds():
    keras.utils.set_random_seed(3)
    first = keras.initializers.RandomNormal()((3,)).numpy()
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(keras.initializers.RandomNormal()((3,)).numpy(), first)
    assert not np.array_equal(keras.initializers.RandomNormal()((3,)).numpy(), first)
    np.testing.assert_array_equal(
        keras.initializers.HeNormal(seed=5)((4, 4)).numpy(),
        keras.initializers.HeNormal(seed=5)((4, 4)).numpy(),
    )
    with pytest.raises(ValueError, match="integer"):
        keras.utils.set_random_seed("3")


def test_truncated_normal_is_cut():
    values = keras.initializers.TruncatedNormal(1.0, 0.5, seed=1)((20000,)).numpy()
    assert abs(values - 1).max() <= 1.0
    assert values.std() == pytest.approx(0.5 * 0.8796, rel=0.03)
    integers = keras.initializers.RandomUniform(0, 10, seed=1)((1000,), "int32").numpy()
    assert integers.dtype == np.int32
    assert set(integers) == set(range(10))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: keras.initializers.VarianceScaling(scale=-1), "scale"),
        (lambda: keras.initializers.VarianceScaling(mode="fan"), "mode"),
        (lambda: keras.initializers.VarianceScaling(distribution="x"), "distribution"),
        (lambda: keras.initializers.Identity()((2, 2, 2)), "2D"),
        (lambda: keras.initializers.Orthogonal()((2,)), "two-dimensional"),
        (lambda: keras.initializers.RandomNormal(seed="a"), "seed"),
        (lambda: keras.regularizers.L2(-1.0), "non-negative"),
        (lambda: keras.regularizers.L1("a"), "non-negative"),
        (lambda: keras.regularizers.OrthogonalRegularizer(mode="x"), "mode"),
        (lambda: keras.activations.softmax(np.ones(3)), "1D"),
        (lambda: keras.config.set_floatx("float8"), "floatx"),
        (lambda: keras.config.set_image_data_format("x"), "data_format"),
    ],
)
def test_refusals(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_softmax_over_two_dimensions():
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    y = keras.activations.softmax(x, axis=(0, 2)).numpy()
    np.testing.assert_allclose(y.sum((0, 2)), 1, rtol=1e-6)


def test_sparsemax_is_the_nearest_point_of_the_simplex():
    x = np.random.default_rng(0).normal(size=(5, 6)) * 2
    y = keras.activations.sparsemax(x).numpy()
    np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-12)
    tau = (x - y)[y > 0]
    assert (y >= 0).all()
    for row, values in zip(x, y, strict=True):
        taus = (row - values)[values > 0]
        np.testing.assert_allclose(taus, taus[0])  # one threshold a row ...
        assert (row[values == 0] <= taus[0] + 1e-12).all()  # ... above what became 0
    assert tau.size


def test_columns_are_penalised_as_rows_of_the_transpose():
    x = np.random.default_rng(0).normal(size=(3, 4))
    rows = keras.regularizers.OrthogonalRegularizer(0.5)(x.T)
    columns = keras.regularizers.OrthogonalRegularizer(0.5, mode="columns")(x)
    assert float(rows) == pytest.approx(float(columns))


def test_limits_of_epochs_and_steps():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((12, 2)), np.ones(12)
    keras.config.set_max_epochs(2), keras.config.set_max_steps_per_epoch(1)
    try:
        with pytest.warns(UserWarning, match="Limiting"):
            history = model.fit(x, y, batch_size=4, epochs=5, verbose=0)
        assert history.epoch == [0, 1] and int(model.optimizer.iterations) == 2
        with pytest.warns(UserWarning, match="Limiting steps_per_epoch to 1"):
            assert model.predict(x, batch_size=4, verbose=0).shape == (4, 1)
    finally:
        keras.config.set_max_epochs(None), keras.config.set_max_steps_per_epoch(None)
    assert keras.config.max_epochs() is None and keras.config.max_steps_per_epoch() is None


def test_what_the_program_keeps():
    assert keras.config.backend() == "minidl" and keras.config.dtype_policy().name == "float32"
    assert keras.config.is_interactive_logging_enabled()
    with pytest.raises(NotImplementedError, match="no backend 'jax'"):
        keras.config.set_backend("jax")
