"""The old name of ``hub``'s function. Source: ``torch.utils.model_zoo``.

>>> import minidl
>>> from minidl.utils import model_zoo
>>> model_zoo.load_url is minidl.hub.load_state_dict_from_url
True
"""

from minidl.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]
