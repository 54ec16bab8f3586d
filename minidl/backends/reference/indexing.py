"""Reading and writing by index. Indices are checked above this floor."""

from minidl.backends.memory_order import made_in_order, order_by


def defers_index_errors(xp):
    """Whether functions that take indices find bad ones themselves and tell later; here their caller looks before."""
    return False


def assign(xp, target, source):
    """Writes ``source``, broadcast and cast, into ``target``."""
    target[...] = source if source.dtype == target.dtype else source.astype(target.dtype)


def setitem(xp, target, index, source):
    """Writes ``source``, broadcast, at ``index`` of ``target``."""
    target[index] = (
        source if getattr(source, "dtype", target.dtype) == target.dtype else source.astype(target.dtype)
    )


def pick(xp, input, index):
    """A copy of what arrays among slices select."""
    return input[index]


def index_add(xp, g, index, shape, strides=None):
    """Zeros of ``shape`` with ``g`` added at ``index``; what meets at one place is summed.

    The zeros lie in memory in the order of ``strides``, those of the array that was indexed: its gradient then takes
    the way back through transpositions and reshapes without a copy.
    """
    order = None if strides is None else order_by(shape, strides)
    out = made_in_order(lambda shape: xp.zeros(shape, g.dtype), shape, order)
    if _distinct(index):
        out[index] = g
    else:
        xp.add.at(out, index, g)
    return out


def _distinct(index):
    """Whether no element can be named twice: slices, ints, None, one boolean mask."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(getattr(p, "dtype", None) is None or p.dtype.kind == "b" for p in parts) and not any(
        isinstance(p, list) for p in parts
    )


def take_along(xp, input, dim, index):
    """Values of ``input`` at ``index`` along ``dim``; the other dimensions of ``index`` may be smaller."""
    return input[_along(xp, index, dim)]


def put_along(xp, input, dim, index, source):
    """A copy of ``input`` with ``source`` written at ``index`` along ``dim``."""
    out = input.copy()
    out[_along(xp, index, dim)] = source
    return out


def add_along(xp, input, dim, index, source):
    """A copy of ``input`` with ``source`` added at ``index`` along ``dim``; what meets is summed."""
    out = input.copy()
    xp.add.at(out, _along(xp, index, dim), source)
    return out


def _along(xp, index, dim):
    grids = []
    for d, n in enumerate(index.shape):
        shape = [1] * index.ndim
        shape[d] = n
        grids.append(index if d == dim else xp.arange(n).reshape(shape))
    return tuple(grids)


def nonzero(xp, input):
    """Indices of the elements that are not zero, one array a dimension."""
    return xp.nonzero(input)
