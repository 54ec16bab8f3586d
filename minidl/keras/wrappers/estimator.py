"""What the estimators share: examined arrays, encoded labels, weights of samples."""

import numpy as np

from minidl.autograd.tensor import Tensor
from minidl.extras import need
from minidl.keras.engine.tensors import as_numpy
from minidl.keras.wrappers.sample_weights import as_weights, merged

base = need("sklearn.base", "scikit-learn", "sklearn")
multiclass = need("sklearn.utils.multiclass", "scikit-learn", "sklearn")
class_weights = need("sklearn.utils.class_weight", "scikit-learn", "sklearn")
validation = need("sklearn.utils.validation", "scikit-learn", "sklearn")

_META = ("n_features_in_", "X_shape_", "X_dtype_", "target_type_", "n_outputs_", "classes_", "n_classes_")


class Estimator(base.BaseEstimator):
    """Base of the four: arrays in, ``n_features_in_`` and ``feature_names_in_`` kept, seeds, tags."""

    def _examined(self, X, y, reset, **options):
        """X (N, ...) and y as arrays; errors in scikit-learn's words for what is no data."""
        X, y = (as_numpy(data) if isinstance(data, Tensor) else data for data in (X, y))
        X, y = validation.validate_data(self, X, y, reset=reset, allow_nd=True, multi_output=True, **options)
        if y.ndim == 2 and y.shape[1] == 1:
            y = validation.column_or_1d(y, warn=True)
        if reset:
            self.X_shape_, self.X_dtype_ = X.shape, X.dtype
        return X, y

    def _inputs(self, X):
        """X as ``predict`` takes it: fitted first, as many features as then."""
        validation.check_is_fitted(self)
        X = as_numpy(X) if isinstance(X, Tensor) else X
        return validation.validate_data(self, X, reset=False, allow_nd=True)

    def _meta(self):
        """What is known of the data, by name: what a function or module that takes ``meta`` is given."""
        found = {name: getattr(self, name) for name in _META if hasattr(self, name)}
        return found | {"n_outputs_expected_": self._expected_outputs()}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.non_deterministic = self.random_state is None
        return tags


class Classifying(base.ClassifierMixin):
    """The part of a classifier that turns labels of any kind to numbers and back."""

    def _targets(self, X, y, sample_weight, reset, batch_size, classes=None):
        """X, class numbers (N,) or indicators (N, classes), and weights (N,) or None: what is left to learn from.

        Samples of weight 0 are taken out first, as if they had not been given.
        """
        X, y = self._examined(X, y, reset)
        weights = as_weights(sample_weight, len(X))
        multiclass.check_classification_targets(y)
        kind = multiclass.type_of_target(y)
        if kind == "multiclass-multioutput":
            raise ValueError(
                "y with several columns of classes is not supported: fit a classifier for each column"
            )
        if self.class_weight is not None:
            own = class_weights.compute_sample_weight(self.class_weight, y)
            weights = own if weights is None else weights * own
        X, y, weights = merged(X, y, weights, batch_size)
        if reset:
            self.target_type_ = kind
            self.classes_ = self._found_classes(y, kind) if classes is None else np.unique(classes)
            self.n_classes_ = len(self.classes_)
            self.n_outputs_ = y.shape[1] if y.ndim == 2 else 1
        return X, self._numbers(y), weights

    @staticmethod
    def _found_classes(y, kind):
        return np.arange(y.shape[1]) if kind == "multilabel-indicator" else np.unique(y)

    def _expected_outputs(self):
        return self.n_classes_ if self.n_classes_ > 2 or self.target_type_ == "multilabel-indicator" else 1

    def _numbers(self, y):
        if y.ndim == 2:
            return y.astype(np.float32)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y has classes that the first fit had not: {list(unknown)}; there were {list(self.classes_)}"
            )
        return np.searchsorted(self.classes_, y)

    def _labels(self, probabilities):
        """The labels, in the form that ``fit`` was given, of probabilities (N, classes)."""
        if self.target_type_ == "multilabel-indicator":
            return (probabilities > 0.5).astype(np.int64)
        return self.classes_[probabilities.argmax(axis=1)]

    def _probabilities(self, found):
        """(N, classes) of a net's probabilities (N, outputs), or (N, 1) or (N,) of the second class."""
        found = found.reshape(len(found), -1)
        if self.target_type_ == "multilabel-indicator":
            return found
        if self.n_classes_ == 1:
            return np.ones((len(found), 1), found.dtype)
        if found.shape[1] == 1:
            return np.hstack([1 - found, found])
        if found.shape[1] > self.n_classes_:  # outputs that no class belongs to
            found = found[:, : self.n_classes_]
            found = found / found.sum(axis=1, keepdims=True)
        return found

    def _demand_outputs(self, outputs):
        needed = (
            1 if self.n_classes_ <= 2 and self.target_type_ != "multilabel-indicator" else self.n_classes_
        )
        if outputs < needed:
            raise ValueError(
                f"the model has {outputs} output{'' if outputs == 1 else 's'}, but y has {self.n_classes_} classes. "
                "Hint: the last layer needs an output for each class."
            )


class Regressing(base.RegressorMixin):
    """The part of a regressor that examines targets, (N,) or (N, outputs)."""

    def _targets(self, X, y, sample_weight, reset, batch_size):
        """X, targets and weights: what is left to learn from."""
        X, y = self._examined(X, y, reset, y_numeric=True)
        X, y, weights = merged(X, y, as_weights(sample_weight, len(X)), batch_size)
        if reset:
            self.n_outputs_ = y.shape[1] if y.ndim == 2 else 1
            self.target_type_ = "continuous" if y.ndim == 1 else "continuous-multioutput"
        return X, y.astype(np.float32), weights

    def _expected_outputs(self):
        return self.n_outputs_

    def _values(self, found):
        return found.reshape(len(found)) if found.size == len(found) else found
