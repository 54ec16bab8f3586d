"""minidl: a from-scratch tensor framework with PyTorch's face and its own compiled kernels.

>>> import minidl
>>> x = minidl.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4., 6.])
"""

import importlib as _importlib
import math as _math

from minidl import absent as _absent
from minidl import (
    autograd,
    backends,
    cuda,
    dtypes,
    errors,
    fft,
    io,
    linalg,
    nn,
    ops,
    optim,
    random,
    special,
    utils,
)
from minidl._version import __version__
from minidl.autograd import (
    Tensor,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    registry,
    set_grad_enabled,
)
from minidl.autograd.printing import set_printoptions
from minidl.autograd.size import Size
from minidl.backends.threads import get_num_threads, set_num_threads
from minidl.device import device
from minidl.dtypes import dtype, finfo, get_default_dtype, iinfo, promote_types, set_default_dtype
from minidl.io import load, save
from minidl.random import Generator, default_generator
from minidl.settings import (
    are_deterministic_algorithms_enabled,
    compile,
    get_float32_matmul_precision,
    get_num_interop_threads,
    is_deterministic_algorithms_warn_only_enabled,
    set_float32_matmul_precision,
    set_flush_denormal,
    set_num_interop_threads,
    set_warn_always,
    use_deterministic_algorithms,
)
from minidl.typed import (
    BFloat16Tensor,
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
)

globals().update(registry.FACES["torch"])
globals().update({d.name: d for d in dtypes.ALL})  # bfloat16 joins when it is first named
globals().update({alias: dtypes.named(name) for alias, name in dtypes.ALIASES.items()})

inf, nan, pi, e, newaxis = _math.inf, _math.nan, _math.pi, _math.e, None
strided, contiguous_format, preserve_format, channels_last = (
    "strided",
    "contiguous_format",
    "preserve_format",
    "channels_last",
)


def __getattr__(name):
    if name == "bfloat16":
        return dtypes.named(name)
    if name == "keras":  # the Keras face is a floor above, imported when it is first named
        return _importlib.import_module("minidl.keras")
    raise AttributeError(_absent.message("module 'minidl'", name))
