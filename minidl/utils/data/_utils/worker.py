"""What a worker knows of itself, under PyTorch's path ``torch.utils.data._utils.worker``."""

from minidl.utils.data.worker import WorkerInfo, get_worker_info

__all__ = ["WorkerInfo", "get_worker_info"]
