"""``Size``: the shape of a tensor."""

import math


class Size(tuple):
    """A tuple of sizes that prints as PyTorch's and counts its elements.

    >>> from minidl import Size
    >>> Size([2, 3]), Size([2, 3]).numel()
    (torch.Size([2, 3]), 6)
    """

    __slots__ = ()

    def numel(self):
        """The product of the sizes."""
        return math.prod(self)

    def __repr__(self):
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, index):
        out = tuple.__getitem__(self, index)
        return Size(out) if index.__class__ is slice else out

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other)))

    def __mul__(self, count):
        return Size(tuple.__mul__(self, count))

    __rmul__ = __mul__

    def __reduce__(self):
        return Size, (tuple(self),)
