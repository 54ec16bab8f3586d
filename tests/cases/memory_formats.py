"""Rows of minidl/ops/memory_formats.py."""

import numpy as np

from .case import Case, normal

CASES = [
    Case("clone", (normal(2, 3),), np.copy),
    Case("contiguous", (normal(2, 3),), np.copy),
    Case("is_contiguous", (normal(2, 3),), lambda x: True, grad=False, layouts=False),
]
