"""State of parameters and the columns of arrays that a step takes."""

from minidl import dtypes
from minidl.autograd.inplace import bump
from minidl.autograd.tensor import make
from minidl.backends import of, on
from minidl.backends.memory_order import made_in_order, order_of
from minidl.optim.optimizer import batches

__all__ = []


def zeros(array):
    """State that begins at zero, of the parameter's shape, dtype and device."""
    return filled(array, 0)


def filled(array, value):
    """State that begins at a number, in memory in the parameter's order, as a fused step wants it."""
    return make(
        made_in_order(
            lambda shape: of(array).full(shape, value, array.dtype), array.shape, order_of(array, None)
        ),
        None,
    )


def scalar(value=0.0):
    """A count or a product on the host, as PyTorch keeps it; float64 only where that is the default dtype."""
    dtype = dtypes.FLOAT64 if dtypes.get_default_dtype() is dtypes.float64 else dtypes.FLOAT32
    return make(on("cpu").full((), float(value), dtype), None)


def columns(optimizer, group, names, begin, optional=()):
    """Parameters, gradients and the state of each name, as lists of arrays: one list of them a device and dtype.

    ``begin(state, array)`` fills the state of a parameter before its first step. A state without one of ``names`` (that
    of another optimizer, say) raises ``KeyError``, as in PyTorch; without one of ``optional`` it gives None. Parameters
    without a gradient are left out; those with one are marked as written.
    """
    rows = []
    for param in group["params"]:
        grad = param._grad
        if grad is None:
            continue
        state = optimizer.state[param]
        if not state:
            begin(state, param._array)
        held = [state[name]._array for name in names]
        held += [state[name]._array if name in state else None for name in optional]
        rows.append((param._array, grad._array, *held))
        bump(param)
    return batches(rows)
