"""How a GRU's gates lie: PyTorch's r, z, n beside Keras' z, r, h."""

from minidl.ops.joining import cat, stack

__all__ = ["GRU_BIAS", "GRU_KERNEL", "GRU_ONE_BIAS"]


def _swapped(rows):
    """The first two thirds of the rows the other way round."""
    first, second, third = rows.chunk(3, 0)
    return cat((second, first, third), 0)


class GruKernel:
    """(3 units, in) in r, z, n as (in, 3 units) in z, r, h."""

    def to_keras(self, weight):
        """The kernel in Keras layout."""
        return _swapped(weight).permute(1, 0)

    def from_keras(self, kernel):
        """PyTorch's weight."""
        return [_swapped(kernel.permute(1, 0))]


class GruBias:
    """Two biases (3 units,) in r, z, n as one (2, 3 units) in z, r, h."""

    def to_keras(self, input_bias, state_bias):
        """The bias in Keras layout."""
        return stack((_swapped(input_bias), _swapped(state_bias)), 0)

    def from_keras(self, bias):
        """PyTorch's biases, of the input and of the state."""
        return [_swapped(bias[0]), _swapped(bias[1])]


class GruOneBias:
    """A bias (3 units,) in r, z, n as one in z, r, h."""

    def to_keras(self, bias):
        """The bias in Keras layout."""
        return _swapped(bias)

    def from_keras(self, bias):
        """PyTorch's bias."""
        return [_swapped(bias)]


GRU_KERNEL, GRU_BIAS, GRU_ONE_BIAS = GruKernel(), GruBias(), GruOneBias()
