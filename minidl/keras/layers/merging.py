"""Layers of several inputs: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot; their functions."""

from functools import reduce

from minidl.keras.layers.arguments import Described
from minidl.ops.joining import cat
from minidl.ops.matmul import matmul
from minidl.ops.selection import maximum as larger
from minidl.ops.selection import minimum as smaller

__all__ = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract", "add", "average",
    "concatenate", "dot", "maximum", "minimum", "multiply", "subtract",
]  # fmt: skip


class Merge(Described):
    """What the layers share that combine a list of inputs elementwise, of one shape or broadcast."""

    supports_masking = True
    exactly = None

    def build(self, input_shape):
        self._demand(input_shape)
        self._joint(input_shape)

    def _demand(self, shapes):
        several = isinstance(shapes, (list, tuple)) and all(isinstance(s, (list, tuple)) for s in shapes)
        if not several or not shapes or (self.exactly and len(shapes) != self.exactly):
            number = "a list of inputs" if self.exactly is None else f"exactly {self.exactly} inputs"
            raise ValueError(
                f"A `{type(self).__name__}` layer should be called on {number}. Received: {shapes}"
            )

    def call(self, inputs):
        ndim = max(x.ndim for x in inputs)
        return self.merged([_raised(x, ndim) for x in inputs])

    def merged(self, inputs):
        """The combination of tensors of one rank."""
        return reduce(self.combine, inputs)

    def compute_output_shape(self, input_shape):
        self._demand(input_shape)
        return self._joint(input_shape)

    def _joint(self, shapes):
        ndim = max(len(shape) for shape in shapes)
        raised = [(*s[:1], *[1] * (ndim - len(s)), *s[1:]) for s in map(tuple, shapes)]
        found = []
        for sizes in zip(*raised, strict=True):
            known = {n for n in sizes if n not in (1, None)}
            if len(known) > 1:
                raise ValueError(
                    f"Inputs have incompatible shapes. Received shapes {', '.join(map(str, map(tuple, shapes)))} "
                    f"in layer '{self.name}'."
                )
            found.append(known.pop() if known else None if None in sizes else 1)
        return tuple(found)

    def compute_mask(self, inputs, mask=None):
        masks = [m for m in mask or () if m is not None]
        if not isinstance(mask, (list, tuple)) or len(masks) < len(inputs):
            return None
        return reduce(lambda a, b: a | b, masks)


def _raised(x, ndim):
    """x with sizes of one after the batch's, up to ``ndim`` dimensions."""
    return x.reshape(x.shape[0], *[1] * (ndim - x.ndim), *x.shape[1:]) if x.ndim < ndim else x


class Add(Merge):
    """The sum of a list of inputs.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Add()([np.ones((1, 2)), np.ones((1, 2))])
    tensor([[2., 2.]])
    """

    def combine(self, a, b):
        """a + b"""
        return a + b


class Subtract(Merge):
    """The difference of two inputs."""

    exactly = 2

    def combine(self, a, b):
        """a - b"""
        return a - b


class Multiply(Merge):
    """The product, elementwise, of a list of inputs."""

    def combine(self, a, b):
        """a b"""
        return a * b


class Average(Merge):
    """The mean of a list of inputs."""

    def merged(self, inputs):
        return reduce(lambda a, b: a + b, inputs) / len(inputs)


class Maximum(Merge):
    """The largest, elementwise, of a list of inputs."""

    def combine(self, a, b):
        """max(a, b)"""
        return larger(a, b)


class Minimum(Merge):
    """The smallest, elementwise, of a list of inputs."""

    def combine(self, a, b):
        """min(a, b)"""
        return smaller(a, b)


