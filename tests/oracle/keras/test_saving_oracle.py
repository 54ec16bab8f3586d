"""Files between minidl and real Keras, both ways: predictions, the optimizer's state, and training that goes on."""

import keras as theirs
import numpy as np
import pytest

from minidl import keras as ours

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    # the name that Keras 2 and 3 both read
    pytest.mark.filterwarnings("ignore:Argument `alpha` is deprecated"),
]
ENDINGS = ("h5", "keras")


def cnn(k):
    n = k.layers
    return k.Sequential([
        k.Input((8, 9, 3)), n.Conv2D(4, 3, padding="same", activation="relu", kernel_regularizer="l2"),
        n.MaxPooling2D(2), n.SeparableConv2D(5, 2), n.DepthwiseConv2D(2, depth_multiplier=2),
        n.Conv2DTranspose(3, 3, strides=2, padding="same"), n.LeakyReLU(negative_slope=0.2), n.PReLU(),
        n.ZeroPadding2D(1), n.Flatten(), n.Dropout(0.0), n.Dense(2),
    ])  # fmt: skip


def normed(k):
    n = k.layers
    return k.Sequential([
        k.Input((8, 8, 3)), n.Conv2D(4, 3), n.BatchNormalization(), n.Activation("relu"), n.GlobalAveragePooling2D(),
        n.LayerNormalization(), n.Dense(2),
    ])  # fmt: skip


def conv1d(k):
    n = k.layers
    return k.Sequential([
        k.Input((12, 3)), n.Conv1D(4, 3, padding="causal", dilation_rate=2), n.AveragePooling1D(2, padding="same"),
        n.Permute((2, 1)), n.GlobalAveragePooling1D(), n.RepeatVector(2), n.Reshape((-1,)), n.Dense(2),
    ])  # fmt: skip


def words(k):
    n = k.layers
    return k.Sequential([k.Input((7,)), n.Embedding(11, 4), n.GlobalMaxPooling1D(), n.Dense(2)])


def graph(k):
    n = k.layers
    a, b = k.Input((6,), name="a"), k.Input((6,), name="b")
    shared = n.Dense(3, name="shared")
    x = n.Concatenate()([shared(a), shared(b)])
    y = n.Multiply()([n.Dense(6)(x), a]) + x
    return k.Model([a, b], [n.Dense(2, name="o1")(y), n.Dense(1, name="o2")(n.ELU()(y))])


def nested(k):
    n = k.layers
    i = k.Input((6,))
    inner = k.Model(i, n.Dense(3, activation="tanh")(i), name="inner")
    stack = k.Sequential([k.Input((3,)), n.Dense(4), n.Dense(2)], name="stack")
    a = k.Input((6,))
    return k.Model(a, stack(inner(a)))


def called_twice(k):
    n = k.layers
    a, i = k.Input((6,)), k.Input((6,))
    inner = k.Model(i, n.Dense(6, activation="tanh")(i), name="inner")
    stack = k.Sequential([k.Input((6,)), n.Dense(6), n.Dense(6)], name="stack")
    u, v = inner(a), stack(a)
    return k.Model(a, [u, n.Dense(2)(inner(v)), stack(u)])


def models_in_layers(k):
    n = k.layers
    i, j = k.Input((6,)), k.Input((5, 6))
    inner = k.Model(i, n.Dense(3, activation="tanh")(i), name="inner")
    first = k.Model(j, n.Dense(6)(j), name="first")
    return k.Sequential(
        [first, n.TimeDistributed(inner), n.Flatten(), k.Sequential([k.Input((15,)), n.Dense(2)])]
    )


def branches(k):
    n = k.layers
    a, b = k.Input((6,)), k.Input((6,))
    left = n.Dense(6)(n.Dense(6, activation="relu")(n.Dense(6)(a)))
    right = n.Dense(6)(n.Dense(6, activation="tanh")(b))
    return k.Model([a, b], [n.Dense(6)(a), n.Add()([left, right, b])])


