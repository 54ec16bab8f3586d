"""Where epochs end: passes and steps, data that run out, steps of a model's own, names and order of what is logged."""

import inspect

import numpy as np
import pytest

from minidl import keras
from minidl.keras import layers

X = np.arange(12.0, dtype="float32").reshape(6, 2)
Y = X[:, :1] * 0.1


def model_of(loss="mse", kind=keras.Sequential, **compiled):
    model = kind([keras.Input((2,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.0), loss, **compiled)
    return model


def seen_by(model):
    """The first value of each batch that the model is trained on, as they come."""
    rows = []
    step = type(model).train_step

    def train_step(data):
        rows.append(int(data[0].numpy()[0, 0]))
        return step(model, data)

    model.train_step = train_step
    return rows


def batches(count):
    yield from ((X[i : i + 1], Y[i : i + 1]) for i in range(count))


def test_steps_go_on_through_a_pass_and_a_pass_that_ends_makes_a_short_epoch():
    model = model_of()
    rows = seen_by(model)
    model.fit(X, Y, batch_size=2, shuffle=False, epochs=3, verbose=0)
    assert rows == [0, 4, 8] * 3
    rows.clear()
    with pytest.warns(UserWarning, match="ran out of data.* of 2 for this epoch there came 1"):
        model.fit(X, Y, batch_size=2, steps_per_epoch=2, shuffle=False, epochs=3, verbose=0)
    assert rows == [0, 4, 8, 0, 4]
    rows.clear()
    model.fit(X, Y, batch_size=1, steps_per_epoch=3, shuffle=False, epochs=3, verbose=0)  # it divides
    assert rows == [0, 2, 4, 6, 8, 10, 0, 2, 4]


def test_steps_without_a_batch_size_divide_all_rows_among_them():
    model = model_of()
    rows = seen_by(model)
    model.fit(X, Y, steps_per_epoch=2, shuffle=False, epochs=2, verbose=0)
    assert rows == [0, 6, 0, 6]
    assert model.predict(X, steps=1, verbose=0).shape == (6, 1)


@pytest.mark.parametrize(("count", "steps", "epochs"), [(4, 2, 2), (5, 2, 3), (4, None, 1)])
def test_a_generator_that_ends_ends_training(count, steps, epochs):
    with pytest.warns(UserWarning, match="ran out of data") as said:
        history = model_of().fit(batches(count), steps_per_epoch=steps, epochs=5, verbose=0)
    assert len(said) == 1
    assert history.epoch == list(range(epochs)) and min(history.history["loss"]) >= 0
    assert len(history.history["loss"]) == epochs


def test_validation_that_ends_gives_no_values_and_no_data_are_an_error():
    model = model_of()
    with pytest.warns(UserWarning, match="ran out of data"):
        history = model.fit(X, Y, validation_data=batches(4), validation_steps=2, epochs=3, verbose=0)
    assert len(history.history["val_loss"]) == 2 and len(history.history["loss"]) == 3
    for call in (model.fit, model.evaluate, model.predict):
        with pytest.warns(UserWarning), pytest.raises(ValueError, match="received no data"):
            call(batches(0), verbose=0)


def test_a_wish_to_shuffle_what_orders_itself_is_a_warning():
    model = model_of()
    for shuffle in (True, "batch"):
        with pytest.warns(
            UserWarning, match=f"shuffle={shuffle}.*ignored since the data `x` was provided as a generator"
        ):
            model.fit(batches(2), shuffle=shuffle, verbose=0)
    model.fit(batches(2), shuffle=False, verbose=0)
    assert inspect.signature(model.fit).parameters["shuffle"].default == True  # noqa: E712
    np.random.seed(0)
    rows = seen_by(model)
    model.fit(X, Y, batch_size=1, epochs=2, verbose=0)
    assert sorted(rows[:6]) == sorted(rows[6:]) == [0, 2, 4, 6, 8, 10] and rows[:6] != rows[6:]


def test_a_model_without_a_loss_evaluates_nothing():
    model = model_of(None, metrics=["mae"])
    for call in (model.fit, model.evaluate, model.test_on_batch):
        with pytest.raises(ValueError, match="No loss to compute"):
            call(X, Y)
    with pytest.raises(ValueError, match="must call `compile"):
        keras.Sequential([layers.Dense(1)]).fit(X, Y)


def test_steps_of_ones_own_get_as_short_a_tuple_as_holds_the_data():
    class Own(keras.Sequential):
        def train_step(self, data):
            lengths.append(("train", len(data)))
            return super().train_step(data)

        def test_step(self, data):
            x, y = data
            lengths.append(("test", len(data)))
            return {"loss": ((self(x) - y) ** 2).mean()}

        def predict_step(self, data):
            lengths.append(("predict", len(data)))
            return super().predict_step(data)

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "extra": 7.0}

    lengths = []
    model = model_of(kind=Own, metrics=["mae"])
    history = model.fit(X, Y, validation_data=(X, Y), verbose=0)
    assert list(history.history) == ["extra", "loss", "mae", "val_loss"] and history.history["extra"] == [7.0]
    model.train_on_batch(X, Y, sample_weight=np.ones(6))
    model.predict(X, verbose=0)
    assert lengths == [("train", 2), ("test", 2), ("train", 3), ("predict", 1)]
    values = model.train_on_batch(X, Y)
    assert values == pytest.approx([(Y**2).mean(), Y.mean(), 7.0])


def two_heads(**compiled):
    inputs = keras.Input((2,))
    heads = [layers.Dense(1, name="a")(inputs), layers.Dense(1, name="b")(inputs)]
    model = keras.Model(inputs, heads)
    model.compile(keras.optimizers.SGD(0.0), **compiled)
    return model


def test_names_and_order_of_several_outputs():
    model = two_heads(loss="mse", metrics=[["mae"], ["mae"]], weighted_metrics=[["mae"], ["mse", "mse"]])
    model.train_on_batch(X, [Y, Y], return_dict=True)
    names = ["loss", "a_loss", "b_loss", "a_mae", "a_weighted_mae", "b_mae", "b_mse", "b_weighted_mse"]
    assert model.metrics_names == names
    values, found = (
        model.evaluate(X, [Y, Y], verbose=0),
        model.evaluate(X, [Y, Y], verbose=0, return_dict=True),
    )
    assert list(found) == sorted(names) and [found[name] for name in names] == values
    alone = two_heads(loss={"a": "mse"}, metrics={"b": "mae"})
    assert list(alone.evaluate(X, [Y, Y], verbose=0, return_dict=True)) == ["b_mae", "loss"]


def test_a_metric_of_several_values_names_them():
    class Both(keras.metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true)

        def result(self):
            return {"one": super().result(), "two": super().result() * 2}

    history = model_of(metrics=[Both()]).fit(X, Y, verbose=0).history
    assert list(history) == ["loss", "one", "two"] and history["two"] == [pytest.approx(2 * Y.mean())]


def test_the_order_of_the_history_and_of_the_line(capsys):
    model = model_of(weighted_metrics=["mae", "mse"])
    halving = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr / 2)
    history = model.fit(X, Y, validation_data=(X, Y), verbose=2, callbacks=[halving])
    names = ["loss", "mae", "mse", "val_loss", "val_mae", "val_mse", "learning_rate"]
    assert list(history.history) == names
    line = capsys.readouterr().out.split(" - ")[3:]
    assert [part.split(":")[0] for part in line] == names
    model.fit(X, Y, verbose=3)
    assert capsys.readouterr().out == ""


