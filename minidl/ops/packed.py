"""Recurrent layers over packed sequences: the kernels of whole sequences, on one stretch of steps after another.

Letters as in ``backends/reference/recurrent.py``. Packed rows [sum of lengths, I] hold step after step, the longest
sequence first, and ``batch_sizes[t]`` sequences reach step t. A stretch is the steps that the same sequences reach:
its rows are a dense [steps, N, I], so no padding is computed, and there are at most as many stretches as sequences.
"""

import functools
import itertools

from minidl import dtypes
from minidl.autograd import Tensor
from minidl.ops.joining import cat

_PACKED = (
    "data",
    "batch_sizes",
    "hx",
    "params",
    "has_biases",
    "num_layers",
    "dropout",
    "train",
    "bidirectional",
)


class BatchSizes(list):
    """How many sequences reach each step."""


def takes_packed(fn):
    """Gives a stacked function PyTorch's second signature, ``(data, batch_sizes, hx, params, ...)``.

    The decorated function finds the ``BatchSizes`` in the place of ``batch_first``, which packed input has no use for.
    """
    name = fn.__name__

    @functools.wraps(fn)
    def public(*args, **kwargs):
        if "batch_sizes" not in kwargs and not _looks_packed(args):
            return fn(*args, **kwargs)
        given = dict(zip(_PACKED, args, strict=False), **kwargs)
        if len(args) > len(_PACKED) or len(given) < len(args) + len(kwargs) or set(given) != set(_PACKED):
            raise TypeError(
                f"{name}() received an invalid combination of arguments - expected ({', '.join(_PACKED)})"
            )
        data, sizes = given.pop("data"), given.pop("batch_sizes")
        sizes = _checked(name, data, sizes)
        for state in given["hx"] if isinstance(given["hx"], (tuple, list)) else [given["hx"]]:
            if state.dim() == 3 and state.shape[1] != sizes[0]:
                expected = state.shape[0], sizes[0], state.shape[2]
                raise RuntimeError(f"Expected hidden size {expected}, got {list(state.shape)}")
        return fn(data, **given, batch_first=sizes)

    return public


def _looks_packed(args):
    """Whether arguments by place are those of the packed signature: hx in the third place, where params would be."""
    return (
        len(args) > 3
        and isinstance(args[1], Tensor)
        and (isinstance(args[2], Tensor) or isinstance(args[3], (list, tuple)))
    )


def _checked(name, data, batch_sizes):
    """The batch sizes as a list. Raises ``TypeError`` or ``RuntimeError`` where they cut ``data`` into no steps."""
    if not isinstance(batch_sizes, Tensor):
        raise TypeError(f"{name}(): argument 'batch_sizes' must be Tensor, not {type(batch_sizes).__name__}")
    if batch_sizes.dtype != dtypes.int64:
        raise RuntimeError(
            f"expected scalar type Long but found {dtypes.scalar_name(batch_sizes.dtype.numpy)}"
        )
    sizes = BatchSizes(batch_sizes.tolist())
    if data.dim() != 2:
        raise RuntimeError(f"input must have 2 dimensions, got {data.dim()}")
    falling = all(a >= b for a, b in itertools.pairwise(sizes))
    if not sizes or not falling or sizes[-1] < 1 or sum(sizes) != len(data):
        raise RuntimeError(
            f"{name}: batch_sizes must be positive, must not grow from one step to the next, and must sum to the "
            f"{len(data)} rows of data, got {sizes}"
        )
    return sizes


def over_stretches(run, batch_sizes):
    """``run(input [T, N, I], states, parameters, reverse)`` as a function of packed rows: the same arguments, results.

    ``states`` are those of all sequences, in their order; so are the last states.
    """
    stretches = [(size, len(list(same))) for size, same in itertools.groupby(batch_sizes)]
    rows = [size * steps for size, steps in stretches]

    def packed(input, states, parameters, reverse):
        inputs = zip(stretches, input.split(rows), strict=True)
        outputs, over, live = [], [], [state[: stretches[-1 if reverse else 0][0]] for state in states]
        for (size, steps), part in reversed(list(inputs)) if reverse else inputs:
            if reverse and size > len(
                live[0]
            ):  # these sequences are longer than those that follow: they begin here
                live = [cat([now, state[len(now) : size]]) for now, state in zip(live, states, strict=True)]
            elif size < len(live[0]):  # and these end here
                over.append([now[size:] for now in live])
                live = [now[:size] for now in live]
            output, *live = run(part.reshape(steps, size, part.shape[1]), live, parameters, reverse)
            outputs.append(output.reshape(steps * size, output.shape[2]))
        over.append(live)
        return cat(outputs[::-1] if reverse else outputs), *map(cat, map(list, zip(*over[::-1], strict=True)))

    return packed