def recurrent(k):
    n = k.layers
    return k.Sequential([
        k.Input((5, 3)), n.SimpleRNN(4, return_sequences=True), n.LSTM(4, return_sequences=True),
        n.GRU(3, return_sequences=True), n.GRU(3, reset_after=False, return_sequences=True), n.LSTM(2), n.Dense(1),
    ])  # fmt: skip


def bidirectional(k):
    n = k.layers
    return k.Sequential([
        k.Input((5,), dtype="int32"), n.Embedding(9, 3, mask_zero=True),
        n.Bidirectional(n.LSTM(4, return_sequences=True)), n.Bidirectional(n.GRU(3), merge_mode="sum"), n.Dense(1),
    ])  # fmt: skip


def distributed(k):
    n = k.layers
    return k.Sequential([k.Input((5, 3)), n.TimeDistributed(n.Dense(4)), n.Flatten(), n.Dense(1)])


def attention(k):
    n = k.layers
    a = k.Input((5, 6))
    x = n.Add()([a, n.MultiHeadAttention(2, 3)(a, a)])
    return k.Model(a, n.Dense(2)(n.GlobalAveragePooling1D()(x)))


def newer(k):
    n = k.layers
    a = k.Input((5, 6))
    x = n.GroupQueryAttention(3, 4, 2, use_gate=True, name="grouped")(a, a)
    x = n.MultiHeadAttention(2, 3, use_gate=True, sliding_window=2)(x, x)
    x = n.Pipeline([n.Rescaling(0.5), n.Rescaling(3.0)])(x)
    return k.Model(a, n.SpectralNormalization(n.Dense(2))(n.GlobalAveragePooling1D()(x)))


NEEDS = {
    normed: "LayerNormalization", recurrent: "GRU", bidirectional: "Bidirectional", distributed: "TimeDistributed",
    attention: "MultiHeadAttention",
}  # fmt: skip
MODELS = [
    pytest.param(make, id=make.__name__, marks=pytest.mark.skipif(
        make in NEEDS and not hasattr(ours.layers, NEEDS.get(make)), reason=f"no layer {NEEDS.get(make)} yet"
    ))
    for make in (cnn, normed, conv1d, words, graph, nested, called_twice, models_in_layers, branches,
                 recurrent, bidirectional, distributed, attention, newer)
]  # fmt: skip


def data(model, n=10):
    r = np.random.default_rng(5)
    takes_words = any(type(layer).__name__ == "Embedding" for layer in model.layers)
    xs = [
        r.integers(0, 9, (n, *i.shape[1:]))
        if takes_words
        else r.normal(size=(n, *i.shape[1:])).astype("float32")
        for i in model.inputs
    ]
    ys = [r.normal(size=(n, *o.shape[1:])).astype("float32") for o in model.outputs]
    return (xs if len(xs) > 1 else xs[0]), (ys if len(ys) > 1 else ys[0])


def close(a, b, atol):
    for left, right in zip(a if isinstance(a, list) else [a], b if isinstance(b, list) else [b], strict=True):
        np.testing.assert_allclose(np.asarray(left), np.asarray(right), atol=atol, rtol=1e-5)


def trained(model, optimizer="adam", loss="mean_squared_error", **options):
    model.compile(optimizer, loss, **options)
    x, y = data(model)
    model.fit(x, y, epochs=2, batch_size=4, verbose=0)
    return x, y


