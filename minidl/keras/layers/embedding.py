"""Embedding, and Masking of steps that are padding."""

from minidl import int64
from minidl.keras.dropped import warn
from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.layers.arguments import Described
from minidl.keras.settings import named_dtype
from minidl.nn import functional as F
from minidl.ops.matmul import matmul

__all__ = ["Embedding", "Masking", "ReversibleEmbedding"]


class Embedding(Described):
    """The rows of a trained matrix that the inputs number.

    Shapes: inputs (N, ...) of integers (or whole floats) in [0, input_dim), output (N, ..., output_dim),
    ``embeddings`` (input_dim, output_dim), drawn from U(-0.05, 0.05). With ``mask_zero`` 0 is padding, which the layers
    above skip. Raises ``IndexError`` for an index outside, ``ValueError`` for a number that is not whole.
    Source: Keras' ``Embedding``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Embedding(10, 4)(np.array([[1, 2, 0]])).shape
    torch.Size([1, 3, 4])
    """

    def __init__(
        self, input_dim, output_dim, embeddings_initializer="uniform", embeddings_regularizer=None,
        embeddings_constraint=None, mask_zero=False, weights=None, input_length=None, **kwargs,
    ):  # fmt: skip
        if input_length is not None:
            warn("`input_length` is deprecated: start the model with keras.Input(shape=...)")
            length = input_length if isinstance(input_length, (list, tuple)) else (input_length,)
            if not {"input_shape", "batch_input_shape", "batch_shape"} & kwargs.keys():
                kwargs["input_shape"] = tuple(length)
        activity_regularizer = kwargs.pop("activity_regularizer", None)
        super().__init__(**kwargs)
        self.keep(
            input_dim=input_dim, output_dim=output_dim, embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer, activity_regularizer=activity_regularizer,
            embeddings_constraint=embeddings_constraint, mask_zero=mask_zero,
        )  # fmt: skip
        self.supports_masking = self._makes_mask = bool(mask_zero)
        self.autocast = False
        self._initial = weights
        if weights is not None:
            self.build(None)
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    def build(self, input_shape):
        if self.built:
            return
        self.embeddings = self.add_weight(
            shape=(self.input_dim, self.output_dim), initializer=self.embeddings_initializer, name="embeddings",
            regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint,
        )  # fmt: skip

    def call(self, inputs):
        index = self._numbers(inputs)
        out = F.embedding(index, self.embeddings)
        return out.to(self._compute_dtype) if self._mixed else out

    def _numbers(self, inputs):
        if not inputs.is_floating_point():
            return inputs if inputs.dtype == int64 else inputs.to(int64)
        index = inputs.to(int64)
        if inputs.device.type == "cpu" and bool((index.to(inputs.dtype) != inputs).any()):
            raise ValueError(
                f"Embedding layer '{self.name}' takes whole numbers, but its input has fractions. "
                "Hint: is the right array fed to it?"
            )
        return index

    def compute_mask(self, inputs, mask=None):
        return inputs != 0 if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)


class ReversibleEmbedding(Embedding):
    """An embedding that also goes back: ``layer(x, reverse=True)`` scores every row, logits (..., input_dim).

    The scores are products with the rows, or with a matrix ``reverse_embeddings`` (output_dim, input_dim) of their own
    without ``tie_weights``, in ``reverse_dtype``; ``logit_soft_cap`` c makes them c tanh(scores / c).
    Source: O. Press, L. Wolf, 2017; Keras' ``ReversibleEmbedding``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> layer = keras.layers.ReversibleEmbedding(10, 4)
    >>> layer(layer(np.array([[1, 2, 0]])), reverse=True).shape
    torch.Size([1, 3, 10])
    """

    _goes_back = False

    def __init__(
        self, input_dim, output_dim, tie_weights=True, embeddings_initializer="uniform", embeddings_regularizer=None,
        embeddings_constraint=None, mask_zero=False, reverse_dtype=None, logit_soft_cap=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            input_dim, output_dim, embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero,
            **kwargs,
        )  # fmt: skip
        self.keep(tie_weights=tie_weights, reverse_dtype=reverse_dtype, logit_soft_cap=logit_soft_cap)

    def build(self, input_shape=None):
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                shape=(self.output_dim, self.input_dim), initializer=self.embeddings_initializer,
                name="reverse_embeddings",
            )  # fmt: skip

    def call(self, inputs, reverse=False):
        self._goes_back = reverse
        if not reverse:
            return super().call(inputs)
        kernel = self.embeddings.permute(1, 0) if self.tie_weights else self.reverse_embeddings
        dtype = named_dtype(self.reverse_dtype or self.variable_dtype)
        logits = matmul(inputs.to(dtype), kernel.to(dtype))
        cap = self.logit_soft_cap
        return logits if cap is None else (logits / cap).tanh() * cap

    def compute_mask(self, inputs, mask=None):
        return None if self._goes_back else super().compute_mask(inputs, mask)

    def compute_output_shape(self, input_shape, reverse=False):
        return (*input_shape[:-1], self.input_dim) if reverse else (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs, reverse=False):
        return KerasTensor(self.compute_output_shape(inputs.shape, reverse), self.compute_dtype)


class Masking(Described):
    """Masks the steps of (N, T, C) whose values are all ``mask_value``, and sets them to zero.

    >>> import numpy as np
    >>> from minidl import keras
    >>> y = keras.layers.Masking()(np.array([[[1.0, 2.0], [0.0, 0.0]]]))
    >>> y._keras_mask.tolist()
    [[True, False]]
    """

    takes_integers = True
    supports_masking = True
    _makes_mask = True

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.keep(mask_value=mask_value)
        self.built = True

    def compute_mask(self, inputs, mask=None):
        return (inputs != self.mask_value).any(-1)

    def call(self, inputs):
        return inputs * (inputs != self.mask_value).any(-1, True).to(inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape
