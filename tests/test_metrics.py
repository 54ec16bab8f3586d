"""Scores: closed forms, probabilities, refusals, and scikit-learn's where it is there."""

import numpy as np
import pytest

import minidl
from minidl import metrics as M

R = np.random.default_rng(0)
TRUE, PRED = R.integers(0, 3, 50), R.integers(0, 3, 50)
BITS, SCORES = R.integers(0, 2, 50), R.uniform(size=50).round(1)
WORDS = np.array(["cat", "dog", "eel"])
WEIGHTS = R.uniform(size=50)


def sklearn():
    return pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted", "binary"])
@pytest.mark.parametrize("words", [False, True])
def test_scores_are_those_of_scikit_learn(average, weights, words):
    true, pred = (TRUE, PRED) if average != "binary" else (BITS, BITS[::-1])
    options = {"average": average, "sample_weight": weights}
    if words:
        true, pred = WORDS[true], WORDS[pred]
        options["pos_label"] = "dog"
    for name in ("precision_score", "recall_score", "f1_score", "fbeta_score"):
        extra = {"beta": 0.5} if name == "fbeta_score" else {}
        extra = {**extra, **options}
        if average != "binary":
            extra.pop("pos_label", None)
        np.testing.assert_allclose(
            getattr(M, name)(true, pred, **extra), getattr(sklearn(), name)(true, pred, **extra)
        )


@pytest.mark.filterwarnings("ignore:A single label")
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_counts_are_those_of_scikit_learn(weights):
    for normalize in (None, "true", "pred", "all"):
        options = {"normalize": normalize, "sample_weight": weights}
        np.testing.assert_allclose(
            M.confusion_matrix(TRUE, PRED, **options), sklearn().confusion_matrix(TRUE, PRED, **options)
        )
    for labels in ([2, 0], [1], [0, 1, 2, 5]):
        ours = M.confusion_matrix(TRUE, PRED, labels=labels, sample_weight=weights)
        np.testing.assert_allclose(
            ours, sklearn().confusion_matrix(TRUE, PRED, labels=labels, sample_weight=weights)
        )
    assert M.accuracy_score(TRUE, PRED, sample_weight=weights) == pytest.approx(
        sklearn().accuracy_score(TRUE, PRED, sample_weight=weights)
    )
    for adjusted in (False, True):
        options = {"adjusted": adjusted, "sample_weight": weights}
        assert M.balanced_accuracy_score(TRUE, PRED, **options) == pytest.approx(
            sklearn().balanced_accuracy_score(TRUE, PRED, **options)
        )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "options",
    [{}, {"digits": 4}, {"labels": [0, 2]}, {"labels": [2, 1, 0]}, {"target_names": ["a", "b", "a very long name"]},
     {"labels": [0, 1, 2, 3], "zero_division": 1}, {"sample_weight": np.arange(50)}],
)  # fmt: skip
def test_the_report_is_that_of_scikit_learn(options):
    assert M.classification_report(TRUE, PRED, **options) == sklearn().classification_report(
        TRUE, PRED, **options
    )
    ours = M.classification_report(TRUE, PRED, output_dict=True, **options)
    theirs = sklearn().classification_report(TRUE, PRED, output_dict=True, **options)
    assert list(ours) == list(theirs)
    for name, row in theirs.items():
        assert ours[name] == (pytest.approx(row))
    words = WORDS[TRUE], WORDS[PRED]
    if not {"labels"} & set(options):
        assert M.classification_report(*words, **options) == sklearn().classification_report(
            *words, **options
        )


