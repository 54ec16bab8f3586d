"""The Python array API standard, 2024.12, on tensors: what SciPy and scikit-learn call.

A thin namespace over ``minidl``: names, argument names and promotion are the standard's, arrays are ``minidl.Tensor``.
Complex dtypes and the extension ``fft`` are left out; docs/array-api.md tells what differs and what was measured.

>>> import minidl
>>> x = minidl.tensor([[1.0, 2.0], [3.0, 5.0]])
>>> xp = x.__array_namespace__()
>>> xp.mean(x, axis=0, keepdims=True)
tensor([[2.0000, 3.5000]])

Source: https://data-apis.org/array-api/2024.12.
"""

from math import e, inf, nan, pi  # noqa: F401 - constants of the standard

from minidl._version import __version__  # noqa: F401
from minidl.array_api import linalg  # noqa: F401
from minidl.array_api.creation import *  # noqa: F403
from minidl.array_api.datatypes import *  # noqa: F403
from minidl.array_api.elementwise import *  # noqa: F403
from minidl.array_api.indexing import *  # noqa: F403
from minidl.array_api.info import *  # noqa: F403
from minidl.array_api.linear_algebra import *  # noqa: F403
from minidl.array_api.manipulation import *  # noqa: F403
from minidl.array_api.searching import *  # noqa: F403
from minidl.array_api.sets import *  # noqa: F403
from minidl.array_api.sorting import *  # noqa: F403
from minidl.array_api.statistical import *  # noqa: F403
from minidl.array_api.utility import *  # noqa: F403

__array_api_version__ = "2024.12"
newaxis = None
