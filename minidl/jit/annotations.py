"""Types that scripted programs name: those of ``typing``; nothing checks them. Source: ``torch.jit.annotations``.

>>> from minidl.jit.annotations import BroadcastingList2, List
>>> List[int], BroadcastingList2[int]
(typing.List[int], list[int])
"""

from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: UP035

BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = list
BroadcastingList4 = BroadcastingList5 = BroadcastingList6 = list

__all__ = [
    "Any", "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "BroadcastingList4", "BroadcastingList5",
    "BroadcastingList6", "Dict", "List", "Optional", "Tuple", "Union",
]  # fmt: skip
