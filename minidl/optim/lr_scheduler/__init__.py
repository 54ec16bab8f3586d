"""Learning-rate schedulers: they set ``lr`` of every parameter group, an epoch (or a step) at a time.

Call ``scheduler.step()`` after ``optimizer.step()``. Names, arguments, state and order of calls are PyTorch's.
"""

from minidl.optim.lr_scheduler.base import LRScheduler
from minidl.optim.lr_scheduler.plateau import ReduceLROnPlateau
from minidl.optim.lr_scheduler.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    StepLR,
)

__all__ = [
    "CosineAnnealingLR", "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "ReduceLROnPlateau",
    "StepLR",
]  # fmt: skip