def goes_on(model, x, y):
    return model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0).history


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("make", MODELS)
def test_keras_opens_what_minidl_saved(make, ending, tmp_path):
    model = make(ours)
    x, y = trained(model)
    model.save(tmp_path / f"m.{ending}")
    again = theirs.models.load_model(tmp_path / f"m.{ending}")
    close(model.predict(x, verbose=0), again.predict(x, verbose=0), 1e-6)
    assert int(again.optimizer.iterations) == int(model.optimizer.iterations) == 6
    if (
        ending == "keras"
    ):  # a .h5 that Keras loads, its own too, cannot be trained on: it builds the optimizer of no weights
        first, second = goes_on(model, x, y), goes_on(again, x, y)
        assert sorted(first) == sorted(second)
        np.testing.assert_allclose(first["loss"], second["loss"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("make", MODELS)
def test_minidl_opens_what_keras_saved_and_trains_on(make, ending, tmp_path):
    model = make(theirs)
    x, y = trained(model)
    model.save(tmp_path / f"m.{ending}")
    again = ours.models.load_model(tmp_path / f"m.{ending}")
    close(again.predict(x, verbose=0), model.predict(x, verbose=0), 1e-5)
    assert int(again.optimizer.iterations) == 6
    np.testing.assert_allclose(
        goes_on(again, x, y)["loss"], goes_on(model, x, y)["loss"], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("ending", ["weights.h5", "h5"])
@pytest.mark.parametrize("make", MODELS)
def test_weights_both_ways(make, ending, tmp_path):
    model, other = make(ours), make(theirs)
    path = tmp_path / f"w.{ending}"
    model.save_weights(path)
    other.load_weights(path)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    if ending == "weights.h5":
        other.set_weights([w + 1 for w in other.get_weights()])
        other.save_weights(path)
        model.load_weights(path)
        for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def small(k):
    return k.Sequential([k.Input((6,)), k.layers.Dense(4, activation="relu"), k.layers.Dense(3)])


OPTIMIZERS = [
    ("SGD", {}), ("SGD", {"momentum": 0.9, "nesterov": True}), ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True}), ("Adam", {"amsgrad": True}), ("AdamW", {}), ("Adagrad", {}),
    ("Adadelta", {}), ("Adamax", {}), ("Nadam", {}), ("Ftrl", {}), ("Lion", {}), ("Adam", {"clipnorm": 0.5}),
]  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=[f"{n}-{'-'.join(o)}" for n, o in OPTIMIZERS])
def test_state_of_every_optimizer(name, options, ending, tmp_path):
    for here, there in ((ours, theirs), (theirs, ours)):
        model = small(here)
        x, y = trained(model, getattr(here.optimizers, name)(learning_rate=0.002, **options))
        model.save(tmp_path / f"m.{ending}")
        again = there.models.load_model(tmp_path / f"m.{ending}")
        assert type(again.optimizer).__name__ == name and int(again.optimizer.iterations) == 6
        assert float(again.optimizer.learning_rate) == pytest.approx(0.002)
        if ending == "keras" or there is ours:
            np.testing.assert_allclose(
                goes_on(model, x, y)["loss"], goes_on(again, x, y)["loss"], rtol=1e-4, atol=1e-6
            )


@pytest.mark.parametrize("ending", ENDINGS)
def test_losses_metrics_and_schedules_by_every_kind_of_name(ending, tmp_path):
    for here, there in ((ours, theirs), (theirs, ours)):
        if here is theirs:  # Keras cannot reload the short names that it writes itself
            loss, metrics = "mean_squared_error", ["accuracy", here.metrics.RootMeanSquaredError()]
        else:
            loss, metrics = (
                "mse",
                ["acc", "mae", here.metrics.RootMeanSquaredError(), "mean_absolute_percentage_error"],
            )
        rate = here.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
        model = small(here)
        x, y = trained(model, here.optimizers.SGD(rate), loss, metrics=metrics)
        model.save(tmp_path / f"m.{ending}")
        again = there.models.load_model(tmp_path / f"m.{ending}")
        first, second = (
            model.evaluate(x, y, verbose=0, return_dict=True),
            again.evaluate(x, y, verbose=0, return_dict=True),
        )
        assert set(first) == set(second)
        for key, value in first.items():
            assert value == pytest.approx(second[key], rel=1e-5)
        assert float(again.optimizer.learning_rate) == pytest.approx(float(model.optimizer.learning_rate))


def test_loss_objects_keep_their_options(tmp_path):
    labels = np.array([0, 1, 2, 1])
    x = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    for here, there in ((ours, theirs), (theirs, ours)):
        for ending in ENDINGS:
            model = small(here)
            model.compile("adam", here.losses.SparseCategoricalCrossentropy(from_logits=True))
            model.fit(x, labels, verbose=0)
            model.save(tmp_path / f"m.{ending}")
            again = there.models.load_model(tmp_path / f"m.{ending}")
            assert again.evaluate(x, labels, verbose=0) == pytest.approx(
                model.evaluate(x, labels, verbose=0), rel=1e-5
            )


