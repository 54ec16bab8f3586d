"""Dropout: how often, what scale, which randomness."""

import math

import numpy as np
import pytest

import minidl
import minidl.nn.functional as F
from minidl import nn


def test_fraction_and_scale():
    minidl.manual_seed(1)
    out = F.dropout(minidl.ones(200, 500), 0.3).numpy()
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.7)}
    expected, deviation = 0.3, math.sqrt(0.3 * 0.7 / out.size)
    assert abs((out == 0).mean() - expected) < 5 * deviation


def test_the_seed_decides():
    def draw(seed):
        minidl.manual_seed(seed)
        return F.dropout(minidl.ones(100), 0.5).numpy()

    np.testing.assert_array_equal(draw(3), draw(3))
    assert (draw(3) != draw(4)).any()
    assert (F.dropout(minidl.ones(100)).numpy() != F.dropout(minidl.ones(100)).numpy()).any()


def test_gradient_has_the_mask_of_the_forward():
    x = minidl.ones(50, requires_grad=True)
    out = F.dropout(x, 0.5)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), out.detach().numpy())


def test_evaluation_returns_the_input():
    x = minidl.ones(3, requires_grad=True)
    assert F.dropout(x, 0.5, training=False) is x
    assert F.dropout(x, 0.0) is x
    assert nn.Dropout(0.5).eval()(x) is x


def test_everything_dropped_passes_no_gradient():
    x = minidl.ones(3, requires_grad=True)
    F.dropout(x, 1.0).sum().backward()
    assert not x.grad.numpy().any()


@pytest.mark.parametrize(
    ("layer", "shape", "kept"),
    [
        (nn.Dropout1d, (30, 4, 5), 2),
        (nn.Dropout1d, (40, 5), 1),
        (nn.Dropout2d, (30, 4, 3, 2), 2),
        (nn.Dropout3d, (30, 4, 2, 3, 2), 2),
        (nn.Dropout3d, (40, 2, 3, 2), 1),
        (nn.FeatureAlphaDropout, (30, 4, 5), 2),
    ],
)
def test_whole_channels(layer, shape, kept):
    out = layer(0.5)(minidl.ones(*shape)).numpy().reshape(*shape[:kept], -1)
    assert (out == out[..., :1]).all()
    assert len(np.unique(out)) == 2


def test_alpha_dropout_keeps_mean_and_variance():
    minidl.manual_seed(0)
    out = F.alpha_dropout(minidl.randn(400, 500), 0.2, training=True).numpy()
    assert abs(out.mean()) < 0.02 and abs(out.std() - 1) < 0.02


def test_in_place():
    x = minidl.ones(20)
    assert F.dropout(x, 0.5, inplace=True) is x
    assert set(np.unique(x.numpy())) <= {np.float32(0), np.float32(2)}
    leaf = minidl.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        F.dropout(leaf, 0.5, inplace=True)
    y = minidl.ones(3)
    assert F.alpha_dropout(y, 0.5, training=True, inplace=True) is y
    assert F.alpha_dropout(y, 1.0, training=True, inplace=True) is y and not y.any()


def test_integers_pass_where_nothing_is_dropped():
    x = minidl.tensor([1, 2])
    assert minidl.nn.functional.dropout(x, training=False) is x


def test_refusals():
    for bad in (-0.1, 1.5):
        with pytest.raises(ValueError, match=f"dropout probability has to be between 0 and 1, but got {bad}"):
            F.dropout(minidl.ones(1), bad)
        with pytest.raises(ValueError, match="dropout probability"):
            nn.Dropout(bad)
    with pytest.raises(RuntimeError, match="floating-point"):
        F.dropout(minidl.tensor([1, 2]))
    with pytest.raises(RuntimeError, match="dropout1d: Expected 2D or 3D input, but received a 1D input"):
        F.dropout1d(minidl.ones(3))
    with pytest.warns(UserWarning, match="dropout2d: Received a 3D input"):
        F.dropout2d(minidl.ones(3, 2, 2))
    with pytest.warns(UserWarning, match="dropout3d: Received a 2-D input to dropout3d, which is deprecated"):
        F.dropout3d(minidl.ones(3, 2))
