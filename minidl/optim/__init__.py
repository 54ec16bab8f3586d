"""Optimizers and learning-rate schedulers, with PyTorch's names, arguments and state layout."""

from minidl.absent import message as _message
from minidl.optim import lr_scheduler, swa_utils
from minidl.optim.adadelta import Adadelta
from minidl.optim.adafactor import Adafactor
from minidl.optim.adagrad import Adagrad
from minidl.optim.adam import Adam
from minidl.optim.adamax import Adamax
from minidl.optim.adamw import AdamW
from minidl.optim.asgd import ASGD
from minidl.optim.lbfgs import LBFGS
from minidl.optim.muon import Muon
from minidl.optim.nadam import NAdam
from minidl.optim.optimizer import Optimizer
from minidl.optim.radam import RAdam
from minidl.optim.rmsprop import RMSprop
from minidl.optim.rprop import Rprop
from minidl.optim.sgd import SGD

__all__ = [
    "ASGD", "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Muon", "NAdam", "Optimizer",
    "RAdam", "RMSprop", "Rprop", "lr_scheduler", "swa_utils",
]  # fmt: skip


def __getattr__(name):
    raise AttributeError(_message("module 'minidl.optim'", name))
