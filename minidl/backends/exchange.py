"""Arrays of other libraries, and ours in them, without a copy: DLPack and the CUDA array interface.

The rule of both: who takes an array may use it at once on its own current stream. With DLPack, who gives it has that
stream wait for its own; with the array interface, who takes it waits for the stream that it names. CuPy does either.
"""

import ctypes

import numpy as np

from minidl import dtypes

CPU, CUDA, CUDA_HOST, EMULATED, CUDA_MANAGED = (
    1,
    2,
    3,
    12,
    13,
)  # DLDeviceType; 12 is what extensions are free to use
_VERSION = (1, 0)
_UINT, _BFLOAT = 1, 4  # DLDataTypeCode


class _Tensor(ctypes.Structure):
    """``DLTensor``."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


_BEFORE = {b"dltensor": 0, b"dltensor_versioned": 32}  # bytes before the tensor, by the capsule's name

_name_of = ctypes.pythonapi.PyCapsule_GetName
_name_of.restype, _name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
_pointer_in = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_in.restype, _pointer_in.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


class _Held:
    """A capsule as an object with ``__dlpack__``."""

    def __init__(self, capsule, device):
        self._capsule, self._device = capsule, device

    def __dlpack__(self, **request):
        return self._capsule

    def __dlpack_device__(self):
        return self._device


def _tensor_in(capsule):
    """The ``DLTensor`` in a capsule. Raises ``RuntimeError`` for what is none, or was taken already."""
    name = _name_of(capsule) if type(capsule).__name__ == "PyCapsule" else None
    if name not in _BEFORE:
        raise RuntimeError(
            "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you "
            f"might have already constructed a tensor from it once. It got {type(capsule).__name__}. "
            "Hint: minidl.tensor(...) copies what has no __dlpack__."
        )
    return _Tensor.from_address(_pointer_in(capsule, name) + _BEFORE[name])


def relabel(capsule, device_type):
    """A capsule that says of another device that its memory lies there."""
    _tensor_in(capsule).device_type = device_type
    return capsule


def export(array, device, stream, max_version, dl_device, copy):
    """A DLPack capsule of an array; ``device`` is what ``device_of_export`` says, the rest the protocol's request."""
    if isinstance(array, np.ndarray):
        if stream not in (None, -1):
            raise AssertionError("stream should be None on cpu.")
        return _export_host(array, max_version, dl_device, copy)
    max_version = None if max_version is None else tuple(max_version)  # CuPy takes nothing else
    dl_device = None if dl_device is None else tuple(dl_device)
    if stream == 0:
        raise AssertionError(f"unsupported stream on CUDA: {stream}.")
    if dl_device not in (None, device, (CPU, 0)):
        raise BufferError(
            f"a tensor on {device} cannot be exported to device {dl_device}; copy it there first"
        )
    to_host = dl_device not in (None, device)
    if to_host and copy is False:
        raise BufferError(
            "cannot export a tensor of a GPU to the CPU without copying. Set copy=None or copy=True."
        )
    if copy and not to_host:
        array, copy = array.copy(), None
    return array.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)


def _export_host(array, max_version, dl_device, copy):
    request = {"max_version": max_version, "dl_device": dl_device, "copy": copy}
    if array.dtype.name != "bfloat16":
        return array.__dlpack__(**request)
    capsule = array.view(np.uint16).__dlpack__(**request)  # NumPy knows no bfloat16: say what the bits are
    _tensor_in(capsule).code = _BFLOAT
    return capsule


def imported(source, xp_of, copy=None):
    """An array over the memory of an object with ``__dlpack__``, or of a capsule.

    ``xp_of`` gives the array module of a device's type. Raises ``RuntimeError`` for what is neither, ``BufferError``
    for devices that there is no backend for.
    """
    if not hasattr(source, "__dlpack__"):
        tensor = _tensor_in(source)
        source = _Held(source, (tensor.device_type, tensor.device_id))
    kind = source.__dlpack_device__()[0]
    if kind in (CPU, CUDA_HOST):
        return _import_host(source, copy)
    if kind not in (CUDA, CUDA_MANAGED, EMULATED):
        raise BufferError(
            f"from_dlpack: no backend for DLPack's device type {int(kind)}. Hint: copy it to the CPU first."
        )
    xp = xp_of("emulated" if kind == EMULATED else "cuda")
    return xp.from_dlpack(source) if copy is None else xp.from_dlpack(source, copy=copy)


def _import_host(source, copy):
    request = {} if copy is None else {"copy": copy}
    try:
        capsule = source.__dlpack__(max_version=_VERSION, **request)
    except TypeError:
        if copy is not None:
            raise
        capsule = source.__dlpack__()  # from before DLPack 1.0
    tensor, old = _tensor_in(capsule), _name_of(capsule) == b"dltensor"
    bfloat16 = tensor.code == _BFLOAT and tensor.bits == 16
    if bfloat16:
        tensor.code = _UINT  # NumPy knows no bfloat16
    array = np.from_dlpack(_Held(capsule, (CPU, 0)))
    if old:
        array = np.asarray(_Writable(array))
    return array.view(dtypes.named("bfloat16").numpy) if bfloat16 else array


class _Writable:
    """The memory of an array that NumPy takes for read-only because a capsule from before DLPack 1.0 does not say."""

    def __init__(self, array):
        self._array = array
        described = array.__array_interface__
        self.__array_interface__ = {**described, "data": (described["data"][0], False)}