def own(y_true, y_pred):
    return (y_true - y_pred).square().sum(-1)


@pytest.mark.parametrize("loss", ["kld", "poisson", own])
def test_targets_of_one_dimension_meet_a_column(loss):
    model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", loss, metrics=[loss] if isinstance(loss, str) else ["mse"])
    found = [model.evaluate(X, y, verbose=0) for y in (np.array([0, 1, 1, 0, 1, 0]), Y.clip(0, 1))]
    column = model.evaluate(X, np.array([0, 1, 1, 0, 1, 0])[:, None], verbose=0)
    assert found[0] == pytest.approx(column) and column[0] == pytest.approx(column[1])


def test_a_weight_a_sample_weighs_all_of_its_steps_that_count():
    x = np.random.default_rng(0).normal(size=(4, 3, 2))
    x[:, 2] = 0
    weights = np.array([0.0, 1.0, 2.0, 3.0])
    model = keras.Sequential([keras.Input((3, 2)), layers.Masking(), layers.GRU(2, return_sequences=True)])
    model.compile("sgd", "mse")
    one = model.evaluate(x, x, sample_weight=weights, verbose=0)
    assert one == pytest.approx(model.evaluate(x, x, sample_weight=weights[:, None].repeat(3, 1), verbose=0))


def test_nothing_to_train_is_said_and_logits_have_a_threshold():
    model = model_of(metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)])
    model.set_weights([np.array([[-0.1], [0.0]]), np.array([0.3])])
    model.trainable = False
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        history = model.fit(X, [1, 1, 0, 0, 0, 1], verbose=0)
    assert history.history["binary_accuracy"] == [pytest.approx(5 / 6)]
    model.compile("sgd", keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
    with pytest.warns(
        UserWarning, match=r"`accuracy` takes outputs above 0.5.*BinaryAccuracy\(threshold=0.0\)"
    ):
        model.evaluate(X, [1, 1, 0, 0, 0, 1], verbose=0)


def test_training_ends_on_the_moving_averages():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, kernel_initializer="zeros", use_bias=False)])
    for swap in ([], [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)]):
        model.set_weights([np.zeros((2, 1))])
        model.compile(keras.optimizers.SGD(0.01, use_ema=True, ema_momentum=0.5), "mse")
        raw = []
        note = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, raw=raw: raw.append(model.get_weights()[0].copy())
        )
        model.fit(X, Y, batch_size=2, shuffle=False, verbose=0, callbacks=[note, *swap])
        average = raw[0]
        for weights in raw[1:]:
            average = 0.5 * average + 0.5 * weights
        np.testing.assert_allclose(model.get_weights()[0], average, rtol=1e-5)


