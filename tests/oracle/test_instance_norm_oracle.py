"""``instance_norm`` and its layers beside PyTorch: running statistics, errors, conversion to ``SyncBatchNorm``."""

import warnings

import driving
import pytest
import torch
from beside_torch import assert_same, both, normal

import minidl


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 4, 2), (1, 3, 2, 2, 2)], ids=str)
def test_values_and_gradients_of_two_orders(shape):
    assert_same(*both("instance_norm", [normal(*shape)], {"eps": 0.1}))
    found = []
    for library in (minidl, torch):
        x, weight, bias = (
            library.tensor(normal(*size, seed=7), requires_grad=True) for size in (shape, (3,), (3,))
        )
        out = library.nn.functional.instance_norm(x, weight=weight, bias=bias)
        first = library.autograd.grad((out**3).sum(), [x, weight, bias], create_graph=True)
        second = library.autograd.grad(sum((g**2).sum() for g in first), [x, weight, bias])
        found.append([out, *first, *second])
    assert_same(*found)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_running_statistics_move(dtype):
    for momentum in (0.0, 0.1, 1.0):
        found = []
        for library in (minidl, torch):
            mean, var = (
                library.tensor(normal(3, seed=s) ** 2, dtype=getattr(library, dtype)) for s in (1, 2)
            )
            x = library.tensor(normal(2, 3, 4, 5), dtype=getattr(library, dtype))
            for _ in range(2):
                library.nn.functional.instance_norm(x, mean, var, momentum=momentum)
            found.append((mean.numpy(), var.numpy()))
        for ours, theirs in zip(*found, strict=True):
            driving.assert_near(ours, theirs, 1e-6 if dtype == "float32" else 1e-12, 0)


WRONG = [
    ((2, 3), {}),
    ((2, 3, 1), {}),
    ((3,), {}),
    ((2, 3, 4), {"use_input_stats": False}),
    ((2, 3, 4), {"weight": 2}),
    ((2, 3, 4), {"running_mean": 3}),
    ((2, 3, 4), {"running_mean": 3, "running_var": 2}),
]


@pytest.mark.parametrize(("shape", "sizes"), WRONG, ids=str)
def test_errors(shape, sizes):
    raised = []
    for library in (minidl, torch):
        kwargs = {k: v if isinstance(v, bool) else library.ones(v) for k, v in sizes.items()}
        with pytest.raises((ValueError, RuntimeError)) as error:
            library.nn.functional.instance_norm(library.ones(*shape), **kwargs)
        raised.append((type(error.value), str(error.value)))
    assert raised[0] == raised[1]


@pytest.mark.parametrize(
    ("name", "args", "shape"),
    [
        ("InstanceNorm1d", (3, 1e-5, 0.1, True), (2, 4, 5)),
        ("InstanceNorm2d", (3, 1e-5, 0.1, True), (4, 5, 5)),
        ("InstanceNorm1d", (3,), (2, 3, 5, 5)),
        ("InstanceNorm2d", (3,), (2, 5)),
        ("InstanceNorm3d", (3,), (2, 5)),
        ("SyncBatchNorm", (3,), (3,)),
        ("SyncBatchNorm", (0,), (2, 0)),
        ("SyncBatchNorm", (3,), (1, 3)),
    ],
    ids=str,
)
def test_errors_of_layers(name, args, shape):
    raised = []
    for library in (minidl, torch):
        with pytest.raises(ValueError) as error, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(library.nn, name)(*args)(library.ones(*shape))
        raised.append(str(error.value))
    assert raised[0].startswith(raised[1])


def test_another_number_of_channels_warns_without_affine():
    messages = []
    for library in (minidl, torch):
        with pytest.warns(UserWarning) as caught:
            assert library.nn.InstanceNorm1d(3)(library.ones(2, 4, 5)).shape == (2, 4, 5)
        messages.append(str(caught[0].message))
    assert messages[0] == messages[1]


def test_conversion_to_sync_batch_norm():
    found = []
    for library in (minidl, torch):
        nn = library.nn
        net = nn.Sequential(
            nn.BatchNorm2d(3), nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, 0.1, None, False))
        )
        net[1].eval()
        held = [id(p) for p in net.parameters()]
        converted = nn.SyncBatchNorm.convert_sync_batchnorm(net)
        assert [id(p) for p in converted.parameters()] == held
        assert [m.training for m in converted.modules()] == [True, True, False, False, False]
        found.append((repr(converted), list(converted.state_dict())))
        assert type(nn.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm1d(2))) is nn.SyncBatchNorm
    assert found[0] == found[1]
