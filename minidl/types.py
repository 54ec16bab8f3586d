"""Names for annotations. Source: ``torch.types``.

>>> import minidl
>>> isinstance(1.5, minidl.types.Number)
True
"""

import os
from collections.abc import Sequence

from minidl.autograd import Tensor
from minidl.device import device
from minidl.dtypes import dtype

__all__ = ["Device", "FileLike", "Number", "Tensor"]

Number = int | float | bool
Device = device | str | int | None
FileLike = str | os.PathLike
_dtype, _device = dtype, device
_size = Sequence[int]
_int, _float, _bool = int, float, bool
