"""Stand-in."""

from minidl.keras.identifiers import Identifiers
from minidl.keras.tensors import to_float, to_tensor


class Metric:
    def __init__(self, dtype=None, name=None):
        self.name = name
        self.reset_state()

    def reset_state(self):
        self.total, self.count = 0.0, 0.0

    def result(self):
        return to_tensor(self.total / self.count if self.count else 0.0)


class Mean(Metric):
    def __init__(self, name="mean", dtype=None):
        super().__init__(dtype, name)

    def update_state(self, values, sample_weight=None):
        values = to_float(values).detach()
        weight = 1.0 if sample_weight is None else sample_weight
        self.total = self.total + float(values.mean()) * weight
        self.count = self.count + weight


class MeanMetricWrapper(Mean):
    def update_state(self, y_true, y_pred, sample_weight=None):
        values = self.values(to_tensor(y_true), y_pred).float()
        self.total = self.total + float(values.sum())
        self.count = self.count + values.numel()


class BinaryAccuracy(MeanMetricWrapper):
    def __init__(self, name="binary_accuracy"):
        super().__init__(name)

    def values(self, y_true, y_pred):
        return (y_pred.reshape(-1) > 0.5) == (y_true.reshape(-1) > 0.5)


class CategoricalAccuracy(MeanMetricWrapper):
    def __init__(self, name="categorical_accuracy"):
        super().__init__(name)

    def values(self, y_true, y_pred):
        return y_true.argmax(-1) == y_pred.argmax(-1)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    def __init__(self, name="sparse_categorical_accuracy"):
        super().__init__(name)

    def values(self, y_true, y_pred):
        return y_true.reshape(-1).long() == y_pred.argmax(-1)


class MeanSquaredError(MeanMetricWrapper):
    def __init__(self, name="mean_squared_error"):
        super().__init__(name)

    def values(self, y_true, y_pred):
        return (to_float(y_true).reshape(y_pred.shape) - y_pred.detach()) ** 2


_N = Identifiers(
    "metric",
    "keras.metrics",
    [MeanSquaredError, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy],
    aliases={"mse": "MeanSquaredError"},
)


def get(identifier):
    return _N.get(identifier)


def serialize(metric):
    return _N.serialize(metric)
