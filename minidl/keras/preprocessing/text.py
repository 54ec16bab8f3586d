"""``keras.preprocessing.text``: text as words, words as numbers."""

import hashlib
import json
from collections import Counter, OrderedDict

import numpy as np

from minidl.keras.preprocessing.sequence import pad_sequences

__all__ = [
    "Tokenizer", "hashing_trick", "one_hot", "pad_sequences", "text_to_word_sequence", "tokenizer_from_json",
]  # fmt: skip

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(input_text, filters=_FILTERS, lower=True, split=" "):
    """The words of a text: lower case, without the characters of ``filters``.

    >>> from minidl.keras.preprocessing.text import text_to_word_sequence
    >>> text_to_word_sequence("Well done, you!")
    ['well', 'done', 'you']
    """
    text = input_text.lower() if lower else input_text
    text = text.translate(str.maketrans(dict.fromkeys(filters, split)))
    return [word for word in text.split(split) if word]


def one_hot(input_text, n, filters=_FILTERS, lower=True, split=" ", analyzer=None):
    """The words of a text as numbers from 1 to n - 1 by Python's hash: of one process only; two words may share one."""
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


def hashing_trick(
    text, n, hash_function=None, filters=_FILTERS, lower=True, split=" ", analyzer=None
):  # fmt: skip
    """The words of a text as numbers from 1 to n - 1 by a hash: Python's, ``"md5"``, or a function."""
    if hash_function is None:
        hash_function = hash
    elif hash_function == "md5":

        def hash_function(word):
            return int(hashlib.md5(word.encode()).hexdigest(), 16)

    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [int(hash_function(word) % (n - 1) + 1) for word in words]


