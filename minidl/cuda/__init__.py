"""``minidl.cuda``: GPUs, streams, events and memory, by PyTorch's names (CuPy has them; see ``backends``).

A function that names a ``device`` takes a ``minidl.device``, a string, a number or None, the current one. What needs a
GPU raises ``DeviceError`` with the reason where there is none.
"""

import collections
import contextlib
import sys
import types

from minidl import backends, build_info
from minidl.backends import device_memory, faults
from minidl.cuda import amp, nvtx, random
from minidl.device import device as _device
from minidl.errors import DeviceError, OutOfMemoryError
from minidl.ops.generator import default_of
from minidl.typed import ON_GPU

__all__ = [
    "Event", "OutOfMemoryError", "Stream", "amp", "can_device_access_peer", "current_device", "current_stream",
    "default_stream", "device", "device_count", "device_of", "empty_cache", "get_arch_list",
    "get_device_capability", "get_device_name", "get_device_properties", "get_rng_state", "get_rng_state_all",
    "init", "initial_seed", "ipc_collect", "is_available", "is_bf16_supported", "is_initialized",
    "is_tf32_supported", "manual_seed", "manual_seed_all", "max_memory_allocated", "max_memory_cached",
    "max_memory_reserved", "mem_get_info", "memory_allocated", "memory_cached", "memory_reserved", "memory_stats",
    "memory_summary", "nvtx", "random", "reset_max_memory_allocated", "reset_peak_memory_stats", "seed", "seed_all",
    "set_device", "set_per_process_memory_fraction", "set_rng_state", "set_rng_state_all", "set_stream", "stream",
    "synchronize",
]  # fmt: skip

globals().update(ON_GPU)
memory = streams = sys.modules[__name__]  # modules of PyTorch's, for what is in this one
get_rng_state, get_rng_state_all = random.get_rng_state, random.get_rng_state_all
set_rng_state, set_rng_state_all = random.set_rng_state, random.set_rng_state_all
initial_seed, seed, seed_all = random.initial_seed, random.seed, random.seed_all


def is_available():
    """Whether ``device='cuda'`` works: a driver, CuPy, and at least one GPU.

    >>> import minidl
    >>> isinstance(minidl.cuda.is_available(), bool)
    True
    """
    try:
        backends.on("cuda")
    except DeviceError:
        return False
    return True


is_initialized = is_available


def init():
    """Does nothing where there is a GPU; raises ``DeviceError`` with the reason where there is none."""
    _cupy()


def is_bf16_supported(including_emulation=True):
    """Whether there is a GPU: all compute in bfloat16, those before Ampere by way of float32."""
    return is_available() and (including_emulation or get_device_capability() >= (8, 0))


def is_tf32_supported():
    """Whether the current GPU multiplies in tf32 (Ampere and later)."""
    return is_available() and get_device_capability() >= (8, 0)


def get_arch_list():
    """The architectures that the kernels were built for, as ``sm_90``; empty where there is no GPU."""
    return list(build_info.extension("cuda").get("archs", ())) if is_available() else []


def can_device_access_peer(device, peer_device):
    """Whether one GPU reads the memory of another."""
    return bool(_cupy().cuda.runtime.deviceCanAccessPeer(_index(device), _index(peer_device)))


def _cupy():
    return backends.on("cuda").xp


def _index(device):
    """The number of a device; the current one for None. Raises ``ValueError`` for a device that is no GPU."""
    if isinstance(device, int):
        return device
    chosen = None if device is None else _device(device)
    if chosen is not None and chosen.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {chosen}")
    return current_device() if chosen is None or chosen.index is None else chosen.index


def device_count():
    """How many GPUs there are; 0 where CUDA is not available.

    >>> import minidl
    >>> minidl.cuda.device_count() >= 0
    True
    """
    return _cupy().cuda.runtime.getDeviceCount() if is_available() else 0


def current_device():
    """The number of the current GPU."""
    return _cupy().cuda.runtime.getDevice()


def set_device(device):
    """Makes a GPU the current one of this thread. Raises what CUDA says of a number that there is not."""
    _cupy().cuda.Device(_index(device)).use()


@contextlib.contextmanager
def device(device):
    """Makes a GPU the current one within."""
    with _cupy().cuda.Device(_index(device)):
        yield


