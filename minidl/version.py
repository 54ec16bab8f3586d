"""Which minidl this is: ``__version__``, and the CUDA version of its kernels or None. Source: ``torch.version``.

>>> import minidl
>>> minidl.__version__.endswith(minidl.version.__version__)
True
"""

from minidl import build_info as _build_info
from minidl._version import __version__

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "rocm", "xpu"]

debug = False
git_version = None
hip = rocm = xpu = None
cuda = _build_info.extension("cuda").get("nvcc") if _build_info.extension("cuda")["built"] else None
