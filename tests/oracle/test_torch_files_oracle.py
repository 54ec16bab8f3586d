"""``.pt`` files both ways with PyTorch: weights, optimizers, layouts, shared storages."""

import collections
import io

import numpy as np
import pytest
import torch

import minidl

DTYPES = minidl.dtypes.available()


def from_torch(value, **options):
    file = io.BytesIO()
    torch.save(value, file, **options)
    file.seek(0)
    return minidl.load(file)


def to_torch(value, **options):
    file = io.BytesIO()
    minidl.save(value, file, format="pt")
    file.seek(0)
    return torch.load(file, **{"weights_only": True, **options})


def same(ours, theirs):
    assert str(ours.dtype).partition(".")[2] == str(theirs.dtype).partition(".")[2]
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert ours.stride() == theirs.stride() or ours.numel() == 0
    assert ours.requires_grad == theirs.requires_grad
    assert ours.tolist() == theirs.tolist()


def pairs(m):
    base = m.arange(24.0).reshape(2, 3, 4)
    return {
        "base": base, "t": base.transpose(0, 2), "part": base[:, 1:, ::2], "wide": m.ones(1).expand(3),
        "none": m.empty(0, 3), "scalar": m.tensor(2.5), "grad": m.ones(2, requires_grad=True), "row": base[1, 2],
        "parameter": m.nn.Parameter(m.ones(2, 2)), "frozen": m.nn.Parameter(m.ones(2), requires_grad=False),
    }  # fmt: skip


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("legacy", [False, True])
def test_tensors_of_pytorch(legacy, protocol):
    theirs = pairs(torch)
    ours = from_torch(theirs, _use_new_zipfile_serialization=not legacy, pickle_protocol=protocol)
    for name in theirs:
        same(ours[name], theirs[name])
    ours["base"][1, 2, 0] = -1.0
    assert ours["t"][0, 2, 1].item() == ours["part"][1, 1, 0].item() == ours["row"][0].item() == -1


def test_tensors_for_pytorch():
    ours = pairs(minidl)
    theirs = to_torch(ours)
    for name in ours:
        same(ours[name], theirs[name])
    theirs["base"][1, 2, 0] = -1.0
    assert theirs["t"][0, 2, 1].item() == theirs["part"][1, 1, 0].item() == theirs["row"][0].item() == -1
    assert type(theirs["parameter"]) is torch.nn.Parameter


@pytest.mark.parametrize("dtype", [d.name for d in DTYPES])
def test_dtypes(dtype):
    values = [0, 1, 1, 0, 1]
    theirs = torch.tensor(values).to(getattr(torch, dtype))
    same(from_torch([theirs])[0], theirs)
    ours = minidl.tensor(values).to(getattr(minidl, dtype))
    same(ours, to_torch([ours])[0])
    assert from_torch(getattr(torch, dtype)) is getattr(minidl, dtype)
    assert to_torch(getattr(minidl, dtype)) is getattr(torch, dtype)


PLAIN = [
    *[
        None,
        True,
        -5,
        2**100,
        1.5,
        "\u00e9",
        b"\x00\xff",
        [1, [2]],
        (1, 2, 3, 4),
        (),
        {"a": {1: None}},
        {1, 2},
    ],
    *[collections.OrderedDict(b=1, a=2), collections.Counter("abca"), list(range(600))],
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values(value):
    for back in (from_torch(value), from_torch(value, pickle_protocol=4), to_torch(value)):
        assert back == value
        assert type(back) is type(value)


def test_sizes_and_devices():
    assert from_torch(torch.Size([2, 3])) == minidl.Size([2, 3])
    assert to_torch(minidl.Size([2, 3])) == torch.Size([2, 3])
    assert str(from_torch(torch.device("cuda", 1))) == "cuda:1"
    assert to_torch(minidl.device("cuda", 1)) == torch.device("cuda", 1)


@pytest.mark.parametrize(
    "value", [np.float64(1.5), np.arange(6).reshape(2, 3), np.float32([[1], [2]]), np.bool_(True)]
)
def test_numpy_values(value):
    for back in (from_torch([value])[0], to_torch([value], weights_only=False)[0]):
        assert type(back) is type(value)
        np.testing.assert_array_equal(back, value)


def network(m):
    nn = m.nn
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, bias=False),
        nn.BatchNorm2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8, 3),
        nn.LayerNorm(3),
    )


