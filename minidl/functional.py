"""The functions that PyTorch keeps in ``torch.functional``: each one that of the top level.

>>> import minidl
>>> minidl.functional.einsum("i,i->", minidl.ones(3), minidl.ones(3))
tensor(3.)
"""

from minidl import absent as _absent
from minidl import ops as _ops  # noqa: F401 - registers the functions
from minidl.autograd import registry as _registry

__all__ = [
    *("atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_shapes", "broadcast_tensors"),
    *("cartesian_prod", "cdist", "chain_matmul", "einsum", "lu", "meshgrid", "norm", "pca_lowrank", "split"),
    *("svd_lowrank", "tensordot", "unique", "unique_consecutive", "unravel_index"),
]

globals().update({name: _registry.FACES["torch"][name] for name in __all__})


def __getattr__(name):
    raise AttributeError(_absent.message("module 'minidl.functional'", name))
