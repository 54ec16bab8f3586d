"""Callbacks: objects that ``fit``, ``evaluate`` and ``predict`` call as they go."""

from minidl.keras.callbacks.callback import Callback
from minidl.keras.callbacks.callback_list import CallbackList
from minidl.keras.callbacks.history import History
from minidl.keras.callbacks.progbar_logger import ProgbarLogger

__all__ = ["Callback", "CallbackList", "History", "ProgbarLogger"]
