"""PyTorch's wrappers for several devices, on one: they hand every call to the module that they wrap."""

from minidl.nn.parallel.data_parallel import DataParallel, data_parallel
from minidl.nn.parallel.distributed import DistributedDataParallel as DistributedDataParallel
from minidl.nn.parallel.on_one import gather, parallel_apply, replicate, scatter

__all__ = [
    "DataParallel",
    "data_parallel",
    "gather",
    "parallel_apply",
    "replicate",
    "scatter",
]  # its classes are names of minidl.nn; DistributedDataParallel is none
