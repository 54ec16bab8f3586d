"""``LossTracker``: the mean of the losses, weighted by the batches' sizes, without waiting for the device."""

from minidl.autograd.tensor import Tensor
from minidl.keras.metrics import Metric
from minidl.keras.tensors import to_tensor


class LossTracker(Metric):
    """Remembers each batch's loss as it is and adds them up when the mean is asked for."""

    def __init__(self, name="loss", dtype=None):
        self.pending = []
        self.sum, self.weight = 0.0, 0.0
        super().__init__(name=name)

    def update_state(self, values, sample_weight=None):
        """Notes the loss of a batch of ``sample_weight`` samples."""
        if isinstance(values, Tensor):
            values = values.detach()
            values = values if values.ndim == 0 else values.mean()
        self.pending.append((values, 1.0 if sample_weight is None else sample_weight))
        if len(self.pending) >= 4096:
            self.mean()

    @property
    def is_empty(self):
        """Whether nothing was noted since it was reset."""
        return not self.pending and not self.weight

    def mean(self):
        """The weighted mean so far, a Python float."""
        for value, weight in self.pending:
            self.sum += float(value) * float(weight)
            self.weight += float(weight)
        self.pending.clear()
        return self.sum / self.weight if self.weight else 0.0

    def result(self):
        """The weighted mean so far."""
        return to_tensor(self.mean())

    def reset_state(self):
        """Forgets everything."""
        self.pending.clear()
        self.sum, self.weight = 0.0, 0.0
