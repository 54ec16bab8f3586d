"""Scalers, encoders, splits: closed forms, and scikit-learn's where it is there."""

import numpy as np
import pytest

import minidl
from minidl import preprocessing as P

R = np.random.default_rng(0)
X = R.normal(size=(20, 3)) * [1, 5, 0] + [0, 3, 2]


@pytest.mark.parametrize("name", ["StandardScaler", "MinMaxScaler", "MaxAbsScaler"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_a_scaler_comes_back(name, dtype):
    x = (X * 3).astype(dtype)
    scaler = getattr(P, name)()
    out = scaler.fit_transform(x)
    assert out.dtype == ("float32" if dtype == "float32" else "float64")
    np.testing.assert_allclose(scaler.inverse_transform(out), x, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("StandardScaler", {}), ("StandardScaler", {"with_mean": False}), ("StandardScaler", {"with_std": False}),
        ("MinMaxScaler", {}), ("MinMaxScaler", {"feature_range": (-1, 2), "clip": True}), ("MaxAbsScaler", {}),
        ("Normalizer", {}), ("Normalizer", {"norm": "l1"}), ("Normalizer", {"norm": "max"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("missing", [False, True])
def test_a_scaler_is_that_of_scikit_learn(name, options, missing):
    sklearn = pytest.importorskip("sklearn.preprocessing", reason="scikit-learn is not installed")
    x = X.copy()
    if missing and name != "Normalizer":
        x[3, 1] = np.nan
    ours, theirs = getattr(P, name)(**options), getattr(sklearn, name)(**options)
    for part in (x[:12], x[12:]) if hasattr(ours, "partial_fit") else (x,):
        (ours.partial_fit if hasattr(ours, "partial_fit") else ours.fit)(part)
        (theirs.partial_fit if hasattr(ours, "partial_fit") else theirs.fit)(part)
    new = R.normal(size=(5, 3)) * 9
    np.testing.assert_allclose(ours.transform(new), theirs.transform(new), rtol=1e-10, atol=1e-12)
    for attribute in ("mean_", "var_", "scale_", "min_", "data_min_", "max_abs_"):
        expected = getattr(theirs, attribute, None)
        if expected is not None:
            np.testing.assert_allclose(getattr(ours, attribute), expected, atol=1e-12)


def test_labels():
    encoder = P.LabelEncoder().fit(["b", "a", "c", "a"])
    assert encoder.classes_.tolist() == ["a", "b", "c"]
    assert encoder.transform(["c", "a"]).tolist() == [2, 0]
    with pytest.raises(ValueError, match=r"unseen labels.*'d'"):
        encoder.transform(["d"])
    with pytest.raises(ValueError, match="unseen"):
        encoder.inverse_transform([5])
    assert P.LabelEncoder().fit_transform(minidl.tensor([5, 3, 5])).tolist() == [1, 0, 1]
    binary = P.LabelBinarizer()
    assert binary.fit_transform(["no", "yes"]).tolist() == [[0], [1]]
    assert binary.inverse_transform([[0.2], [0.7]]).tolist() == ["no", "yes"]
    many = P.LabelBinarizer().fit(["a", "b", "c"])
    assert many.inverse_transform([[0.1, 0.2, 0.7]]).tolist() == ["c"]


@pytest.mark.parametrize("drop", [None, "first", "if_binary"])
def test_categories(drop):
    sklearn = pytest.importorskip("sklearn.preprocessing", reason="scikit-learn is not installed")
    x = [["a", 1], ["b", 3], ["c", 1]]
    ours = P.OneHotEncoder(drop=drop, handle_unknown="ignore").fit(x)
    theirs = sklearn.OneHotEncoder(drop=drop, handle_unknown="ignore", sparse_output=False).fit(x)
    np.testing.assert_array_equal(ours.transform(x), theirs.transform(x))
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()
    assert ours.inverse_transform(ours.transform(x)).tolist() == x
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(x, columns=["letter", "number"])
    np.testing.assert_array_equal(P.OneHotEncoder(drop=drop).fit_transform(frame), theirs.transform(x))


def test_unknown_categories():
    encoder = P.OneHotEncoder(handle_unknown="ignore").fit([["a"], ["b"]])
    assert encoder.transform([["z"]]).tolist() == [[0, 0]]
    assert encoder.inverse_transform([[0, 0]]).tolist() == [[None]]
    with pytest.raises(ValueError, match="unknown categories"):
        P.OneHotEncoder().fit([["a"]]).transform([["z"]])
    with pytest.raises(NotImplementedError, match="dense"):
        P.OneHotEncoder(sparse_output=True).fit([["a"]])


@pytest.mark.parametrize(
    "options",
    [{}, {"test_size": 0.3}, {"train_size": 0.5}, {"test_size": 3, "train_size": 4}, {"shuffle": False},
     {"stratify": True}, {"stratify": True, "test_size": 0.4}],
)  # fmt: skip
@pytest.mark.parametrize("seed", [0, 7])
def test_rows_are_those_of_scikit_learn(options, seed):
    sklearn = pytest.importorskip("sklearn.model_selection", reason="scikit-learn is not installed")
    y = np.arange(37) % 3
    options = {**options, "random_state": seed}
    if options.pop("stratify", False):
        options["stratify"] = y
    ours = P.train_test_split(np.arange(37), y.tolist(), **options)
    theirs = sklearn.train_test_split(np.arange(37), y.tolist(), **options)
    for a, b in zip(ours, theirs, strict=True):
        assert type(a) is type(b)
        np.testing.assert_array_equal(a, b)


def test_tensors_and_tables_stay_what_they_are():
    a, b = P.train_test_split(minidl.arange(8), random_state=0)
    assert sorted([*a.tolist(), *b.tolist()]) == list(range(8))
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    left, right = P.train_test_split(pandas.DataFrame({"x": range(8)}), test_size=2, random_state=0)
    assert (len(left), len(right)) == (6, 2)


def test_parameters():
    scaler = P.MinMaxScaler().set_params(clip=True)
    assert scaler.get_params() == {"feature_range": (0, 1), "copy": True, "clip": True}
    assert repr(scaler) == "MinMaxScaler(clip=True)"
    with pytest.raises(ValueError, match="Invalid parameter"):
        scaler.set_params(wrong=1)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: P.StandardScaler().transform(X), "not fitted yet"),
        (lambda: P.StandardScaler().fit(X[:, 0]), "Expected 2D array"),
        (lambda: P.StandardScaler().fit(X[:0]), "0 sample"),
        (lambda: P.StandardScaler().fit(X).transform(X[:, :2]), "expecting 3 features"),
        (lambda: P.StandardScaler().fit([["a"]]), "encode text"),
        (lambda: P.StandardScaler().fit([[np.inf]]), "infinity"),
        (lambda: P.MinMaxScaler((1, 0)).fit(X), "feature range"),
        (lambda: P.Normalizer("l7").transform(X), "norm must be"),
        (lambda: P.LabelEncoder().fit(X), "1d array"),
        (lambda: P.LabelEncoder().transform(["a"]), "not fitted"),
        (lambda: P.LabelBinarizer(neg_label=2).fit([1]), "neg_label"),
        (lambda: P.OneHotEncoder(handle_unknown="x").fit([["a"]]), "handle_unknown"),
        (lambda: P.OneHotEncoder().fit(np.zeros(3)), "2D"),
        (lambda: P.train_test_split(), "At least one array"),
        (lambda: P.train_test_split([1], [1, 2]), "inconsistent numbers"),
        (lambda: P.train_test_split([1, 2], test_size=5), "test_size=5"),
        (lambda: P.train_test_split([1, 2], test_size=1.5), "test_size=1.5"),
        (lambda: P.train_test_split([1, 2, 3], test_size=0.9, train_size=0.9), "sum of"),
        (lambda: P.train_test_split([1], test_size=0.5), "empty"),
        (lambda: P.train_test_split([1, 2], shuffle=False, stratify=[0, 1]), "shuffle=False"),
        (lambda: P.train_test_split([1, 2, 3, 4], stratify=[0, 0, 0, 1]), "only 1 member"),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ValueError, match=text):
        call()
