"""What registering a hook gives back. Source: ``torch.utils.hooks``.

>>> import minidl
>>> handle = minidl.nn.ReLU().register_forward_hook(print)
>>> isinstance(handle, minidl.utils.hooks.RemovableHandle)
True
"""

from minidl.autograd.node import RemovableHandle

__all__ = ["RemovableHandle"]
