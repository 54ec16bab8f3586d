"""Python values into arrays of a device: what ``tensor(...)``, ``as_tensor(...)`` and ``Tensor(...)`` share."""

import functools

import numpy as np

from minidl import backends, dtypes


def infer_dtype(array, data, kinds=()):
    """The dtype of a tensor made from ``data``: Python floats take the default dtype, NumPy's and tensors keep theirs.

    ``kinds`` are the types of a nested list's items: Python's, and NumPy dtypes of what has one.
    """
    foreign = {dtypes.of(kind).numpy for kind in kinds if isinstance(kind, np.dtype)}
    if foreign:
        own = {bool: dtypes.BOOL, int: dtypes.INT64, float: dtypes.get_default()}
        return functools.reduce(dtypes.promote, foreign | {own[kind] for kind in kinds if kind in own})
    if array.dtype == np.uint64 and not isinstance(data, (np.ndarray, np.generic)):
        raise ValueError(
            "Overflow when unpacking long long: an integer does not fit in int64. Hint: pass dtype=minidl.uint64."
        )
    if isinstance(data, (np.ndarray, np.generic)) or array.dtype.kind not in "fiub":
        return dtypes.of(array.dtype).numpy
    if array.size == 0 or array.dtype.kind == "f":
        return dtypes.get_default()
    return dtypes.of(array.dtype).numpy


def _host_array(data, kinds):
    if isinstance(data, np.ndarray):
        return data
    if isinstance(data, (list, tuple)):
        data = _of_numbers(data, kinds)
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(
            f"expected sequences of equal length at every depth, but got a ragged one: {error}"
        ) from None
    except OverflowError as error:
        raise ValueError(f"Overflow when unpacking long long: {error}") from None
    if array.dtype.kind == "c":
        dtypes.of(array.dtype)  # raises: complex is not supported
    if array.dtype.kind in "OSU":
        if array.dtype.kind == "O" and _has_huge_int(data):
            raise ValueError("Overflow when unpacking long long: an integer does not fit in 64 bits")
        found = np.ravel(array)[0].__class__.__name__ if array.size else data.__class__.__name__
        if array.dtype.kind == "O":
            raise RuntimeError(f"Could not infer dtype of {found}; numbers are wanted")
        raise TypeError(
            f"new(): invalid data type '{found.rstrip('_')}' in a {data.__class__.__name__}; numbers are wanted"
        )
    return array


def _has_huge_int(data):
    return any(
        isinstance(v, int) and not isinstance(v, bool) for v in np.ravel(np.asarray(data, dtype=object))
    )


def _of_numbers(data, kinds):
    """Nested lists with a number for each tensor in them; adds the types of the items to ``kinds``.

    Raises ``ValueError`` for a tensor of several elements.
    """
    kind = data.__class__
    if kind is float or kind is int:
        kinds.add(kind)
        return data
    if isinstance(data, (list, tuple)):
        return [_of_numbers(item, kinds) for item in data]
    array = getattr(data, "_array", None)
    if array is None:
        kinds.add(data.dtype if isinstance(data, (np.generic, np.ndarray)) else kind)
        return data
    if array.size != 1:
        raise ValueError(
            "only one element tensors can be converted to Python scalars. Hint: join tensors by stack() or cat()."
        )
    kinds.add(array.dtype)
    return backends.to_numpy(array).item()


def to_array(data, dtype=None, where=None, copy=False):
    """``data`` (nested lists, numbers, NumPy, arrays of a device, Tensors) as an array of NumPy dtype
    ``dtype`` on a device.

    Copies only where it must, unless ``copy``. Raises ``TypeError`` for what holds no numbers,
    ``ValueError`` for ragged lists.
    """
    held = getattr(data, "_array", None)
    if held is not None:
        data = held
    elif not backends.is_array(data) and hasattr(data, "__cuda_array_interface__"):
        data = backends.adopted(data, where)
    elif not backends.is_array(data) and hasattr(data, "__array__") and not isinstance(data, np.generic):
        data = np.asarray(data)
    if backends.is_array(data) and not isinstance(data, np.ndarray):
        array, where = data, backends.device_of(data) if where is None else where
        dtype = array.dtype if dtype is None else dtype
    else:
        kinds = set()
        array = np.asarray(_host_array(data, kinds))  # of a memmap or matrix its plain array
        dtype = infer_dtype(array, data, kinds) if dtype is None else dtype
    out = array
    if out.dtype != dtype:
        with np.errstate(all="ignore"):
            out = out.astype(dtype)
    out = backends.transfer(out, backends.device("cpu") if where is None else where)
    if copy and out is array and (held is not None or backends.is_array(data)):
        out = backends.of(out).copy(out)
    return out
