"""Labels and categories as numbers."""

import numpy as np

from minidl.preprocessing.base import Transformer, host

__all__ = ["LabelBinarizer", "LabelEncoder", "OneHotEncoder"]


def _column(y):
    """Labels (N,) of (N,) or (N, 1); ``ValueError`` for another shape."""
    y = host(y)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1:
        raise ValueError(f"y should be a 1d array, got an array of shape {y.shape} instead.")
    return y


def _numbers(values, classes):
    """Where each value stands among sorted classes, and which values are none of them."""
    place = np.searchsorted(classes, values)
    place = np.clip(place, 0, max(len(classes) - 1, 0))
    known = classes[place] == values if len(classes) else np.zeros(len(values), bool)
    return place, np.asarray(known, bool)


class LabelEncoder(Transformer):
    """Labels as numbers from 0, in sorted order. Source: scikit-learn's ``LabelEncoder``.

    >>> from minidl.preprocessing import LabelEncoder
    >>> encoder = LabelEncoder()
    >>> encoder.fit_transform(["cat", "dog", "cat"]).tolist()
    [0, 1, 0]
    >>> encoder.inverse_transform([1]).tolist()
    ['dog']
    """

    def __init__(self):
        pass

    def fit(self, y):
        """Takes the classes."""
        self.classes_ = np.unique(_column(y))
        return self

    def fit_transform(self, y):
        """``fit(y)``, then ``transform(y)``."""
        return self.fit(y).transform(y)

    def transform(self, y):
        """The numbers; ``ValueError`` names labels that were not seen."""
        self._fitted("classes_")
        y = _column(y)
        place, known = _numbers(y, self.classes_)
        if not known.all():
            raise ValueError(
                f"y contains previously unseen labels: {sorted(set(y[~known].tolist()), key=str)}"
            )
        return place

    def inverse_transform(self, y):
        """The labels of numbers; ``ValueError`` for one that is none."""
        self._fitted("classes_")
        y = np.asarray(_column(y))
        wrong = np.setdiff1d(y, np.arange(len(self.classes_)))
        if len(wrong):
            raise ValueError(f"y contains previously unseen labels: {wrong}")
        return self.classes_[y.astype(int)]


class LabelBinarizer(Transformer):
    """Labels as rows with a one, or, where there are two, a column. Source: scikit-learn's ``LabelBinarizer``.

    >>> from minidl.preprocessing import LabelBinarizer
    >>> LabelBinarizer().fit_transform([1, 2, 4]).tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    """

    def __init__(self, *, neg_label=0, pos_label=1):
        self.neg_label, self.pos_label = neg_label, pos_label

    def fit(self, y):
        """Takes the classes."""
        if self.neg_label >= self.pos_label:
            raise ValueError(
                f"neg_label={self.neg_label} must be strictly less than pos_label={self.pos_label}."
            )
        self.classes_ = np.unique(_column(y))
        return self

    def fit_transform(self, y):
        """``fit(y)``, then ``transform(y)``."""
        return self.fit(y).transform(y)

    def transform(self, y):
        """The rows; a label that was not seen has none."""
        self._fitted("classes_")
        y = _column(y)
        place, known = _numbers(y, self.classes_)
        out = np.full((len(y), len(self.classes_)), self.neg_label, dtype=int)
        out[np.flatnonzero(known), place[known]] = self.pos_label
        if len(self.classes_) == 2:
            return out[:, 1:]
        return out if len(self.classes_) > 1 else np.full((len(y), 1), self.neg_label)

    def inverse_transform(self, Y, threshold=None):
        """The labels of rows, or of scores: the largest, or those above the middle."""
        self._fitted("classes_")
        Y = host(Y)
        if len(self.classes_) <= 2:
            middle = (self.pos_label + self.neg_label) / 2 if threshold is None else threshold
            return self.classes_[(Y.reshape(len(Y)) > middle).astype(int) * (len(self.classes_) - 1)]
        return self.classes_[Y.argmax(1)]


