"""Losses without Keras: closed forms, refusals, what a mean is made of, configs."""

import numpy as np
import pytest

import minidl
from minidl import keras

L = keras.losses


def test_a_column_meets_a_vector():
    y, p = np.array([0.0, 1.0, 2.0]), np.array([[1.0], [1.0], [1.0]])
    assert float(L.MeanSquaredError()(y, p)) == pytest.approx(2 / 3)
    np.testing.assert_allclose(L.mean_absolute_error(y, p).numpy(), [1, 0, 1])
    assert float(L.MeanSquaredError()(p, y)) == pytest.approx(2 / 3)


@pytest.mark.parametrize("dtype", [bool, int, "int8", "float16", "float64"])
def test_targets_of_any_type(dtype):
    y = np.array([[0], [1], [1]]).astype(dtype)
    p = minidl.tensor([[0.5], [0.5], [0.9]], requires_grad=True)
    loss = L.BinaryCrossentropy()(y, p)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(-(2 * np.log(0.5) + np.log(0.9)) / 3, rel=1e-5)
    assert p.grad.shape == p.shape
    assert loss.dtype == minidl.float32


def test_probabilities_of_zero_are_held_off_by_epsilon():
    assert float(L.BinaryCrossentropy()([[1.0]], [[0.0]])) == pytest.approx(16.118, rel=1e-3)


@pytest.mark.parametrize(
    "name", [n for n in L.__all__ if n[0].isupper() and n not in ("Loss", "CTC", "Circle")]
)
def test_the_fused_mean_is_the_mean_of_the_values(name):
    generator = np.random.default_rng(0)
    y = np.eye(4, dtype="float32")[generator.integers(0, 4, 5)]
    if "Sparse" in name or "Generalized" in name:
        y = y.argmax(1)
    p = generator.dirichlet(np.ones(4), 5).astype("float32")
    for smoothed in ({}, {"label_smoothing": 0.2}):
        try:
            loss, values = getattr(L, name)(**smoothed), getattr(L, name)(**smoothed, reduction=None)(y, p)
        except TypeError:
            continue
        assert float(loss(y, p)) == pytest.approx(float(values.mean()), rel=1e-6)
        ones = np.ones(values.shape, "float32")
        assert float(loss(y, p, sample_weight=ones)) == pytest.approx(float(values.mean()), rel=1e-6)


def test_logits_twin():
    loss = L.CategoricalCrossentropy(label_smoothing=0.1)
    twin = loss.on_logits()
    assert twin.options["from_logits"] is True
    assert twin.options["label_smoothing"] == 0.1
    logits = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    y = np.eye(3, dtype="float32")[[0, 1, 2, 0]]
    probs = keras.activations.softmax(logits)
    assert float(twin(y, logits)) == pytest.approx(float(loss(y, probs)), rel=1e-5)
    assert twin.on_logits() is None
    assert L.MeanSquaredError().on_logits() is None


@pytest.mark.parametrize("masked", [False, True])
def test_a_weight_a_sample_counts_for_each_of_its_steps(masked):
    y, p = np.zeros((2, 3, 1), "float32"), np.arange(6, dtype="float32").reshape(2, 3, 1)
    weights, seen = np.array([1.0, 3.0], "float32"), np.array([[1, 1, 0], [1, 0, 0]], bool)
    pred = minidl.tensor(p)
    if masked:
        pred._keras_mask = minidl.tensor(seen)
    counted = weights[:, None] * (seen if masked else np.ones((2, 3)))
    loss = keras.losses.MeanAbsoluteError(reduction="mean_with_sample_weight")
    wanted = np.average(p[..., 0], weights=counted)
    assert float(loss(y, pred, sample_weight=weights)) == pytest.approx(wanted)


