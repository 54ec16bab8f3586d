"""``EinsumDense``: a Dense whose product is any einsum of the inputs and a kernel."""

from minidl.keras.layers.arguments import Described
from minidl.ops.einsum import einsum

__all__ = ["EinsumDense"]


class EinsumDense(Described):
    """activation(einsum(equation, inputs, kernel) + bias).

    ``equation`` names the dimensions, "abc,cd->abd" or "...x,xy->...y"; ``output_shape`` are the output's sizes without
    the batch, None for those of the input; ``bias_axes`` are the letters of the output that the bias has.

    Source: Keras' ``EinsumDense``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.EinsumDense("abc,cd->abd", output_shape=(None, 8), bias_axes="d")(
    ...     np.ones((2, 5, 3))
    ... ).shape
    torch.Size([2, 5, 8])
    """

    takes_integers = True

    def __init__(
        self, equation, output_shape, activation=None, bias_axes=None, kernel_initializer="glorot_uniform",
        bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, kernel_constraint=None,
        bias_constraint=None, activity_regularizer=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        shape = (
            (output_shape,) if isinstance(output_shape, int) or output_shape is None else tuple(output_shape)
        )
        self.keep(
            output_shape=shape, equation=equation, activation=activation, bias_axes=bias_axes,
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )  # fmt: skip

    def build(self, input_shape):
        kernel, bias, self.full_shape = shapes(self.equation, self.bias_axes, input_shape, self.output_shape)
        self.kernel = self.add_weight(
            name="kernel", shape=kernel, initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )  # fmt: skip
        self.bias = None
        if bias is not None:
            self.bias = self.add_weight(
                name="bias", shape=bias, initializer=self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )  # fmt: skip

    def call(self, inputs, training=None):
        x = einsum(self.equation, inputs, self.kernel)
        return self.activated(self.activation, x if self.bias is None else x + self.bias)

    def compute_output_shape(self, input_shape):
        return shapes(self.equation, self.bias_axes, input_shape, self.output_shape)[2]


def _terms(equation):
    """The letters of input, kernel and output, and whether an ellipsis stands for further dimensions before."""
    try:
        left, output = equation.replace(" ", "").split("->")
        inputs, kernel = left.split(",")
    except ValueError:
        raise ValueError(
            f"Invalid einsum equation '{equation}'. Equations must be in the form [X],[Y]->[Z], ...[X],[Y]->...[Z], or "
            "[X]...,[Y]->[Z]...."
        ) from None
    return inputs, kernel, output


def shapes(equation, bias_axes, input_shape, output_shape):
    """The shapes of kernel and bias (None for none), and of the output."""
    inputs, kernel, output = _terms(equation)
    count = len(input_shape) - len(inputs.replace("...", ""))
    spread = "0123456789"[: max(count, 0)]  # letters of the dimensions that the ellipsis stands for
    inputs, output = inputs.replace("...", spread), output.replace("...", spread)
    if len(inputs) != len(input_shape):
        raise ValueError(f"Input of shape {tuple(input_shape)} does not fit the equation '{equation}'.")
    sizes = dict(zip(inputs, input_shape))
    given = dict(zip(output[len(output) - len(output_shape) :], output_shape))
    for letter, size in given.items():
        if size is None:
            given[letter] = sizes.get(letter)
        elif sizes.get(letter) not in (None, size):
            raise ValueError(
                f"Input shape and output shape do not match at shared dimension '{letter}'. Input shape is "
                f"{sizes[letter]}, and output shape is {size}."
            )
    sizes = {**given, **{k: v for k, v in sizes.items() if v is not None or k not in given}}
    missing = [letter for letter in kernel + output if letter not in sizes]
    if missing:
        raise ValueError(
            f"Weight dimension '{missing[0]}' did not have a match in either the input or output spec."
        )
    bias = None
    if bias_axes:
        lost = [letter for letter in bias_axes if letter not in output]
        if lost:
            raise ValueError(
                f"Bias dimension '{lost[0]}' was requested, but is not part of the output spec '{output}'"
            )
        first = min(output.index(letter) for letter in bias_axes)
        bias = tuple(sizes[letter] if letter in bias_axes else 1 for letter in output[first:])
    return tuple(sizes[k] for k in kernel), bias, tuple(sizes[k] for k in output)
