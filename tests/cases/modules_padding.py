"""Rows of minidl/nn/padding.py."""

from .case import normal
from .modules import ModuleCase

SHAPES = {1: (2, 2, 4), 2: (1, 2, 3, 4), 3: (1, 1, 3, 3, 4)}
SIDES = {1: (2, 1), 2: (1, 2, 0, 1), 3: (1, 0, 2, 1, 0, 2)}


def _rows(kind, rank, *value):
    name = f"{kind}Pad{rank}d"
    return (
        ModuleCase(name, (1, *value), {}, (normal(*SHAPES[rank]),)),
        ModuleCase(name, (SIDES[rank], *value), {}, (normal(*SHAPES[rank][1:]),), id="unbatched"),
        ModuleCase(name, ((-1, *SIDES[rank][1:]), *value), {}, (normal(*SHAPES[rank]),), id="negative"),
    )


MODULE_CASES = [
    row
    for kind, *value in (("Constant", 1.5), ("Zero",), ("Reflection",), ("Replication",), ("Circular",))
    for rank in SHAPES
    for row in _rows(kind, rank, *value)
]
