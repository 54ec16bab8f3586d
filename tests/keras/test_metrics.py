"""Metrics without Keras: what the accuracy rule picks, own metrics, refusals, exactness, cost."""

import numpy as np
import pytest

import minidl
from minidl import keras

M = keras.metrics


@pytest.mark.parametrize(
    ("typed", "y", "p", "cls"),
    [
        ("accuracy", (None, 1), (None, 1), "BinaryAccuracy"),
        ("acc", (None,), (None, 1), "BinaryAccuracy"),
        ("accuracy", (None,), (None, 10), "SparseCategoricalAccuracy"),
        ("Accuracy", (None, 1), (None, 10), "SparseCategoricalAccuracy"),
        ("accuracy", (None, 10), (None, 10), "CategoricalAccuracy"),
        ("accuracy", (None, 7), (None, 7, 10), "SparseCategoricalAccuracy"),
        ("crossentropy", (None, 10), (None, 10), "CategoricalCrossentropy"),
        ("ce", (None,), (None, 10), "SparseCategoricalCrossentropy"),
        ("mae", (None, 1), (None, 1), "MeanAbsoluteError"),
        ("AUC", (None, 1), (None, 1), "AUC"),
        ("hinge", (None, 1), (None, 1), "Hinge"),
    ],
)
def test_what_compile_makes_of_a_name(typed, y, p, cls):
    metric = M.as_metric(typed, y, p)
    assert metric.name == typed
    if typed == "hinge":
        assert isinstance(metric, M.MeanMetricWrapper)
    else:
        assert type(metric).__name__ == cls


def test_functions_and_objects():
    def off(y_true, y_pred):
        return (y_true - y_pred).abs()

    assert M.as_metric(off, (None, 1), (None, 1)).name == "off"
    auc = M.AUC(name="area")
    assert M.as_metric(auc, (None, 1), (None, 1)) is auc
    assert float(M.as_metric(off, (None,), (None,))([1.0], [3.0])) == 2.0


