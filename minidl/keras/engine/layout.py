"""Layouts: how a weight that ``nn`` keeps in PyTorch's order reads in Keras's, and back.

A layout is None (the same), a permutation of dimensions (``(1, 0)`` of a Linear's weight, ``(2, 3, 1, 0)`` of a
convolution's OIHW, which Keras calls HWIO), or an object with ``to_keras(*tensors) -> tensor`` and
``from_keras(tensor) -> tensors`` made of differentiable operations.
"""

DENSE = (1, 0)
CONV = {1: (2, 1, 0), 2: (2, 3, 1, 0), 3: (2, 3, 4, 1, 0)}


def inverse(permutation):
    """The permutation that undoes ``permutation``.

    >>> inverse((2, 3, 1, 0))
    (3, 2, 0, 1)
    """
    return tuple(sorted(range(len(permutation)), key=permutation.__getitem__))


def to_keras(layout, tensors):
    """The tensor in Keras layout of the parameters that hold it."""
    if layout is None:
        return tensors[0]
    if isinstance(layout, tuple):
        return tensors[0].permute(layout)
    return layout.to_keras(*tensors)


def from_keras(layout, tensor):
    """The tensors, in PyTorch's layout, of one in Keras layout."""
    if layout is None:
        return [tensor]
    if isinstance(layout, tuple):
        return [tensor.permute(inverse(layout))]
    return list(layout.from_keras(tensor))
