"""The outputs' shapes of a layer that does not say them: a run on zeros of two sizes, off the tape."""

from minidl.autograd.modes import no_grad
from minidl.autograd.tensor import Tensor
from minidl.keras.engine.context import CONTEXT
from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.nest import flatten, map_structure, pack_like
from minidl.keras.engine.tensors import named_dtype, standardize_dtype
from minidl.ops.create import zeros
from minidl.ops.generator import fork_rng

_SIZES = ((2, 31), (3, 37))  # batch, and any other unknown size: what differs between the runs is unknown


def traced_outputs(layer, args, kwargs):
    """Symbolic outputs of ``layer`` called on symbolic tensors. An error of the layer's names the layer."""
    runs, outer = [], CONTEXT.tracing
    for batch, other in _SIZES:
        sizes = (batch, other)
        values = [map_structure(lambda leaf, s=sizes: _zeros(leaf, s), part) for part in (args, kwargs)]
        with no_grad(), fork_rng():
            CONTEXT.tracing = True
            try:
                runs.append(layer._run(tuple(values[0]), dict(values[1])))
            except Exception as error:
                raise type(error)(
                    f"{error}\nThe shape of the output of {type(layer).__name__}.call() (layer '{layer.name}') is "
                    f"found by a run on zeros of shape {_shapes(values)}, which failed so. Hint: give the "
                    "layer a compute_output_shape(input_shape) method."
                ) from error
            finally:
                CONTEXT.tracing = outer
    outputs = [_joint(a, b) for a, b in zip(flatten(runs[0]), flatten(runs[1]))]
    return pack_like(runs[0], outputs)


def _shapes(values):
    return [tuple(leaf.shape) for leaf in flatten(values) if isinstance(leaf, Tensor)]


def _zeros(leaf, sizes):
    if not isinstance(leaf, KerasTensor):
        return leaf
    batch, other = sizes
    shape = [(batch if i == 0 else other) if d is None else d for i, d in enumerate(leaf.shape)]
    return zeros(tuple(shape), dtype=named_dtype(leaf.dtype))


def _joint(a, b):
    if not isinstance(a, Tensor):
        return a
    shape = tuple(m if m == n else None for m, n in zip(a.shape, b.shape))
    return KerasTensor(shape, standardize_dtype(a.dtype))
