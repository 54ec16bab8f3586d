"""Forward-mode differentiation is not supported: each name says what to use in its place.

>>> import minidl
>>> minidl.autograd.forward_ad.dual_level()
Traceback (most recent call last):
NotImplementedError: forward-mode differentiation is not supported: minidl.autograd.functional.jvp gives J v ...
"""

_INSTEAD = (
    "forward-mode differentiation is not supported: minidl.autograd.functional.jvp gives J v by two backwards"
)


def dual_level():
    """Raises ``NotImplementedError``. Source: ``torch.autograd.forward_ad.dual_level``."""
    raise NotImplementedError(_INSTEAD)


def make_dual(tensor, tangent, *, level=None):
    """Raises ``NotImplementedError``. Source: ``torch.autograd.forward_ad.make_dual``."""
    raise NotImplementedError(_INSTEAD)


def unpack_dual(tensor, *, level=None):
    """Raises ``NotImplementedError``. Source: ``torch.autograd.forward_ad.unpack_dual``."""
    raise NotImplementedError(_INSTEAD)
