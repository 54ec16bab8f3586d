"""The named tuples that functions return, each called as its function is. Source: PyTorch's ``torch.return_types``.

They are Python's named tuples: one is made from its parts (PyTorch's from one sequence), and has ``_fields`` too.

>>> import minidl
>>> largest = minidl.tensor([[1.0, 3.0], [4.0, 2.0]]).max(dim=1)
>>> largest
torch.return_types.max(
values=tensor([3., 4.]),
indices=tensor([1, 0]))
>>> isinstance(largest, minidl.return_types.max), largest.indices is largest[1]
(True, True)
"""

from collections import namedtuple

all_return_types = []


def define(name, fields):
    """The class of a function's results, from here on ``minidl.return_types.<name>``, where ``pickle`` finds it.

    Raises ``ValueError`` where another function has taken the name.
    """
    if name in globals():
        raise ValueError(f"return_types.{name} is defined already")
    made = namedtuple(name, fields, module=__name__)
    made.__repr__ = _shown
    all_return_types.append(made)
    globals()[name] = made
    return made


def _shown(result):
    """The result as PyTorch prints it: a line a part."""
    parts = ",\n".join(f"{name}={part!r}" for name, part in zip(result._fields, result, strict=True))
    return f"torch.return_types.{type(result).__name__}(\n{parts})"
