"""Devices: where the array of a tensor lives."""

import threading

from minidl.errors import DeviceError

_TYPES = ("cpu", "cuda", "emulated", "meta")


class device:
    """A device type and index, as in ``device('cuda:0')``.

    Types are ``cpu`` (NumPy arrays), ``cuda`` (CuPy arrays), ``emulated`` (the CUDA kernels executed on the CPU, for
    tests) and ``meta`` (shapes and dtypes without values). Raises ``RuntimeError`` for an unknown type or a bad index.

    >>> from minidl import device
    >>> device("cuda", 0)
    device(type='cuda', index=0)
    >>> str(device("cpu"))
    'cpu'

    ``with device(...):`` makes it the one of new tensors within, in this thread.
    """

    __slots__ = ("index", "type")

    def __new__(cls, type="cpu", index=None):
        if isinstance(type, device):
            return type
        if isinstance(type, int) and not isinstance(type, bool):
            type, index = "cuda", type
        if not isinstance(type, str):
            raise TypeError(f"device(): argument 'type' must be str, not {type.__class__.__name__}")
        name, colon, number = type.partition(":")
        if name not in _TYPES or (colon and not number.isdigit()) or (colon and index is not None):
            raise RuntimeError(
                f"Expected one of {', '.join(_TYPES)} device type at start of device string: {type!r}"
            )
        self = object.__new__(cls)
        object.__setattr__(self, "type", name)
        object.__setattr__(self, "index", int(number) if colon else index)
        return self

    def __setattr__(self, name, value):
        raise AttributeError(f"attribute '{name}' of 'minidl.device' objects is not writable")

    def __reduce__(self):
        return device, (self.type, self.index)

    def __eq__(self, other):
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self):
        return hash((self.type, self.index))

    def __enter__(self):
        _state.before.append(_state.device)
        _state.device = self
        return self

    def __exit__(self, *exc):
        _state.device = _state.before.pop()

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self):
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"


CPU = device("cpu")


class _State(threading.local):
    def __init__(self):
        self.device, self.before = CPU, []


_state = _State()


def or_default(device_or_none):
    """The device that an argument ``device`` means: None is the default one."""
    return _state.device if device_or_none is None else device(device_or_none)


def get_default_device():
    """The device of new tensors that name none. Source: ``torch.get_default_device``.

    >>> import minidl
    >>> minidl.get_default_device()
    device(type='cpu')
    """
    return _state.device


def set_default_device(device):
    """Makes ``device`` that of new tensors which name none, in this thread; None stands for the CPU.

    Source: ``torch.set_default_device``.
    """
    _state.device = CPU if device is None else _named(device)


_named = device


def mixed(first, second):
    """The error for two operands on different devices."""
    return DeviceError(
        f"Expected all tensors to be on the same device, but found at least two devices, {first} and {second}! "
        f"Hint: move one operand, for example with .to('{first}')."
    )
