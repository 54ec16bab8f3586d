"""The device ``meta`` beside PyTorch: shapes, dtypes, strides and texts of tensors without values."""

import copy
import warnings

import pytest
import torch

import minidl


def _on_meta(m, make):
    with m.device("meta"):
        return make()


def _state(m, assign):
    source = m.nn.Linear(2, 2)
    target = _on_meta(m, lambda: m.nn.Linear(2, 2))
    keys = target.load_state_dict(source.state_dict(), assign=assign)
    return str(target.weight.device), type(target.weight).__name__, target.weight.requires_grad, keys


def _trained(m):
    layer = m.nn.Linear(3, 2, device="meta")
    optimizer = m.optim.Adam(layer.parameters())
    layer(m.ones(4, 3, device="meta")).sum().backward()
    optimizer.step()
    return layer.weight.grad, optimizer.state_dict()["state"][0]["exp_avg"].device


def _default(m):
    try:
        m.set_default_device("meta")
        return m.ones(1).device, m.tensor(1).device, m.arange(3).device, m.nn.Linear(1, 1).weight.device
    finally:
        m.set_default_device("cpu")


def _nested(m):
    with m.device("meta"):
        first = m.ones(1).device
        with m.device("cpu"):
            return first, m.ones(1).device


def _layers(m):
    model = _on_meta(
        m,
        lambda: m.nn.Sequential(
            m.nn.Conv2d(1, 4, 3),
            m.nn.BatchNorm2d(4),
            m.nn.ReLU(),
            m.nn.MaxPool2d(2),
            m.nn.Flatten(),
            m.nn.LazyLinear(5),
        ),
    )
    out = model(m.zeros(2, 1, 8, 8, device="meta"))
    empty = model.to_empty(device="cpu")
    return (
        out,
        [(n, p.shape, p.device) for n, p in empty.state_dict().items()],
        empty(m.zeros(2, 1, 8, 8)).shape,
    )


def _attention(m):
    layer = _on_meta(m, lambda: m.nn.TransformerEncoderLayer(8, 2, 16))
    lstm = m.nn.LSTM(8, 3, device="meta")
    return lstm(layer(m.ones(5, 2, 8, device="meta")))[0].shape, m.nn.Embedding(9, 4, device="meta").weight


PROGRAMS = [
    lambda m: m.empty(2, 3, device="meta"),
    lambda m: m.zeros(2, device="meta", dtype=m.float64, requires_grad=True),
    lambda m: m.randn(2, 3, device="meta").is_meta,
    lambda m: m.tensor([1.0, 2.0], device="meta"),
    lambda m: m.ones(3).to("meta"),
    lambda m: m.ones(3, device="meta").to("cpu"),
    lambda m: m.ones(3, device="meta").numpy(),
    lambda m: m.ones(3, device="meta").tolist(),
    lambda m: m.ones(1, device="meta").item(),
    lambda m: bool(m.ones(1, device="meta")),
    lambda m: m.ones(3).copy_(m.ones(3, device="meta")),
    lambda m: m.ones(3, device="meta").copy_(m.ones(3)),
    lambda m: m.ones(3, 4, device="meta").t().stride(),
    lambda m: m.ones(3, 4, device="meta") @ m.ones(4, 5, device="meta"),
    lambda m: m.ones(3, 4, device="meta")[0] > 1,
    lambda m: m.empty_like(m.ones(2, 3), device="meta"),
    lambda m: m.empty(1000, 1000, 100_000, device="meta").normal_().nbytes,
    lambda m: m.ones(2, device="meta").data_ptr(),
    lambda m: m.nn.Linear(2, 2, device="meta").to("cpu"),
    lambda m: copy.deepcopy(m.nn.Linear(2, 2, device="meta")).weight,
    *(_trained, _default, _nested, _layers, _attention),
    *(lambda m, assign=assign: _state(m, assign) for assign in (False, True)),
]


def _outcome(m, program):
    """What a program gives, the error that it raises, the warnings it makes."""
    m.manual_seed(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            out = str(program(m))
        except Exception as error:
            out = f"{type(error).__name__}: {str(error)[:40]}"
    ours = [str(w.message)[:80] for w in caught if "meta" in str(w.message)]
    return (out.replace("minidl.", "torch."), *ours)


@pytest.mark.parametrize("program", PROGRAMS)
def test_meta_tensors_are_as_pytorchs(program):
    assert _outcome(minidl, program) == _outcome(torch, program)


def test_what_reads_values_is_refused():
    x = minidl.ones(3, device="meta")
    counts = minidl.ones(3, device="meta").long()
    reading = (
        x.nonzero,
        x.unique,
        lambda: x[x > 0],
        lambda: x.masked_select(x > 0),
        lambda: x.repeat_interleave(counts),
    )
    for read in reading:
        with pytest.raises(NotImplementedError, match="depends on values"):
            read()
    with pytest.raises(minidl.errors.DeviceError, match="meta and cpu"):
        x + minidl.ones(3)
