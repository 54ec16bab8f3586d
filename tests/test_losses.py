"""Losses and softmax: what they refuse, and how, and where rounding or infinity could hurt."""

import numpy as np
import pytest

import minidl
import minidl.nn.functional as F
from minidl import backends, nn
from minidl.autograd import gradcheck, gradgradcheck

X = np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]])


def logits(dtype=None):
    return minidl.tensor(X, dtype=dtype or minidl.float32)


def test_target_out_of_bounds_names_the_value_and_the_range():
    for bad in (7, -1):
        with pytest.raises(IndexError, match=rf"^Target {bad} is out of bounds\. .*\[0, 2\].*position 1"):
            F.cross_entropy(logits(), minidl.tensor([0, bad]))
    with pytest.raises(IndexError, match=r"^Target 3 is out of bounds\."):
        F.nll_loss(logits(), minidl.tensor([3, 0]), ignore_index=-1)


def test_batch_sizes_must_agree():
    with pytest.raises(
        ValueError, match=r"^Expected input batch_size \(2\) to match target batch_size \(3\)\."
    ):
        F.cross_entropy(logits(), minidl.tensor([0, 1, 2]))


@pytest.mark.parametrize(
    ("shape", "target", "error", "text"),
    [
        ((2, 3), np.zeros((2, 1), int), RuntimeError, r"multi-target not supported.*target\.squeeze\(1\)"),
        ((2, 3, 4), np.zeros((2, 5), int), RuntimeError, r"Expected target size \[2, 4\], got \[2, 5\]"),
        (
            (3,),
            np.zeros(2, int),
            ValueError,
            "For 1D input, 1D target must have size 1, but got target size: 2",
        ),
        ((2, 3), np.zeros(2), RuntimeError, "expected target dtype to be Long or Byte"),
        ((2, 3), np.zeros((2, 3), int), RuntimeError, "Expected floating point type for target with class"),
        ((), np.zeros((), int), ValueError, "Expected 1 or more dimensions"),
        ((2, 0), np.zeros(2, int), IndexError, "Target 0 is out of bounds"),
        ((2, 0), np.full(2, -100), ValueError, "Expected at least one class"),
    ],
)
def test_misfitting_targets(shape, target, error, text):
    with pytest.raises(error, match=text):
        F.cross_entropy(minidl.zeros(shape), minidl.tensor(target))


def test_misfitting_options():
    target = minidl.tensor([0, 1])
    with pytest.raises(ValueError, match="bad is not a valid value for reduction"):
        F.cross_entropy(logits(), target, reduction="bad")
    with pytest.raises(RuntimeError, match=r"label_smoothing must be between 0\.0 and 1\.0\. Got: 1\.5"):
        F.cross_entropy(logits(), target, label_smoothing=1.5)
    with pytest.raises(RuntimeError, match=r"either for all 3 classes .* of shape: \[4\]"):
        F.cross_entropy(logits(), target, weight=minidl.ones(4))
    with pytest.raises(RuntimeError, match="ignore_index is not supported for floating point target"):
        F.cross_entropy(logits(), logits(), ignore_index=1)
    with pytest.raises(NotImplementedError, match="not implemented"):
        F.cross_entropy(minidl.ones(2, 3, dtype=minidl.int64), target)


def test_all_ignored_gives_nan_and_a_sum_of_zero():
    target = minidl.tensor([-100, -100])
    assert np.isnan(F.cross_entropy(logits(), target).item())
    assert np.isnan(F.nll_loss(logits(), target).item())
    assert F.cross_entropy(logits(), target, reduction="sum").item() == 0
    assert np.isnan(F.cross_entropy(minidl.zeros(0, 3), minidl.zeros(0, dtype=minidl.int64)).item())


def test_ignored_samples_do_not_count_even_if_nan():
    x = minidl.tensor([[np.nan] * 3, [1.0, 2.0, 3.0]], requires_grad=True)
    loss = F.cross_entropy(x, minidl.tensor([-100, 2]), label_smoothing=0.1)
    loss.backward()
    assert np.isfinite(loss.item())
    assert not x.grad.numpy()[0].any() and np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize("dtype", [minidl.float32, minidl.float64])
