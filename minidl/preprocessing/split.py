"""``train_test_split``."""

import math
import numbers

import numpy as np

__all__ = ["train_test_split"]


def _generator(random_state):
    if random_state is None or random_state is np.random:
        return np.random.mtrand._rand
    return (
        random_state
        if isinstance(random_state, np.random.RandomState)
        else np.random.RandomState(random_state)
    )


def _counts(rows, test_size, train_size):
    """How many rows each part has. ``ValueError`` for sizes that are none or leave a part empty."""
    for name, size in (("test_size", test_size), ("train_size", train_size)):
        if size is None:
            continue
        whole = isinstance(size, numbers.Integral)
        if (
            not isinstance(size, numbers.Real)
            or (whole and not 0 < size < rows)
            or (not whole and not 0 < size < 1)
        ):
            raise ValueError(
                f"{name}={size} should be either positive and smaller than the number of samples {rows} or a float in "
                "the (0, 1) range"
            )
    if test_size is None and train_size is None:
        test_size = 0.25
    fractions = [size for size in (test_size, train_size) if isinstance(size, float)]
    if len(fractions) == 2 and sum(fractions) > 1:
        raise ValueError(
            f"The sum of test_size and train_size = {sum(fractions)}, should be in the (0, 1) range. Reduce test_size "
            "and/or train_size."
        )
    test = math.ceil(test_size * rows) if isinstance(test_size, float) else test_size
    train = math.floor(train_size * rows) if isinstance(train_size, float) else train_size
    test = rows - train if test is None else test
    train = rows - test if train is None else train
    if train + test > rows:
        raise ValueError(
            f"The sum of train_size and test_size = {train + test}, should be smaller than the number of samples "
            f"{rows}."
        )
    if train == 0:
        raise ValueError(
            f"With n_samples={rows}, test_size={test_size} and train_size={train_size}, the resulting train set will "
            "be empty. Adjust any of the aforementioned parameters."
        )
    return int(train), int(test)


def _shares(counts, draws, generator):
    """How many of ``draws`` each class gets: its share, rounded down; what is left goes to the largest remainders."""
    exact = counts / counts.sum() * draws
    given = np.floor(exact)
    left = int(draws - given.sum())
    remainder = exact - given
    for value in np.sort(np.unique(remainder))[::-1]:
        if left <= 0:
            break
        tied = np.flatnonzero(remainder == value)
        chosen = generator.choice(tied, size=min(len(tied), left), replace=False)
        given[chosen] += 1
        left -= len(chosen)
    return given.astype(int)


def _by_class(labels, train, test, generator):
    """Rows of both parts with every class in its share."""
    labels = np.asarray(labels)
    if labels.ndim == 2:
        labels = np.array([" ".join(row.astype(str)) for row in labels])
    _, number, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            "The least populated class in y has only 1 member, which is too few. The minimum number of groups for any "
            "class cannot be less than 2."
        )
    for part, size in (("train_size", train), ("test_size", test)):
        if size < len(counts):
            raise ValueError(
                f"The {part} = {size} should be greater or equal to the number of classes = {len(counts)}"
            )
    of_class = np.split(np.argsort(number, kind="stable"), np.cumsum(counts)[:-1])
    for_train = _shares(counts, train, generator)
    for_test = _shares(counts - for_train, test, generator)
    rows = ([], [])
    for members, first, second in zip(of_class, for_train, for_test, strict=True):
        order = members[generator.permutation(len(members))]
        rows[0].append(order[:first])
        rows[1].append(order[first : first + second])
    return tuple(generator.permutation(np.concatenate(part)) for part in rows)


def _take(data, rows):
    if hasattr(data, "iloc"):
        return data.iloc[rows]
    if isinstance(data, (list, tuple)):
        return [data[row] for row in rows]
    return data[rows]


def train_test_split(
    *arrays, test_size=None, train_size=None, random_state=None, shuffle=True, stratify=None
):
    """Each array in two: rows to train and rows to test, a quarter to test unless sizes say otherwise.

    Arrays, lists, pandas tables and tensors come back as what they were. ``stratify`` keeps the shares of classes.
    From an equal ``random_state`` the rows are scikit-learn's. ``ValueError`` for lengths that differ and sizes that
    do not fit. Source: scikit-learn's ``train_test_split``.

    >>> import numpy as np
    >>> from minidl.preprocessing import train_test_split
    >>> X_train, X_test, y_train, y_test = train_test_split(np.arange(8), list(range(8)), random_state=0)
    >>> X_test.tolist() == y_test, len(X_train)
    (True, 6)
    """
    if not arrays:
        raise ValueError("At least one array required as input")
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {lengths}")
    train, test = _counts(lengths[0], test_size, train_size)
    if not shuffle:
        if stratify is not None:
            raise ValueError("Stratified train/test split is not implemented for shuffle=False")
        parts = np.arange(train), np.arange(train, train + test)
    elif stratify is not None:
        parts = _by_class(stratify, train, test, _generator(random_state))
    else:
        order = _generator(random_state).permutation(lengths[0])
        parts = order[test : test + train], order[:test]
    return [_take(array, rows) for array in arrays for rows in parts]
