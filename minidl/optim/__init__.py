"""Optimizers and learning-rate schedulers, with PyTorch's names, arguments and state layout."""

from minidl.optim import lr_scheduler
from minidl.optim.adam import Adam
from minidl.optim.adamw import AdamW
from minidl.optim.optimizer import Optimizer
from minidl.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "lr_scheduler"]
