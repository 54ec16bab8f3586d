"""Names and keywords that programs use beside those of the manual, in minidl and PyTorch alike."""

import re

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


def storage_shown(m):
    x = m.tensor([10.0, -20.5, 1e-5])
    shown = [repr(x.storage()), str(m.tensor([1.5]).bfloat16().storage()), repr(m.tensor([3, -1]).storage())]
    shown += [repr(m.tensor([True, False]).storage()), repr(m.empty(0).storage()), repr(x.untyped_storage())]
    plain = [text.replace("torch.storage.", "minidl.").replace("torch.", "minidl.") for text in shown]
    return plain, m.is_storage(x.storage()), m.is_storage(x), x.storage()[-1]


CALLS = {
    "a storage is shown": storage_shown,
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


STORAGES = {
    "written beyond": lambda m: m.ones(2).storage().__setitem__(2, 1.0),
    "a text as index": lambda m: m.ones(2).storage()["a"],
    "a float as index": lambda m: m.ones(2).storage()[1.0],
    "beyond the storage": lambda m: m.ones(2).storage()[2],
    "a slice of a storage": lambda m: m.ones(2).storage()[0:1],
    "a text into a storage": lambda m: m.ones(2).storage().__setitem__(0, "x"),
    "a fraction into bytes": lambda m: m.ones(2).untyped_storage().__setitem__(0, 2.5),
}


@pytest.mark.parametrize("call", STORAGES.values(), ids=STORAGES)
def test_storages_refuse(call):
    told = []
    for m in (minidl, torch):
        with pytest.raises((IndexError, RuntimeError, TypeError)) as caught:
            call(m)
        told.append(
            (caught.type, re.split(r" to a |\.?(?:torch|minidl)\.", str(caught.value))[0].split("<class")[0])
        )
    assert told[0] == told[1]


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
