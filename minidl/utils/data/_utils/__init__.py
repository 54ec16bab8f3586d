"""PyTorch's private paths of what programs import from there all the same."""

from minidl.utils.data._utils import collate, worker

__all__ = ["collate", "worker"]
