"""Convolution in any geometry beside PyTorch: results, gradients, second gradients, defaults, errors."""

import driving
import hypothesis.strategies as st
import pytest
import torch
from beside_torch import assert_same, both, normal
from hypothesis import given

import minidl
from minidl import nn
from minidl.testing import conv_geometries


@given(data=st.data())
def test_every_order_agrees(data):
    dims = data.draw(st.integers(1, 3))
    geometry = data.draw(conv_geometries(dims=dims))
    arrays = [normal(*geometry.input_shape), normal(*geometry.weight_shape, seed=1)]
    if data.draw(st.booleans()):
        arrays.append(normal(geometry.weight_shape[0], seed=2))
    assert_same(*both(f"conv{dims}d", arrays, geometry.kwargs))


@given(data=st.data())
def test_every_order_of_the_transpose_agrees(data):
    dims = data.draw(st.integers(1, 3))
    geometry = data.draw(conv_geometries(dims=dims))
    largest = [max(s, d) - 1 for s, d in zip(geometry.stride, geometry.dilation, strict=True)]
    more = tuple(data.draw(st.integers(0, n)) for n in largest)
    steps = zip(
        geometry.output_shape[2:],
        geometry.weight_shape[2:],
        *(getattr(geometry, name) for name in ("stride", "padding", "dilation")),
        more,
        strict=True,
    )
    if any((n - 1) * s - 2 * p + d * (k - 1) + m + 1 <= 0 for n, k, s, p, d, m in steps):
        return
    arrays = [normal(*geometry.output_shape), normal(*geometry.weight_shape, seed=1)]
    if data.draw(st.booleans()):
        arrays.append(normal(geometry.input_shape[1], seed=2))
    assert_same(*both(f"conv_transpose{dims}d", arrays, {**geometry.kwargs, "output_padding": more}))


@given(data=st.data())
def test_padding_of_every_mode_agrees(data):
    rank = data.draw(st.integers(1, 3))
    mode = data.draw(st.sampled_from(["constant", "reflect", "replicate", "circular"]))
    size = [data.draw(st.integers(2, 4)) for _ in range(rank)]
    room = {"reflect": -1, "circular": 0}
    pad = []
    for n in reversed(size):
        most = n + room[mode] if mode in room else 4
        pad += [data.draw(st.integers(0, most)), data.draw(st.integers(0, most))]
    array = normal(2, 2, *size)
    assert_same(*both("pad", [array], {"pad": tuple(pad), "mode": mode}))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("padding", ["same", "valid", 2])
@pytest.mark.parametrize("kernel", [2, 3, (4, 1)])
@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_layers_pad_alike(padding, kernel, mode):
    ours = nn.Conv2d(2, 3, kernel, padding=padding, padding_mode=mode, dtype=minidl.float64)
    theirs = torch.nn.Conv2d(2, 3, kernel, padding=padding, padding_mode=mode, dtype=torch.float64)
    theirs.load_state_dict({k: torch.tensor(driving.host(v)) for k, v in ours.state_dict().items()})
    array = normal(2, 2, 5, 6)
    out, wanted = ours(minidl.tensor(array)), theirs(torch.tensor(array))
    driving.assert_near(driving.host(out), wanted.detach().numpy(), 1e-12, 1e-12)
    assert repr(ours) == repr(theirs)


ERRORS = {
    "channels": ("conv2d", [(1, 4, 8, 8), (8, 3, 3, 3)], {}),
    "rank": ("conv2d", [(4, 4), (8, 3, 3, 3)], {}),
    "bias": ("conv2d", [(1, 3, 8, 8), (8, 3, 3, 3), (5,)], {}),
    "groups": ("conv2d", [(1, 9, 8, 8), (8, 3, 3, 3)], {"groups": 3}),
    "few-outputs": ("conv2d", [(1, 30, 8, 8), (8, 3, 3, 3)], {"groups": 10}),
    "no-groups": ("conv2d", [(1, 3, 8, 8), (8, 3, 3, 3)], {"groups": 0}),
    "stride": ("conv2d", [(1, 3, 8, 8), (8, 3, 3, 3)], {"stride": 0}),
    "padding": ("conv2d", [(1, 3, 8, 8), (8, 3, 3, 3)], {"padding": -1}),
    "dilation": ("conv2d", [(1, 3, 8, 8), (8, 3, 3, 3)], {"dilation": 0}),
    "stride-count": ("conv2d", [(1, 3, 8, 8), (8, 3, 3, 3)], {"stride": (1, 2, 3)}),
    "small": ("conv2d", [(1, 3, 4, 4), (8, 3, 3, 3)], {"dilation": 2, "padding": (0, 1)}),
    "same": ("conv2d", [(1, 3, 8, 8), (8, 3, 3, 3)], {"padding": "same", "stride": 2}),
    "word": ("conv2d", [(1, 3, 8, 8), (8, 3, 3, 3)], {"padding": "full"}),
    "empty": ("conv2d", [(1, 3, 0, 8), (8, 3, 3, 3)], {"padding": 2}),
    "no-outputs": ("conv2d", [(1, 3, 8, 8), (0, 3, 3, 3)], {}),
    "transposed-channels": ("conv_transpose2d", [(1, 5, 8, 8), (4, 3, 3, 3)], {}),
    "transposed-bias": ("conv_transpose2d", [(1, 4, 8, 8), (4, 3, 3, 3), (5,)], {}),
    "transposed-groups": ("conv_transpose2d", [(1, 4, 8, 8), (4, 3, 3, 3)], {"groups": 3}),
    "transposed-small": ("conv_transpose2d", [(1, 4, 1, 1), (4, 3, 2, 2)], {"padding": 1}),
}


@pytest.mark.parametrize("id", ERRORS)
def test_errors_begin_with_pytorchs_text(id):
    function, shapes, kwargs = ERRORS[id]
    with pytest.raises(RuntimeError) as theirs:
        getattr(torch.nn.functional, function)(*map(torch.zeros, shapes), **kwargs)
    with pytest.raises(RuntimeError) as ours:
        getattr(nn.functional, function)(*map(minidl.zeros, shapes), **kwargs)
    assert str(ours.value).startswith(str(theirs.value).split("\n")[0].rstrip("."))
