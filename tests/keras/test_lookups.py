"""Layers that give numbers to words: the values that Keras 3 gives on TensorFlow, where alone it has them."""

import numpy as np
import pytest

from minidl import keras
from minidl.keras import layers

WORDS = np.array([["a", "b", "c"], ["c", "d", "a"], ["c", "z", "a"]])
TEXTS = ["The cat, sat on the mat.", "A dog sat!", "the end of a story"]


def test_string_lookup_learns_the_most_frequent_words_first():
    layer = layers.StringLookup()
    layer.adapt(WORDS)
    assert layer.get_vocabulary() == ["[UNK]", "c", "a", "z", "d", "b"]
    assert layer([["a", "q", "d"]]).tolist() == [[2, 0, 4]]
    small = layers.StringLookup(max_tokens=4, mask_token="")
    small.adapt(WORDS)
    assert small.get_vocabulary() == ["", "[UNK]", "c", "a"]
    assert small(np.array([["", "a", "z"]])).tolist() == [[0, 3, 1]]
    back = layers.StringLookup(vocabulary=["x", "y"], invert=True)
    assert back(np.array([1, 2, 9])).tolist() == ["x", "y", "[UNK]"]


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("multi_hot", [[0, 1, 0, 0, 0, 1]]),
        ("count", [[0, 2, 0, 0, 0, 1]]),
        ("tf_idf", [[0, 2 * np.log(1.75), 0, 0, 0, np.log(2.5)]]),
    ],
)
def test_lookup_as_vectors(mode, wanted):
    layer = layers.StringLookup(output_mode=mode)
    layer.adapt(WORDS)
    np.testing.assert_allclose(layer([["c", "c", "b"]]).numpy(), wanted, rtol=1e-5)
    again = layers.StringLookup.from_config(layer.get_config())
    np.testing.assert_array_equal(again(WORDS).numpy(), layer(WORDS).numpy())


def test_integer_lookup_hashing_and_bins():
    layer = layers.IntegerLookup(vocabulary=[5, 9, 2], output_mode="one_hot")
    np.testing.assert_array_equal(layer(np.array([[9], [1]])).numpy(), [[0, 0, 1, 0], [1, 0, 0, 0]])
    bins = layers.Hashing(3, mask_value="")([["a"], [""], ["b"], ["a"]])
    assert bins[0] == bins[3] and bins[1] == 0 and set(bins.ravel().tolist()) <= {0, 1, 2}
    edges = layers.Discretization(num_bins=4)
    edges.adapt(np.arange(100.0))
    assert edges(np.array([0.0, 24.0, 50.0, 99.0])).tolist() == [0, 1, 2, 3]


def test_text_vectorization_pads_cuts_and_counts():
    layer = layers.TextVectorization(output_sequence_length=5)
    layer.adapt(TEXTS)
    vocabulary = layer.get_vocabulary()
    assert vocabulary[:5] == ["", "[UNK]", "the", "sat", "a"]
    row = layer(["THE dog; sat"])
    assert row.tolist() == [[2, vocabulary.index("dog"), 3, 0, 0]]
    pairs = layers.TextVectorization(ngrams=2, output_mode="count", vocabulary=["a", "a dog", "dog"])
    np.testing.assert_array_equal(pairs(["a dog a"]).numpy(), [[1, 2, 1, 1]])
    again = layers.TextVectorization.from_config(layer.get_config())
    assert again(TEXTS).tolist() == layer(TEXTS).tolist()


def test_a_classifier_of_texts():
    prepare = layers.TextVectorization(max_tokens=20, output_mode="multi_hot")
    prepare.adapt(TEXTS)
    model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    model.fit(prepare(TEXTS), np.array([0, 1, 0]), epochs=1, verbose=0)


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="no vocabulary"):
        layers.StringLookup()(["a"])
    with pytest.raises(ValueError, match="repeated"):
        layers.StringLookup(vocabulary=["a", "a"])
    with pytest.raises(ValueError, match="output_mode"):
        layers.StringLookup(output_mode="hot")
    with pytest.raises(ValueError, match="not in the vocabulary"):
        layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"])
    with pytest.raises(ValueError, match="num_bins"):
        layers.Discretization()


def test_model_reads_the_config_of_a_graph():
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(2)(x))
    assert keras.Model.from_config(model.get_config()).output_shape == (None, 2)


def test_relu_of_infinity_is_no_nan():
    x = np.array([-np.inf, np.inf, -1.0], "float32")
    np.testing.assert_array_equal(keras.activations.relu(x, max_value=6.0).numpy(), [0, 6, 0])
    assert not np.signbit(keras.activations.relu(x, threshold=0.5).numpy()).any()
    np.testing.assert_array_equal(keras.activations.sparse_plus(x).numpy(), [0, np.inf, 0])
