"""The outputs' shapes of a layer that does not say them: a run on zeros of two sizes, off the tape."""

from minidl.autograd.modes import no_grad
from minidl.autograd.tensor import Tensor
from minidl.keras.engine.context import CONTEXT
from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.nest import flatten, map_structure, pack_like
from minidl.keras.engine.tensors import named_dtype, standardize_dtype
from minidl.ops.create import zeros
from minidl.ops.generator import fork_rng

# What stands for an unknown size in the two runs: what differs between them is unknown. A layer may take short
# sequences only (a table of positions), or long ones only (a wide kernel): the first pair that runs counts.
_SIZES = ((31, 37), (5, 7), (127, 131))
_BATCHES = (2, 3)


def traced_outputs(layer, args, kwargs):
    """Symbolic outputs of ``layer`` called on symbolic tensors. An error of the layer's names the layer."""
    first = None
    unknown = any(
        isinstance(leaf, KerasTensor) and None in leaf.shape[1:] for leaf in flatten([args, kwargs])
    )
    for sizes in _SIZES if unknown else _SIZES[:1]:
        try:
            runs = [_run_on_zeros(layer, args, kwargs, both) for both in zip(_BATCHES, sizes)]
            break
        except Exception as error:
            first = first or error
    else:
        raise first
    outputs = [_joint(a, b) for a, b in zip(flatten(runs[0]), flatten(runs[1]))]
    return pack_like(runs[0], outputs)


def _run_on_zeros(layer, args, kwargs, sizes):
    values = [map_structure(lambda leaf: zeros_for(leaf, sizes), part) for part in (args, kwargs)]
    outer, CONTEXT.tracing = CONTEXT.tracing, True
    try:
        with no_grad(), fork_rng():
            return layer._run(tuple(values[0]), dict(values[1]))
    except Exception as error:
        raise type(error)(
            f"{error}\nThe shape of the output of {type(layer).__name__}.call() (layer '{layer.name}') is "
            f"found by a run on zeros of shape {_shapes(values)}, which failed so. Hint: give the "
            "layer a compute_output_shape(input_shape) method."
        ) from error
    finally:
        CONTEXT.tracing = outer


def traced_masks(layer, args, masks):
    """The symbolic masks of a layer's output, by ``compute_mask`` on zeros; None where it gives none."""
    runs = []
    for sizes in zip(_BATCHES, _SIZES[1]):
        values = [map_structure(lambda leaf, s=sizes: zeros_for(leaf, s), part) for part in (args[0], masks)]
        with no_grad():
            runs.append(layer.compute_mask(*values))
    if runs[0] is None:
        return None
    return [_joint(a, b) for a, b in zip(flatten(runs[0]), flatten(runs[1]))]


def _shapes(values):
    return [tuple(leaf.shape) for leaf in flatten(values) if isinstance(leaf, Tensor)]


def zeros_for(leaf, sizes):
    """Zeros in the shape of a symbolic tensor, (batch, any other) for unknown sizes, masked by Trues where it has a
    mask; any other value as it is."""
    if not isinstance(leaf, KerasTensor):
        return leaf
    batch, other = sizes
    shape = [(batch if i == 0 else other) if d is None else d for i, d in enumerate(leaf.shape)]
    made = zeros(tuple(shape), dtype=named_dtype(leaf.dtype))
    if leaf._keras_mask is not None:
        made._keras_mask = zeros_for(leaf._keras_mask, sizes).logical_not()
    return made


def _joint(a, b):
    if not isinstance(a, Tensor):
        return a
    shape = tuple(m if m == n else None for m, n in zip(a.shape, b.shape))
    return KerasTensor(shape, standardize_dtype(a.dtype))
