"""``HostLayer``: a layer of what need not be numbers."""

import numpy as np

from minidl.autograd.tensor import Tensor
from minidl.keras.engine.tensors import as_tensor, named_dtype
from minidl.keras.layers.arguments import Described

__all__ = ["HostLayer"]

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


class HostLayer(Described):
    """A layer of what need not be numbers: NumPy arrays and lists of strings go in, numbers come out."""

    def __call__(self, inputs, *args, **kwargs):
        if isinstance(inputs, Tensor) or hasattr(inputs, "history"):
            return super().__call__(inputs, *args, **kwargs)
        return self.call(inputs)

    def check_mode(self, mode, sparse):
        """``ValueError`` for an unknown mode, ``NotImplementedError`` for sparse results."""
        if mode not in MODES:
            raise ValueError(f"Invalid `output_mode`: expected one of {MODES}. Received: output_mode={mode}")
        if sparse:
            raise NotImplementedError(f"{type(self).__name__}(sparse=True) is not supported: leave it out")

    def encoded(self, index, mode, size, weights=None):
        """Places as they are ('int'), or as vectors of ``size``: what occurs, how often, weighted by rarity."""
        if mode == "int":
            return as_tensor(index.astype("int64"))
        index = (
            index[..., None] if index.ndim == 0 or (mode == "one_hot" and index.shape[-1:] != (1,)) else index
        )
        hot = (index[..., None] == np.arange(size)).astype("float32")
        found = hot.max(-2) if mode in ("one_hot", "multi_hot") else hot.sum(-2)
        return as_tensor(found if weights is None else found * weights).to(named_dtype(self.compute_dtype))

    def compute_output_shape(self, input_shape):
        mode = self.output_mode
        if mode == "int":
            return tuple(input_shape)
        kept = tuple(input_shape) if mode == "one_hot" and input_shape[-1] != 1 else tuple(input_shape[:-1])
        return (*kept, self.vector_size())
