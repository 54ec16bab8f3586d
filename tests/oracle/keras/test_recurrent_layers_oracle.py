"""Recurrent layers and normalisation beside Keras'."""

import keras
import numpy as np
import pytest
from beside_keras import Row, compare, compare_outputs, randomise

import minidl
from minidl import keras as ours

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

SEQUENCE = (3, 6, 4)
MASK = np.array([[1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 0, 1], [1, 1, 1, 0, 0, 0]], dtype=bool)
EMPTY = np.array([[0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 1], [1, 1, 1, 0, 0, 0]], dtype=bool)
LAYERS = [("SimpleRNN", {}), ("SimpleRNN", {"activation": "relu"}), ("LSTM", {}), ("GRU", {}),
          ("GRU", {"reset_after": False}), ("LSTM", {"recurrent_activation": "hard_sigmoid"}),
          ("GRU", {"activation": "relu", "use_bias": False}), ("LSTM", {"use_bias": False})]  # fmt: skip
OPTIONS = [{}, {"return_sequences": True}, {"return_sequences": True, "return_state": True}, {"go_backwards": True},
           {"go_backwards": True, "return_sequences": True}]  # fmt: skip


@pytest.mark.parametrize(
    "row", [Row(n, (5,), SEQUENCE, **k, **o) for n, k in LAYERS for o in OPTIONS], ids=repr
)
def test_recurrent_layer_equals_keras(row):
    compare(row)


@pytest.mark.parametrize("mask", [MASK, EMPTY], ids=["some", "a whole sample"])
@pytest.mark.parametrize(
    "row",
    [Row(n, (5,), SEQUENCE, **k, **o) for n, k in LAYERS[:5] for o in OPTIONS]
    + [Row(n, (5,), SEQUENCE, return_sequences=True, zero_output_for_mask=True) for n in ("LSTM", "GRU")],
    ids=repr,
)
def test_masked_steps_keep_the_state(row, mask):
    theirs, mine = (getattr(k.layers, row.name)(*row.args, **row.kwargs) for k in (keras, ours))
    values = [np.random.default_rng(0).standard_normal(SEQUENCE).astype("float32")]
    theirs(values[0]), mine(values[0])
    mine.set_weights(randomise(theirs))
    row.call = {"mask": mask}
    compare_outputs(theirs, _Masked(mine, mask), values, row)


FRAMES = (3, 6, 7, 5, 2)
CONV_OPTIONS = [{}, {"return_sequences": True, "padding": "same", "kernel_size": 2},
                {"strides": 2, "return_state": True},
                {"go_backwards": True, "dilation_rate": 2, "recurrent_activation": "hard_sigmoid"},
                {"use_bias": False, "data_format": "channels_first", "kernel_size": (2, 1)}]  # fmt: skip


@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
@pytest.mark.parametrize("options", CONV_OPTIONS, ids=str)
def test_conv_lstm_equals_keras(options, mask):
    options = {"filters": 3, "kernel_size": 3, **options}
    row = Row("ConvLSTM2D", (), FRAMES, **options)
    theirs, mine = (getattr(k.layers, row.name)(**options) for k in (keras, ours))
    values = [np.random.default_rng(0).standard_normal(FRAMES).astype("float32")]
    theirs(values[0]), mine(values[0])
    mine.set_weights(randomise(theirs))
    assert mine.compute_output_shape((None, *FRAMES[1:])) is not None
    assert set(mine.get_config()) == set(theirs.get_config())
    if mask is not None:
        row.call, mine = {"mask": mask}, _Masked(mine, mask)
    compare_outputs(theirs, mine, values, row)


@pytest.mark.parametrize(
    ("name", "shape"), [("ConvLSTM1D", (2, 3, 6, 2)), ("ConvLSTM3D", (2, 3, 4, 3, 3, 2))]
)
def test_conv_lstm_of_other_ranks_equals_keras(name, shape):
    compare(Row(name, (2, 2), shape, return_sequences=True))


class _Masked:
    """Our layer, which takes the mask as a tensor."""

    def __init__(self, layer, mask):
        self.layer, self.mask = layer, minidl.tensor(mask)

    def __call__(self, x, mask=None, **options):
        return self.layer(x, mask=self.mask, **options)

    trainable_weights = property(lambda self: self.layer.trainable_weights)


def test_initial_states_are_taken():
    rng = np.random.default_rng(0)
    x, h, c = (rng.standard_normal(s).astype("float32") for s in (SEQUENCE, (3, 5), (3, 5)))
    theirs, mine = keras.layers.LSTM(5), ours.layers.LSTM(5)
    theirs(x), mine(x)
    mine.set_weights(randomise(theirs))
    wanted = theirs(x, initial_state=[keras.ops.array(h), keras.ops.array(c)]).detach().numpy()
    np.testing.assert_allclose(
        mine(x, initial_state=[minidl.tensor(h), minidl.tensor(c)]).detach().numpy(), wanted, atol=1e-5
    )


