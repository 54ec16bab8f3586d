"""The loader under PyTorch's path ``torch.utils.data.dataloader``."""

from minidl.utils.data import _utils
from minidl.utils.data.collate import default_collate, default_convert
from minidl.utils.data.loader import DataLoader
from minidl.utils.data.worker import get_worker_info

__all__ = ["DataLoader", "_utils", "default_collate", "default_convert", "get_worker_info"]