def test_huge_logits_keep_their_digits(dtype):
    """At 1e4, log(sum) is less than half a unit in the last place of a float32 logit."""
    x = minidl.tensor([[1e4, 1e4, -1e4]], dtype=dtype, requires_grad=True)
    loss = F.cross_entropy(x, minidl.tensor([0]))
    loss.backward()
    np.testing.assert_allclose(loss.item(), np.log(2), rtol=1e-6)
    np.testing.assert_allclose(x.grad.numpy(), [[-0.5, 0.5, 0.0]], atol=1e-7)
    np.testing.assert_allclose(F.log_softmax(x, 1).detach().numpy()[0, :2], [-np.log(2)] * 2, rtol=1e-6)


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax])
def test_what_is_not_finite(function):
    x = minidl.tensor([[-np.inf, 0.0], [-np.inf, -np.inf], [np.inf, 0.0], [np.nan, 0.0]])
    out = function(x, 1).numpy()
    np.testing.assert_array_equal(out[0], [0, 1] if function is F.softmax else [-np.inf, 0])
    assert np.isnan(out[1:]).all()


def test_many_classes_lose_no_precision():
    x = np.random.default_rng(0).standard_normal((2, 100_000)).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    exact /= exact.sum(1, keepdims=True)
    np.testing.assert_allclose(F.softmax(minidl.tensor(x), 1).numpy(), exact, rtol=3e-6)


def test_softmax_of_dimensions_and_integers():
    with pytest.raises(IndexError, match=r"expected to be in range of \[-2, 1\], but got 2"):
        F.softmax(logits(), 2)
    with pytest.raises(NotImplementedError, match=r"not implemented for 'Long'.*float"):
        F.softmax(minidl.tensor([1, 2]), 0)
    assert F.softmax(minidl.tensor([1, 2]), 0, dtype=minidl.float64).dtype is minidl.float64
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax has been deprecated"):
        assert F.softmax(logits()).shape == (2, 3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_accumulates_in_float32(dtype):
    half = getattr(minidl, dtype, None)
    if half is None:
        pytest.skip("bfloat16 needs ml_dtypes")
    x = minidl.ones(2, 4000, dtype=half)
    out = F.softmax(x, 1)
    assert out.dtype is half
    np.testing.assert_allclose(out.float().numpy(), 1 / 4000, rtol=2**-8)
    assert F.mse_loss(x * 100, x * 0).item() == 10_000 if dtype == "float16" else True
    loss = F.cross_entropy(x, minidl.tensor([0, 1]))
    assert loss.dtype is half
    np.testing.assert_allclose(loss.item(), np.log(4000), rtol=2**-7)


@pytest.mark.parametrize("function", [F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss])
def test_broadcasting_warns_as_pytorch(function):
    text = r"target size \(torch.Size\(\[2, 1\]\)\) that is different to the input size \(torch.Size\(\[2\]\)\)\."
    with pytest.warns(UserWarning, match=text):
        assert function(minidl.zeros(2), minidl.ones(2, 1), reduction="none").shape == (2, 2)
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match=r"size of tensor a \(2\) must match"):
        function(minidl.zeros(2), minidl.ones(3))


def test_broadcast_targets_get_gradients_of_their_own_shape():
    x = minidl.zeros(2, dtype=minidl.float64, requires_grad=True)
    t = minidl.ones(2, 1, dtype=minidl.float64, requires_grad=True)
    with pytest.warns(UserWarning):
        F.mse_loss(x, t).backward()
    np.testing.assert_allclose(x.grad.numpy(), [-1, -1])
    np.testing.assert_allclose(t.grad.numpy(), [[1], [1]])


def test_bce_wants_one_shape_and_probabilities():
    for input, target, hint in (
        ((3, 1), (3,), r"target\.unsqueeze\(1\)"),
        ((3,), (3, 1), r"target\.squeeze\(1\)"),
    ):
        x, t = minidl.full(input, 0.5), minidl.full(target, 0.5)
        with pytest.raises(ValueError, match=rf"Using a target size .* did you mean {hint}\?"):
            nn.BCELoss()(x, t)
        with pytest.raises(ValueError, match=rf"must be the same as input size .* did you mean {hint}\?"):
            nn.BCEWithLogitsLoss()(x, t)
    for bad in (1.5, -0.5, np.nan):
        with pytest.raises(RuntimeError, match="all elements of input should be between 0 and 1"):
            F.binary_cross_entropy(minidl.tensor([bad]), minidl.tensor([1.0]))
        with pytest.raises(RuntimeError, match="all elements of target should be between 0 and 1"):
            F.binary_cross_entropy(minidl.tensor([0.5]), minidl.tensor([bad]))