def get_device_properties(device=None):
    """What a GPU is, as attributes: ``name``, ``major`` and ``minor`` (compute capability), ``total_memory`` and
    ``L2_cache_size`` in bytes, ``multi_processor_count``, ``warp_size``.
    """
    found = _cupy().cuda.runtime.getDeviceProperties(_index(device))
    return types.SimpleNamespace(
        name=found["name"].decode(),
        major=found["major"],
        minor=found["minor"],
        total_memory=found["totalGlobalMem"],
        multi_processor_count=found["multiProcessorCount"],
        warp_size=found["warpSize"],
        L2_cache_size=found["l2CacheSize"],
    )


def get_device_name(device=None):
    """What the driver calls a GPU."""
    return get_device_properties(device).name


def get_device_capability(device=None):
    """(major, minor) of a GPU's compute capability."""
    found = get_device_properties(device)
    return found.major, found.minor


def synchronize(device=None):
    """Waits for everything that was started on a GPU. Raises ``IndexError`` where a kernel met a bad index."""
    _cupy().cuda.Device(_index(device)).synchronize()
    faults.check()


class Event:
    """A mark in a stream. ``enable_timing`` lets ``elapsed_time`` measure from it.

    ``blocking`` lets ``synchronize`` sleep instead of spin; ``interprocess`` is not supported.
    """

    def __init__(self, enable_timing=False, blocking=False, interprocess=False):
        if interprocess:
            raise NotImplementedError("interprocess events are not supported; share data through the host")
        self._event = _cupy().cuda.Event(block=blocking, disable_timing=not enable_timing)

    def record(self, stream=None):
        """Sets the mark behind what the stream (the current one) has been given."""
        self._event.record(_raw(stream))

    def wait(self, stream=None):
        """Has the stream (the current one) wait for the mark."""
        _raw(stream).wait_event(self._event)

    def synchronize(self):
        """Waits until the mark is reached. Raises ``IndexError`` where a kernel met a bad index."""
        self._event.synchronize()
        faults.check()

    def query(self):
        """Whether the mark is reached."""
        return self._event.done

    def elapsed_time(self, end_event):
        """Milliseconds from this mark to another, both reached and made with ``enable_timing``."""
        return _cupy().cuda.get_elapsed_time(self._event, end_event._event)