@pytest.mark.filterwarnings("ignore:.*no training configuration")
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_a_graph_of_keras_does_in_training_it_does_again(ending, tmp_path):
    def make(k, **said):
        i = k.Input((50,))
        return k.Model(i, k.layers.Dropout(0.5)(i, **said))

    x = np.ones((4, 50), "float32")
    for kit, said in ((theirs, {}), (ours, {}), (ours, {"training": False})):
        make(kit, **said).save(tmp_path / f"m.{ending}")
        model = ours.models.load_model(tmp_path / f"m.{ending}")
        assert bool((model(x, training=True).numpy() == 0).any()) == (not said)
        assert (model.predict(x, verbose=0) == 1).all()
    again = theirs.models.load_model(tmp_path / f"m.{ending}")
    assert (again.predict(x, verbose=0) == 1).all()


def test_frozen_layers_stay_frozen(tmp_path):
    for ending in ENDINGS:
        model = nested(theirs)
        model.layers[1].trainable = False
        x, _ = trained(model)
        model.save(tmp_path / f"m.{ending}")
        again = ours.models.load_model(tmp_path / f"m.{ending}")
        assert len(again.trainable_weights) == len(model.trainable_weights) == 4
        close(again.predict(x, verbose=0), model.predict(x, verbose=0), 1e-5)


def test_a_subclassed_model_shares_weights_files(tmp_path):
    def net(k):
        class Net(k.Model):
            def __init__(self):
                super().__init__()
                self.hidden = k.layers.Dense(5, activation="relu")
                self.blocks = [k.layers.Dense(4), k.layers.Dense(3)]
                self.out = k.layers.Dense(2)

            def call(self, x):
                x = self.hidden(x)
                for block in self.blocks:
                    x = block(x)
                return self.out(x)

        model = Net()
        model(np.zeros((1, 6), "float32"))
        return model

    model, other = net(ours), net(theirs)
    model.save_weights(tmp_path / "w.weights.h5")
    other.load_weights(tmp_path / "w.weights.h5")
    x = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    close(model.predict(x, verbose=0), other.predict(x, verbose=0), 1e-6)
    other.set_weights([w + 1 for w in other.get_weights()])
    other.save_weights(tmp_path / "w.weights.h5")
    model.load_weights(tmp_path / "w.weights.h5")
    close(model.predict(x, verbose=0), other.predict(x, verbose=0), 1e-5)


def operations(k):
    o, x = k.ops, k.Input((4, 3))
    rows = [
        x[:, 0], (x / 2 - 1)[..., 0:3][:, 1], 1 - o.mean(x, axis=1), o.sum(x, 1, keepdims=True)[:, 0],
        o.matmul(x, o.transpose(x, (0, 2, 1)))[:, 0, :3], o.where(x > 0, x, 0 * x)[:, 0], o.einsum("bij->bj", x),
        o.reshape(o.stack([x, -x], axis=1), (-1, 24))[:, :3], o.split(x, 2, axis=1)[1][:, 0], o.gelu(x)[:, 0],
        o.average(x, axis=1), o.pad(x, [[0, 0], [1, 0], [0, 0]])[:, 0], o.take(x, 2, axis=1), o.norm(x, axis=1),
        o.cast(o.argmax(x, axis=1), "float32"), o.logsumexp(x, axis=1), o.maximum(x, 0.5)[:, 0],
    ]  # fmt: skip
    return k.Model(x, k.layers.Concatenate()(rows))


def test_operations_on_symbolic_tensors(tmp_path):
    for here, there in ((ours, theirs), (theirs, ours)):
        model = operations(here)
        model.save(tmp_path / "m.keras")
        again = there.models.load_model(tmp_path / "m.keras")
        x, _ = data(model)
        close(again.predict(x, verbose=0), model.predict(x, verbose=0), 1e-5)


def test_json_of_keras(tmp_path):
    for make in (cnn, graph, nested):
        model = make(theirs)
        again = ours.models.model_from_json(model.to_json())
        assert [tuple(w.shape) for w in again.weights] == [tuple(w.shape) for w in model.weights]
