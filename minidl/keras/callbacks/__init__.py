"""Callbacks: objects that ``fit``, ``evaluate`` and ``predict`` call as they go."""

from minidl.keras.callbacks.backup import BackupAndRestore
from minidl.keras.callbacks.callback import Callback
from minidl.keras.callbacks.callback_list import CallbackList
from minidl.keras.callbacks.early_stopping import EarlyStopping, TerminateOnNaN
from minidl.keras.callbacks.history import History
from minidl.keras.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from minidl.keras.callbacks.loggers import CSVLogger, LambdaCallback, RemoteMonitor
from minidl.keras.callbacks.model_checkpoint import ModelCheckpoint, OrbaxCheckpoint
from minidl.keras.callbacks.progbar_logger import ProgbarLogger
from minidl.keras.callbacks.swap_ema import SwapEMAWeights
from minidl.keras.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore", "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback",
    "LearningRateScheduler", "ModelCheckpoint", "OrbaxCheckpoint", "ProgbarLogger", "ReduceLROnPlateau",
    "RemoteMonitor", "SwapEMAWeights", "TensorBoard", "TerminateOnNaN",
]  # fmt: skip
