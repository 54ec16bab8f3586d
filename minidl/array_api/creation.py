"""Creation functions of the standard."""

import minidl
from minidl import backends
from minidl.array_api.operands import as_array, refuse_complex, together

__all__ = [
    *("arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like", "linspace"),
    *("meshgrid", "ones", "ones_like", "tril", "triu", "zeros", "zeros_like"),
]


def asarray(obj, /, *, dtype=None, device=None, copy=None):
    """Numbers, nested sequences, buffers and arrays as an array.

    ``copy``: True copies, None where it must, False raises ``ValueError`` there. Floats take the default dtype, arrays
    of other libraries keep theirs. Raises ``TypeError`` for complex numbers.

    >>> from minidl import array_api as xp
    >>> xp.asarray([[1, 2], [3, 4]], dtype=xp.float64)
    tensor([[1., 2.],
            [3., 4.]], dtype=minidl.float64)
    """
    refuse_complex(obj)
    if copy:
        return (
            minidl.tensor(obj, dtype=dtype, device=device)
            if not _is_tensor(obj)
            else _copied(obj, dtype, device)
        )
    made = minidl.as_tensor(obj, dtype=dtype, device=device)
    if copy is False and not _shares(made, obj):
        raise ValueError(
            f"copy=False, but {obj.__class__.__name__} cannot become {made.dtype} here without a copy"
        )
    return made


def _is_tensor(obj):
    return isinstance(obj, minidl.Tensor)


def _copied(x, dtype, device):
    return x.to(device or x.device, dtype or x.dtype, copy=True)


def _shares(made, obj):
    """Whether an array lies where the object's data lie."""
    if made is obj:
        return True
    if isinstance(obj, (bool, int, float, list, tuple)) or _is_tensor(obj):
        return False
    source = minidl.as_tensor(obj)
    return backends.of(source._array).address(source._array) == backends.of(made._array).address(made._array)


def from_dlpack(x, /, *, device=None, copy=None):
    """An array over the memory of an object with ``__dlpack__``; see ``minidl.from_dlpack``."""
    return minidl.from_dlpack(x, device=device, copy=copy)


def arange(start, /, stop=None, step=1, *, dtype=None, device=None):
    """``start, start + step, ...`` up to ``stop``, which is left out; with one argument, from 0 up to it.

    Empty where ``stop`` does not lie in the direction of ``step``.
    """
    if stop is None:
        start, stop = 0, start
    if (stop - start) * step <= 0:
        start = stop = start if isinstance(stop, int) else float(start)
    return minidl.arange(start, stop, step, dtype=dtype, device=device)


def linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True):
    """``num`` numbers in equal steps from ``start`` to ``stop``, which is left out without ``endpoint``."""
    refuse_complex(start)
    refuse_complex(stop)
    if endpoint:
        return minidl.linspace(start, stop, num, dtype=dtype, device=device)
    return minidl.linspace(start, stop, num + 1, dtype=dtype, device=device)[:num]


def empty(shape, *, dtype=None, device=None):
    """An array whose values are whatever was there."""
    return minidl.empty(shape, dtype=dtype, device=device)


def zeros(shape, *, dtype=None, device=None):
    """An array of zeros, of the default float dtype."""
    return minidl.zeros(shape, dtype=dtype, device=device)


def ones(shape, *, dtype=None, device=None):
    """An array of ones, of the default float dtype."""
    return minidl.ones(shape, dtype=dtype, device=device)


def full(shape, fill_value, *, dtype=None, device=None):
    """An array of one value; the dtype is that of ``fill_value``'s kind: bool, int64, or the default float."""
    refuse_complex(fill_value)
    shape = (shape,) if isinstance(shape, int) else shape
    return minidl.full(shape, fill_value, dtype=dtype, device=device)


def empty_like(x, /, *, dtype=None, device=None):
    """``empty`` of ``x``'s shape, dtype and device."""
    return minidl.empty_like(as_array(x), dtype=dtype, device=device)


def zeros_like(x, /, *, dtype=None, device=None):
    """``zeros`` of ``x``'s shape, dtype and device."""
    return minidl.zeros_like(as_array(x), dtype=dtype, device=device)


def ones_like(x, /, *, dtype=None, device=None):
    """``ones`` of ``x``'s shape, dtype and device."""
    return minidl.ones_like(as_array(x), dtype=dtype, device=device)


def full_like(x, /, fill_value, *, dtype=None, device=None):
    """``full`` of ``x``'s shape, dtype and device."""
    refuse_complex(fill_value)
    return minidl.full_like(as_array(x), fill_value, dtype=dtype, device=device)


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None):
    """Ones on the ``k``-th diagonal (above the main one where it is positive), zeros elsewhere.

    >>> from minidl import array_api as xp
    >>> xp.eye(2, 3, k=1)
    tensor([[0., 1., 0.],
            [0., 0., 1.]])
    """
    columns = n_rows if n_cols is None else n_cols
    if k == 0:
        return minidl.eye(n_rows, columns, dtype=dtype, device=device)
    at = minidl.arange(n_rows, device=device).unsqueeze(1) + k == minidl.arange(columns, device=device)
    return at.to(minidl.get_default_dtype() if dtype is None else dtype)


def meshgrid(*arrays, indexing="xy"):
    """Coordinate arrays of one-dimensional ones, as a list; ``'ij'`` for the order of matrix indices."""
    return list(minidl.meshgrid(*together(*arrays), indexing=indexing)) if arrays else []


def tril(x, /, *, k=0):
    """The matrices with zeros above the ``k``-th diagonal."""
    return minidl.tril(as_array(x), k)


def triu(x, /, *, k=0):
    """The matrices with zeros below the ``k``-th diagonal."""
    return minidl.triu(as_array(x), k)
