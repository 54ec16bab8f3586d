"""minidl: a from-scratch tensor framework with PyTorch's face and its own compiled kernels.

>>> import minidl
>>> x = minidl.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4., 6.])
"""

import importlib as _importlib
import math as _math

from minidl import (
    __future__,
    accelerator,
    amp,
    autograd,
    backends,
    compiler,
    cpu,
    cuda,
    distributed,
    distributions,
    dtypes,
    errors,
    fft,
    func,
    functional,
    fx,
    hub,
    io,
    jit,
    linalg,
    mps,
    nn,
    onnx,
    ops,
    optim,
    profiler,
    random,
    return_types,
    special,
    types,
    utils,
    version,
    xpu,
)
from minidl import absent as _absent
from minidl.amp import GradScaler
from minidl.amp.autocast_mode import (
    autocast,
    clear_autocast_cache,
    get_autocast_cpu_dtype,
    get_autocast_dtype,
    get_autocast_gpu_dtype,
    is_autocast_cache_enabled,
    is_autocast_cpu_enabled,
    is_autocast_enabled,
    set_autocast_cache_enabled,
    set_autocast_dtype,
    set_autocast_enabled,
)
from minidl.as_torch import install_as_torch
from minidl.as_torch import listen as _listen
from minidl.as_torch import version_here as _version_here
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
from minidl.cuda import Event, Stream
from minidl.device import device, get_default_device, set_default_device
from minidl.dtypes import dtype, finfo, get_default_dtype, iinfo, promote_types, set_default_dtype
from minidl.errors import OutOfMemoryError
from minidl.func import vmap
from minidl.io import load, save
from minidl.layouts import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    layout,
    memory_format,
    preserve_format,
    strided,
)
from minidl.random import Generator, default_generator
from minidl.settings import (
    _assert,
    are_deterministic_algorithms_enabled,
    compile,
    get_deterministic_debug_mode,
    get_float32_matmul_precision,
    get_num_interop_threads,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    is_deterministic_algorithms_warn_only_enabled,
    is_warn_always_enabled,
    set_deterministic_debug_mode,
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
    set_default_tensor_type,
)
from minidl.utils.seeding import set_seed

globals().update(registry.FACES["torch"])
globals().update({d.name: d for d in dtypes.ALL})  # bfloat16 joins when it is first named
globals().update({d.name: d for d in dtypes.COMPLEX})  # to compare with: no tensor is complex
globals().update({alias: dtypes.named(name) for alias, name in dtypes.ALIASES.items()})

inf, nan, pi, e, newaxis = _math.inf, _math.nan, _math.pi, _math.e, None

_dynamo = _inductor = compiler  # PyTorch's names of modules that are others here
serialization = io

_listen()


def __getattr__(name):
    if name == "__version__":
        return _version_here()
    if name == "bfloat16":
        return dtypes.named(name)
    if name in ("array_api", "testing", "keras", "multiprocessing"):  # rooms above; what costs time to import
        return _importlib.import_module(f"minidl.{name}")
    raise AttributeError(_absent.message("module 'minidl'", name))
