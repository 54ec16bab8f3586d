"""What the sections share: operands in one dtype, axes as tuples, places."""

import minidl
from minidl import dtypes
from minidl.autograd import Tensor

_CATEGORY = {bool: 0, int: 1, float: 2}


def is_array(value):
    """Whether a value is an array of this namespace: a tensor, or one of its subclasses."""
    return isinstance(value, Tensor)


def as_array(value, name="x"):
    """The tensor itself. Raises ``TypeError`` for anything else."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be an array (minidl.Tensor), not {value.__class__.__name__}")
    return value


def refuse_complex(value, what="complex numbers"):
    """Raises ``TypeError`` for a complex number."""
    if isinstance(value, complex):
        raise TypeError(f"{what} are not supported: keep real and imaginary parts as two arrays")


def common_dtype(*values):
    """The dtype of arrays, dtypes and Python numbers together, by the standard's table.

    Unlike PyTorch's rule an array without dimensions counts as any other. Python numbers are weak: they change the
    category alone. Kinds that the standard leaves open (integer and float) go PyTorch's way, to the float.
    """
    found, weakest = None, None
    for value in values:
        refuse_complex(value)
        if isinstance(value, (Tensor, dtypes.dtype)):
            own = value.numpy if isinstance(value, dtypes.dtype) else value._array.dtype
            found = own if found is None else dtypes.promote(found, own)
        elif value.__class__ in _CATEGORY:
            weakest = value.__class__ if weakest is None else max(weakest, value.__class__, key=_CATEGORY.get)
        else:
            raise TypeError(f"expected arrays, dtypes or numbers, not {value.__class__.__name__}")
    if found is None and weakest is None:
        raise ValueError("at least one array or dtype is needed")
    if found is None:
        return dtypes.of(dtypes.numpy_dtype(weakest))
    return dtypes.of(found if weakest is None else dtypes.promote_scalar(found, weakest))


def together(*values):
    """Arrays, at least one of them no Python number, all in their common dtype and on one device."""
    first = next((value for value in values if isinstance(value, Tensor)), None)
    if first is None:
        raise TypeError("at least one operand must be an array, not a Python number")
    dtype = common_dtype(*values)
    return [
        (value if value.dtype is dtype else value.to(dtype))
        if isinstance(value, Tensor)
        else minidl.full((), value, dtype=dtype, device=first.device)
        for value in values
    ]


def all_axes(axis, ndim):
    """``axis`` (None for all of them, an int or several) as a tuple counted from the front.

    Raises ``IndexError`` out of range, ``ValueError`` for one that is named twice.
    """
    if axis is None:
        return tuple(range(ndim))
    found = tuple(one_axis(a, ndim) for a in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    if len(set(found)) != len(found):
        raise ValueError(f"an axis is named twice: {axis}")
    return found


def one_axis(axis, ndim):
    """An axis counted from the front. Raises ``IndexError`` out of range."""
    if not -ndim <= axis < ndim:
        raise IndexError(f"axis {axis} is out of range for an array of {ndim} dimensions")
    return axis % ndim


def joined(x, axes):
    """The array with ``axes`` moved behind and joined into one, for what reduces a single axis."""
    kept = [a for a in range(x.ndim) if a not in axes]
    moved = x.permute((*kept, *axes))
    count = 1
    for a in axes:
        count *= x.shape[a]
    return moved.reshape((*(x.shape[a] for a in kept), count))


def with_ones(x, axes, ndim):
    """A reduced array with axes of size 1 where they were: what ``keepdims`` asks for."""
    shape, sizes = [], iter(x.shape)
    for a in range(ndim):
        shape.append(1 if a in axes else next(sizes))
    return x.reshape(tuple(shape))
