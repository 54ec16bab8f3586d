"""Arrays of what users pass as data: NumPy, lists, pandas, tensors of minidl, CuPy and PyTorch; and their rows."""

import numpy as np

from minidl.autograd.tensor import Tensor, make
from minidl.keras.engine.nest import flatten, map_structure
from minidl.keras.engine.tensors import as_numpy, as_tensor, foreign, numpy_dtype
from minidl.keras.settings import floatx


def as_arrays(data, what):
    """``data`` with every leaf an array or a tensor, floating-point ones of ``floatx()``; None stays.

    A list or tuple of arrays is several inputs; a list of numbers, or of lists, is one array.
    """
    if data is None:
        return None
    if isinstance(data, dict):
        return {name: as_arrays(value, f"{what}[{name!r}]") for name, value in data.items()}
    if isinstance(data, (list, tuple)) and _holds_arrays(data):
        return tuple(as_arrays(value, f"{what}[{i}]") for i, value in enumerate(data))
    return as_array(data, what)


def _holds_arrays(data):
    return bool(data) and all(
        value is None
        or isinstance(value, dict)
        or getattr(value, "ndim", 0) > 0
        or hasattr(value, "to_numpy")
        or (isinstance(value, (list, tuple)) and _holds_arrays(value))
        for value in data
    )


def as_array(data, what):
    """One array of numbers: NumPy on the host, a tensor elsewhere. Raises ``ValueError`` or ``TypeError`` else.

    A pandas Series of inputs is one column, (N, 1), as in Keras; SciPy's sparse matrices are filled up.
    """
    if isinstance(data, Tensor):
        if data.device.type != "cpu":
            return data.detach()
        data = as_numpy(data)
    elif hasattr(data, "to_numpy"):
        data = data.to_numpy()
        data = data[:, None] if data.ndim == 1 and what[0] == "x" else data
    elif hasattr(data, "toarray"):
        data = data.astype(numpy_dtype(floatx())).toarray()
    elif hasattr(data, "__cuda_array_interface__"):
        return as_tensor(data)
    try:
        array = np.asarray(foreign(data))
    except ValueError as error:
        raise ValueError(
            f"`{what}` is a list of unequal lengths: it is no array. Hint: pad it. ({error})"
        ) from None
    if array.dtype == object:
        array = _numbers_of_objects(array, what)
    if array.dtype.kind in "USMm":
        raise ValueError(
            f"`{what}` holds {_kind(array)} ({array.dtype}), such as {array.reshape(-1)[0].item()!r}; a "
            "model takes numbers. Hint: "
            "number the classes, e.g. classes, y = np.unique(y, return_inverse=True)."
        )
    if array.dtype.kind == "c":
        raise ValueError(f"`{what}` holds complex numbers ({array.dtype}), which a model does not take.")
    if array.ndim == 0:
        raise ValueError(
            f"`{what}` is a single number, {array}: expected an array with a row for each sample."
        )
    if array.dtype.kind == "f" and array.dtype != numpy_dtype(floatx()):
        array = array.astype(numpy_dtype(floatx()))
    return array


def _kind(array):
    return "strings" if array.dtype.kind in "US" else "dates"


def _numbers_of_objects(array, what):
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        flat = array.reshape(-1)
        wrong = next((v for v in flat if not isinstance(v, (int, float, np.number, bool))), None)
        if isinstance(wrong, str):
            return array.astype(str)
        raise ValueError(
            f"`{what}` holds Python objects, such as {type(wrong).__name__}: {wrong!r}, not numbers. "
            "Hint: fill in what is missing, e.g. frame.fillna(0), and make numbers of the rest."
        ) from None


def count_rows(x, y, sample_weight):
    """The number of samples, the same in all arrays. ``ValueError`` that shows all sizes where it is not."""
    sizes = {
        what: sorted({leaf.shape[0] for leaf in flatten(part) if leaf is not None})
        for what, part in (("x", x), ("y", y), ("sample_weight", sample_weight))
        if part is not None
    }
    found = {size for values in sizes.values() for size in values}
    if len(found) > 1:
        text = "".join(f"'{what}' sizes: {', '.join(map(str, values))}\n" for what, values in sizes.items())
        raise ValueError(
            f"Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.{text}"
        )
    if not found:
        raise ValueError("Unrecognized data type: there is no array in it.")
    return found.pop()


def take_rows(data, part):
    """The rows of a slice or of an array of places, of every array in the structure: copies."""
    if data is None:
        return None
    if isinstance(data, np.ndarray):
        return data[part].copy() if isinstance(part, slice) else data[part]
    return map_structure(lambda leaf: None if leaf is None else leaf[part], data)


def to_batch(data, where=None):
    """The structure with a tensor for each array, on the device ``where``."""
    if data is None:
        return None
    if isinstance(data, np.ndarray) and (where is None or where.type == "cpu"):
        if data.dtype == np.float64:
            data = data.astype(numpy_dtype(floatx()))
        return make(data, None)
    if isinstance(data, (list, tuple, dict)):
        return map_structure(lambda leaf: to_batch(leaf, where), data)
    if isinstance(data, Tensor):
        return data if where is None or data.device == where else data.to(where)
    return as_tensor(as_array(data, "data") if hasattr(data, "to_numpy") else data, where=where)
