"""Rows of CTCLoss. Behind a log_softmax: there the gradient is PyTorch's."""

from .case import normal, values
from .modules import ModuleCase


def _of_logits(**options):
    def build(nn):
        class Recognizer(nn.Module):
            def __init__(self):
                super().__init__()
                self.probabilities = nn.LogSoftmax(-1)
                self.loss = nn.CTCLoss(**options)

            def forward(self, logits, *others):
                return self.loss(self.probabilities(logits), *others)

        return Recognizer()

    return build


LABELS = values([[1, 2], [3, 3], [2, 1]])

MODULE_CASES = [
    ModuleCase("CTCLoss", (), {}, (normal(4, 3, 4), LABELS, (4, 4, 3), (2, 2, 1)), torch=False),
    ModuleCase(_of_logits(), inputs=(normal(5, 3, 4), LABELS, (5, 4, 3), (2, 2, 1)), id="CTCLoss-logits"),
    ModuleCase(
        _of_logits(blank=3, reduction="none", zero_infinity=True),
        inputs=(normal(3, 3, 4), values([1, 1, 0, 2, 0]), values([2, 3, 3]), values([2, 2, 1])), id="CTCLoss-all",
    ),
]  # fmt: skip