class Concatenate(Merge):
    """Inputs one after the other along ``axis``; the other sizes must be the same.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Concatenate()([np.ones((1, 2)), np.ones((1, 3))]).shape
    torch.Size([1, 5])
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.keep(axis=axis)

    def call(self, inputs):
        return cat(tuple(inputs), self.axis)

    def _joint(self, shapes):
        shapes = [tuple(shape) for shape in shapes]
        ndim = len(shapes[0])
        axis = self.axis % ndim
        found = list(shapes[0])
        for shape in shapes[1:]:
            for i, (a, b) in enumerate(zip(found, shape)):
                if i == axis:
                    found[i] = None if None in (a, b) else a + b
                elif (None not in (a, b) and a != b) or len(shape) != ndim:
                    raise ValueError(
                        "A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. "
                        f"Received: input_shape={shapes} in layer '{self.name}', axis={self.axis}."
                    )
                else:
                    found[i] = b if a is None else a
        return tuple(found)

    def compute_mask(self, inputs, mask=None):
        if mask is None or all(m is None for m in mask):
            return None
        parts = []
        for x, m in zip(inputs, mask, strict=True):
            if m is None:
                parts.append((x == x) | (x != x))
            else:
                m = m.reshape(*m.shape, *[1] * (x.ndim - m.ndim))
                parts.append(m.expand(*x.shape))
        return cat(tuple(parts), self.axis).all(-1)


class Dot(Merge):
    """The product of two inputs summed over ``axes`` (one dimension, or one of each input), sample by sample.

    With ``normalize`` of the unit vectors along them: the cosine. A result (N,) is (N, 1).

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Dot(axes=1)([np.ones((2, 3)), np.ones((2, 3))]).tolist()
    [[3.0], [3.0]]
    """

    exactly = 2

    def __init__(self, axes, normalize=False, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(axes, int) and (len(tuple(axes)) != 2 or not all(isinstance(a, int) for a in axes)):
            raise ValueError(
                f"Invalid format for argument `axes`: two integers or one. Received: axes={axes}"
            )
        self.keep(axes=axes, normalize=normalize)

    def _axes(self, a, b):
        first, second = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        return first % a, second % b

    def _joint(self, shapes):
        a, b = map(tuple, shapes)
        first, second = self._axes(len(a), len(b))
        if None not in (a[first], b[second]) and a[first] != b[second]:
            raise ValueError(
                f"Incompatible input shapes: axis values {a[first]} (at axis {first}) != {b[second]} (at axis "
                f"{second}). Full input shapes: {a}, {b}"
            )
        rest = (
            *(n for i, n in enumerate(a) if i not in (0, first)),
            *(n for i, n in enumerate(b) if i not in (0, second)),
        )
        return (a[0], *(rest or (1,)))

    def call(self, inputs):
        a, b = inputs
        first, second = self._axes(a.ndim, b.ndim)
        if self.normalize:
            a, b = _unit(a, first), _unit(b, second)
        shape = (a.shape[0], *self._joint([a.shape, b.shape])[1:])
        a = a.movedim(first, -1).reshape(a.shape[0], -1, a.shape[first])
        b = b.movedim(second, 1).reshape(b.shape[0], b.shape[second], -1)
        return matmul(a, b).reshape(shape)

    def compute_mask(self, inputs, mask=None):
        return None


def _unit(x, axis):
    return x / x.square().sum(axis, True).clamp(min=1e-12).sqrt()


def add(inputs, **kwargs):
    """``Add()(inputs)``."""
    return Add(**kwargs)(inputs)


def subtract(inputs, **kwargs):
    """``Subtract()(inputs)``."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs, **kwargs):
    """``Multiply()(inputs)``."""
    return Multiply(**kwargs)(inputs)


def average(inputs, **kwargs):
    """``Average()(inputs)``."""
    return Average(**kwargs)(inputs)


def maximum(inputs, **kwargs):
    """``Maximum()(inputs)``."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs, **kwargs):
    """``Minimum()(inputs)``."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs, axis=-1, **kwargs):
    """``Concatenate(axis)(inputs)``."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs, axes, normalize=False, **kwargs):
    """``Dot(axes)(inputs)``."""
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
