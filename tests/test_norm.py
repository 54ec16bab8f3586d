"""Normalisation layers: running statistics, modes, and what they refuse."""

import numpy as np
import pytest

import minidl
import minidl.nn.functional as F
from minidl import nn

RNG = np.random.default_rng(0)


def test_running_statistics_use_the_unbiased_variance():
    layer = nn.BatchNorm1d(3, momentum=0.25)
    x = RNG.standard_normal((6, 3)).astype(np.float32)
    layer(minidl.tensor(x))
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.25 * x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.running_var.numpy(), 0.75 + 0.25 * x.var(0, ddof=1), rtol=1e-5)
    assert layer.num_batches_tracked.item() == 1
    assert layer.num_batches_tracked.dtype is minidl.int64


def test_momentum_none_averages_all_batches():
    layer = nn.BatchNorm1d(2, momentum=None)
    batches = [RNG.standard_normal((4, 2)) for _ in range(3)]
    for batch in batches:
        layer(minidl.tensor(batch, dtype=minidl.float32))
    np.testing.assert_allclose(
        layer.running_mean.numpy(), np.mean([b.mean(0) for b in batches], 0), rtol=1e-5
    )
    np.testing.assert_allclose(
        layer.running_var.numpy(), np.mean([b.var(0, ddof=1) for b in batches], 0), rtol=1e-5
    )


def test_evaluation_uses_and_keeps_the_running_statistics():
    layer = nn.BatchNorm2d(2)
    layer(minidl.randn(3, 2, 4, 4))
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    layer.eval()
    x = minidl.randn(1, 2, 1, 1)
    out = layer(x)
    expected = (x - before["running_mean"].reshape(1, 2, 1, 1)) / (
        before["running_var"].reshape(1, 2, 1, 1) + 1e-5
    ) ** 0.5
    np.testing.assert_allclose(out.detach().numpy(), expected.numpy(), rtol=1e-5)
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name].numpy())


def test_without_running_statistics_the_batch_is_used_in_evaluation_too():
    layer = nn.BatchNorm1d(2, track_running_stats=False).eval()
    assert list(layer.state_dict()) == ["weight", "bias"]
    out = layer(minidl.tensor([[1.0, 2.0], [3.0, 6.0]])).detach().numpy()
    np.testing.assert_allclose(out, [[-1, -1], [1, 1]], atol=1e-4)


def test_gradient_in_evaluation_survives_a_later_training_step():
    """The statistics that a backward needs are those of its own forward."""
    layer = nn.BatchNorm1d(2).eval()
    x = minidl.tensor([[1.0, 2.0], [3.0, 6.0]])
    out = layer(x)
    layer.train()(x * 10)
    out.sum().backward()
    np.testing.assert_allclose(layer.weight.grad.numpy(), [4, 8], rtol=1e-4)


def test_reset():
    layer = nn.BatchNorm1d(2)
    layer(minidl.randn(4, 2))
    layer.reset_running_stats()
    assert layer.num_batches_tracked.item() == 0
    np.testing.assert_array_equal(layer.running_var.numpy(), [1, 1])


def test_an_empty_batch_changes_nothing():
    layer = nn.BatchNorm2d(3)
    assert layer(minidl.zeros(0, 3, 2, 2)).shape == (0, 3, 2, 2)
    np.testing.assert_array_equal(layer.running_mean.numpy(), [0, 0, 0])


@pytest.mark.parametrize(
    ("layer", "shape", "text"),
    [
        (nn.BatchNorm1d, (2, 3, 4, 5), r"expected 2D or 3D input \(got 4D input\)"),
        (nn.BatchNorm2d, (2, 3), r"expected 4D input \(got 2D input\)"),
        (nn.BatchNorm3d, (2, 3, 4, 5), r"expected 5D input \(got 4D input\)"),
        (nn.BatchNorm1d, (1, 3), r"^Expected more than 1 value per channel when training.*torch.Size\(\[1, 3\]\)"),
    ],
)  # fmt: skip
def test_batch_norm_refuses_ranks_and_single_values(layer, shape, text):
    with pytest.raises(ValueError, match=text):
        layer(3)(minidl.ones(*shape))


def test_batch_norm_refuses_misfits():
    x = minidl.ones(2, 3)
    with pytest.raises(RuntimeError, match="running_mean must be defined in evaluation mode"):
        F.batch_norm(x, None, None)
    with pytest.raises(RuntimeError, match="running_mean should contain 3 elements not 4"):
        F.batch_norm(x, minidl.zeros(4), minidl.ones(4))
    with pytest.raises(RuntimeError, match="weight should contain 3 elements not 4"):
        F.batch_norm(x, minidl.zeros(3), minidl.ones(3), weight=minidl.ones(4))
    with pytest.raises(NotImplementedError, match=r"not implemented for 'Long'"):
        F.batch_norm(minidl.ones(2, 3, dtype=minidl.int64), None, None, training=True)


@pytest.mark.parametrize("function", [F.layer_norm, F.rms_norm])
def test_normalized_shape_must_fit(function):
    x = minidl.ones(2, 3)
    with pytest.raises(
        RuntimeError, match=r"Given normalized_shape=\[4\], expected input with shape \[\*, 4\]"
    ):
        function(x, (4,))
    with pytest.raises(RuntimeError, match="at least 1-dimensional"):
        function(x, ())
    with pytest.raises(RuntimeError, match=r"weight of shape \[2\] and normalized_shape = \[3\]"):
        function(x, (3,), weight=minidl.ones(2))


def test_group_norm_refuses_misfits():
    with pytest.raises(RuntimeError, match=r"divisible by num_groups, but got input of shape \[2, 3\]"):
        F.group_norm(minidl.ones(2, 3), 2)
    with pytest.raises(RuntimeError, match="at least 2 dimensions"):
        F.group_norm(minidl.ones(2), 2)
    with pytest.raises(RuntimeError, match=r"got weight of shape \[3\] and input of shape \[2, 4\]"):
        F.group_norm(minidl.ones(2, 4), 2, weight=minidl.ones(3))
    with pytest.raises(
        ValueError, match=r"more than 1 value per channel when training, got input size \[1, 2\]"
    ):
        F.group_norm(minidl.ones(1, 2), 2)
    with pytest.raises(ValueError, match=r"num_channels \(3\) must be divisible by num_groups \(2\)"):
        nn.GroupNorm(2, 3)


@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_a_large_mean_does_not_cancel(shift):
    x = (RNG.standard_normal((4, 512)) + shift).astype(np.float32)
    exact = x.astype(np.float64)
    exact = (exact - exact.mean(1, keepdims=True)) / np.sqrt(exact.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(
        F.layer_norm(minidl.tensor(x), (512,)).numpy(), exact, atol=2e-3 if shift else 1e-5
    )


def test_half_precision_computes_in_float32():
    x = minidl.full((4, 300), 200.0, dtype=minidl.float16)  # whose sum of squares is no float16
    out = F.rms_norm(x, (300,))
    assert out.dtype is minidl.float16
    np.testing.assert_allclose(out.float().numpy(), 1, rtol=1e-3)
    layer = nn.BatchNorm1d(3)
    assert layer(minidl.ones(2, 3, dtype=minidl.float16)).dtype is minidl.float16
