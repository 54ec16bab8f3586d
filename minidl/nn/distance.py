"""How near vectors are: the cosine of their angle, the norm of their difference."""

from minidl.nn.module import Module
from minidl.ops.distance import cosine_similarity, pairwise_distance

__all__ = ["CosineSimilarity", "PairwiseDistance"]


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


class PairwiseDistance(Module):
    """The p-norm of x1 - x2 + eps, over the last dimension.

    Shapes: x1 and x2 broadcast to (*, D), output (*) or, with ``keepdim``, (*, 1).
    Source: PyTorch's ``torch.nn.PairwiseDistance``.

    >>> import minidl
    >>> from minidl import nn
    >>> nn.PairwiseDistance(eps=0.0)(minidl.tensor([[3.0, 4.0]]), minidl.zeros(1, 2))
    tensor([5.])
    """

    def __init__(self, p=2.0, eps=1e-6, keepdim=False):
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1, x2):
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
