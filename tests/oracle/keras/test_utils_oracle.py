"""Labels, sequences, text and windows against Keras."""

import keras
import numpy as np
import pytest
from keras.src.legacy.preprocessing import sequence as old_sequence
from keras.src.legacy.preprocessing import text as old_text

from minidl.keras import preprocessing, utils

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras tensors
R = np.random.default_rng(0)
TEXTS = ["The cat sat on the mat.", "The dog, the big dog!", "a cat & a dog", ""]


@pytest.mark.parametrize("shape", [(5,), (5, 1), (2, 3), (2, 3, 1)])
@pytest.mark.parametrize("classes", [None, 9])
def test_to_categorical(shape, classes):
    x = R.integers(0, 6, shape)
    np.testing.assert_array_equal(utils.to_categorical(x, classes), keras.utils.to_categorical(x, classes))


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_normalize(axis, order):
    x = R.normal(size=(3, 4))
    x[:, 2] = 0
    ours = utils.normalize(x, axis=axis, order=order)
    lengths = np.linalg.norm(x, order, axis, keepdims=True)
    np.testing.assert_allclose(ours, x / np.where(lengths == 0, 1, lengths))
    if axis != 0:
        np.testing.assert_allclose(ours, keras.utils.normalize(x, axis=axis, order=order))


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("maxlen", [None, 2, 5])
@pytest.mark.parametrize("items", ["numbers", "rows"])
def test_pad_sequences(padding, truncating, maxlen, items):
    sequences = [list(R.integers(1, 9, n)) for n in (3, 0, 1, 4)]
    if items == "rows":
        sequences = [R.normal(size=(n, 2)) for n in (3, 1, 4)]
    options = {"maxlen": maxlen, "padding": padding, "truncating": truncating, "value": 7, "dtype": "float32"}
    ours, theirs = utils.pad_sequences(sequences, **options), keras.utils.pad_sequences(sequences, **options)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


@pytest.mark.parametrize("options", [{}, {"num_words": 4}, {"oov_token": "?"}, {"num_words": 4, "oov_token": "?"},
                                     {"char_level": True}, {"lower": False, "split": "a", "filters": "."}])  # fmt: skip
@pytest.mark.filterwarnings("ignore:The `nb_words`")
def test_tokenizer(options):
    ours, theirs = preprocessing.text.Tokenizer(**options), old_text.Tokenizer(**options)
    for texts in (TEXTS, ["more cats"]):
        ours.fit_on_texts(texts)
        theirs.fit_on_texts(texts)
    assert ours.word_index == theirs.word_index
    new = [*TEXTS, "an unknown bird sat on the cat"]
    assert ours.texts_to_sequences(new) == theirs.texts_to_sequences(new)
    for mode in ("binary", "count", "freq", "tfidf"):
        np.testing.assert_allclose(ours.texts_to_matrix(new, mode), theirs.texts_to_matrix(new, mode))
    numbers = ours.texts_to_sequences(new)
    assert ours.sequences_to_texts(numbers) == theirs.sequences_to_texts(numbers)
    back = preprocessing.text.tokenizer_from_json(theirs.to_json())
    assert back.texts_to_sequences(new) == ours.texts_to_sequences(new)
    assert old_text.tokenizer_from_json(ours.to_json()).texts_to_sequences(new) == ours.texts_to_sequences(
        new
    )


def test_words_and_hashes():
    for text in TEXTS:
        words = preprocessing.text.text_to_word_sequence(text)
        assert words == old_text.text_to_word_sequence(text)
        assert preprocessing.text.hashing_trick(text, 50, "md5") == old_text.hashing_trick(text, 50, "md5")
        assert preprocessing.text.one_hot(text, 50) == old_text.one_hot(text, 50)


def test_timeseries_generator():
    data, targets = R.normal(size=(20, 2)), np.arange(20)
    for options in (
        {},
        {"sampling_rate": 2, "stride": 3},
        {"start_index": 2, "end_index": 15, "reverse": True},
    ):
        ours = preprocessing.sequence.TimeseriesGenerator(data, targets, length=4, batch_size=3, **options)
        theirs = old_sequence.TimeseriesGenerator(data, targets, length=4, batch_size=3, **options)
        assert len(ours) == len(theirs)
        for i in range(len(ours)):
            for a, b in zip(ours[i], theirs[i], strict=True):
                np.testing.assert_array_equal(a, b)


def test_sampling_table_and_skipgrams():
    table = preprocessing.sequence.make_sampling_table(30)
    np.testing.assert_allclose(table, old_sequence.make_sampling_table(30))
    options = {"vocabulary_size": 9, "window_size": 2, "negative_samples": 0.0, "shuffle": False}
    words = [1, 2, 0, 3, 4, 1]
    ours = preprocessing.sequence.skipgrams(words, **options)
    theirs = old_sequence.skipgrams(words, **options)
    assert ours[0] == theirs[0]
    assert ours[1] == theirs[1]
    for categorical in (False, True):
        options = {
            "vocabulary_size": 9,
            "window_size": 2,
            "negative_samples": 1.5,
            "categorical": categorical,
        }
        ours = preprocessing.sequence.skipgrams(words, **options, seed=1)
        theirs = old_sequence.skipgrams(words, **options, seed=1)
        assert len(ours[0]) == len(theirs[0])
        assert sorted(map(str, ours[1])) == sorted(map(str, theirs[1]))


def test_images_are_arrays_and_files(tmp_path):
    pytest.importorskip("PIL", reason="files need Pillow")
    x = R.uniform(0, 255, (6, 5, 3)).astype("float32")
    for scale in (True, False):
        ours, theirs = utils.array_to_img(x, scale=scale), keras.utils.array_to_img(x, scale=scale)
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    utils.save_img(tmp_path / "a.png", x)
    for options in ({}, {"color_mode": "grayscale"}, {"target_size": (3, 7), "interpolation": "bilinear"},
                    {"target_size": (4, 2), "keep_aspect_ratio": True}):  # fmt: skip
        ours, theirs = (
            utils.load_img(tmp_path / "a.png", **options),
            keras.utils.load_img(tmp_path / "a.png", **options),
        )
        np.testing.assert_array_equal(utils.img_to_array(ours), keras.utils.img_to_array(theirs))
    np.testing.assert_allclose(
        preprocessing.image.smart_resize(x, (4, 4)),
        keras.preprocessing.image.smart_resize(x, (4, 4)),
        atol=1e-3,
    )
