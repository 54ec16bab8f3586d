"""Layers that rearrange: Reshape, Permute, RepeatVector."""

import math

from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.layers.arguments import Described

__all__ = ["Permute", "RepeatVector", "Reshape"]


class Reshape(Described):
    """(N, ...) as (N, *target_shape); one size may be -1.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Reshape((4, -1))(np.ones((2, 12))).shape
    torch.Size([2, 4, 3])
    """

    takes_integers = False

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        shape = (target_shape,) if isinstance(target_shape, int) else tuple(target_shape)
        if sum(n == -1 for n in shape) > 1:
            raise ValueError(
                "There must be at most one unknown dimension in target_shape. "
                f"Received: target_shape={target_shape}."
            )
        self.keep(target_shape=shape)
        self.built = True

    def call(self, inputs):
        return inputs.reshape(self.compute_output_shape(tuple(inputs.shape)))

    def compute_output_shape(self, input_shape):
        known = math.prod(n for n in self.target_shape if n != -1)
        if any(n is None for n in input_shape[1:]):
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        size = math.prod(input_shape[1:])
        if -1 in self.target_shape:
            fits = known > 0 and size % known == 0
        else:
            fits = size == known
        if not fits:
            raise ValueError(
                "The total size of the tensor must be unchanged. Received: "
                f"input_shape={tuple(input_shape[1:])}, target_shape={self.target_shape} in layer '{self.name}'."
            )
        return (input_shape[0], *(size // known if n == -1 else n for n in self.target_shape))


class Permute(Described):
    """Reorders the dimensions after the batch's; ``dims`` counts from 1.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Permute((2, 1))(np.ones((5, 3, 4))).shape
    torch.Size([5, 4, 3])
    """

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        dims = tuple(dims)
        if sorted(dims) != list(range(1, len(dims) + 1)):
            raise ValueError(
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be "
                f"consecutive and start from 1. Received dims={dims}"
            )
        self.keep(dims=dims)
        self.input_spec = InputSpec(ndim=len(dims) + 1)
        self.built = True

    def call(self, inputs):
        return inputs.permute(0, *self.dims)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *(input_shape[d] for d in self.dims))


class RepeatVector(Described):
    """(N, C) as (N, n, C).

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RepeatVector(3)(np.ones((2, 5))).shape
    torch.Size([2, 3, 5])
    """

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"Expected an integer value for `n`, got {type(n)}.")
        self.keep(n=n)
        self.input_spec = InputSpec(ndim=2)
        self.built = True

    def call(self, inputs):
        return inputs.unsqueeze(1).expand(-1, self.n, -1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.n, input_shape[1])