def test_what_predict_gives_is_taken():
    column = SCORES.astype("float32")[:, None]
    expected = M.classification_report(BITS, (SCORES.astype("float32") > 0.5).astype(int))
    assert M.classification_report(BITS, column) == expected
    assert M.classification_report(BITS, column[:, 0]) == expected
    assert M.classification_report(BITS[:, None], minidl.tensor(column)) == expected
    table = R.dirichlet(np.ones(3), 50).astype("float32")
    expected = M.classification_report(TRUE, table.argmax(1))
    assert M.classification_report(TRUE, table) == expected
    assert M.classification_report(np.eye(3)[TRUE], table) == expected
    words = M.classification_report(WORDS[TRUE], table)
    assert words == M.classification_report(WORDS[TRUE], WORDS[table.argmax(1)])
    assert M.accuracy_score([0.0, 1.0], [0.0, 1.0]) == 1.0


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("outputs", ["uniform_average", "raw_values"])
def test_numbers_are_those_of_scikit_learn(weights, outputs):
    true, pred = R.normal(size=(2, 50, 2))
    for name in ("mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2_score"):
        options = {"sample_weight": weights, "multioutput": outputs}
        ours, theirs = (
            getattr(M, name)(true, pred, **options),
            getattr(sklearn(), name)(true, pred, **options),
        )
        np.testing.assert_allclose(ours, theirs)
    assert M.median_absolute_error(true, pred) == pytest.approx(sklearn().median_absolute_error(true, pred))
    assert M.max_error(true[:, 0], pred[:, 0]) == pytest.approx(sklearn().max_error(true[:, 0], pred[:, 0]))
    assert M.r2_score(true, pred, multioutput="variance_weighted") == pytest.approx(
        sklearn().r2_score(true, pred, multioutput="variance_weighted")
    )


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_probabilities_are_scored_as_by_scikit_learn(weights):
    table = R.dirichlet(np.ones(3), 50)
    assert M.roc_auc_score(BITS, SCORES, sample_weight=weights) == pytest.approx(
        sklearn().roc_auc_score(BITS, SCORES, sample_weight=weights)
    )
    for average in ("macro", "weighted"):
        assert M.roc_auc_score(TRUE, table, average=average) == pytest.approx(
            sklearn().roc_auc_score(TRUE, table, average=average, multi_class="ovr")
        )
    for options in ({}, {"drop_intermediate": False}):
        ours, theirs = (
            room.roc_curve(BITS, SCORES, sample_weight=weights, **options) for room in (M, sklearn())
        )
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b)
    with pytest.warns(UserWarning, match="do not sum to one"):
        assert M.log_loss(TRUE, table * 0.5) == pytest.approx(M.log_loss(TRUE, table) + np.log(2))
    for true, chance in ((BITS, SCORES), (TRUE, table)):
        for normalize in (True, False):
            options = {"normalize": normalize, "sample_weight": weights}
            assert M.log_loss(true, chance, **options) == pytest.approx(
                sklearn().log_loss(true, chance, **options)
            )


def test_labels_that_never_occur_warn():
    with pytest.warns(UserWarning, match="ill-defined"):
        M.precision_score([0, 1], [0, 0])
    assert M.precision_score([0, 1], [0, 0], zero_division=1) == 1.0
    with pytest.warns(UserWarning, match="ill-defined"):
        M.classification_report([0, 1], [0, 0])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: M.accuracy_score([0], [0, 1]), ValueError, "inconsistent"),
        (lambda: M.accuracy_score(0, 1), ValueError, "single values"),
        (lambda: M.accuracy_score(["a"], [1]), ValueError, "same type"),
        (lambda: M.accuracy_score(["a", "b", "c"], [0.1, 0.2, 0.9]), ValueError, "LabelEncoder"),
        (lambda: M.accuracy_score([[1, 1]], [[1, 1]]), ValueError, "not supported"),
        (lambda: M.f1_score(TRUE, PRED), ValueError, "multiclass"),
        (lambda: M.f1_score([0, 1], [0, 1], pos_label=7), ValueError, "pos_label"),
        (lambda: M.f1_score([0, 1], [0, 1], average="x"), ValueError, "average"),
        (lambda: M.fbeta_score([0, 1], [0, 1], beta=-1), ValueError, "beta"),
        (lambda: M.confusion_matrix([0], [0], normalize="x"), ValueError, "normalize"),
        (lambda: M.confusion_matrix([0], [0], labels=[5]), ValueError, "At least one label"),
        (lambda: M.classification_report([0, 1], [0, 1], target_names=["a"]), ValueError, "target_names"),
        (lambda: M.roc_auc_score([1, 1], [0.1, 0.2]), ValueError, "one class"),
        (lambda: M.mean_squared_error([1.0], [1.0, 2.0]), ValueError, "inconsistent"),
        (lambda: M.mean_squared_error([[1.0]], [[1.0, 2.0]]), ValueError, "output"),
        (lambda: M.r2_score([1.0], [1.0], multioutput="x"), ValueError, "multioutput"),
        (lambda: M.log_loss(["a", "b", "c"], [[0.5, 0.5]] * 3), ValueError, "labels"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call()