def test_a_metric_of_ones_own():
    class Positives(M.Metric):
        def __init__(self, name="positives"):
            super().__init__(name=name)
            self.seen = self.add_weight(name="seen", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.seen.assign_add((keras.utils.to_tensor(y_pred) > 0).sum())

        def result(self):
            return self.seen

    metric = Positives()
    metric.update_state(None, np.array([1, -1, 2]))
    metric.update_state(None, np.array([1, -1, 2]))
    assert float(metric.result()) == 4
    metric.reset_state()
    assert float(metric.result()) == 0
    assert len(metric.variables) == 1
    metric.seen.assign(5)
    metric.seen.assign_sub(2)
    assert float(metric.seen) == 3


def test_old_names_of_weights():
    metric = M.Metric(name="m")
    assert metric.add_weight("total", initializer="zeros").name == "total"


def test_a_million_counts_stay_exact():
    metric = M.Mean()
    metric.update_state(np.full(2**25 // 16, 1.0, "float32"))
    for _ in range(20):
        metric.count.assign_add(2.0**24)
        metric.total.assign_add(2.0**24)
    metric.update_state(np.zeros(1, "float32"))
    assert float(metric.count) == 2**25 // 16 + 20 * 2**24 + 1


def test_metrics_leave_no_tape():
    p = minidl.tensor([[0.3], [0.7]], requires_grad=True)
    for name in ("BinaryAccuracy", "MeanSquaredError", "AUC", "Precision", "RootMeanSquaredError", "F1Score"):
        metric = getattr(M, name)()
        metric.update_state(np.array([[0.0], [1.0]], "float32"), p)
        assert not metric.result().requires_grad


def test_auc_is_the_share_of_ordered_pairs():
    generator = np.random.default_rng(0)
    y, p = generator.integers(0, 2, 400), generator.uniform(size=400)
    p[y == 1] = p[y == 1] ** 0.5
    pairs = (p[y == 1][:, None] > p[y == 0][None]).mean()
    assert float(M.AUC(num_thresholds=5000)(y, p)) == pytest.approx(pairs, abs=2e-3)


def test_scores_that_are_no_numbers_are_negative():
    metric = M.AUC()
    metric.update_state([0, 1], [float("nan"), 0.5])
    assert np.isfinite(float(metric.result()))


def test_iou_leaves_out_what_is_no_class():
    metric = M.MeanIoU(num_classes=2)
    metric.update_state([0, 1, 255, -1], [0, 1, 0, 1])
    assert float(metric.result()) == pytest.approx(1.0)
    metric.update_state([0], [1], sample_weight=[0.5])
    np.testing.assert_allclose(metric.total_cm.numpy(), [[1, 0.5], [0, 1]])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: M.get("acuracy"), ValueError, "Did you mean 'accuracy'"),
        (lambda: M.AUC(curve="x"), ValueError, "Invalid AUC curve"),
        (lambda: M.AUC(summation_method="x"), ValueError, "summation"),
        (lambda: M.AUC(num_thresholds=1), ValueError, "num_thresholds"),
        (lambda: M.AUC(num_labels=2), ValueError, "multi_label"),
        (lambda: M.AUC(multi_label=True)([1, 0], [0.5, 0.5]), ValueError, "rank 2"),
        (lambda: M.Precision(thresholds=2.0), ValueError, "Threshold values must be in"),
        (lambda: M.Precision(class_id=1)([1, 0], [0.5, 0.5]), ValueError, "class_id"),
        (lambda: M.Precision()([1, 0], [0.5, 0.5, 0.5]), ValueError, "incompatible"),
        (lambda: M.FBetaScore(beta=1), ValueError, "beta"),
        (lambda: M.F1Score(average="x"), ValueError, "average"),
        (lambda: M.F1Score(threshold=3), ValueError, "threshold"),
        (lambda: M.F1Score()([1.0], [1.0]), ValueError, "2D inputs"),
        (lambda: M.F1Score().result(), ValueError, "update_state"),
        (lambda: M.R2Score(class_aggregation="x"), ValueError, "class_aggregation"),
        (lambda: M.R2Score(num_regressors=-1), ValueError, "num_regressors"),
        (lambda: M.R2Score()([1.0], [1.0]), ValueError, "2D inputs"),
        (lambda: M.IoU(2, [2]), ValueError, "out of range"),
        (lambda: M.PrecisionAtRecall(1.5), ValueError, "recall"),
        (lambda: M.RecallAtPrecision(0.5, num_thresholds=0), ValueError, "num_thresholds"),
        (lambda: M.Metric().update_state(), NotImplementedError, "update_state"),
        (lambda: M.Metric().result(), NotImplementedError, "result"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_a_metric_that_forgot_super():
    class Bare(M.Metric):
        def __init__(self):
            self.total = self.add_weight(name="total")

    with pytest.raises(RuntimeError, match="super"):
        Bare()


def test_a_result_does_not_grow_with_the_state():
    metric = M.Sum(dtype="float64")
    first = metric([1.0])
    metric.update_state([2.0])
    assert float(first) == 1.0
    assert float(metric.result()) == 3.0


@pytest.mark.parametrize("cls", ["CategoricalAccuracy", "TopKCategoricalAccuracy", "OneHotMeanIoU"])
def test_one_hot_targets_of_truth_values(cls):
    """What ``pandas.get_dummies`` makes."""
    hot = np.eye(3, dtype=bool)[[0, 2, 1, 1]]
    scores = np.eye(3, dtype="float32")[[0, 2, 1, 2]] * 0.5 + 0.1
    options = {"num_classes": 3} if cls == "OneHotMeanIoU" else {"k": 1} if "TopK" in cls else {}
    found, same = (getattr(M, cls)(**options)(labels, scores) for labels in (hot, hot.astype("float32")))
    assert float(found) == float(same) and 0.5 < float(found) < 1