class Stream:
    """A queue of work on a GPU, beside others. ``priority`` is lower for what is more urgent.

    ``with minidl.cuda.stream(s):`` gives what is started within to it.
    """

    def __init__(self, device=None, priority=0):
        cupy = _cupy()
        with cupy.cuda.Device(_index(device)):
            self._stream = cupy.cuda.Stream(non_blocking=True, priority=priority)

    @classmethod
    def _of(cls, raw):
        made = cls.__new__(cls)
        made._stream = raw
        return made

    @property
    def cuda_stream(self):
        """The stream's address."""
        return self._stream.ptr

    def synchronize(self):
        """Waits for what the stream has been given. Raises ``IndexError`` where a kernel met a bad index."""
        self._stream.synchronize()
        faults.check()

    def query(self):
        """Whether the stream has nothing left to do."""
        return self._stream.done

    def record_event(self, event=None):
        """Sets a mark behind what the stream has been given, and returns it."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event):
        """Has the stream wait for a mark."""
        self._stream.wait_event(event._event)

    def wait_stream(self, stream):
        """Has the stream wait for what another one has been given."""
        self.wait_event(stream.record_event())

    def __eq__(self, other):
        return isinstance(other, Stream) and self.cuda_stream == other.cuda_stream

    def __hash__(self):
        return hash(self.cuda_stream)


def _raw(stream):
    return _cupy().cuda.get_current_stream() if stream is None else stream._stream


def current_stream(device=None):
    """The stream that work is given to."""
    with _cupy().cuda.Device(_index(device)):
        return Stream._of(_cupy().cuda.get_current_stream())


def default_stream(device=None):
    """The stream that work is given to unless another is chosen."""
    return Stream._of(_cupy().cuda.Stream.null)


@contextlib.contextmanager
def stream(stream):
    """Gives what is started within to a stream; None changes nothing."""
    if stream is None:
        yield
        return
    with stream._stream:
        yield


@contextlib.contextmanager
def _pool(device):
    """The memory pool, on a device, and what is remembered of that."""
    cupy, number = _cupy(), _index(device)
    with cupy.cuda.Device(number):
        yield cupy.get_default_memory_pool(), device_memory.look(cupy, number)


def memory_stats(device=None):
    """The memory of a GPU in numbers, by PyTorch's keys: ``allocated_bytes.all.current`` and ``.peak``,
    ``reserved_bytes.all.current`` and ``.peak``, ``inactive_split_bytes.all.current`` (kept for reuse), ``num_ooms``.
    Empty where CUDA is not available.

    >>> import minidl
    >>> minidl.cuda.memory_stats().get("num_ooms", 0) >= 0
    True
    """
    if not is_available():
        return collections.OrderedDict()
    with _pool(device) as (pool, record):
        return collections.OrderedDict(
            {
                "allocated_bytes.all.current": pool.used_bytes(),
                "allocated_bytes.all.peak": record.peak,
                "inactive_split_bytes.all.current": pool.free_bytes(),
                "num_ooms": record.refusals,
                "reserved_bytes.all.current": pool.total_bytes(),
                "reserved_bytes.all.peak": record.peak_reserved,
            }
        )


def set_stream(stream):
    """Gives what this thread starts from now on to a stream; None changes nothing."""
    if stream is not None:
        stream._stream.use()


@contextlib.contextmanager
def device_of(obj):
    """Makes the GPU on which a tensor lives the current one within; on the CPU it changes nothing."""
    if not obj.is_cuda:
        yield
        return
    with device(obj.device):
        yield


def memory_allocated(device=None):
    """Bytes that arrays hold on a GPU; 0 where there is none."""
    return memory_stats(device).get("allocated_bytes.all.current", 0)


def max_memory_allocated(device=None):
    """Bytes that arrays held at most, since the start or ``reset_peak_memory_stats``."""
    return memory_stats(device).get("allocated_bytes.all.peak", 0)


def memory_reserved(device=None):
    """Bytes that the pool has taken from a GPU: those of arrays, and those kept for reuse."""
    return memory_stats(device).get("reserved_bytes.all.current", 0)


def max_memory_reserved(device=None):
    """Bytes that the pool had taken at most, as seen when somebody asked or ``empty_cache`` gave some back."""
    return memory_stats(device).get("reserved_bytes.all.peak", 0)


def reset_peak_memory_stats(device=None):
    """Lets ``max_memory_allocated`` and ``max_memory_reserved`` begin anew."""
    cupy, number = _cupy(), _index(device)
    with cupy.cuda.Device(number):
        device_memory.reset(cupy, number)


def set_per_process_memory_fraction(fraction, device=None):
    """Lets the pool take no more than a part of a GPU's memory; what is beyond raises ``OutOfMemoryError``.

    Raises ``TypeError`` for what is no float, ``ValueError`` outside [0, 1].
    """
    if not isinstance(fraction, float):
        raise TypeError("Invalid type for fraction argument, must be `float`")
    if not 0 <= fraction <= 1:
        raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
    with _pool(device) as (pool, _):
        if fraction:
            pool.set_limit(fraction=fraction)
        else:
            pool.set_limit(size=1)  # 0 would lift the limit


memory_cached, max_memory_cached = memory_reserved, max_memory_reserved  # as they were called before
reset_max_memory_allocated = reset_peak_memory_stats


def ipc_collect():
    """Does nothing: memory is not shared between processes."""


def mem_get_info(device=None):
    """(free, total) bytes of a GPU."""
    with _cupy().cuda.Device(_index(device)):
        return _cupy().cuda.runtime.memGetInfo()


def empty_cache():
    """Gives back what the pool keeps for reuse. Arrays keep what they hold."""
    if is_available():
        with _pool(None) as (pool, _):
            pool.free_all_blocks()


def memory_summary(device=None, abbreviated=False):
    """The memory of a GPU in words."""
    stats, (free, total) = memory_stats(device), mem_get_info(device)
    rows = {
        "arrays hold": stats["allocated_bytes.all.current"],
        "arrays held at most": stats["allocated_bytes.all.peak"],
        "the pool has taken": stats["reserved_bytes.all.current"],
        "it had taken at most": stats["reserved_bytes.all.peak"],
        "free on the GPU": free,
        "the GPU has": total,
    }
    lines = [f"{text:20} {size / 2**20:12.1f} MiB" for text, size in rows.items()]
    refusals = f"out of memory {stats['num_ooms']} times"
    return "\n".join([f"cuda:{_index(device)} {get_device_name(device)}", *lines, refusals])


def manual_seed(seed):
    """Seeds the generator of the current GPU; nothing where CUDA is not available."""
    if is_available():
        default_of(_device("cuda", current_device())).manual_seed(seed)


def manual_seed_all(seed):
    """Seeds the generators of all GPUs; nothing where CUDA is not available."""
    for index in range(device_count()):
        default_of(_device("cuda", index)).manual_seed(seed)
