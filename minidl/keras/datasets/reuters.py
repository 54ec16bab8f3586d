"""Newswires of 46 topics as lists of word numbers, from a local ``reuters.npz``."""

import json

from minidl.keras.datasets.reading import arrays_of, shorter, shuffled, word_lists
from minidl.keras.utils.files import get_file

__all__ = ["get_word_index", "load_data"]

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def load_data(
    path="reuters.npz", num_words=None, skip_top=0, maxlen=None, test_split=0.2, seed=113, start_char=1, oov_char=2,
    index_from=3,
):  # fmt: skip
    """``(x_train, y_train), (x_test, y_test)``: lists of numbers by frequency, and topics from 0 to 45.

    ``FileNotFoundError`` says where to put the file: nothing is downloaded.
    """
    found = arrays_of(path, _ORIGIN + "reuters.npz")
    x, y = shorter(maxlen, *shuffled(seed, found["x"], found["y"]), start_char is not None)
    x = word_lists(list(x), num_words, skip_top, start_char, oov_char, index_from)
    at = int(len(x) * (1 - test_split))
    return (x[:at], y[:at]), (x[at:], y[at:])


def get_word_index(path="reuters_word_index.json"):
    """The number of every word, a dict, from a local file."""
    with open(get_file(path, origin=_ORIGIN + "reuters_word_index.json"), encoding="utf-8") as file:
        return json.load(file)
