"""Rows of AdaptiveLogSoftmaxWithLoss, and of NLLLoss2d."""

import warnings

from .case import integers, normal, values
from .modules import ModuleCase


def _method(name):
    def build(nn):
        class Wrapped(nn.Module):
            def __init__(self):
                super().__init__()
                self.softmax = nn.AdaptiveLogSoftmaxWithLoss(8, 9, [3, 5], div_value=2.0)

            def forward(self, input):
                return getattr(self.softmax, name)(input)

        return Wrapped()

    return build


def _former(nn):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.NLLLoss2d(ignore_index=1)


ADAPTIVE = "AdaptiveLogSoftmaxWithLoss"

MODULE_CASES = [
    ModuleCase(ADAPTIVE, (8, 9, [3, 5]), {"div_value": 2.0}, (normal(6, 8), values([0, 8, 3, 2, 4, 7]))),
    ModuleCase(
        ADAPTIVE, (8, 9, [3, 5]), {"div_value": 2.0, "head_bias": True}, (normal(2, 8), values([1, 0])), id="frequent"
    ),
    ModuleCase(ADAPTIVE, (8, 9, (4,)), {}, (normal(8), values(6)), id="single"),
    ModuleCase(_method("log_prob"), inputs=(normal(3, 8),), id="log_prob"),
    ModuleCase(_method("predict"), inputs=(normal(12, 8),), id="predict", grad=False),
    ModuleCase(_former, inputs=(normal(2, 3, 2, 2), integers(0, 3, 2, 2, 2)), id="NLLLoss2d"),
]  # fmt: skip
