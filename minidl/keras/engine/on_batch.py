"""The part of ``Model`` for loops of one's own: ``train_on_batch``, ``test_on_batch``, ``predict_on_batch``."""

from minidl.keras.engine.arrays import as_arrays, to_batch
from minidl.keras.engine.class_weights import weights_of_classes
from minidl.keras.engine.data import packed


class OnBatch:
    """One batch at a time."""

    def train_on_batch(
        self, x, y=None, sample_weight=None, class_weight=None, reset_metrics=True, return_dict=False
    ):
        """One step of training: the loss, or ``[loss, *metrics]``, of this batch; with
        ``reset_metrics=False`` over all since the metrics were reset."""
        self._demand_compiled("train_on_batch")
        self._fresh(reset_metrics)
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError(
                    "Arguments `sample_weight` and `class_weight` cannot be specified at the same time. Received: "
                    f"sample_weight={sample_weight}, class_weight={class_weight}"
                )
            sample_weight = weights_of_classes(as_arrays(y, "y"), None, class_weight)
        return self._results(self._step_function("train_step")(self._batch(x, y, sample_weight)), return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, reset_metrics=True, return_dict=False):
        """Evaluates one batch: the loss, or ``[loss, *metrics]``."""
        self._demand_compiled("test_on_batch")
        self._fresh(reset_metrics)
        return self._results(self._step_function("test_step")(self._batch(x, y, sample_weight)), return_dict)

    def predict_on_batch(self, x):
        """The outputs for one batch, as NumPy arrays."""
        return self._predict_on((to_batch(as_arrays(x, "x"), self._where()),))

    def _fresh(self, reset_metrics):
        if reset_metrics:
            self.reset_metrics()

    def _batch(self, x, y, sample_weight):
        arrays = (as_arrays(x, "x"), as_arrays(y, "y"), as_arrays(sample_weight, "sample_weight"))
        return packed(*(to_batch(part, self._where()) for part in arrays))

    def _results(self, logs, return_dict):
        logs = self._logs(logs)
        if return_dict:
            return logs
        values = self._in_order(logs)
        return values[0] if len(values) == 1 else values
