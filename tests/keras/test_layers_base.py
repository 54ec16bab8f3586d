"""The base class of layers: weights, shapes, names, masks, modes, configs."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import minidl
from minidl import keras, nn
from minidl.keras import layers


@pytest.fixture(autouse=True)
def fresh_names():
    keras.backend.clear_session()


class Scale(layers.Layer):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    def call(self, inputs, training=None):
        if training:
            self.count.assign_add(1.0)
        return inputs * self.gain * self.factor


def test_names_count_per_class():
    assert [layers.Dense(1).name for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert Scale().name == "scale" and Scale(name="mine").name == "mine"
    weights = [layers.Layer().add_weight(shape=(2,)).name for _ in range(2)]
    assert [*weights, keras.Variable(1.0).name] == ["variable", "variable_1", "variable_2"]
    keras.backend.clear_session()
    assert layers.Dense(1).name == "dense"


def test_weights_are_made_on_the_first_input():
    layer = Scale(2.0)
    assert not layer.built and layer.weights == []
    out = layer(np.ones((2, 3)))
    assert layer.built and out.dtype == minidl.float32
    np.testing.assert_allclose(out.detach().numpy(), 2 * np.ones((2, 3)))
    assert [w.path for w in layer.weights] == ["scale/gain", "scale/count"]
    assert [w.name for w in layer.trainable_weights] == ["gain"]
    assert [w.name for w in layer.non_trainable_weights] == ["count"]
    layer(np.ones((2, 3)), training=True)
    assert layer.get_weights()[1] == 1.0


def test_layouts_are_keras():
    layer = layers.Dense(4)
    layer.build((None, 3))
    assert [w.shape for w in layer.weights] == [(3, 4), (4,)]
    assert tuple(layer.core.weight.shape) == (4, 3)
    kernel = np.arange(12.0).reshape(3, 4)
    layer.set_weights([kernel, np.zeros(4)])
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)
    np.testing.assert_array_equal(np.asarray(layer.kernel), kernel)
    np.testing.assert_allclose(layer(np.eye(3)).detach().numpy(), kernel)
    layer.kernel.assign_add(np.ones((3, 4)))
    np.testing.assert_array_equal(layer.kernel.numpy(), kernel + 1)
    assert layer.count_params() == 16


def test_set_weights_refuses():
    layer = layers.Dense(4)
    with pytest.raises(ValueError, match="weight list of length 1, but the layer was expecting 0"):
        layer.set_weights([np.zeros((3, 4))])
    with pytest.raises(ValueError, match="isn't built"):
        layer.count_params()
    layer.build((None, 3))
    with pytest.raises(ValueError, match=r"expecting 2 weights: dense/kernel, dense/bias"):
        layer.set_weights([])
    with pytest.raises(
        ValueError, match=r"shape \(3, 4\) is not compatible with provided weight shape \(4, 3\)"
    ):
        layer.set_weights([np.zeros((4, 3)), np.zeros(4)])


def test_a_layer_is_a_module():
    net = nn.Sequential(layers.Dense(4, activation="relu"), nn.Linear(4, 1))
    out = net(minidl.ones(2, 3))
    out.sum().backward()
    assert {name for name, _ in net.named_parameters()} == {
        "0.core.weight",
        "0.core.bias",
        "1.weight",
        "1.bias",
    }
    assert net[0].core.weight.grad is not None


def test_lists_of_layers_are_found():
    class Net(layers.Layer):
        def __init__(self):
            super().__init__()
            self.first = layers.Dense(1)
            self.blocks = []
            for _ in range(2):
                self.blocks.append(layers.Dense(2))
            self.named = {"a": layers.Dense(3)}

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return self.first(x) + self.named["a"](x).sum(-1, keepdim=True)

    net = Net()
    net(np.ones((2, 2)))
    assert [w.shape for w in net.weights] == [(2, 1), (1,), (2, 2), (2,), (2, 2), (2,), (2, 3), (3,)]
    assert len(list(net.parameters())) == 8
    net.trainable = False
    assert net.trainable_weights == [] and not any(p.requires_grad for p in net.parameters())
    net.trainable = True
    assert len(net.trainable_weights) == 8


def test_shapes_are_found_by_a_run():
    class Pair(layers.Layer):
        def call(self, inputs):
            return inputs.sum(-1), inputs.reshape(inputs.shape[0], -1)

    a, b = Pair()(keras.Input((None, 4)))
    assert a.shape == (None, None) and b.shape == (None, None)
    a, b = Pair()(keras.Input((3, 4)))
    assert a.shape == (None, 3) and b.shape == (None, 12)


@pytest.mark.parametrize("longest", [20, 200])
def test_unknown_sizes_are_those_that_a_layer_takes(longest):
    """A table of positions takes short sequences only, a wide kernel long ones only."""

    class Positions(layers.Layer):
        def __init__(self):
            super().__init__()
            self.table = (
                layers.Embedding(longest, 4) if longest < 31 else layers.Conv1D(4, 65, padding="valid")
            )

        def call(self, x):
            length = keras.ops.shape(x)[1]
            return x + self.table(keras.ops.arange(0, length, 1)) if longest < 31 else self.table(x)

    assert Positions()(keras.Input((None, 4))).shape == (None, None, 4)
    with pytest.raises(
        IndexError if longest < 31 else ValueError, match=r"on zeros of shape \[\(2, 50, 4\)\]"
    ):
        Positions()(keras.Input((50, 4)))


def test_masks_are_known_before_there_are_data():
    class Demand(layers.Layer):
        def call(self, x, mask=None):
            assert mask is not None
            return x * keras.ops.expand_dims(keras.ops.cast(mask, "float32"), -1)

    embedded = layers.Embedding(5, 2, mask_zero=True)(keras.Input((None,)))
    hidden = layers.Dense(3)(layers.LSTM(2, return_sequences=True)(embedded))
    assert embedded._keras_mask.shape == hidden._keras_mask.shape == (None, None)
    assert layers.LSTM(2)(hidden)._keras_mask is None and (hidden * 2)._keras_mask is None
    assert Demand()(hidden).shape == (None, None, 3)


def test_build_and_shape_by_argument_names():
    class Attend(layers.Layer):
        def build(self, query_shape, value_shape):
            self.w = self.add_weight(shape=(query_shape[-1], value_shape[-1]), name="w")

        def call(self, query, value):
            return (query @ self.w) @ value.transpose(-1, -2)

        def compute_output_shape(self, query_shape, value_shape):
            return (*query_shape[:-1], value_shape[-2])

    layer = Attend()
    out = layer(keras.Input((5, 3)), keras.Input((7, 4)))
    assert out.shape == (None, 5, 7) and layer.weights[0].shape == (3, 4)
    assert layer(np.ones((1, 5, 3)), value=np.ones((1, 7, 4))).shape == (1, 5, 7)


def test_training_reaches_inner_layers():
    seen = []

    class Inner(layers.Layer):
        def call(self, x, training=None):
            seen.append(training)
            return x

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Inner()
            self.norm = nn.BatchNorm1d(2)

        def call(self, x):
            return self.norm(self.inner(x))

    outer = Outer()
    outer(np.ones((3, 2)), training=True)
    assert outer.norm.training
    outer(np.ones((3, 2)))
    assert not outer.norm.training
    assert seen == [True, None]


def test_masks_pass_through():
    class Source(layers.Layer):
        def call(self, x):
            return x * 1

        def compute_mask(self, inputs, mask=None):
            return inputs[:, :, 0] > 0

    class Sink(layers.Layer):
        def call(self, x, mask=None):
            self.seen = mask
            return x

    class Deaf(layers.Layer):
        def call(self, x):
            return x * 1

    source, sink = Source(), Sink()
    x = np.array([[[1.0], [0.0]]])
    sink(layers.Dense(2)(source(x)))
    assert sink.seen.tolist() == [[True, False]]
    with pytest.warns(UserWarning, match="does not support masking and will therefore destroy"):
        out = Deaf()(source(x))
    assert getattr(out, "_keras_mask", None) is None


def test_errors_name_the_layer():
    with pytest.raises(RuntimeError, match=r"you forgot to call `super\(\).__init__\(\)`"):

        class Bad(layers.Layer):
            def __init__(self):
                self.inner = layers.Dense(1)

        Bad()
    with pytest.raises(
        ValueError, match=r"Unrecognized keyword arguments passed to Dense.*Did you mean 'activation'"
    ):
        layers.Dense(1, activaton="relu")
    with pytest.raises(ValueError, match="cannot contain character"):
        layers.Dense(1, name="a/b")
    layer = layers.Dense(2)
    layer(np.ones((1, 3)))
    with pytest.raises(
        ValueError,
        match=r'Input 0 of layer "dense.*expected axis -1 of input shape to have value 3.*\(1, 4\)',
    ):
        layer(np.ones((1, 4)))
    with pytest.raises(ValueError, match=r"expected min_ndim=2, found ndim=1"):
        layer(np.ones(3))
    with pytest.raises(NotImplementedError, match="does not have a `call"):
        layers.Layer()(np.ones((1, 1)))


def test_configs_without_get_config():
    layer = Scale(3.0, name="s")
    again = Scale.from_config(layer.get_config())
    assert again.factor == 3.0 and again.name == "s"
    assert (
        layers.Dense.from_config(layers.Dense(3, activation="relu").get_config()).activation
        is keras.activations.relu
    )


def test_add_weight_defaults_and_order_of_keras2():
    layer = layers.Layer()
    w = layer.add_weight(shape=(200, 200), name="w")
    assert 0.05 < float(w.detach().abs().max()) <= np.sqrt(6 / 400)
    with pytest.warns(DeprecationWarning):
        v = layer.add_weight("v", shape=(2,)) if False else layer.add_weight("v", (2,), "zeros")
    assert v.name == "v" and v.shape == (2,)
    assert layer.add_weight(shape=(2,), dtype="int32", name="i").dtype == minidl.int32


def test_variables_are_tensors():
    v = keras.Variable(np.ones(2), name="v")
    assert isinstance(v, minidl.Tensor) and v.requires_grad
    (v * 2).sum().backward()
    assert v.grad.tolist() == [2, 2]
    np.testing.assert_array_equal(v.assign([3, 4]).numpy(), [3, 4])
    with pytest.raises(ValueError, match="must match"):
        v.assign(np.ones(3))
    again = pickle.loads(pickle.dumps(v))
    assert again.name == "v" and again.tolist() == [3, 4] and again.requires_grad


def test_layers_copy_and_pickle():
    layer = layers.Dense(2, kernel_regularizer="l2")
    layer(np.ones((1, 3)))
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(again.get_weights()[0], layer.get_weights()[0])
        again.kernel.assign(np.zeros((3, 2)))
        assert np.abs(layer.get_weights()[0]).max() > 0
        assert float(again.core.weight.abs().max()) == 0


def test_integer_inputs_are_cast_where_numbers_are_meant():
    assert layers.Dense(2)(np.ones((1, 3), int)).dtype == minidl.float32
    assert layers.Dense(2, dtype="float64")(np.ones((1, 3))).dtype == minidl.float64


def test_mixed_precision():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        layer = layers.Dense(2)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    out = layer(np.ones((1, 3)))
    assert out.dtype == minidl.bfloat16 and layer.core.weight.dtype == minidl.float32
    out.float().sum().backward()
    assert layer.core.weight.grad.dtype == minidl.float32
    with pytest.raises(ValueError, match="Cannot convert 'nonsense'"):
        keras.mixed_precision.Policy("nonsense")


def test_no_warnings_in_ordinary_use():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layers.Dense(1)(layers.Dropout(0.5)(np.ones((2, 2)), training=True))


class Dense(layers.Layer):
    """A layer of the user's with the name of one of ours."""

    def call(self, x):
        return x


def test_configs_find_classes():
    deserialize, serialize = layers.deserialize, layers.serialize
    config = {"class_name": "Dense", "config": {"units": 2}}
    assert type(deserialize(config)) is layers.Dense
    assert type(deserialize(config | {"config": {}}, {"Dense": Dense})) is Dense
    assert type(deserialize(serialize(Scale(2.0)))) is Scale
    assert type(deserialize(serialize(Dense()))) is Dense
    with pytest.raises(ValueError, match=r"Unknown layer: 'Scael'.*custom_objects=\{'Scael'"):
        deserialize({"class_name": "Scael", "config": {}})
    with pytest.raises(ValueError, match="Did you mean 'Dropout'"):
        deserialize({"class_name": "Dropot", "config": {}})
    with keras.utils.custom_object_scope({"Mine": Scale}):
        assert type(deserialize({"class_name": "Mine", "config": {"factor": 3.0}})) is Scale
