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
    ({"use_gate": True, "value_dim": 4}, {}), ({"sliding_window": 2}, {}),
    ({"sliding_window": 2}, {"use_causal_mask": True, "return_attention_scores": True}),
]  # fmt: skip
HALL = RNG.standard_normal((2, 3, 4, 6)).astype("float32")


def compare_attention(make, values, call):
    """Names, outputs, scores, gradients, shapes and configs of a layer called on (query, value, key)."""
    theirs, mine = make(keras), make(ours)
    theirs(*values), mine(*values)
    mine.set_weights(randomise(theirs))
    compare_names(theirs, mine)
    assert [w.path.split("/")[-2:] for w in mine.weights] == [w.path.split("/")[-2:] for w in theirs.weights]

    class Spread:
        def __init__(self, layer, tensor):
            self.masks = {n: tensor(m) if isinstance(m, np.ndarray) else m for n, m in call.items()}
            self.layer = layer

        def __call__(self, x, **options):
            return self.layer(*x, **self.masks)

        def call(self, x):
            pass

        trainable_weights = property(lambda self: self.layer.trainable_weights)

    compare_outputs(Spread(theirs, keras.ops.array), Spread(mine, minidl.tensor), values, Row("", ()))
    shapes = [v.shape for v in values]
    assert tuple(mine.compute_output_shape(*shapes)) == tuple(theirs.compute_output_shape(*shapes))
    compare_configs(make(keras), make(ours))


@pytest.mark.parametrize(("options", "call"), OPTIONS)
@pytest.mark.parametrize("keyed", [False, True])
def test_multi_head_attention_equals_keras(options, call, keyed):
    values = [Q, V, K] if keyed else [Q, V]
    compare_attention(lambda kit: kit.layers.MultiHeadAttention(2, 3, **options), values, call)


@pytest.mark.parametrize(
    ("axes", "seen"), [(None, (3, 4, 3, 4)), (1, (3, 3)), ((-2,), (4, 4)), ((1, 2), (3, 4, 3, 4))]
)
def test_attention_along_other_axes_equals_keras(axes, seen):
    def make(kit):
        return kit.layers.MultiHeadAttention(2, 3, attention_axes=axes)

    compare_attention(make, [HALL, HALL], {"return_attention_scores": True})
    mask = RNG.random((2, *seen)) < 0.8
    mask |= np.eye(int(np.prod(seen[: len(seen) // 2])), dtype=bool).reshape(seen)
    compare_attention(make, [HALL, HALL], {"attention_mask": mask})


@pytest.mark.parametrize(
    ("options", "call"),
    [({}, {}), ({"use_gate": True}, {"use_causal_mask": True}),
     ({"sliding_window": 2}, {"return_attention_scores": True}),
     ({"use_bias": False}, {"key_mask": np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1]], dtype=bool)})],
)  # fmt: skip
@pytest.mark.parametrize("shared", [1, 2, 4])
def test_group_query_attention_equals_keras(options, call, shared):
    compare_attention(lambda kit: kit.layers.GroupQueryAttention(3, 4, shared, **options), [Q, V, K], call)


@pytest.mark.parametrize(
    "make",
    [lambda n: n.GroupQueryAttention(3, 4, 3), lambda n: n.MultiHeadAttention(2, 3, sliding_window=0),
     lambda n: n.MultiHeadAttention(2, 3, attention_axes="a")],
)  # fmt: skip
def test_attention_that_keras_refuses(make):
    with pytest.raises(ValueError) as wanted:
        make(keras.layers)
    with pytest.raises(ValueError, match=str(wanted.value)[:25]):
        make(ours.layers)


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