class OneHotEncoder(Transformer):
    """Columns of categories as columns of 0 and 1, side by side. Dense arrays only.

    ``drop="first"`` leaves each first category out, ``drop="if_binary"`` that of pairs; ``handle_unknown="ignore"``
    gives rows of zeros for what was not seen, else it is a ``ValueError``. Source: scikit-learn's ``OneHotEncoder``.

    >>> from minidl.preprocessing import OneHotEncoder
    >>> OneHotEncoder().fit_transform([["a", 1], ["b", 2]]).tolist()
    [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]
    """

    def __init__(
        self, *, categories="auto", drop=None, sparse_output=False, dtype=np.float64, handle_unknown="error"
    ):  # fmt: skip
        self.categories, self.drop, self.sparse_output = categories, drop, sparse_output
        self.dtype, self.handle_unknown = dtype, handle_unknown

    def _columns(self, X):
        if hasattr(X, "iloc"):
            return [np.asarray(X.iloc[:, i]) for i in range(X.shape[1])]
        # Mixed columns: each is an array of its own type
        rows = [list(row) for row in X] if isinstance(X, (list, tuple)) else host(X)
        if not isinstance(rows, list):
            if rows.ndim != 2:
                raise ValueError(f"Expected 2D array, got {rows.ndim}D array instead: reshape it to (N, 1).")
            return [np.array(column.tolist()) if column.dtype == object else column for column in rows.T]
        return [np.array(column) for column in zip(*rows, strict=True)]

    def fit(self, X, y=None):
        """Takes the categories of each column."""
        if self.sparse_output:
            raise NotImplementedError("sparse_output=True is not supported: rows are dense arrays")
        if self.handle_unknown not in ("error", "ignore"):
            raise ValueError(f"handle_unknown must be 'error' or 'ignore', got {self.handle_unknown!r}")
        if self.drop not in (None, "first", "if_binary"):
            raise NotImplementedError(
                f"drop={self.drop!r} is not supported: use None, 'first' or 'if_binary'"
            )
        columns = self._columns(X)
        auto = isinstance(self.categories, str)
        self.categories_ = [
            np.unique(column) if auto else np.asarray(self.categories[i]) for i, column in enumerate(columns)
        ]
        self.n_features_in_ = len(columns)
        return self

    def _first(self, categories):
        return int(self.drop == "first" or (self.drop == "if_binary" and len(categories) == 2))

    def transform(self, X):
        """The columns of 0 and 1."""
        self._fitted("categories_")
        columns = self._columns(X)
        if len(columns) != self.n_features_in_:
            raise ValueError(
                f"X has {len(columns)} features, but OneHotEncoder is expecting {self.n_features_in_} features as "
                "input."
            )
        parts = []
        for i, (column, categories) in enumerate(zip(columns, self.categories_, strict=True)):
            order = np.argsort(categories, kind="stable")
            place, known = _numbers(column, categories[order])
            if not known.all() and self.handle_unknown == "error":
                wrong = sorted(set(column[~known].tolist()), key=str)
                raise ValueError(f"Found unknown categories {wrong} in column {i} during transform")
            part = np.zeros((len(column), len(categories)), self.dtype)
            part[np.flatnonzero(known), order[place[known]]] = 1
            parts.append(part[:, self._first(categories) :])
        return np.concatenate(parts, axis=1)

    def inverse_transform(self, X):
        """The categories of rows; None where a row has none and none was dropped."""
        self._fitted("categories_")
        X, at, columns = host(X), 0, []
        for categories in self.categories_:
            first = self._first(categories)
            part = X[:, at : at + len(categories) - first]
            at += len(categories) - first
            none = ~part.any(1)
            column = (
                categories[np.where(none, 0, part.argmax(1) + first)]
                if part.shape[1]
                else categories[[0] * len(X)]
            )
            if none.any() and not first:
                column = column.astype(object)
                column[none] = None
            columns.append(column)
        out = np.empty(
            (len(X), len(columns)), dtype=np.result_type(*columns) if len(columns) == 1 else object
        )
        for i, column in enumerate(columns):
            out[:, i] = column
        return out

    def get_feature_names_out(self, input_features=None):
        """Names of the columns: ``x0_a``, or with the names given."""
        self._fitted("categories_")
        names = input_features or [f"x{i}" for i in range(self.n_features_in_)]
        found = [
            f"{name}_{category}"
            for name, categories in zip(names, self.categories_, strict=True)
            for category in categories[self._first(categories) :]
        ]
        return np.array(found, dtype=object)
