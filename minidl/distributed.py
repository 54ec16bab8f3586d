"""``minidl.distributed``: a program is one process, of rank 0 in a world of size 1.

What programs ask before they do something only one process may do is answered; what needs a second process raises
``NotImplementedError`` when it is called. Source: ``torch.distributed``.

>>> import minidl
>>> minidl.distributed.is_available(), minidl.distributed.get_rank(), minidl.distributed.get_world_size()
(False, 0, 1)
"""

import enum
import os

__all__ = [
    "ReduceOp",
    "get_default_backend_for_device",
    "get_rank", "get_world_size", "is_available", "is_gloo_available", "is_initialized", "is_mpi_available",
    "is_nccl_available", "is_torchelastic_launched",
]  # fmt: skip

_COLLECTIVES = frozenset(
    (
        "all_gather", "all_gather_into_tensor", "all_gather_object", "all_reduce", "all_to_all", "all_to_all_single",
        "barrier", "batch_isend_irecv", "broadcast", "broadcast_object_list", "destroy_process_group", "gather",
        "gather_object", "get_backend", "init_device_mesh", "init_process_group", "irecv", "isend",
        "monitored_barrier", "new_group", "recv", "reduce", "reduce_scatter", "reduce_scatter_tensor", "scatter",
        "scatter_object_list", "send",
        # what processes find one another by
        "FileStore", "HashStore", "P2POp", "PrefixStore", "TCPStore", "new_subgroups",
    )
)  # fmt: skip


class ReduceOp(enum.Enum):
    """How values of several processes would be put together: programs name it in calls. Source: ``torch.distributed``.

    >>> import minidl
    >>> minidl.distributed.ReduceOp.SUM.name
    'SUM'
    """

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = range(8)


def is_available() -> bool:
    """False: there are no process groups."""
    return False


def is_initialized() -> bool:
    """False: there are no process groups."""
    return False


def is_gloo_available() -> bool:
    """False: there are no process groups."""
    return False


def is_mpi_available() -> bool:
    """False: there are no process groups."""
    return False


def is_nccl_available() -> bool:
    """False: there are no process groups."""
    return False


def is_torchelastic_launched() -> bool:
    """Whether a launcher that restarts workers has started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def get_rank(group=None) -> int:
    """0: this process is the only one."""
    return 0


def get_world_size(group=None) -> int:
    """1: this process is the only one."""
    return 1


def get_default_backend_for_device(device) -> str:
    """The library that PyTorch's processes would talk by, by a device's type: ``"gloo"``, on a GPU ``"nccl"``.

    >>> import minidl
    >>> minidl.distributed.get_default_backend_for_device("cpu")
    'gloo'
    """
    kind = getattr(device, "type", None) or str(device).partition(":")[0]
    return "nccl" if kind == "cuda" else "gloo"


def demand_one_process(what):
    """Raises ``NotImplementedError`` where a launcher says that this process is one of several."""
    if os.environ.get("WORLD_SIZE", "1") not in ("", "0", "1"):
        raise NotImplementedError(
            f"{what}: WORLD_SIZE is {os.environ['WORLD_SIZE']}, but minidl runs one process and shares no gradients. "
            "Hint: start the program without a launcher."
        )


def __getattr__(name):
    if name not in _COLLECTIVES:
        raise AttributeError(
            f"module 'minidl.distributed' has no attribute {name!r}: programs of several processes are not supported"
        )

    def refuse(*args, **kwargs):
        raise NotImplementedError(
            f"minidl.distributed.{name}: programs of several processes are not supported. Hint: ask "
            "minidl.distributed.is_available() first, or leave the call out: there is one process, of rank 0."
        )

    refuse.__name__ = refuse.__qualname__ = name
    return refuse
