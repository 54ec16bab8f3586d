"""Property tests for gradients: comparisons, gradient checks and Hypothesis strategies, as minidl's own tests use them.

``assert_close`` and ``check_gradients`` need nothing beyond minidl; the rest needs Hypothesis
(``pip install 'minidl[test]'``) and is loaded when it is first asked for.

>>> import minidl
>>> from minidl.testing import check_gradients
>>> check_gradients(lambda x: (x * x).sum(), minidl.tensor([1.0, 2.0]))
"""

import importlib

from minidl.testing.closeness import assert_close
from minidl.testing.gradients import check_gradients
from minidl.testing.making import make_tensor
from minidl.testing.striding import strided

_ON_DEMAND = {
    "given_gradients": "properties",
    "shapes": "strategies",
    "broadcastable_shapes": "strategies",
    "dtypes": "strategies",
    "elements": "strategies",
    "layouts": "strategies",
    "arrays": "strategies",
    "tensors": "strategies",
    "conv_geometries": "geometries",
    "pool_geometries": "geometries",
}

__all__ = [
    "arrays",
    "assert_close",
    "broadcastable_shapes",
    "check_gradients",
    "conv_geometries",
    "dtypes",
    "elements",
    "given_gradients",
    "layouts",
    "make_tensor",
    "pool_geometries",
    "shapes",
    "strided",
    "tensors",
]


def __getattr__(name):
    if name not in _ON_DEMAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"{__name__}.{_ON_DEMAND[name]}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "hypothesis":
            raise
        raise ImportError(
            f"minidl.testing.{name} needs Hypothesis; install it with: pip install 'minidl[test]'"
        ) from None
    return getattr(module, name)
