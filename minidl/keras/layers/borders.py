"""Layers that add or cut borders: ZeroPadding1D-3D, Cropping1D-3D."""

from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.layers.arguments import Described
from minidl.keras.settings import standardize_data_format
from minidl.nn import functional as F

__all__ = ["Cropping1D", "Cropping2D", "Cropping3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"]


def borders(value, rank, name):
    """An int, an int a dimension, or a pair a dimension, as a tuple of pairs."""
    try:
        values = (value,) * rank if isinstance(value, int) else tuple(value)
        if rank == 1 and len(values) == 2:
            values = (values,)
        pairs = tuple((v, v) if isinstance(v, int) else tuple(int(n) for n in v) for v in values)
    except TypeError:
        pairs = ()
    if len(pairs) != rank or any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
        raise ValueError(
            f"`{name}` should be a non-negative int, {rank} of them, or {rank} pairs (before, after). "
            f"Received: {name}={value}."
        )
    return pairs


class Bordered(Described):
    """What padding and cropping share: pairs a spatial dimension, in either data format."""

    rank = None
    argument = None

    def _take(self, value, data_format):
        pairs = borders(value, self.rank, self.argument)
        self.keep(**{self.argument: pairs[0] if self.rank == 1 else pairs})
        self.pairs = pairs
        self.first = 2 if data_format == "channels_first" else 1
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def _changed(self, shape, sign):
        shape = list(shape)
        for i, (before, after) in enumerate(self.pairs):
            n = shape[self.first + i]
            shape[self.first + i] = None if n is None else n + sign * (before + after)
        return tuple(shape)


class BaseZeroPadding(Bordered):
    """Zeros around the spatial dimensions."""

    argument = "padding"

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(**kwargs)
        data_format = standardize_data_format(data_format)
        self._take(padding, data_format)
        self.keep(data_format=data_format)

    def call(self, inputs):
        widths = [] if self.first == 2 else [0, 0]
        for before, after in reversed(self.pairs):
            widths += [before, after]
        return F.pad(inputs, tuple(widths))

    def compute_output_shape(self, input_shape):
        return self._changed(input_shape, 1)


class ZeroPadding1D(BaseZeroPadding):
    """Zero steps before and after (N, T, C); ``padding`` is an int or (before, after).

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.ZeroPadding1D((2, 1))(np.ones((1, 4, 3))).shape
    torch.Size([1, 7, 3])
    """

    rank = 1


class ZeroPadding2D(BaseZeroPadding):
    """Zero rows and columns around (N, H, W, C).

    ``padding`` is an int, (rows, columns) or ((top, bottom), (left, right)).

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.ZeroPadding2D(((1, 0), (2, 2)))(np.ones((1, 4, 4, 3))).shape
    torch.Size([1, 5, 8, 3])
    """

    rank = 2


class ZeroPadding3D(BaseZeroPadding):
    """Zeros around (N, D, H, W, C). Source: Keras' ``ZeroPadding3D``."""

    rank = 3


class BaseCropping(Bordered):
    """Cuts off borders of the spatial dimensions."""

    argument = "cropping"

    def call(self, inputs):
        self.compute_output_shape(tuple(inputs.shape))
        spatial = inputs.shape[self.first : self.first + self.rank]
        cuts = [slice(before, n - after) for n, (before, after) in zip(spatial, self.pairs, strict=True)]
        return inputs[(*[slice(None)] * self.first, *cuts)]

    def compute_output_shape(self, input_shape):
        shape = self._changed(input_shape, -1)
        if any(n is not None and n <= 0 for n in shape[self.first : self.first + self.rank]):
            raise ValueError(
                "`cropping` parameter of `Cropping` layer is too high and the output would have no values. Received: "
                f"cropping={self.cropping}, inputs.shape={tuple(input_shape)} in layer '{self.name}'."
            )
        return shape


class Cropping1D(BaseCropping):
    """Cuts steps off (N, T, C); ``cropping`` is an int or (before, after).

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Cropping1D(1)(np.ones((1, 4, 3))).shape
    torch.Size([1, 2, 3])
    """

    rank = 1

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(**kwargs)
        self._take(cropping, "channels_last")


class Cropping2D(BaseCropping):
    """Cuts rows and columns off (N, H, W, C).

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Cropping2D(((1, 0), (2, 1)))(np.ones((1, 4, 4, 3))).shape
    torch.Size([1, 3, 1, 3])
    """

    rank = 2

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(**kwargs)
        data_format = standardize_data_format(data_format)
        self._take(cropping, data_format)
        self.keep(data_format=data_format)


class Cropping3D(BaseCropping):
    """Cuts borders off (N, D, H, W, C). Source: Keras' ``Cropping3D``."""

    rank = 3

    def __init__(self, cropping=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(**kwargs)
        data_format = standardize_data_format(data_format)
        self._take(cropping, data_format)
        self.keep(data_format=data_format)
