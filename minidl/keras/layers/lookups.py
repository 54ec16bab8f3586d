"""Layers that give numbers to words and whole numbers: StringLookup, IntegerLookup, Discretization."""

import numpy as np

from minidl.autograd.tensor import Tensor
from minidl.keras.engine.tensors import as_numpy, as_tensor
from minidl.keras.layers.hashing import hash_of, salt_of
from minidl.keras.layers.host import HostLayer

__all__ = ["Discretization", "IntegerLookup", "StringLookup"]


class IndexLookup(HostLayer):
    """What both lookups share: a vocabulary, places for what is outside it, a mask token.

    Places: 0 is the mask's where there is a mask token (and the mode is 'int'), then come ``num_oov_indices`` for
    unknown tokens, then the vocabulary; of equally frequent tokens ``adapt`` takes the greater first, as Keras does.
    """

    def __init__(
        self, max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, invert, output_mode, sparse,
        pad_to_max_tokens, idf_weights, oov_method="farmhash", salt=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        self.check_mode(output_mode, sparse)
        if oov_method not in ("floormod", "farmhash"):
            raise ValueError(
                f"Unknown value for `oov_method` argument of layer {type(self).__name__}. Expected one of: "
                f"('floormod', 'farmhash'). Received: oov_method={oov_method}"
            )
        if salt is not None and oov_method != "farmhash":
            raise ValueError(
                f"`salt` can only be used when `oov_method='farmhash'`. Received: oov_method={oov_method}"
            )
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(
                f"If set, `max_tokens` must be greater than 1. Received: max_tokens={max_tokens}"
            )
        if num_oov_indices < 0:
            raise ValueError(
                f"`num_oov_indices` must be at least 0. Received: num_oov_indices={num_oov_indices}"
            )
        if invert and output_mode != "int":
            raise ValueError(f"`output_mode` must be 'int' where `invert` is True. Received: {output_mode}")
        self.keep(
            max_tokens=max_tokens, num_oov_indices=num_oov_indices, mask_token=mask_token, oov_token=oov_token,
            invert=invert, output_mode=output_mode, pad_to_max_tokens=pad_to_max_tokens, oov_method=oov_method,
            salt=salt_of(salt),
        )  # fmt: skip
        object.__setattr__(self, "_tokens", [])
        object.__setattr__(self, "_idf", None)
        self.built = True
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def kind(self, value):
        """A token as the vocabulary has it."""
        return value

    # --- the vocabulary -------------------------------------------------------------------------------------------

    def _specials(self):
        mask = [self.mask_token] if self.mask_token is not None and self.output_mode == "int" else []
        return mask + [self.oov_token] * self.num_oov_indices

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Takes the tokens of a list, an array, or a text file with one a line."""
        if isinstance(vocabulary, str):
            with open(vocabulary, encoding="utf-8") as file:
                vocabulary = [line.rstrip("\n") for line in file]
        tokens = [self.kind(token) for token in np.asarray(vocabulary).tolist()]
        specials = self._specials()
        if specials and tokens[: len(specials)] == specials:
            tokens = tokens[len(specials) :]
        twice = (
            sorted({str(t) for t in tokens if tokens.count(t) > 1}) if len(set(tokens)) < len(tokens) else []
        )
        if twice:
            raise ValueError(f"The passed vocabulary has at least one repeated term: {twice[:5]}")
        if self.max_tokens is not None and len(tokens) + len(specials) > self.max_tokens:
            raise ValueError(
                f"The vocabulary has {len(tokens) + len(specials)} tokens, more than max_tokens={self.max_tokens}."
            )
        if self.output_mode == "tf_idf" and idf_weights is None:
            raise ValueError("`idf_weights` must be set where output_mode is 'tf_idf'.")
        object.__setattr__(self, "_tokens", tokens)
        object.__setattr__(self, "_places", {t: i + len(specials) for i, t in enumerate(tokens)})
        if idf_weights is not None:
            weights = np.asarray(idf_weights, dtype="float32")
            mean = np.full(self.num_oov_indices, weights.mean(), "float32")
            object.__setattr__(
                self, "_idf", np.concatenate([mean, weights])[-len(tokens) - self.num_oov_indices :]
            )

    def get_vocabulary(self, include_special_tokens=True):
        """The tokens by their places."""
        return [*self._specials(), *self._tokens] if include_special_tokens else list(self._tokens)

    def vocabulary_size(self):
        """The number of places."""
        return len(self._specials()) + len(self._tokens)

    def vector_size(self):
        """The size of vectors of the other modes."""
        return self.max_tokens if self.pad_to_max_tokens and self.max_tokens else self.vocabulary_size()

    def adapt(self, data, batch_size=None, steps=None):
        """Learns the vocabulary: the most frequent tokens of ``data``, an array or batches of them."""
        batches = [data] if isinstance(data, (list, tuple, np.ndarray, Tensor)) else data
        rows = [row for batch in batches for row in self._rows(batch)]
        counts, documents = {}, {}
        for row in rows:
            for token in row:
                counts[token] = counts.get(token, 0) + 1
            for token in set(row):
                documents[token] = documents.get(token, 0) + 1
        for special in (self.mask_token, self.oov_token):
            counts.pop(special, None)
        ranked = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        room = None if self.max_tokens is None else self.max_tokens - len(self._specials())
        tokens = ranked[:room]
        idf = [np.log(1 + len(rows) / (1 + documents[t])) for t in tokens]
        self.set_vocabulary(tokens, idf if self.output_mode == "tf_idf" else None)

    def _rows(self, batch):
        array = as_numpy(batch) if isinstance(batch, Tensor) else np.asarray(batch)
        array = array.reshape(len(array), -1) if array.ndim > 1 else array.reshape(-1, 1)
        return [[self.kind(token) for token in row] for row in array.tolist()]

    # --- looking up -----------------------------------------------------------------------------------------------

    def call(self, inputs):
        array = as_numpy(inputs) if isinstance(inputs, Tensor) else np.asarray(inputs)
        if not self._tokens:
            raise ValueError(f"Layer '{self.name}' has no vocabulary: pass one, or call adapt(data) first.")
        if self.invert:
            words = np.array([*self.get_vocabulary(), self.oov_token], dtype=object)
            inside = (array >= 0) & (array < len(words) - 1)
            found = words[np.where(inside, array, len(words) - 1).astype(int)]
            return as_tensor(found.astype("int64")) if isinstance(self, IntegerLookup) else found.astype(str)
        flat = [self._place(self.kind(token)) for token in array.ravel().tolist()]
        index = np.array(flat, dtype="int64").reshape(array.shape)
        return self.encoded(index, self.output_mode, self.vector_size(), self._padded_idf())

    def _padded_idf(self):
        if self.output_mode != "tf_idf" or self._idf is None:
            return None
        return np.pad(self._idf, (0, self.vector_size() - len(self._idf)))

    def _place(self, token):
        found = self._places.get(token)
        if found is not None:
            return found
        masked = self.output_mode == "int" and self.mask_token is not None
        if masked and token == self.mask_token:
            return 0
        if not self.num_oov_indices:
            raise ValueError(
                f"{token!r} is not in the vocabulary of layer '{self.name}', and num_oov_indices is 0."
            )
        return int(masked) + self._bucket(token)

    def _bucket(self, token):
        return 0 if self.num_oov_indices == 1 else self._number(token) % self.num_oov_indices

    def _number(self, token):
        """The number of a token outside the vocabulary, by which it gets one of several places."""
        return hash_of(token, self.salt)

    def get_config(self):
        idf = None if self._idf is None else self._idf[self.num_oov_indices :].tolist()
        return {
            **super().get_config(),
            "vocabulary": self._tokens or None,
            "idf_weights": idf,
            "sparse": False,
        }


class StringLookup(IndexLookup):
    """Words by their places in a vocabulary, which is given or, by ``adapt``, learned. Source: Keras' ``StringLookup``.

    >>> from minidl import keras
    >>> layer = keras.layers.StringLookup(vocabulary=["a", "b"])
    >>> layer([["b", "z", "a"]]).tolist()
    [[2, 0, 1]]
    >>> layer.get_vocabulary()
    ['[UNK]', 'a', 'b']
    """

    def __init__(
        self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token="[UNK]", vocabulary=None,
        idf_weights=None, invert=False, output_mode="int", pad_to_max_tokens=False, sparse=False,
        encoding="utf-8", salt=None, name=None, **kwargs,
    ):  # fmt: skip
        object.__setattr__(self, "encoding", encoding)
        kwargs.pop("oov_method", None)  # a config's: there is one for texts
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, invert, output_mode, sparse,
            pad_to_max_tokens, idf_weights, salt=salt, name=name, **kwargs,
        )  # fmt: skip

    def kind(self, value):
        return value.decode(self.encoding) if isinstance(value, bytes) else str(value)


class IntegerLookup(IndexLookup):
    """Whole numbers by their places in a vocabulary of them. Source: Keras' ``IntegerLookup``.

    >>> from minidl import keras
    >>> keras.layers.IntegerLookup(vocabulary=[12, 36])([[36, 7, 12]]).tolist()
    [[2, 0, 1]]
    """

    def __init__(
        self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token=-1, vocabulary=None,
        vocabulary_dtype="int64", idf_weights=None, invert=False, output_mode="int", sparse=False,
        pad_to_max_tokens=False, oov_method="floormod", salt=None, name=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, invert, output_mode, sparse,
            pad_to_max_tokens, idf_weights, oov_method, salt, name=name, **kwargs,
        )  # fmt: skip

    def kind(self, value):
        return int(value)

    def _number(self, token):
        return super()._number(token) if self.oov_method == "farmhash" else token


class Discretization(HostLayer):
    """Numbers as the bin they lie in: below the first boundary 0, from the last on the number of boundaries.

    The boundaries are given as ``bin_boundaries``, or ``adapt`` takes ``num_bins`` quantiles of data.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Discretization(bin_boundaries=[0.0, 1.0])(np.array([[-1.0, 0.0, 3.0]])).tolist()
    [[0, 1, 2]]
    """

    def __init__(
        self, bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode="int", sparse=False, dtype=None,
        name=None, **kwargs,
    ):  # fmt: skip
        super().__init__(name=name, dtype=dtype, **kwargs)
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(
                "Both `num_bins` and `bin_boundaries` should not be set, and one of them has to be. Received: "
                f"num_bins={num_bins} and bin_boundaries={bin_boundaries}"
            )
        if num_bins is not None and num_bins < 0:
            raise ValueError(
                f"`num_bins` must be greater than or equal to 0. Received: `num_bins={num_bins}`"
            )
        self.check_mode(output_mode, sparse)
        self.keep(bin_boundaries=bin_boundaries, num_bins=num_bins, epsilon=epsilon, output_mode=output_mode)
        object.__setattr__(
            self, "_edges", None if bin_boundaries is None else np.asarray(bin_boundaries, "float64")
        )
        self.built = True

    def adapt(self, data, steps=None):
        """Takes the boundaries between bins of equally many values."""
        batches = [data] if isinstance(data, (list, np.ndarray, Tensor)) else data
        values = np.concatenate([np.ravel(as_numpy(batch)).astype("float64") for batch in batches])
        shares = np.linspace(0, 1, self.num_bins + 1)[1:-1]
        object.__setattr__(self, "_edges", np.quantile(values, shares, method="inverted_cdf"))
        self.bin_boundaries = self._edges.tolist()

    def call(self, inputs):
        if self._edges is None:
            raise ValueError(f"Layer '{self.name}' has no boundaries: pass them, or call adapt(data) first.")
        array = as_numpy(inputs) if isinstance(inputs, Tensor) else np.asarray(inputs)
        index = np.searchsorted(self._edges, array, side="right")
        return self.encoded(index, self.output_mode, len(self._edges) + 1)

    def vector_size(self):
        """The size of vectors."""
        return len(self._edges) + 1

    def get_config(self):
        config = super().get_config()
        return {**config, "num_bins": None} if config["bin_boundaries"] is not None else config
