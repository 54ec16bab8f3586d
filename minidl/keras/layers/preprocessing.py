"""Layers that prepare numbers: Rescaling, Normalization, CategoryEncoding."""

import numpy as np

from minidl.keras.engine.tensors import as_numpy, as_tensor
from minidl.keras.layers.arguments import Described
from minidl.ops.embedding import one_hot

__all__ = ["CategoryEncoding", "Normalization", "Rescaling"]


class Rescaling(Described):
    """scale x + offset: ``Rescaling(1 / 255)`` takes pixels to [0, 1].

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Rescaling(1 / 255)(np.array([[0, 51, 255]]))
    tensor([[0.0000, 0.2000, 1.0000]])
    """

    takes_integers = True
    supports_masking = True

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.keep(scale=scale, offset=offset)
        self.built = True

    def call(self, inputs):
        return inputs * self._number(self.scale, inputs) + self._number(self.offset, inputs)

    def _number(self, value, like):
        return value if isinstance(value, (int, float)) else as_tensor(value).to(like.device, like.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


class Normalization(Described):
    """(x - mean) / sqrt(variance) for every feature of ``axis``, with statistics that are given or taken from data.

    ``adapt(data)`` computes them, over all dimensions but ``axis`` (None: over all), from an array or from batches;
    with ``invert`` the way back. Weights, where none were given: ``mean``, ``variance``, ``count``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> layer = keras.layers.Normalization()
    >>> layer.adapt(np.array([[1.0], [3.0]]))
    >>> layer(np.array([[1.0], [5.0]])).tolist()
    [[-1.0], [3.0]]
    """

    takes_integers = True

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError(
                "When setting values directly, both `mean` and `variance` must be set. "
                f"Received: mean={mean} and variance={variance}"
            )
        axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        as_list = [None if v is None else np.asarray(as_numpy(v)).tolist() for v in (mean, variance)]
        self.keep(axis=axis, mean=as_list[0], variance=as_list[1], invert=invert)
        self.given = None if mean is None else as_list
        self.supports_masking = True

    def build(self, input_shape):
        ndim = len(input_shape)
        if any(not -ndim <= a < ndim for a in self.axis):
            raise ValueError(
                "All `axis` values must be in the range [-ndim, ndim). Received: "
                f"inputs.shape={tuple(input_shape)}, axis={self.axis}"
            )
        self.kept = tuple(sorted(a % ndim for a in self.axis))
        if any(input_shape[a] is None for a in self.kept):
            raise ValueError(
                "All `axis` values to be kept must have a known shape. Received axis="
                f"{self.axis}, inputs.shape={tuple(input_shape)}"
            )
        self.spread = tuple(input_shape[a] if a in self.kept else 1 for a in range(ndim))
        if self.given is None:
            shape = tuple(input_shape[a] for a in self.kept)
            for name, start in (("mean", "zeros"), ("variance", "ones")):
                weight = self.add_weight(shape=shape, name=name, initializer=start, trainable=False)
                self.__dict__.pop(name, None)
                setattr(self, name, weight)
            self.count = self.add_weight(
                shape=(), dtype="int32", name="count", initializer="zeros", trainable=False
            )

    def adapt(self, data, steps=None, batch_size=None):
        """Takes mean and variance from ``data``: an array, a tensor, or something that gives batches."""
        if self.given is not None:
            raise ValueError("`Normalization.adapt` cannot be called where `mean` and `variance` were given.")
        batches = [data] if hasattr(data, "shape") or isinstance(data, (list, np.ndarray)) else data
        count, mean, spread = 0, 0.0, 0.0
        for index, batch in enumerate(batches):
            if steps is not None and index >= steps:
                break
            x = as_numpy(batch[0] if isinstance(batch, tuple) else batch).astype("float64")
            if not self.built:
                self.build((None, *x.shape[1:]))
            over = tuple(a for a in range(x.ndim) if a not in self.kept)
            n = x.size // max(int(np.prod([x.shape[a] for a in self.kept])), 1)
            center, square = x.mean(over), x.var(over) * n
            shift = center - mean
            total = count + n
            mean, spread = mean + shift * n / total, spread + square + shift**2 * count * n / total
            count = total
        if not count:
            raise ValueError(f"Layer '{self.name}' cannot adapt to data without samples.")
        self.mean.assign(np.asarray(mean, dtype="float32"))
        self.variance.assign(np.asarray(spread / count, dtype="float32"))

    def call(self, inputs):
        if self.given is None:
            mean, variance = self.mean, self.variance
        else:
            mean, variance = (as_tensor(v).to(inputs.device, inputs.dtype) for v in self.given)
        shape = self.spread if mean.numel() > 1 else [1] * inputs.ndim
        mean, scale = mean.reshape(shape), variance.reshape(shape).sqrt().clamp(min=1e-7)
        return mean + inputs * scale if self.invert else (inputs - mean) / scale

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "mean": None, "variance": None, **self._given_config()}

    def _given_config(self):
        return {} if self.given is None else dict(zip(("mean", "variance"), self.given))


class CategoryEncoding(Described):
    """Integers in [0, num_tokens) as 'one_hot', 'multi_hot' (which occur in a sample) or 'count' (how often).

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.CategoryEncoding(4)(np.array([[0, 2]]))
    tensor([[1., 0., 1., 0.]])
    """

    def __init__(self, num_tokens=None, output_mode="multi_hot", sparse=False, **kwargs):
        super().__init__(**kwargs)
        if output_mode == "binary":
            output_mode = "multi_hot"
        if output_mode not in ("count", "one_hot", "multi_hot"):
            raise ValueError(f"Unknown arg for output_mode: {output_mode}")
        if num_tokens is None or num_tokens < 1:
            raise ValueError(f"`num_tokens` must be set to a positive number, got num_tokens={num_tokens}")
        if sparse:
            raise NotImplementedError(
                "CategoryEncoding(sparse=True) is not supported: leave it out for dense output"
            )
        self.keep(num_tokens=num_tokens, output_mode=output_mode)
        self.built = True

    def call(self, inputs, count_weights=None):
        index = inputs.long()
        if index.numel() and not 0 <= int(index.min()) <= int(index.max()) < self.num_tokens:
            raise ValueError(
                f"Input values must be in the range 0 <= values < num_tokens with num_tokens={self.num_tokens}, but "
                f"got {int(index.min())} to {int(index.max())} in layer '{self.name}'."
            )
        if self.output_mode == "one_hot" and index.ndim > 1 and index.shape[-1] == 1:
            index = index.squeeze(-1)
        encoded = one_hot(index, self.num_tokens).to(self._compute_dtype)
        if self.output_mode == "one_hot":
            return encoded
        if self.output_mode == "multi_hot":
            return encoded.amax(-2)
        if count_weights is not None:
            encoded = encoded * as_tensor(count_weights).to(encoded.device, encoded.dtype).unsqueeze(-1)
        return encoded.sum(-2)

    def compute_output_shape(self, input_shape):
        shape = tuple(input_shape)
        if self.output_mode == "one_hot":
            return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), self.num_tokens)
        return (*shape[:-1], self.num_tokens)
