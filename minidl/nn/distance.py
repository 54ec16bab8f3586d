"""``CosineSimilarity``: the cosine of the angle between vectors."""

from minidl.nn.module import Module
from minidl.ops.distance import cosine_similarity

__all__ = ["CosineSimilarity"]


class CosineSimilarity(Module):
    """x1 · x2 / (max(|x1|, eps) max(|x2|, eps)), along ``dim``.

    Shapes: x1 and x2 broadcast to (*, D, *) with D at ``dim``, output (*, *). Errors: those of
    ``nn.functional.cosine_similarity``. Source: PyTorch's ``torch.nn.CosineSimilarity``.

    >>> import minidl
    >>> from minidl import nn
    >>> nn.CosineSimilarity()(minidl.tensor([[3.0, 4.0]]), minidl.tensor([[4.0, 3.0]]))
    tensor([0.9600])
    """

    def __init__(self, dim=1, eps=1e-8):
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1, x2):
        return cosine_similarity(x1, x2, self.dim, self.eps)
