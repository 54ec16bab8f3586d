"""Memory formats beside PyTorch: strides of results, what is contiguous, errors."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from beside_torch import refusal

import minidl

LIBRARIES = (minidl, torch)
FORMATS = ("contiguous_format", "preserve_format", "channels_last", "channels_last_3d")


def image(lib, shape=(2, 8, 5, 6)):
    return lib.arange(int(np.prod(shape))).reshape(shape).float()


def arranged(lib, how):
    """A tensor of four dimensions in some order of memory."""
    x = image(lib)
    return {
        "rows": x,
        "pixels": x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
        "crossed": x.transpose(0, 1),
        "repeated": x[:, :1].expand(2, 8, 5, 6),
        "cut": x[:, ::2],
        "one channel": x[:, :1],
        "one point": x[:, :, :1, :1],
        "none": x[:0],
    }[how]


ARRANGED = ("rows", "pixels", "crossed", "repeated", "cut", "one channel", "one point")
COPIES = {
    "clone": lambda lib, x, f: x.clone(memory_format=f),
    "contiguous": lambda lib, x, f: x.contiguous(memory_format=f),
    "to": lambda lib, x, f: x.to(memory_format=f),
    "to dtype": lambda lib, x, f: x.to(lib.float64, memory_format=f),
    "double": lambda lib, x, f: x.double(memory_format=f),
    "zeros_like": lambda lib, x, f: lib.zeros_like(x, memory_format=f),
    "full_like": lambda lib, x, f: lib.full_like(x, 3.0, memory_format=f),
    "empty_like": lambda lib, x, f: lib.empty_like(x, memory_format=f),
    "randn_like": lambda lib, x, f: lib.randn_like(x, memory_format=f),
    "empty": lambda lib, x, f: lib.empty(*x.shape, memory_format=f),
}


@pytest.mark.parametrize("format", FORMATS[:3])
@pytest.mark.parametrize("how", ARRANGED)
@pytest.mark.parametrize("name", COPIES)
def test_strides(name, how, format):
    if name == "empty" and format == "preserve_format":
        pytest.skip("there is nothing to preserve")
    if how == "repeated" and name in ("to dtype", "double"):
        pytest.skip("a cast of repeated elements takes NumPy's order, as good as PyTorch's")
    calls = [lambda lib=lib: COPIES[name](lib, arranged(lib, how), getattr(lib, format)) for lib in LIBRARIES]
    if name == "contiguous" and format == "preserve_format" and how != "rows":
        assert refusal(calls[0]) == refusal(calls[1])
        return
    ours, theirs = (call() for call in calls)
    assert ours.stride() == theirs.stride() and ours.shape == theirs.shape
    if "empty" not in name and "rand" not in name:
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("format", ["contiguous_format", "channels_last", "channels_last_3d"])
@pytest.mark.parametrize("how", ARRANGED)
def test_is_contiguous(how, format):
    ours, theirs = (arranged(lib, how).is_contiguous(memory_format=getattr(lib, format)) for lib in LIBRARIES)
    assert ours is theirs


@pytest.mark.parametrize("name", COPIES)
def test_five_dimensions(name):
    ours, theirs = (COPIES[name](lib, image(lib, (2, 3, 4, 5, 6)), lib.channels_last_3d) for lib in LIBRARIES)
    assert ours.stride() == theirs.stride()
    assert ours.is_contiguous(memory_format=minidl.channels_last_3d) and not ours.is_contiguous()


def test_what_is_no_format():
    for lib in LIBRARIES:
        for call in (lib.zeros(3).clone, lib.zeros(3).t().contiguous):
            with pytest.raises(TypeError, match=r"must be torch\.memory_format, not int"):
                call(memory_format=3)


@pytest.mark.parametrize("format", ["channels_last", "channels_last_3d"])
@pytest.mark.parametrize("name", ["clone", "contiguous", "to", "zeros_like", "empty"])
def test_another_number_of_dimensions(name, format):
    calls = [lambda lib=lib: COPIES[name](lib, lib.zeros(2, 3), getattr(lib, format)) for lib in LIBRARIES]
    assert refusal(calls[0]) == refusal(calls[1])


LAYERS = {
    "conv": lambda nn: nn.Conv2d(8, 4, 3, padding=1),
    "conv 1x1": lambda nn: nn.Conv2d(8, 4, 1),
    "depthwise": lambda nn: nn.Conv2d(8, 8, 3, groups=8),
    "transposed": lambda nn: nn.ConvTranspose2d(8, 4, 3),
    "norm": lambda nn: nn.BatchNorm2d(8),
    "max": lambda nn: nn.MaxPool2d(2),
    "mean": lambda nn: nn.AvgPool2d(2),
    "adaptive": lambda nn: nn.AdaptiveAvgPool2d(2),
    "relu": lambda nn: nn.ReLU(),
    "gelu": lambda nn: nn.GELU(),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_keep_the_format(name):
    """Results and both gradients: the same numbers, and the result's and the input's gradient's strides."""
    torch.manual_seed(0)
    theirs = LAYERS[name](torch.nn)
    ours = LAYERS[name](minidl.nn)
    ours.load_state_dict({key: minidl.tensor(value.numpy()) for key, value in theirs.state_dict().items()})
    found = []
    for lib, layer in zip(LIBRARIES, (ours, theirs), strict=True):
        layer = layer.to(memory_format=lib.channels_last)
        x = arranged(lib, "pixels").mul(0.01).requires_grad_()
        y = layer(x)
        y.backward(image(lib, tuple(y.shape)).sin())  # row-major, as from a flatten
        found.append((y, x.grad, [p.grad for p in layer.parameters()]))
    (y, dx, dw), (wanted_y, wanted_dx, wanted_dw) = found
    assert y.stride() == wanted_y.stride()
    if name != "transposed":
        assert dx.stride() == wanted_dx.stride()
    for mine, wanted in zip((y, dx, *dw), (wanted_y, wanted_dx, *wanted_dw), strict=True):
        np.testing.assert_allclose(mine.detach().numpy(), wanted.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_a_weight_decides_too():
    for lib in LIBRARIES:
        weight = image(lib, (4, 8, 3, 3)).contiguous(memory_format=lib.channels_last)
        assert lib.nn.functional.conv2d(image(lib), weight).is_contiguous(memory_format=lib.channels_last)


@pytest.mark.parametrize("second", ["rows", "pixels", "crossed"])
@pytest.mark.parametrize("first", ["rows", "pixels", "crossed", "one channel", "cut"])
def test_joins_are_row_major_unless_all_are_channels_last(first, second):
    found = []
    for lib in LIBRARIES:
        a, b = arranged(lib, first), arranged(lib, second)
        b = b[tuple(slice(n) for n in a.shape)] if b.shape != a.shape and b.ndim == a.ndim else b
        a = a[tuple(slice(n) for n in b.shape)]
        pairs = [(a, b), (a[0], b[0]), (a[0, 0].t(), b[0, 0].t())]
        joined = [lib.cat(pair, d) for pair in pairs for d in range(pair[0].ndim)]
        joined += [lib.stack(pair, d) for pair in pairs for d in range(pair[0].ndim + 1)]
        found.append([(tuple(out.shape), out.stride(), out.tolist()) for out in joined])
    assert found[0] == found[1]


def test_modules():
    for lib in LIBRARIES:
        net = lib.nn.Sequential(lib.nn.Conv2d(3, 4, 3), lib.nn.BatchNorm2d(4), lib.nn.Linear(4, 2))
        assert net.to(memory_format=lib.channels_last) is net
        assert net[0].weight.is_contiguous(memory_format=lib.channels_last)
        assert net[2].weight.is_contiguous()


@pytest.mark.parametrize("how", ["rows", "pixels", "crossed"])
def test_pickles_and_copies_keep_the_order_of_memory(how):
    x = arranged(minidl, how).requires_grad_()
    wanted = pickle.loads(pickle.dumps(arranged(torch, how))).stride()
    for again in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert again.stride() == wanted and again.requires_grad
        np.testing.assert_array_equal(again.detach().numpy(), x.detach().numpy())
    files = io.BytesIO(), io.BytesIO()
    minidl.save(x, files[0], format="pt")
    layer = minidl.nn.Conv2d(3, 4, 3).to(memory_format=minidl.channels_last)
    minidl.save(layer, files[1])
    assert minidl.load(io.BytesIO(files[0].getvalue())).stride() == wanted
    whole = minidl.load(io.BytesIO(files[1].getvalue()), weights_only=False)
    assert whole.weight.stride() == pickle.loads(pickle.dumps(layer)).weight.stride() == layer.weight.stride()
    np.testing.assert_array_equal(whole.weight.detach().numpy(), layer.weight.detach().numpy())