def trained(m, model):
    optimizer = m.optim.Adam(model.parameters(), lr=0.01)
    for step in range(3):
        optimizer.zero_grad()
        x = (m.arange(32.0).reshape(2, 1, 4, 4) * (0.3 + step)).sin()
        model(x).square().sum().backward()
        optimizer.step()
    return optimizer


def test_a_checkpoint_goes_on_in_the_other_framework(tmp_path):
    theirs = network(torch)
    start = theirs.state_dict()
    torch.save(start, tmp_path / "start.pt")
    ours = network(minidl)
    ours.load_state_dict(minidl.load(tmp_path / "start.pt"))
    optimizers = trained(torch, theirs), trained(minidl, ours)
    minidl.save({"model": ours.state_dict(), "optimizer": optimizers[1].state_dict()}, tmp_path / "ours.pth")
    for mmap in (False, True):
        checkpoint = torch.load(tmp_path / "ours.pth", mmap=mmap, weights_only=True)
        for name, value in theirs.state_dict().items():
            torch.testing.assert_close(checkpoint["model"][name], value, rtol=1e-3, atol=1e-4)
    again = network(torch)
    again.load_state_dict(checkpoint["model"])
    optimizer = torch.optim.Adam(again.parameters())
    optimizer.load_state_dict(checkpoint["optimizer"])
    assert optimizer.param_groups[0]["lr"] == 0.01
    torch.save({"o": optimizers[0].state_dict()}, tmp_path / "theirs.pt")
    optimizers[1].load_state_dict(minidl.load(tmp_path / "theirs.pt")["o"])


def test_attributes_of_tensors_are_kept():
    tensor = torch.ones(2)
    tensor.mark = "x"
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.no_decay = True
    back = from_torch([tensor, parameter])
    assert back[0].mark == "x"
    assert back[1].no_decay is True


def test_what_weights_only_refuses_is_refused_with_the_same_error():
    for value in (torch.nn.Linear(1, 1), collections.deque([1])):
        file = io.BytesIO()
        torch.save(value, file)
        errors = []
        for m in (torch, minidl):
            file.seek(0)
            with pytest.raises(m.serialization.pickle.UnpicklingError if m is torch else Exception) as raised:
                m.load(file)
            errors.append(raised.value)
        assert isinstance(errors[1], type(errors[0]))
        assert "Unsupported global" in str(errors[0])
        assert "Unsupported global" in str(errors[1])


def test_negated_views_are_read_negated():
    back = from_torch({"neg": torch._neg_view(torch.arange(3.0)), "buffer": torch.nn.Buffer(torch.ones(2))})
    assert back["neg"].tolist() == [0, -1, -2]
    assert back["buffer"].tolist() == [1, 1]


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.ones(2).untyped_storage(),
        lambda: torch.ones(2).storage(),
        lambda: torch.ones(2, dtype=torch.complex64),
        lambda: torch.eye(2).to_sparse(),
        lambda: torch.ones(2, device="meta"),
        lambda: torch.ones(2).to(torch.float8_e4m3fn),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_there_is_no_tensor_for_is_refused(make, legacy):
    with pytest.raises(minidl.errors.UnsafePickleError, match="Weights only load failed"):
        from_torch([make()], _use_new_zipfile_serialization=not legacy)


@pytest.mark.parametrize("name", ["MultiStepLR", "OneCycleLR", "LambdaLR"])
def test_states_of_schedulers(name):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1, momentum=0.9)
    arguments = {"MultiStepLR": ([1, 2],), "OneCycleLR": (0.1, 10), "LambdaLR": (lambda epoch: 1.0,)}[name]
    state = getattr(torch.optim.lr_scheduler, name)(optimizer, *arguments).state_dict()
    assert from_torch(state) == to_torch(from_torch(state)) == state


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_programs_are_refused():
    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Linear(1, 1), torch.ones(1)), file)
    file.seek(0)
    with pytest.raises(minidl.errors.FileFormatError):
        minidl.load(file)
