"""Stand-in."""

from minidl.keras.identifiers import Identifiers
from minidl.keras.tensors import to_float, to_tensor
from minidl.nn import functional as F


class Loss:
    def __init__(self, reduction="sum_over_batch_size", name=None, dtype=None, from_logits=False):
        self.reduction, self.name, self.from_logits = reduction, name, from_logits

    def __call__(self, y_true, y_pred, sample_weight=None):
        values = self.call(_fit(to_tensor(y_true), y_pred), y_pred)
        if sample_weight is not None:
            values = values * to_float(sample_weight).reshape(values.shape)
        return values.mean()

    def get_config(self):
        return {"from_logits": self.from_logits, "reduction": self.reduction, "name": self.name}


def _fit(y, p):
    return y.unsqueeze(-1) if y.ndim == p.ndim - 1 and p.shape[-1] == 1 else y


class MeanSquaredError(Loss):
    def call(self, y_true, y_pred):
        return ((to_float(y_true, y_pred) - y_pred) ** 2).mean(-1)


class BinaryCrossentropy(Loss):
    def call(self, y_true, y_pred):
        return F.binary_cross_entropy(
            y_pred.clamp(1e-7, 1 - 1e-7), to_float(y_true, y_pred), reduction="none"
        ).mean(-1)


class CategoricalCrossentropy(Loss):
    def call(self, y_true, y_pred):
        logits = y_pred if self.from_logits else y_pred.log()
        return -(F.log_softmax(logits, -1) * to_float(y_true, y_pred)).sum(-1)


class SparseCategoricalCrossentropy(Loss):
    def call(self, y_true, y_pred):
        logits = y_pred if self.from_logits else y_pred.log()
        return F.cross_entropy(logits, y_true.reshape(-1).long(), reduction="none")


_N = Identifiers(
    "loss",
    "keras.losses",
    [MeanSquaredError, BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy],
    aliases={"mse": "MeanSquaredError"},
)


def get(identifier):
    return _N.get(identifier)


def serialize(loss):
    return _N.serialize(loss)
