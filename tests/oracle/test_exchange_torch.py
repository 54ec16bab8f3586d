"""Memory shared with PyTorch, in both directions and by both generations of DLPack; the same refusals."""

import re

import pytest
import torch

import minidl

NAMES = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]


@pytest.mark.parametrize("name", NAMES)
def test_torch_takes_our_memory(name):
    ours = minidl.arange(6).to(getattr(minidl, name)).reshape(2, 3)
    for view in (ours, ours.T, ours[:, 1:], ours[:0], ours[1, 1]):
        theirs = torch.from_dlpack(view)
        assert theirs.dtype is getattr(torch, name) and tuple(theirs.shape) == tuple(view.shape)
        assert theirs.tolist() == view.tolist() and (not view.numel() or theirs.data_ptr() == view.data_ptr())
    torch.from_dlpack(ours).fill_(1)
    assert ours.sum().item() == 6


@pytest.mark.parametrize("name", NAMES)
def test_we_take_torchs_memory(name):
    theirs = torch.arange(6).to(getattr(torch, name)).reshape(2, 3)
    for view in (theirs, theirs.T, theirs[:, 1:], theirs[:0], theirs[1, 1]):
        for source in (view, torch.utils.dlpack.to_dlpack(view)):
            ours = minidl.from_dlpack(source)
            assert ours.dtype is getattr(minidl, name) and tuple(ours.shape) == tuple(view.shape)
            assert ours.tolist() == view.tolist() and (not view.numel() or ours.data_ptr() == view.data_ptr())
    minidl.from_dlpack(theirs).fill_(1)
    assert theirs.sum().item() == 6
    minidl.from_dlpack(torch.utils.dlpack.to_dlpack(theirs)).zero_()
    assert theirs.sum().item() == 0


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda lib: lib.from_dlpack(lib.ones(2, requires_grad=True)),
            BufferError,
            "Can't export tensors that require",
        ),
        (lambda lib: lib.from_dlpack([1]), RuntimeError, "from_dlpack received an invalid capsule"),
        (lambda lib: lib.ones(2).__dlpack__(stream=1), AssertionError, "stream should be None on cpu."),
        (lambda lib: lib.ones(2).__dlpack__(stream="1"), TypeError, "stream must be ``int`` or ``none``"),
        (
            lambda lib: lib.ones(2).__cuda_array_interface__,
            AttributeError,
            "Can't get __cuda_array_interface__ on non-",
        ),
        (
            lambda lib: lib.ones(2).pin_memory(),
            RuntimeError,
            "Cannot access accelerator device when none is available",
        ),
        (lambda lib: lib.tensor([1.0], pin_memory=True), RuntimeError, "accelerator"),
        (lambda lib: lib.empty(2, pin_memory=True), RuntimeError, "accelerator"),
        (lambda lib: lib.randn(2, pin_memory=True), RuntimeError, "accelerator"),
    ],
    ids=[
        "gradient",
        "list",
        "stream",
        "text for a stream",
        "array interface",
        "pin",
        "tensor pinned",
        "empty pinned",
        "randn pinned",
    ],
)
def test_the_same_refusals(call, error, text):
    if torch.cuda.is_available() or minidl.cuda.is_available():
        pytest.skip("there is a GPU")
    for library in (minidl, torch):
        with pytest.raises(error, match=re.escape(text)):
            call(library)


def test_copies_are_made_where_they_are_asked_for():
    x = torch.arange(3.0)
    assert (
        minidl.from_dlpack(x, copy=True).data_ptr()
        != x.data_ptr()
        == minidl.from_dlpack(x, copy=False).data_ptr()
    )
    ours = minidl.arange(3.0)
    assert torch.from_dlpack(ours, copy=True).data_ptr() != ours.data_ptr()
    assert not minidl.ones(2).is_pinned() and not torch.ones(2).is_pinned()


def test_capsules_in_hand():
    ours = minidl.arange(3.0)
    assert torch.utils.dlpack.from_dlpack(minidl.utils.dlpack.to_dlpack(ours)).data_ptr() == ours.data_ptr()
    theirs = torch.arange(3.0)
    taken = minidl.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(theirs))
    assert taken.data_ptr() == theirs.data_ptr()
    for library in (minidl, torch):
        kinds = library.utils.dlpack.DLDeviceType
        assert (kinds.kDLCPU, kinds.kDLCUDA, kinds.kDLCUDAHost, kinds.kDLExtDev) == (1, 2, 3, 12)
        assert library.ones(2).__dlpack_device__() == (kinds.kDLCPU, 0)
    with pytest.raises(BufferError, match="require gradient"):
        minidl.utils.dlpack.to_dlpack(minidl.ones(2, requires_grad=True))
