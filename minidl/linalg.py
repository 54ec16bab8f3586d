"""Linear algebra, as ``torch.linalg``: the functions that ops register for this face.

>>> import minidl
>>> minidl.linalg.norm(minidl.tensor([3.0, 4.0]))
tensor(5.)
"""

from minidl import absent as _absent
from minidl import ops as _ops  # noqa: F401 - registers the functions
from minidl.autograd import registry as _registry
from minidl.errors import LinAlgError  # noqa: F401 - shown here, as in PyTorch

globals().update(_registry.FACES["linalg"])


def __getattr__(name):
    raise AttributeError(_absent.message("module 'minidl.linalg'", name))