def test_own_losses():
    def squares(y_true, y_pred):
        return ((y_true - y_pred) ** 2).sum(-1)

    loss = L.as_loss(squares)
    assert float(loss([[1.0, 2.0]], [[0.0, 0.0]])) == 5.0
    assert loss.name == "squares"
    assert isinstance(L.as_loss("mse"), L.MeanSquaredError)
    assert isinstance(L.as_loss("binary_crossentropy"), L.BinaryCrossentropy)
    assert L.as_loss(None) is None
    assert L.serialize(L.mse) == "mean_squared_error"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: L.get("mean_sqared_error"), ValueError, "Did you mean 'mean_squared_error'"),
        (lambda: L.get("ce"), ValueError, "compile"),
        (lambda: L.MeanSquaredError(reduction="avg"), ValueError, "reduction"),
        (
            lambda: L.categorical_crossentropy([1, 2], np.ones((2, 3))),
            ValueError,
            "sparse_categorical_crossentropy",
        ),
        (lambda: L.categorical_crossentropy([[1], [2]], np.ones((2, 3))), ValueError, "to_categorical"),
        (lambda: L.binary_crossentropy(np.ones((2, 3)), np.ones((2, 2))), ValueError, "same shape"),
        (
            lambda: L.sparse_categorical_crossentropy([[0, 1], [1, 0]], np.ones((2, 3))),
            ValueError,
            "same shape",
        ),
        (
            lambda: L.sparse_categorical_crossentropy([0, 7], np.ones((2, 5))),
            IndexError,
            "Target 7 is out of bounds",
        ),
        (lambda: L.mean_squared_error(["a"], [[1.0]]), TypeError, "encode"),
        (lambda: L.ctc([1, 2], np.ones((2, 3, 4))), ValueError, "max_length"),
        (lambda: L.ctc([[1, 2]], np.ones((2, 3))), ValueError, "num_classes"),
        (lambda: L.categorical_crossentropy([[1.0]], [[1.0]], axis=True), ValueError, "axis"),
        (lambda: L.Loss()([1.0], [1.0]), NotImplementedError, "call"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_one_class_warns():
    with pytest.warns(SyntaxWarning, match="binary_crossentropy"):
        L.categorical_crossentropy([[1.0]], [[1.0]])


def test_ignored_labels_weigh_nothing():
    logits = minidl.tensor(np.random.default_rng(0).normal(size=(4, 3)), requires_grad=True)
    loss = L.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)([0, -1, 2, -1], logits)
    loss.backward()
    kept = L.SparseCategoricalCrossentropy(from_logits=True)([0, 2], logits.detach()[[0, 2]])
    assert float(loss.detach()) == pytest.approx(float(kept))
    assert not logits.grad.numpy()[[1, 3]].any()
    probs = minidl.tensor(np.full((2, 3), 1 / 3), requires_grad=True)
    L.SparseCategoricalCrossentropy(ignore_class=0)([0, 1], probs).backward()
    assert np.isfinite(probs.grad.numpy()).all()


def test_ctc_sums_over_alignments():
    """Two steps, one label: 'a', 'aa', blank a, a blank."""
    logits = np.random.default_rng(1).normal(size=(1, 2, 3))
    p = np.exp(logits - np.log(np.exp(logits).sum(-1, keepdims=True)))[0]
    chance = p[0, 1] * p[1, 1] + p[0, 0] * p[1, 1] + p[0, 1] * p[1, 0]
    assert float(L.ctc([[1]], logits)) == pytest.approx(-np.log(chance))


def test_noisy_labels_stray_from_the_unit():
    """What GANs are taught with: 1 + 0.05 u; labels of other classes are refused as before."""
    truth, p = np.array([[1.04], [-0.1], [1.0]]), np.array([[0.9], [0.2], [0.6]])
    want = -(truth * np.log(p) + (1 - truth) * np.log(1 - p))
    np.testing.assert_allclose(L.binary_crossentropy(truth, p).numpy(), want[:, 0])
    assert float(L.BinaryCrossentropy()(truth, p)) == pytest.approx(want.mean())
    for other in ([[2.0], [1.0], [1.0]], [[-1.0], [1.0], [1.0]], [[float("nan")], [1.0], [1.0]]):
        with pytest.raises(RuntimeError, match="between 0 and 1"):
            L.binary_crossentropy(other, p)
