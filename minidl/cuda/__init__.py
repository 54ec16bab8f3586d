"""``minidl.cuda``: GPUs, streams, events and memory, by PyTorch's names (CuPy has them; see ``backends``).

A function that names a ``device`` takes a ``minidl.device``, a string, a number or None, the current one. What needs a
GPU raises ``DeviceError`` with the reason where there is none.
"""

import contextlib
import types

from minidl import build_info
from minidl.backends import faults
from minidl.cuda import _gpu, amp, memory, nvtx, random, streams
from minidl.cuda._gpu import count as device_count
from minidl.cuda._gpu import current_device, is_available
from minidl.cuda.memory import (
    empty_cache,
    ipc_collect,
    max_memory_allocated,
    max_memory_cached,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_cached,
    memory_reserved,
    memory_stats,
    memory_summary,
    reset_max_memory_allocated,
    reset_peak_memory_stats,
    set_per_process_memory_fraction,
)  # fmt: skip
from minidl.cuda.random import (
    get_rng_state,
    get_rng_state_all,
    initial_seed,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state,
    set_rng_state_all,
)  # fmt: skip
from minidl.cuda.streams import Event, Stream, current_stream, default_stream, set_stream, stream
from minidl.errors import OutOfMemoryError
from minidl.typed import ON_GPU

__all__ = [
    "Event", "OutOfMemoryError", "Stream", "amp", "can_device_access_peer", "current_device", "current_stream",
    "default_stream", "device", "device_count", "device_of", "empty_cache", "get_arch_list",
    "get_device_capability", "get_device_name", "get_device_properties", "get_rng_state", "get_rng_state_all",
    "init", "initial_seed", "ipc_collect", "is_available", "is_bf16_supported", "is_initialized",
    "is_tf32_supported", "manual_seed", "manual_seed_all", "max_memory_allocated", "max_memory_cached",
    "max_memory_reserved", "mem_get_info", "memory", "memory_allocated", "memory_cached", "memory_reserved",
    "memory_stats", "memory_summary", "nvtx", "random", "reset_max_memory_allocated", "reset_peak_memory_stats",
    "seed", "seed_all", "set_device", "set_per_process_memory_fraction", "set_rng_state", "set_rng_state_all",
    "set_stream", "stream", "streams", "synchronize",
]  # fmt: skip

globals().update(ON_GPU)
is_initialized = is_available


def init():
    """Does nothing where there is a GPU; raises ``DeviceError`` with the reason where there is none."""
    _gpu.cupy()


def is_bf16_supported(including_emulation=True):
    """Whether there is a GPU: all compute in bfloat16, those before Ampere by way of float32."""
    return _gpu.is_available() and (including_emulation or get_device_capability() >= (8, 0))


def is_tf32_supported():
    """Whether the current GPU multiplies in tf32 (Ampere and later)."""
    return _gpu.is_available() and get_device_capability() >= (8, 0)


def get_arch_list():
    """What an install's kernels were built for: ``sm_75`` for code, ``compute_80`` for PTX; empty without a GPU."""
    if not _gpu.is_available():
        return []
    built = (arch.partition("-") for arch in build_info.extension("cuda").get("archs", "").split())
    return [("compute_" if kind == "virtual" else "sm_") + number for number, _, kind in built]


def can_device_access_peer(device, peer_device):
    """Whether one GPU reads the memory of another."""
    return bool(_gpu.cupy().cuda.runtime.deviceCanAccessPeer(_gpu.number(device), _gpu.number(peer_device)))


def set_device(device):
    """Makes a GPU the current one of this thread; a negative number changes nothing.

    Raises what CUDA says of a number that there is not.
    """
    if not _is_negative(device):
        _gpu.cupy().cuda.Device(_gpu.number(device)).use()


def _is_negative(device):
    return isinstance(device, int) and device < 0


@contextlib.contextmanager
def device(device):
    """Makes a GPU the current one within; None and a negative number change nothing."""
    if device is None or _is_negative(device):
        yield
        return
    with _gpu.cupy().cuda.Device(_gpu.number(device)):
        yield


@contextlib.contextmanager
def device_of(obj):
    """Makes the GPU on which a tensor lives the current one within; on the CPU it changes nothing."""
    if not obj.is_cuda:
        yield
        return
    with device(obj.device):
        yield


_PROPERTIES = {  # by PyTorch's name: CUDA's
    "major": "major", "minor": "minor", "total_memory": "totalGlobalMem", "L2_cache_size": "l2CacheSize",
    "multi_processor_count": "multiProcessorCount", "warp_size": "warpSize", "is_integrated": "integrated",
    "is_multi_gpu_board": "isMultiGpuBoard", "max_threads_per_block": "maxThreadsPerBlock",
    "max_threads_per_multi_processor": "maxThreadsPerMultiProcessor",
    "regs_per_multiprocessor": "regsPerMultiprocessor", "shared_memory_per_block": "sharedMemPerBlock",
    "shared_memory_per_block_optin": "sharedMemPerBlockOptin",
    "shared_memory_per_multiprocessor": "sharedMemPerMultiprocessor",
}  # fmt: skip


def get_device_properties(device=None):
    """What a GPU is, as attributes: ``name``, ``major`` and ``minor`` (compute capability), ``multi_processor_count``,
    ``warp_size``; in bytes ``total_memory``, ``L2_cache_size``, ``shared_memory_per_block``, ``..._per_block_optin``,
    ``..._per_multiprocessor``; ``regs_per_multiprocessor``, ``max_threads_per_block``,
    ``max_threads_per_multi_processor``, ``is_integrated``, ``is_multi_gpu_board``.
    """
    found = _gpu.cupy().cuda.runtime.getDeviceProperties(_gpu.number(device))
    numbers = {ours: found[cudas] for ours, cudas in _PROPERTIES.items()}
    return types.SimpleNamespace(name=found["name"].decode(), **numbers)


def get_device_name(device=None):
    """What the driver calls a GPU."""
    return get_device_properties(device).name


def get_device_capability(device=None):
    """(major, minor) of a GPU's compute capability."""
    found = get_device_properties(device)
    return found.major, found.minor


def synchronize(device=None):
    """Waits for everything that was started on a GPU. Raises ``IndexError`` where a kernel met a bad index."""
    _gpu.cupy().cuda.Device(_gpu.number(device)).synchronize()
    faults.check()