class Tokenizer:
    """Numbers the words of texts by frequency, from 1; texts become lists of numbers or rows of a matrix.

    ``num_words`` keeps the numbers below it, ``oov_token`` stands for words that are not known, ``char_level`` takes
    characters, ``analyzer`` splits texts itself. Source: Keras' ``Tokenizer``.

    >>> from minidl.keras.preprocessing.text import Tokenizer
    >>> tokenizer = Tokenizer(num_words=10, oov_token="?")
    >>> tokenizer.fit_on_texts(["the cat sat", "the dog"])
    >>> tokenizer.texts_to_sequences(["the bird sat"])
    [[2, 1, 4]]
    """

    def __init__(
        self, num_words=None, filters=_FILTERS, lower=True, split=" ", char_level=False, oov_token=None,
        analyzer=None, **kwargs,
    ):  # fmt: skip
        kwargs.pop("nb_words", None)
        self.document_count = kwargs.pop("document_count", 0)
        if kwargs:
            raise TypeError("Unrecognized keyword arguments: " + str(kwargs))
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.word_counts, self.word_docs = OrderedDict(), Counter()
        self.index_docs, self.word_index, self.index_word = Counter(), {}, {}

    def _words(self, text):
        if isinstance(text, (list, tuple)):
            return [word.lower() for word in text] if self.lower else list(text)
        if self.char_level:
            return list(text.lower() if self.lower else text)
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts):
        """Counts words of texts (strings, or lists of words) and numbers them anew."""
        counts = Counter(self.word_counts)
        order = list(self.word_counts)
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            order.extend(word for word in dict.fromkeys(words) if word not in counts)
            counts.update(words)
            self.word_docs.update(set(words))
        self.word_counts = OrderedDict((word, counts[word]) for word in order)
        ranked = sorted(order, key=lambda word: -counts[word])  # stable: first seen, first numbered
        known = ranked if self.oov_token is None else [self.oov_token, *ranked]
        self.word_index = {word: i for i, word in enumerate(known, 1)}
        self.index_word = {i: word for word, i in self.word_index.items()}
        self.index_docs = Counter({self.word_index[word]: n for word, n in self.word_docs.items()})

    def fit_on_sequences(self, sequences):
        """Counts in how many sequences of numbers each is."""
        sequences = list(sequences)
        self.document_count += len(sequences)
        for sequence in sequences:
            self.index_docs.update(set(sequence))

    def texts_to_sequences(self, texts):
        """Texts as lists of numbers."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts):
        """Texts as lists of numbers, one after another."""
        limit, unknown = self.num_words or np.inf, self.word_index.get(self.oov_token)
        for text in texts:
            found = (self.word_index.get(word) for word in self._words(text))
            numbers = (i if i is not None and i < limit else unknown for i in found)
            yield [i for i in numbers if i is not None]

    def sequences_to_texts(self, sequences):
        """Lists of numbers as texts."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences):
        """Lists of numbers as texts, one after another."""
        limit, unknown = self.num_words or np.inf, self.word_index.get(self.oov_token)
        for sequence in sequences:
            kept = (i if i in self.index_word and i < limit else unknown for i in sequence)
            yield " ".join(self.index_word[i] for i in kept if i is not None)

    def texts_to_matrix(self, texts, mode="binary"):
        """Texts as rows: see ``sequences_to_matrix``."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences, mode="binary"):
        """Lists of numbers as rows (N, num_words): ``binary``, ``count``, ``freq`` or ``tfidf``."""
        if not self.num_words and not self.word_index:
            raise ValueError("Specify a dimension (`num_words` argument), or fit on some text data first.")
        if mode not in ("binary", "count", "freq", "tfidf"):
            raise ValueError("Unknown vectorization mode:", mode)
        if mode == "tfidf" and not self.document_count:
            raise ValueError("Fit the Tokenizer on some data before using tfidf mode.")
        width = self.num_words or len(self.word_index) + 1
        lengths = [len(sequence) for sequence in sequences]
        flat = (
            np.concatenate([np.asarray(s, np.int64) for s in sequences])
            if sum(lengths)
            else np.zeros(0, np.int64)
        )
        row = np.repeat(np.arange(len(lengths)), lengths)
        kept = flat < width
        cells = np.bincount(row[kept] * width + flat[kept], minlength=len(lengths) * width)
        counts = cells.reshape(len(lengths), width).astype(np.float64)
        if mode == "count":
            return counts
        if mode == "binary":
            return (counts > 0).astype(np.float64)
        if mode == "freq":
            return counts / np.maximum(lengths, 1)[:, None]
        documents = np.array([self.index_docs.get(i, 0) for i in range(width)])
        inverse = np.log(1 + self.document_count / (1 + documents))
        return np.where(counts > 0, (1 + np.log(np.maximum(counts, 1))) * inverse, 0.0)

    def get_config(self):
        """Options and counts, as Keras saves them."""
        return {
            "num_words": self.num_words, "filters": self.filters, "lower": self.lower, "split": self.split,
            "char_level": self.char_level, "oov_token": self.oov_token, "document_count": self.document_count,
            "word_counts": json.dumps(self.word_counts), "word_docs": json.dumps(self.word_docs),
            "index_docs": json.dumps(self.index_docs), "index_word": json.dumps(self.index_word),
            "word_index": json.dumps(self.word_index),
        }  # fmt: skip

    def to_json(self, **kwargs):
        """The tokenizer as text, for ``tokenizer_from_json``."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string):
    """The tokenizer that ``to_json``, here or in Keras, wrote."""
    config = json.loads(json_string)["config"]
    parts = {
        name: json.loads(config.pop(name))
        for name in ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
    }
    tokenizer = Tokenizer(**config)
    tokenizer.word_counts, tokenizer.word_docs = (
        OrderedDict(parts["word_counts"]),
        Counter(parts["word_docs"]),
    )
    tokenizer.index_docs = Counter({int(k): v for k, v in parts["index_docs"].items()})
    tokenizer.index_word = {int(k): v for k, v in parts["index_word"].items()}
    tokenizer.word_index = parts["word_index"]
    return tokenizer
