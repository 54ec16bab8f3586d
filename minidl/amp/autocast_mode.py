"""``autocast``, the functions that say what it is set to, and what a custom ``Function`` needs under it."""

import functools

from minidl import backends, dtypes
from minidl.autograd import Tensor
from minidl.autograd import autocast as _state
from minidl.errors import DeviceError


def is_autocast_available(device_type):
    """Whether ``autocast`` can be used for a device type. Source: ``torch.amp.is_autocast_available``.

    >>> import minidl
    >>> minidl.amp.is_autocast_available("cpu")
    True
    """
    if not isinstance(device_type, str):
        kind = type(device_type).__name__
        raise TypeError(
            f"is_autocast_available(): argument 'device_type' (position 1) must be str, not {kind}"
        )
    return device_type in _state.RULES


def _present(device_type):
    try:
        backends.on(device_type)
    except DeviceError:
        return False
    return True


class autocast:
    """Within, and in functions that it decorates, ops compute in the precision that suits them: products and
    convolutions in ``dtype``, losses and what sums up or grows fast in float32. Others take what comes.

    Args:
        device_type: 'cpu', 'cuda' or 'emulated': of the tensors that this is for.
        dtype: bfloat16 (the default on the CPU) or float16 (the default on a GPU).
        enabled: False: within, there is no autocast for ``device_type``.
        cache_enabled: whether the cast of a parameter is kept for its next use, until the outermost autocast ends.

    It is the calling thread's. Where ``device_type`` or ``dtype`` cannot be used it warns and does nothing.
    Raises ``RuntimeError`` for an unknown device type, ``ValueError`` for one that is no string.

    The ops are those of PyTorch's lists (``minidl/autograd/autocast.py``). In ``gru`` and the recurrent cells on the
    CPU all is float32, where PyTorch rounds their products.
    Source: ``torch.amp.autocast``; P. Micikevicius et al., "Mixed precision training", 2018.

    >>> import minidl
    >>> a = minidl.ones(2, 2)
    >>> with minidl.autocast("cpu", dtype=minidl.bfloat16):
    ...     product = a @ a
    ...     loss = minidl.nn.functional.mse_loss(product, a)
    >>> product.dtype, loss.dtype
    (minidl.bfloat16, minidl.float32)
    """

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None):
        self.device = _state.checked(device_type)
        if dtype is not None and not isinstance(dtype, dtypes.dtype):
            raise TypeError(f"dtype should be a minidl.dtype, not {type(dtype).__name__}")
        self.fast_dtype = _state.lower(device_type) if dtype is None else dtype
        self._enabled = bool(enabled)
        if self._enabled and _state.refused(device_type, self.fast_dtype, _present(device_type)):
            self._enabled = False
        self._cache_enabled = _state.state.cache if cache_enabled is None else bool(cache_enabled)
        self._before = []

    def __enter__(self):
        self._before.append(_state.enter(self.device, self._enabled, self.fast_dtype, self._cache_enabled))
        return self

    def __exit__(self, kind, error, trace):
        _state.leave(self.device, self._before.pop())
        return False

    def __call__(self, func):
        @functools.wraps(func)
        def within(*args, **kwargs):
            with autocast(self.device, self.fast_dtype, self._enabled, self._cache_enabled):
                return func(*args, **kwargs)

        return within


def custom_fwd(fwd=None, *, device_type, cast_inputs=None):
    """Decorates ``forward`` of a ``Function``: with ``cast_inputs`` it runs without autocast on floating-point tensors
    of that dtype; without, in the autocast it is called in, which ``custom_bwd`` gives to backward.

    Source: ``torch.amp.custom_fwd``.
    """
    _state.checked(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def forward(*args, **kwargs):
        context = args[0]
        context._dtype = get_autocast_dtype(device_type)
        on = is_autocast_enabled(device_type)
        context._fwd_used_autocast = on if cast_inputs is None else False
        if cast_inputs is None or not on:
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(*_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return forward


def custom_bwd(bwd=None, *, device_type):
    """Decorates ``backward`` of a ``Function`` whose ``forward`` has ``custom_fwd``: it runs with the same autocast.

    Source: ``torch.amp.custom_bwd``.
    """
    _state.checked(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def backward(*args, **kwargs):
        context = args[0]
        with autocast(device_type, context._dtype, context._fwd_used_autocast):
            return bwd(*args, **kwargs)

    return backward


def _cast(value, device_type, dtype):
    """Floating-point tensors of a device in ``dtype``, in containers too; float64 stays."""
    if isinstance(value, Tensor):
        fit = value.is_floating_point() and value.dtype is not dtypes.float64
        return value.to(dtype) if fit and value.device.type == device_type else value
    if isinstance(value, dict):
        return {key: _cast(item, device_type, dtype) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(item, device_type, dtype) for item in value)
    return value


# --- the state, as functions of the top -------------------------------------------------------------------------


def is_autocast_enabled(device_type="cuda"):
    """Whether this thread is within an ``autocast`` for a device type. Source: ``torch.is_autocast_enabled``.

    >>> import minidl
    >>> with minidl.autocast("cpu"):
    ...     minidl.is_autocast_enabled("cpu")
    True
    """
    return _state.checked(device_type) in _state.state.on


def set_autocast_enabled(device_type, enabled=None):
    """Turns autocast on or off for a device type, in this thread; one argument is ``enabled`` for 'cuda'.

    Source: ``torch.set_autocast_enabled``.
    """
    if enabled is None:
        device_type, enabled = "cuda", device_type
    on = _state.state.on - {_state.checked(device_type)}
    _state.switch(on | {device_type} if enabled else on)


def get_autocast_dtype(device_type):
    """The low precision of a device type. Source: ``torch.get_autocast_dtype``.

    >>> import minidl
    >>> minidl.get_autocast_dtype("cpu")
    minidl.bfloat16
    """
    return _state.lower(_state.checked(device_type))


def set_autocast_dtype(device_type, dtype):
    """Sets the low precision of a device type, in this thread. Source: ``torch.set_autocast_dtype``."""
    _state.state.dtypes[_state.checked(device_type)] = dtype


def is_autocast_cache_enabled():
    """Whether casts of parameters are kept. Source: ``torch.is_autocast_cache_enabled``."""
    return _state.state.cache


def set_autocast_cache_enabled(enabled):
    """Whether casts of parameters are kept from now on. Source: ``torch.set_autocast_cache_enabled``."""
    _state.state.cache = bool(enabled)


def clear_autocast_cache():
    """Forgets the casts of parameters. Source: ``torch.clear_autocast_cache``."""
    _state.state.casts.clear()


def is_autocast_cpu_enabled():
    """``is_autocast_enabled('cpu')``. Source: ``torch.is_autocast_cpu_enabled``."""
    return is_autocast_enabled("cpu")


def get_autocast_cpu_dtype():
    """``get_autocast_dtype('cpu')``. Source: ``torch.get_autocast_cpu_dtype``."""
    return get_autocast_dtype("cpu")


def get_autocast_gpu_dtype():
    """``get_autocast_dtype('cuda')``. Source: ``torch.get_autocast_gpu_dtype``."""
    return get_autocast_dtype("cuda")
