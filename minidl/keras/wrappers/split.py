"""``ValidSplit``: which samples a net is validated on."""

import numpy as np


class ValidSplit:
    """The last part of the samples, or of each class's, for validation. Source: skorch's ``ValidSplit``.

    ``cv`` is a number of folds, of which one validates (5: a fifth), or a fraction below 1. ``stratified`` keeps the
    shares of the classes; ``random_state`` shuffles first.

    >>> train, valid = ValidSplit(4)(np.zeros((8, 1)), np.zeros(8))
    >>> valid
    array([6, 7])
    """

    def __init__(self, cv=5, stratified=False, random_state=None):
        if not cv or cv < 0 or (cv >= 1 and int(cv) != cv):
            raise ValueError(f"cv is a number of folds, or a fraction between 0 and 1, but got {cv}")
        self.cv, self.stratified, self.random_state = cv, stratified, random_state

    def __call__(self, X, y=None):
        """Indices of the samples to learn from, and of those to validate on: none where there are too few."""
        fraction = self.cv if self.cv < 1 else 1.0 / self.cv
        order = np.arange(len(X))
        if self.random_state is not None:
            np.random.RandomState(self.random_state).shuffle(order)
        groups = [order]
        if self.stratified and y is not None and y.ndim == 1:
            groups = [order[y[order] == label] for label in np.unique(y)]
        valid = np.zeros(len(X), bool)
        for group in groups:
            valid[group[len(group) - int(len(group) * fraction) :]] = True
        return order[~valid[order]], order[valid[order]]
