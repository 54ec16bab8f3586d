"""Learning-rate schedulers: they set ``lr`` of every parameter group, an epoch (or a step) at a time.

Call ``scheduler.step()`` after ``optimizer.step()``. Names, arguments, state and order of calls are PyTorch's.
"""

from minidl.optim.lr_scheduler.base import LRScheduler
from minidl.optim.lr_scheduler.base import _LRScheduler as _LRScheduler
from minidl.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from minidl.optim.lr_scheduler.cycles import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from minidl.optim.lr_scheduler.plateau import ReduceLROnPlateau
from minidl.optim.lr_scheduler.schedules import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)

__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "ExponentialLR",
    "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR",
    "ReduceLROnPlateau", "SequentialLR", "StepLR",
]  # fmt: skip
