"""Names and keywords that programs use beside those of the manual, in minidl and PyTorch alike."""

import pytest
import torch

import minidl

pytestmark = pytest.mark.filterwarnings("ignore:volatile was removed", "ignore:TypedStorage")


def storage_written(m):
    x = m.arange(6.0).reshape(2, 3)
    row, memory = x[1], x[1].storage()
    memory[3] = 9.0
    memory[:2] = 7
    x.untyped_storage()[8] = 1
    turned = m.arange(6.0).reshape(2, 3).t()
    turned.storage()[1] = -1.0
    return x.tolist(), row.tolist(), memory[3], turned.tolist(), m.zeros(2).storage().fill_(3).tolist()


CALLS = {
    "a storage is written": storage_written,
    "tensor_split, indices": lambda m: [len(part) for part in m.arange(9).tensor_split(indices=(2, 3))],
    "tensor_split, sections": lambda m: [len(part) for part in m.tensor_split(m.arange(9), sections=4)],
    "tensor_split, a tensor": lambda m: [
        len(p) for p in m.arange(9).tensor_split(tensor_indices_or_sections=m.tensor(2))
    ],
    "hsplit, sections": lambda m: [len(part) for part in m.hsplit(m.arange(9), sections=3)],
    "Variable, volatile": lambda m: m.autograd.Variable(m.ones(2), volatile=True).tolist(),
    "FloatTensor on a device": lambda m: m.FloatTensor([1, 2], device="cpu").tolist(),
    "FloatTensor on another": lambda m: m.FloatTensor([1, 2], device="cuda"),
    "classes of autograd.function": lambda m: (
        m.autograd.function.Function is m.autograd.Function,
        m.autograd.function.FunctionCtx.__name__,
        m.autograd.function.once_differentiable.__name__,
    ),
    "emit_nvtx": lambda m: m.autograd.profiler.emit_nvtx(False).__enter__() is None,
    "the CPU's instructions": lambda m: isinstance(m.backends.cpu.get_cpu_capability(), str),
}


def beyond(m):
    m.ones(2).storage()[2] = 1.0


def test_storages_end():
    for m in (minidl, torch):
        with pytest.raises(IndexError, match="index 2 is out of bounds for dimension 0 with size 2"):
            beyond(m)


WRONG = {
    "nothing": lambda m: m.tensor_split(m.arange(9)),
    "both": lambda m: m.arange(9).tensor_split(indices=(1,), sections=2),
    "nothing for hsplit": lambda m: m.hsplit(m.arange(9)),
}


def outcome(call, m):
    try:
        return call(m)
    except RuntimeError as error:
        return str(error)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_calls(call):
    assert outcome(call, minidl) == outcome(call, torch)


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_wrong_calls(call):
    for m in (minidl, torch):
        with pytest.raises(TypeError, match="received an invalid combination of arguments"):
            call(m)
