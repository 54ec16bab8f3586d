"""``TextVectorization``: sentences as rows of numbers."""

import re
import string

import numpy as np

from minidl.keras.engine.tensors import as_tensor
from minidl.keras.layers.host import HostLayer
from minidl.keras.layers.lookups import StringLookup

__all__ = ["TextVectorization"]

_PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")


class TextVectorization(HostLayer):
    """Texts, lower case and without punctuation, split into words, as the words' places in a vocabulary.

    ``adapt(texts)`` learns the vocabulary; 0 stands for nothing, 1 for an unknown word. With ``output_mode`` 'int'
    rows are filled or cut to ``output_sequence_length``; 'multi_hot', 'count' and 'tf_idf' give vectors. ``ngrams``
    are further tokens. Source: Keras' ``TextVectorization``.

    >>> from minidl import keras
    >>> layer = keras.layers.TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["The cat sat.", "the dog"])
    >>> layer(["the cat ran"]).tolist()
    [[2, 5, 1, 0]]
    """

    def __init__(
        self, max_tokens=None, standardize="lower_and_strip_punctuation", split="whitespace", ngrams=None,
        output_mode="int", output_sequence_length=None, pad_to_max_tokens=False, vocabulary=None,
        idf_weights=None, sparse=False, ragged=False, encoding="utf-8", name=None, **kwargs,
    ):  # fmt: skip
        super().__init__(name=name, **kwargs)
        self.check_mode("int" if output_mode == "int" else output_mode, sparse)
        known = (None, "lower_and_strip_punctuation", "lower", "strip_punctuation")
        if standardize not in known and not callable(standardize):
            raise ValueError(f"`standardize` is one of {known} or a function. Received: {standardize}")
        if split not in (None, "whitespace", "character") and not callable(split):
            raise ValueError(f"`split` is None, 'whitespace', 'character' or a function. Received: {split}")
        if ragged:
            raise NotImplementedError(
                "TextVectorization(ragged=True) is not supported: rows are filled with 0"
            )
        if output_mode != "int" and output_sequence_length is not None:
            raise ValueError("`output_sequence_length` must not be set if `output_mode` is not 'int'.")
        self.keep(
            max_tokens=max_tokens, standardize=standardize, split=split, ngrams=ngrams, output_mode=output_mode,
            output_sequence_length=output_sequence_length, pad_to_max_tokens=pad_to_max_tokens,
            encoding=encoding,
        )  # fmt: skip
        object.__setattr__(self, "_lookup", StringLookup(
            max_tokens=max_tokens, vocabulary=vocabulary, idf_weights=idf_weights, output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens, mask_token="", encoding=encoding, name=f"{self.name}_lookup",
        ))  # fmt: skip
        self.built = True

    def adapt(self, data, batch_size=None, steps=None):
        """Learns the vocabulary: the most frequent words of texts, given as an array, a list, or batches."""
        texts = [data] if isinstance(data, (str, list, tuple, np.ndarray)) else data
        rows = [row for batch in texts for row in self._words(batch)]
        width = max(map(len, rows), default=1)
        self._lookup.adapt(np.array([row + [""] * (width - len(row)) for row in rows], dtype=object))

    def _words(self, texts):
        """The tokens of each text."""
        flat = np.ravel(np.asarray(texts, dtype=object)).tolist()
        return [self._tokens_of(t.decode(self.encoding) if isinstance(t, bytes) else str(t)) for t in flat]

    def _tokens_of(self, text):
        if callable(self.standardize):
            text = str(self.standardize(text))
        elif self.standardize is not None:
            text = text.lower() if "lower" in self.standardize else text
            text = _PUNCTUATION.sub("", text) if "strip" in self.standardize else text
        if callable(self.split):
            words = list(self.split(text))
        else:
            words = text.split() if self.split == "whitespace" else list(text) if self.split else [text]
        if self.ngrams is None:
            return words
        sizes = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [" ".join(words[i : i + n]) for n in sizes for i in range(len(words) - n + 1)]

    def call(self, inputs):
        rows = self._words(inputs)
        if self.output_mode != "int":
            width = max(map(len, rows), default=1) or 1
            blank = [row + [None] * (width - len(row)) for row in rows]
            return self._vectors(blank)
        length = self.output_sequence_length or max(map(len, rows), default=1) or 1
        filled = np.array([(row + [""] * length)[:length] for row in rows], dtype=object).reshape(-1, length)
        found = self._lookup(filled)
        return found[0] if isinstance(inputs, str) else found

    def _vectors(self, rows):
        lookup, size = self._lookup, self._lookup.vector_size()
        out = np.zeros((len(rows), size), "float32")
        for i, row in enumerate(rows):
            for word in row:
                if word is not None:
                    out[i, lookup._place(word)] += 1
        if self.output_mode in ("multi_hot", "one_hot"):
            out = (out > 0).astype("float32")
        elif self.output_mode == "tf_idf":
            out = out * lookup._padded_idf()
        return as_tensor(out)

    def get_vocabulary(self, include_special_tokens=True):
        """The words by their places."""
        return self._lookup.get_vocabulary(include_special_tokens)

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Takes the words of a list or a file."""
        self._lookup.set_vocabulary(vocabulary, idf_weights)

    def vocabulary_size(self):
        """The number of places."""
        return self._lookup.vocabulary_size()

    def compute_output_shape(self, input_shape):
        if self.output_mode == "int":
            return (input_shape[0], self.output_sequence_length)
        return (input_shape[0], self._lookup.vector_size())

    def get_config(self):
        inner = self._lookup.get_config()
        kept = {key: inner[key] for key in ("vocabulary", "idf_weights")}
        return {**super().get_config(), **kept, "sparse": False, "ragged": False}
