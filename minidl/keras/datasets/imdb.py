"""Film reviews as lists of word numbers, from a local ``imdb.npz``."""

import json

import numpy as np

from minidl.keras.datasets.reading import arrays_of, shorter, shuffled, word_lists
from minidl.keras.utils.files import get_file

__all__ = ["get_word_index", "load_data"]

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def load_data(
    path="imdb.npz", num_words=None, skip_top=0, maxlen=None, seed=113, start_char=1, oov_char=2, index_from=3, **kwargs
):  # fmt: skip
    """``(x_train, y_train), (x_test, y_test)``: lists of numbers by frequency, and 0 or 1.

    ``num_words`` and ``skip_top`` say which numbers are kept, ``oov_char`` what the others become.
    ``FileNotFoundError`` says where to put the file: nothing is downloaded.
    """
    if "nb_words" in kwargs:
        num_words = kwargs.pop("nb_words")
    if kwargs:
        raise TypeError(f"Unrecognized keyword arguments: {kwargs}.")
    found = arrays_of(path, _ORIGIN + "imdb.npz")
    generator = np.random.RandomState(seed)  # draws both orders, training first
    parts, labels = [], []
    for kind in ("train", "test"):
        x, y = shuffled(generator, found[f"x_{kind}"], found[f"y_{kind}"])
        x, y = shorter(maxlen, x, y, start_char is not None)
        parts.append(x)
        labels.append(y)
    both = word_lists(
        [words for part in parts for words in part], num_words, skip_top, start_char, oov_char, index_from
    )
    at = len(parts[0])
    return (both[:at], labels[0]), (both[at:], labels[1])


def get_word_index(path="imdb_word_index.json"):
    """The number of every word, a dict, from a local file."""
    with open(get_file(path, origin=_ORIGIN + "imdb_word_index.json"), encoding="utf-8") as file:
        return json.load(file)
