"""Property tests for gradients: comparisons, gradient checks and Hypothesis strategies, as minidl's own tests use them.

``assert_close`` and ``check_gradients`` need nothing beyond minidl; the rest needs Hypothesis
(``pip install 'minidl[test]'``) and is loaded when it is first asked for.

>>> import minidl
>>> from minidl.testing import check_gradients
>>> check_gradients(lambda x: (x * x).sum(), minidl.tensor([1.0, 2.0]))
"""

import importlib

from minidl.testing.closeness import assert_close
from minidl.testing.foreign import from_jax, from_torch, from_vjp
from minidl.testing.gradients import check_gradients
from minidl.testing.kernels import check_kernel
from minidl.testing.making import make_tensor
from minidl.testing.module_checks import check_module
from minidl.testing.optimizer_checks import check_equivariance, check_optimizer
from minidl.testing.striding import strided

_ON_DEMAND = {
    "properties": ("given_gradients",),
    "strategies": (
        *("arrays", "axes", "broadcastable_shapes", "distinct_arrays", "dtypes", "elements", "index_arrays"),
        *("indices", "layouts", "permutations", "shapes", "tensors"),
    ),
    "geometries": ("conv_geometries", "pool_geometries", "recurrent_geometries"),
    "layers": ("ModuleExample", "modules", "register_module"),
    "small_networks": ("OptimizerExample", "networks", "optimizers"),
    "refusals": ("invalid_conv_geometries", "invalid_pool_geometries", "invalid_recurrent_geometries"),
}
_HOME = {name: module for module, names in _ON_DEMAND.items() for name in names}

__all__ = [
    "assert_close",
    "check_gradients",
    "check_equivariance",
    "check_kernel",
    "check_module",
    "check_optimizer",
    "from_jax",
    "from_torch",
    "from_vjp",
    "make_tensor",
    "strided",
    *_HOME,
]


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"{__name__}.{_HOME[name]}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "hypothesis":
            raise
        raise ImportError(
            f"minidl.testing.{name} needs Hypothesis; install it with: pip install 'minidl[test]'"
        ) from None
    return getattr(module, name)
