"""The outputs of many batches, put together."""

import numpy as np

from minidl.keras.engine.nest import flatten, map_structure, pack_like
from minidl.keras.engine.tensors import as_numpy


def to_numpy(outputs):
    """NumPy arrays of a structure of tensors."""
    return map_structure(lambda leaf: as_numpy(leaf) if leaf is not None else None, outputs)


def concatenated(parts):
    """One structure of arrays, rows of all batches. ``ValueError`` where there was no batch."""
    if not parts:
        raise ValueError("predict() received no data: there was no batch.")
    if len(parts) == 1:
        return parts[0]
    columns = zip(*(flatten(part) for part in parts))
    return pack_like(parts[0], [np.concatenate(column) for column in columns])