def test_stateful_layer_goes_on_where_the_last_batch_ended():
    x = np.random.default_rng(0).standard_normal(SEQUENCE).astype("float32")
    theirs = keras.layers.GRU(5, stateful=True)
    mine = ours.layers.GRU(5, stateful=True)
    theirs(x), mine(x)
    theirs.reset_state(), mine.reset_states()
    mine.set_weights(randomise(theirs))
    for _ in range(3):
        np.testing.assert_allclose(mine(x).detach().numpy(), theirs(x).detach().numpy(), atol=1e-5)
    with pytest.raises(ValueError, match=r"stateful.*batches of 3"):
        mine(x[:2])


def wrapped(kit, kind, inner, **options):
    made = getattr(kit.layers, inner)
    if kind == "RNN":
        return kit.layers.RNN([made(4), made(3)], **options)
    if kind == "TimeDistributed":
        return kit.layers.TimeDistributed(made(**options))
    merge = options.pop("merge_mode", "concat")
    return kit.layers.Bidirectional(made(4, **options), merge_mode=merge)


WRAPPED = [
    *[("Bidirectional", n, o) for n in ("LSTM", "GRU", "SimpleRNN") for o in OPTIONS[:3]],
    *[("Bidirectional", "LSTM", {"merge_mode": m, "return_sequences": True}) for m in ("sum", "mul", "ave", None)],
    *[("RNN", n, o) for n in ("LSTMCell", "GRUCell", "SimpleRNNCell") for o in OPTIONS[:2]],
    ("TimeDistributed", "Dense", {"units": 3, "activation": "tanh"}),
    ("TimeDistributed", "LayerNormalization", {}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "inner", "options"), WRAPPED)
def test_wrapped_layer_equals_keras(kind, inner, options):
    x = np.random.default_rng(0).standard_normal(SEQUENCE).astype("float32")
    theirs, mine = (wrapped(k, kind, inner, **options) for k in (keras, ours))
    theirs(x), mine(x)
    mine.set_weights(randomise(theirs))
    names = [[w.path.partition("/")[2] for w in layer.weights] for layer in (theirs, mine)]
    assert [n.rpartition("/")[2] for n in names[0]] == [n.rpartition("/")[2] for n in names[1]]
    compare_outputs(theirs, mine, [x], Row(kind, ()))
    assert set(mine.get_config()) == set(theirs.get_config())
    again = type(mine).from_config(mine.get_config())
    again(x)
    again.set_weights(mine.get_weights())
    for a, b in zip(_list(again(x)), _list(mine(x)), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
    assert np.array_equal(
        np.array(mine.compute_output_shape(x.shape), dtype=object),
        np.array(theirs.compute_output_shape(x.shape), dtype=object),
    )


def _list(outputs):
    return outputs if isinstance(outputs, (list, tuple)) else [outputs]


def test_masks_go_through_models_as_in_keras():
    ids = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 2, 3, 4]])
    found, weights = [], None
    for kit in (keras, ours):
        model = kit.Sequential([
            kit.layers.Embedding(6, 4, mask_zero=True),
            kit.layers.Bidirectional(kit.layers.LSTM(3, return_sequences=True)),
            kit.layers.Dropout(0.1),
            kit.layers.GRU(3, return_sequences=True),
            kit.layers.GlobalAveragePooling1D(),
            kit.layers.Dense(2),
        ])  # fmt: skip
        model(ids)
        if found:
            model.set_weights(weights)
        else:
            weights = randomise(model)
        found.append(np.asarray(model.predict(ids, verbose=0)))
    np.testing.assert_allclose(found[1], found[0], atol=1e-5)


NORMALS = [
    *[Row("BatchNormalization", (), (6, 4), training=t, **k)
      for t in (False, True) for k in ({}, {"scale": False}, {"center": False, "momentum": 0.5})],
    *[Row("BatchNormalization", (), (2, 4, 5, 3), training=t) for t in (False, True)],
    Row("BatchNormalization", (), (3, 4, 5, 3), training=True, axis=1),
    Row("BatchNormalization", (), (3, 4, 5), training=True),
    Row("BatchNormalization", (), (1, 5), training=True),
    Row("BatchNormalization", (), (3, 5), training=True, trainable=False),
    *[Row("LayerNormalization", (), (3, 4, 5), axis=a) for a in (-1, [1, 2])],
    Row("LayerNormalization", (), (3, 5), scale=False, epsilon=1e-5),
    Row("LayerNormalization", (), (3, 5), center=False),
    Row("GroupNormalization", (), (2, 4, 5, 6), groups=3),
    Row("GroupNormalization", (), (2, 6, 5, 4), groups=3, axis=1),
    Row("GroupNormalization", (-1,), (2, 5, 4)),
    Row("GroupNormalization", (2,), (2, 4), center=False),
    Row("UnitNormalization", (), (3, 4)),
    Row("UnitNormalization", (), (3, 4, 5), axis=[1, 2]),
    Row("RMSNormalization", (), (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize("row", NORMALS, ids=repr)
def test_normalization_equals_keras(row):
    compare(row)
