"""``InputSpec``: what a layer demands of its inputs' shapes, and the error where one does not meet it."""

from minidl.autograd.tensor import TENSORS
from minidl.keras.engine.nest import flatten
from minidl.keras.engine.tensors import standardize_dtype


class InputSpec:
    """Rank, sizes and dtype that a layer's input must have. ``axes`` maps a dimension to its size.

    >>> from minidl import keras
    >>> keras.layers.InputSpec(ndim=4, axes={-1: 3})
    InputSpec(ndim=4, axes={-1: 3})
    """

    def __init__(
        self,
        dtype=None,
        shape=None,
        ndim=None,
        max_ndim=None,
        min_ndim=None,
        axes=None,
        allow_last_axis_squeeze=False,
        name=None,
        optional=False,
    ):
        self.dtype = None if dtype is None else standardize_dtype(dtype)
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze, self.name, self.optional = allow_last_axis_squeeze, name, optional

    def get_config(self):
        """What ``from_config`` takes."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config):
        """A spec of its config."""
        return cls(**config)

    def __repr__(self):
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        parts = [f"{name}={getattr(self, name)}" for name in names if getattr(self, name)]
        return f"InputSpec({', '.join(parts)})"


def check_inputs(layer, inputs):
    """Raises ``ValueError`` where ``inputs`` do not meet ``layer.input_spec``: layer, expected, got, a way out."""
    shape = inputs._array.shape if inputs.__class__ in TENSORS else None
    fitted = layer.__dict__.get("_fitted_shape")
    if shape is not None and fitted is not None and fitted[0] is layer.input_spec and fitted[1] == shape[1:]:
        return  # the same sizes, the batch's apart, were looked at before
    specs, tensors = flatten(layer.input_spec), flatten(inputs)
    if len(specs) != len(tensors):
        raise ValueError(
            f'Layer "{layer.name}" expects {len(specs)} input(s), but it received {len(tensors)} input '
            f"tensors. Inputs received: {[tuple(t.shape) for t in tensors]}"
        )
    for index, (spec, tensor) in enumerate(zip(specs, tensors)):
        if spec is None or tensor is None:
            continue
        problem = _problem(spec, tuple(tensor.shape))
        if problem:
            raise ValueError(
                f'Input {index} of layer "{layer.name}"{layer._place()} is incompatible with the layer: {problem}. '
                f"Full shape received: {tuple(tensor.shape)}.{_hint(spec, tuple(tensor.shape))}"
            )
    if shape is not None:
        layer.__dict__["_fitted_shape"] = (layer.input_spec, shape[1:])


def _problem(spec, shape):
    ndim = len(shape)
    if spec.ndim is not None and ndim != spec.ndim:
        return f"expected ndim={spec.ndim}, found ndim={ndim}"
    if spec.max_ndim is not None and ndim > spec.max_ndim:
        return f"expected max_ndim={spec.max_ndim}, found ndim={ndim}"
    if spec.min_ndim is not None and ndim < spec.min_ndim:
        return f"expected min_ndim={spec.min_ndim}, found ndim={ndim}"
    for axis, size in spec.axes.items():
        if size is not None and shape[axis] not in (size, None):
            return f"expected axis {axis} of input shape to have value {size}, but received input with shape {shape}"
    for wanted, size in zip(spec.shape or (), shape):
        if wanted is not None and size is not None and wanted != size:
            return f"expected shape={spec.shape}, found shape={shape}"
    return ""


def _hint(spec, shape):
    wanted = spec.ndim or spec.min_ndim
    if wanted is not None and len(shape) == wanted - 1:
        if wanted == 4:
            return " Hint: images need a channel dimension: x[..., np.newaxis], and a batch dimension: x[np.newaxis]."
        return " Hint: add the missing dimension, x[..., np.newaxis] (or x[np.newaxis] for a batch of one)."
    if wanted is not None and len(shape) > wanted and spec.ndim is not None:
        return " Hint: put a Flatten, a Reshape or a pooling layer before it."
    if wanted is not None and len(shape) < wanted:
        return " Hint: put a Reshape before it."
    if spec.axes:
        return " Hint: the layer was built for other features; give it the data it was built for, or make a new layer."
    return ""
