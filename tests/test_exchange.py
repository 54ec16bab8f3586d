"""Memory shared with other libraries: DLPack and the CUDA array interface, on every device."""

import numpy as np
import pytest

import minidl
from minidl import backends

DTYPES = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]


class Taker:
    """Another library's array over the memory of a tensor, which notes how it was asked."""

    def __init__(self, tensor, old=False):
        self.tensor, self.old, self.asked = tensor, old, []

    def __dlpack__(self, **request):
        self.asked.append(request)
        if self.old and set(request) - {"stream"}:
            raise TypeError("unexpected keyword")
        return self.tensor.__dlpack__(**request)

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()


class Described:
    """An object with nothing but the CUDA array interface."""

    def __init__(self, tensor):
        self.__cuda_array_interface__ = tensor.__cuda_array_interface__
        self.tensor = tensor


@pytest.mark.parametrize("dtype", DTYPES)
def test_memory_is_shared_both_ways(device, dtype):
    x = minidl.arange(6).reshape(2, 3).to(device, getattr(minidl, dtype))
    y = minidl.from_dlpack(x)
    assert y.data_ptr() == x.data_ptr() and y.dtype is x.dtype and y.device == x.device
    y.zero_()
    assert x.cpu().sum().item() == 0
    turned = minidl.from_dlpack(x.T[1:])
    assert turned.stride() == x.T[1:].stride() and turned.data_ptr() == x.T[1:].data_ptr()


def test_bfloat16_is_shared(device):
    pytest.importorskip("ml_dtypes")
    x = minidl.tensor([1.5, -2.0], dtype=minidl.bfloat16)
    y = minidl.from_dlpack(x)
    assert y.dtype is minidl.bfloat16 and y.data_ptr() == x.data_ptr() and y.tolist() == [1.5, -2.0]


@pytest.mark.parametrize("old", [False, True])
def test_libraries_of_either_protocol_are_asked(device, old):
    x = minidl.arange(4, dtype=minidl.float32, device=device)
    taker = Taker(x, old)
    assert minidl.from_dlpack(taker).data_ptr() == x.data_ptr()
    assert taker.asked[0]["max_version"][0] == 1
    if device != "cpu":
        assert all(type(request["stream"]) is int for request in taker.asked)


def test_capsules_are_taken_once(device):
    x = minidl.arange(4, dtype=minidl.float32, device=device)
    for version in (None, (1, 0)):
        capsule = x.__dlpack__(max_version=version)
        y = minidl.from_dlpack(capsule)
        assert y.data_ptr() == x.data_ptr() and y.cpu().tolist() == [0.0, 1.0, 2.0, 3.0]
        with pytest.raises(RuntimeError, match="can be consumed only once"):
            minidl.from_dlpack(capsule)
    with pytest.raises(RuntimeError, match="invalid capsule"):
        minidl.from_dlpack([1])


def test_moves_and_copies(device):
    x = minidl.arange(4, dtype=minidl.float32, device=device)
    copied = minidl.from_dlpack(x, copy=True)
    assert copied.data_ptr() != x.data_ptr() and copied.device == x.device
    assert minidl.from_dlpack(x, copy=False).data_ptr() == x.data_ptr()
    host = minidl.from_dlpack(x, device="cpu")
    assert host.is_cpu and host.tolist() == [0.0, 1.0, 2.0, 3.0]
    if device != "cpu":
        assert minidl.from_dlpack(host, device=device).device.type == device
        with pytest.raises(ValueError, match="cannot move DLPack tensor"):
            minidl.from_dlpack(x, device="cpu", copy=False)


def test_who_asks_for_the_host_gets_a_copy(emulated):
    x = minidl.arange(4, dtype=minidl.float32, device=emulated)
    assert np.from_dlpack(x, device="cpu").tolist() == [0.0, 1.0, 2.0, 3.0]
    with pytest.raises(BufferError):
        np.from_dlpack(x, device="cpu", copy=False)
    with pytest.raises((BufferError, RuntimeError)):
        np.from_dlpack(x)
    with pytest.raises(BufferError):
        x.__dlpack__(dl_device=(8, 0))
    copied = minidl.from_dlpack(x.__dlpack__(copy=True))
    assert copied.data_ptr() != x.data_ptr() and copied.cpu().tolist() == x.cpu().tolist()


def test_gradients_are_refused(device):
    x = minidl.ones(2, device=device, requires_grad=True)
    with pytest.raises(BufferError, match="Can't export tensors that require gradient"):
        minidl.from_dlpack(x)
    if device != "cpu":
        with pytest.raises(
            RuntimeError, match="Can't get __cuda_array_interface__ on Variable that requires grad"
        ):
            _ = x.__cuda_array_interface__
    else:
        assert not hasattr(x, "__cuda_array_interface__")
    assert minidl.from_dlpack(x.detach()).data_ptr() == x.data_ptr()


def test_streams_that_are_none(device):
    x = minidl.ones(2, device=device)
    for stream in ("1", 1.0):
        with pytest.raises(TypeError, match="stream must be"):
            x.__dlpack__(stream=stream)
    with pytest.raises(AssertionError, match="stream"):
        x.__dlpack__(stream=1 if device == "cpu" else 0)
    assert x.__dlpack__(stream=None) is not None and x.__dlpack__(stream=-1) is not None


def test_the_taker_waits_for_the_giver(emulated):
    room = backends.on(emulated).xp.cuda
    room.get_current_stream().synchronize()
    source = minidl.arange(3, dtype=minidl.float32).pin_memory(emulated)
    side = room.Stream(non_blocking=True)
    with side:
        late = source.to(emulated, non_blocking=True)
        shared = late.__dlpack__(stream=1, max_version=(1, 0))  # the default stream waits
    assert (late + 1).cpu().tolist() == [1.0, 2.0, 3.0] and shared is not None
    with side:
        late = source.to(emulated, non_blocking=True)
        described = Described(late)
    taken = minidl.as_tensor(described, device=emulated)
    assert (taken + 1).cpu().tolist() == [1.0, 2.0, 3.0] and taken.data_ptr() == late.data_ptr()
    if emulated == "emulated":
        with side:
            late = source.to(emulated, non_blocking=True)
            late.__dlpack__(stream=-1)
        assert np.isnan((late + 1).cpu().numpy()).all()  # -1: nobody waits
        side.synchronize()


def test_the_array_interface_says_where_memory_lies(emulated):
    x = minidl.arange(6, dtype=minidl.float32, device=emulated).reshape(2, 3)
    found = x.__cuda_array_interface__
    assert found["version"] == 3 and found["shape"] == (2, 3) and found["typestr"] == "<f4"
    assert (
        found["strides"] is None
        and found["data"] == (x.data_ptr(), False)
        and found["stream"] not in (None, 0)
    )
    assert x.T.__cuda_array_interface__["strides"] == (4, 12)
    assert minidl.empty(0, device=emulated).__cuda_array_interface__["data"] == (0, False)
    shared = minidl.as_tensor(Described(x.T), device=emulated)
    assert shared.data_ptr() == x.data_ptr() and shared.stride() == (1, 3)
    assert minidl.tensor(Described(x), device=emulated).data_ptr() != x.data_ptr()
    assert minidl.as_tensor(Described(x), dtype=minidl.float64, device=emulated).dtype is minidl.float64
    with pytest.raises(AttributeError, match=r"use tensor\.cuda"):
        _ = minidl.ones(2).__cuda_array_interface__
    assert (
        minidl.as_tensor(Described(x), device="cpu").tolist() == x.cpu().tolist()
        if emulated == "cuda"
        else True
    )