def test_limits_of_options():
    one = minidl.ones(1)
    with pytest.raises(RuntimeError, match="smooth_l1_loss does not support negative values for beta"):
        F.smooth_l1_loss(one, one, beta=-1.0)
    with pytest.raises(RuntimeError, match="huber_loss does not support non-positive values for delta"):
        F.huber_loss(one, one, delta=0.0)
    for weight, error, text in (
        (minidl.ones(3), ValueError, "Weights and input must have the same size"),
        ([1.0], TypeError, "weight must be a Tensor or None, not list"),
    ):
        with pytest.raises(error, match=text):
            F.mse_loss(logits(), logits(), weight=weight)
    with pytest.raises(TypeError, match=r"^mse_loss\(\): argument 'target' \(position 2\) must be Tensor"):
        F.mse_loss(logits(), [1.0])
    with pytest.raises(RuntimeError, match=r"broadcast shape of a weight of size \[3\]"):
        F.binary_cross_entropy(one, one, weight=minidl.ones(3))
    with pytest.raises(NotImplementedError, match=r"not implemented for 'Long'"):
        F.mse_loss(minidl.tensor([1]), minidl.tensor([1]))
    with pytest.warns(UserWarning, match="'batchmean' divides only by the batch size"):
        F.kl_div(one, one)


def test_loss_layers_take_arrays_in_the_dtype_of_the_input():
    for dtype in (minidl.float32, minidl.float64):
        x = minidl.zeros(3, dtype=dtype, requires_grad=True)
        loss = nn.MSELoss()(x, np.array([1.0, 2.0, 3.0]))
        assert loss.dtype is dtype
    assert nn.CrossEntropyLoss()(logits(), np.array([0, 1])).item() > 0


def test_weights_are_buffers():
    loss = nn.CrossEntropyLoss(weight=minidl.ones(3))
    assert list(loss.state_dict()) == ["weight"]
    assert list(nn.BCEWithLogitsLoss(pos_weight=minidl.ones(2)).state_dict()) == ["pos_weight"]
    assert not list(nn.CrossEntropyLoss().state_dict())


def test_any_order_of_derivative():
    x = logits(minidl.float64).requires_grad_()
    t = minidl.tensor([2, -100])
    w = minidl.tensor([0.5, 1.0, 2.0], dtype=minidl.float64)
    for reduction in ("none", "mean", "sum"):

        def loss(x, reduction=reduction):
            return F.cross_entropy(x, t, w, reduction=reduction, label_smoothing=0.1)

        assert gradcheck(loss, (x,)) and gradgradcheck(loss, (x,))


def test_native_refuses_targets_out_of_range_by_itself(native):
    """The kernels index by target: a caller that skips the check must not reach memory that is not theirs."""
    x = np.zeros((2, 3), np.float32)
    with pytest.raises(IndexError, match="Target 3 is out of bounds"):
        native.cross_entropy(x, np.array([0, 3]), None, -100, "mean", 0.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_native_exponential_is_accurate(native, dtype):
    """log_softmax_backward shows exp: with g = (0, 1) it gives (-exp(y0), 1 - exp(y1))."""
    y = np.linspace(-120 if dtype == np.float32 else -800, 0, 20_011).astype(dtype)
    out = np.stack([y, np.zeros_like(y)], 1)
    grad = np.tile(np.array([0, 1], dtype), (len(y), 1))
    found = -native.log_softmax_backward(grad, out, 1)[:, 0]
    exact = np.exp(y.astype(np.longdouble))
    unit = np.spacing(np.maximum(exact, np.finfo(dtype).tiny).astype(dtype))
    assert (np.abs(found - exact) <= 2 * unit).all()


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_reference_and_native_share_layouts(native, name):
    x = np.random.default_rng(1).standard_normal((70, 6, 130)).astype(np.float32)
    for view in (x, x[::2, ::-1], x.transpose(2, 0, 1), np.asfortranarray(x)):
        for dim in range(3):
            found = getattr(native, name)(view, dim)
            expected = getattr(backends.reference, name)(view, dim)
            assert found.flags.c_contiguous
            np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)


def test_cross_entropy_is_no_negative_log_likelihood():
    """Programs ask for the class to know whether a criterion wants log-probabilities."""
    assert not isinstance(nn.CrossEntropyLoss(), nn.NLLLoss)
