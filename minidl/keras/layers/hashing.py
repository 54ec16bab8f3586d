"""Layers that give numbers to words by a hash: Hashing, HashedCrossing."""

import numpy as np

from minidl.autograd.tensor import Tensor
from minidl.keras.engine.tensors import as_numpy
from minidl.keras.layers.host import HostLayer

__all__ = ["HashedCrossing", "Hashing", "hash_of", "salt_of"]


def hash_of(token, salt=None):
    """A number of a token that is the same in every run (FNV-1a, 64 bits)."""
    found = 0xCBF29CE484222325
    for byte in f"{salt or ''}{token}".encode():
        found = ((found ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return found


def salt_of(salt):
    """None, or a salt as two whole numbers. ``ValueError`` for anything else."""
    if salt is None:
        return None
    pair = [salt, salt] if isinstance(salt, int) else salt
    if not isinstance(pair, (list, tuple)) or len(pair) != 2:
        raise ValueError(
            f"The `salt` argument can only be a tuple of 2 integers, or a single integer. Received: salt={salt}."
        )
    return list(pair)


class Hashing(HostLayer):
    """Words or numbers as one of ``num_bins`` numbers, by a hash that is the same in every run.

    The bins are not those of TensorFlow's FarmHash: models move between the two by training only.

    >>> from minidl import keras
    >>> keras.layers.Hashing(3)([["a"], ["b"]]).shape
    torch.Size([2, 1])
    """

    def __init__(self, num_bins, mask_value=None, salt=None, output_mode="int", sparse=False, **kwargs):
        super().__init__(**kwargs)
        if num_bins is None or num_bins <= 0:
            raise ValueError(
                f"The `num_bins` for `Hashing` cannot be `None` or non-positive. Received: {num_bins}"
            )
        self.check_mode(output_mode, sparse)
        self.keep(num_bins=num_bins, mask_value=mask_value, salt=salt_of(salt), output_mode=output_mode)
        self.built = True

    def call(self, inputs):
        array = as_numpy(inputs) if isinstance(inputs, Tensor) else np.asarray(inputs)
        shift = int(self.mask_value is not None)
        bins = self.num_bins - shift
        flat = [
            0 if shift and token == self.mask_value else hash_of(token, self.salt) % max(bins, 1) + shift
            for token in array.ravel().tolist()
        ]
        index = np.array(flat, dtype="int64").reshape(array.shape)
        return self.encoded(index, self.output_mode, self.num_bins)

    def vector_size(self):
        """The size of vectors."""
        return self.num_bins


class HashedCrossing(HostLayer):
    """Two or more features as one of ``num_bins`` numbers, by a hash of all of them together.

    Called on a list of features, each of shape (), (N,) or (N, 1), of whole numbers or texts; ``output_mode`` 'int' or
    'one_hot'. Source: Keras' ``HashedCrossing``.

    >>> from minidl import keras
    >>> keras.layers.HashedCrossing(5)([["a", "b", "a"], [1, 2, 1]]).shape
    torch.Size([3])
    """

    def __init__(self, num_bins, output_mode="int", sparse=False, name=None, dtype=None, **kwargs):
        super().__init__(name=name, dtype=dtype or ("int64" if output_mode == "int" else None), **kwargs)
        if output_mode not in ("int", "one_hot"):
            raise ValueError(
                "Unknown value for `output_mode` argument of layer HashedCrossing. Expected one of: "
                f"('int', 'one_hot'). Received: output_mode={output_mode}"
            )
        self.check_mode(output_mode, sparse)
        self.keep(num_bins=num_bins, output_mode=output_mode, sparse=False)
        self.built = True

    def call(self, inputs):
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            what = "at least two inputs" if isinstance(inputs, (list, tuple)) else "a list or tuple of inputs"
            raise ValueError(f"`HashedCrossing` should be called on {what}. Received: inputs={inputs}")
        arrays = [as_numpy(x) if isinstance(x, Tensor) else np.asarray(x) for x in inputs]
        shape = arrays[0].shape
        if len(shape) > 2 or (len(shape) == 2 and shape[-1] != 1):
            raise ValueError(
                "All `HashedCrossing` inputs should have shape `()`, `(batch_size)` or `(batch_size, 1)`. "
                f"Received: inputs={inputs}"
            )
        if any(x.shape != shape for x in arrays):
            raise ValueError(
                f"All `HashedCrossing` inputs should have equal shape. Received: inputs={inputs}"
            )
        if any(x.dtype.kind not in "iuUSO" for x in arrays):
            raise ValueError(
                f"All `HashedCrossing` inputs should have an integer or string dtype. Received: inputs={inputs}"
            )
        rows = zip(*(x.ravel().tolist() for x in arrays))
        index = [hash_of("_X_".join(map(str, row))) % self.num_bins for row in rows]
        return self.encoded(np.array(index, dtype="int64").reshape(shape), self.output_mode, self.num_bins)

    def compute_output_shape(self, input_shape):
        if len(input_shape) < 2 or not all(isinstance(shape, (tuple, list)) for shape in input_shape):
            raise ValueError(
                f"Expected as input a list/tuple of 2 tensors. Received input_shape={input_shape}"
            )
        if input_shape[0][-1] != input_shape[1][-1]:
            raise ValueError(
                f"Expected the two input tensors to have identical shapes. Received input_shape={input_shape}"
            )
        return super().compute_output_shape(input_shape[0])

    def vector_size(self):
        """The size of vectors."""
        return self.num_bins
