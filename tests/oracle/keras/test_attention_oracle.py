"""Attention, EinsumDense and resizing beside Keras'."""

import keras
import numpy as np
import pytest
from beside_keras import Row, compare, compare_configs, compare_names, compare_outputs, numbers, randomise

import minidl
from minidl import keras as ours

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")
RNG = np.random.default_rng(0)
Q, V, K = (RNG.standard_normal(s).astype("float32") for s in ((2, 4, 6), (2, 5, 6), (2, 5, 6)))
SEEN = RNG.random((2, 4, 5)) < 0.7

ROWS = [
    *[Row(n, (), (2, 4, 6), (2, 5, 6), **k) for n, k in (
        ("Attention", {}), ("Attention", {"use_scale": True}), ("Attention", {"score_mode": "concat"}),
        ("AdditiveAttention", {}), ("AdditiveAttention", {"use_scale": False}))],
    Row("Attention", (), (2, 4, 6), (2, 5, 3), (2, 5, 6)),
    Row("Attention", (), (2, 4, 6), (2, 4, 6), call={"use_causal_mask": True}, id="causal"),
    Row("EinsumDense", ("ab,bc->ac",), (3, 4), output_shape=5, bias_axes="c", activation="relu"),
    Row("EinsumDense", ("abc,cd->abd",), (3, 4, 2), output_shape=(None, 5), bias_axes="d", shapes=False),
    Row("EinsumDense", ("abc,cde->abde",), (3, 4, 2), output_shape=(None, 3, 5), bias_axes="de", shapes=False),
    Row("EinsumDense", ("...x,xy->...y",), (3, 4, 2), output_shape=5, bias_axes="y"),
    Row("UpSampling1D", (3,), (2, 4, 3)),
    Row("UpSampling2D", ((2, 3),), (2, 4, 5, 3)),
    Row("UpSampling2D", (2,), (2, 3, 4, 5), data_format="channels_first"),
    Row("UpSampling2D", (2,), (2, 4, 5, 3), interpolation="bilinear"),
    Row("UpSampling3D", (2,), (2, 2, 3, 2, 3)),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_layer_equals_keras(row):
    compare(row)


OPTIONS = [
    ({}, {}), ({"value_dim": 3}, {}), ({"use_bias": False}, {}), ({"output_shape": 7}, {}),
    ({}, {"use_causal_mask": True}), ({}, {"attention_mask": SEEN}), ({}, {"return_attention_scores": True}),
    ({}, {"value_mask": np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1]], dtype=bool)}),
]  # fmt: skip


@pytest.mark.parametrize(("options", "call"), OPTIONS)
@pytest.mark.parametrize("keyed", [False, True])
def test_multi_head_attention_equals_keras(options, call, keyed):
    values = [Q, V, K] if keyed else [Q, V]
    layers = [kit.layers.MultiHeadAttention(2, 3, **options) for kit in (keras, ours)]
    theirs, mine = layers
    theirs(*values), mine(*values)
    mine.set_weights(randomise(theirs))
    compare_names(theirs, mine)
    assert [w.path.split("/")[-2:] for w in mine.weights] == [w.path.split("/")[-2:] for w in theirs.weights]

    def spread(layer, tensor):
        masks = {n: tensor(m) if isinstance(m, np.ndarray) else m for n, m in call.items()}
        return lambda x, **_: layer(*x, **masks)

    class Spread:
        def __init__(self, layer, tensor):
            self.run, self.layer = spread(layer, tensor), layer

        def __call__(self, x, **options):
            return self.run(x)

        def call(self, x):
            pass

        trainable_weights = property(lambda self: self.layer.trainable_weights)

    compare_outputs(Spread(theirs, keras.ops.array), Spread(mine, minidl.tensor), values, Row("", ()))
    shapes = [v.shape for v in values]
    assert tuple(mine.compute_output_shape(*shapes)) == tuple(theirs.compute_output_shape(*shapes))
    compare_configs(*(kit.layers.MultiHeadAttention(2, 3, **options) for kit in (keras, ours)))


def test_masks_of_attention_equal_keras():
    masks = [
        np.array([[1, 1, 0, 1], [1, 1, 1, 1]], dtype=bool),
        np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]], dtype=bool),
    ]
    for name in ("Attention", "AdditiveAttention"):
        theirs, mine = (getattr(kit.layers, name)() for kit in (keras, ours))
        theirs([Q, V]), mine([Q, V])
        mine.set_weights(randomise(theirs)) if theirs.weights else None
        wanted = theirs([Q, V], mask=[keras.ops.array(m) for m in masks])
        got = mine([Q, V], mask=[minidl.tensor(m) for m in masks])
        np.testing.assert_allclose(numbers(got), numbers(wanted), atol=1e-5)