def test_moving_averages_are_swapped_for_validation():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(learning_rate=0.1, use_ema=True, ema_momentum=0.5), "mse")
    history = model.fit(
        X,
        Y,
        epochs=2,
        validation_data=(X, Y),
        batch_size=5,
        verbose=0,
        callbacks=[keras.callbacks.SwapEMAWeights()],
    )
    assert np.isfinite(history.history["val_loss"]).all()
    with pytest.raises(ValueError, match="use_ema=True"):
        model_of().fit(X, Y, validation_data=(X, Y), verbose=0, callbacks=[keras.callbacks.SwapEMAWeights()])


def test_metrics_without_a_state_of_their_own():
    metric = keras.metrics.MeanSquaredError()
    metric.update_state([[5.0]], [[0.0]])
    state = metric.stateless_update_state(metric.stateless_reset_state(), [[1.0], [1.0]], [[3.0], [1.0]])
    assert float(metric.stateless_result(state)) == 2.0 and float(metric.result()) == 25.0
    with pytest.raises(ValueError, match="list with length 1, but expected 2"):
        metric.stateless_result(state[:1])


def test_a_series_of_inputs_is_a_column_and_sparse_rows_are_filled_up():
    pandas, sparse = (pytest.importorskip(name) for name in ("pandas", "scipy.sparse"))
    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    column = pandas.Series(X[:, 0])
    model.fit(column, pandas.Series(Y[:, 0]), verbose=0, validation_split=0.5)
    np.testing.assert_array_equal(model.predict(column, verbose=0), model.predict(X[:, :1], verbose=0))
    model = model_of()
    rows = sparse.csr_matrix(X * (X > 4))
    model.fit(rows, Y, verbose=0, validation_split=0.5)
    model.set_weights([np.array([[1.0], [2.0]]), np.array([0.5])])
    np.testing.assert_array_equal(model.predict(rows, verbose=0), model.predict(rows.toarray(), verbose=0))
    with pytest.raises(ValueError, match=r"NAType.*fillna"):
        model.predict(pandas.DataFrame({"a": [1, None], "b": [1, 2]}, dtype="Int64"), verbose=0)
