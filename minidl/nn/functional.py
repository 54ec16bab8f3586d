"""Functions behind the layers, under PyTorch's ``torch.nn.functional`` names.

A name room: an op that declares the face ``functional`` (see ``minidl.ops``) is shown here; nothing is defined here.
"""

import minidl.ops  # noqa: F401  (declares the ops)
from minidl.autograd.registry import FACES

globals().update(FACES["functional"])
__all__ = sorted(FACES["functional"])
