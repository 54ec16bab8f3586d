"""``Flatten`` and ``Unflatten``: dimensions joined and split."""

from minidl.nn.module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Joins dimensions ``start_dim`` to ``end_dim``: (N, C, H, W) becomes (N, C·H·W).

    Source: PyTorch's ``torch.nn.Flatten``.

    >>> import minidl
    >>> from minidl import nn
    >>> nn.Flatten()(minidl.ones(2, 3, 4)).shape
    torch.Size([2, 12])
    """

    def __init__(self, start_dim=1, end_dim=-1):
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input):
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self):
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits dimension ``dim`` into ``unflattened_size``: (N, C·H·W) becomes (N, C, H, W).

    Raises ``TypeError`` where ``dim`` is no int or ``unflattened_size`` no tuple of ints; named dimensions are not
    supported. Source: PyTorch's ``torch.nn.Unflatten``.

    >>> import minidl
    >>> from minidl import nn
    >>> nn.Unflatten(1, (3, 4))(minidl.ones(2, 12)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, dim, unflattened_size):
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError(
                f"dim must be an int, but found type {type(dim).__name__} (named dimensions are not supported)"
            )
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(
                f"unflattened_size must be a tuple of ints, but found type {type(unflattened_size).__name__}"
            )
        for position, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(
                    "unflattened_size must be tuple of ints, but found element of type "
                    f"{type(size).__name__} at pos {position}"
                )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input):
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self):
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
