"""The precision that functions compute in: the two-byte floats as float32, everything else as it is."""

import numpy as np


def _wide(array):
    """The array, float16 and bfloat16 as float32. (Underscored: names without one become array functions.)"""
    return array.astype(np.float32) if array.dtype.itemsize == 2 else array
