"""CuPy's memory pool, watched: how much was held at most, and what an error says when there is no more."""

from minidl.errors import OutOfMemoryError

_peak = {}  # by device number: bytes in use at most since the last reset
reserved = {}  # by device number: bytes that the pool had taken at most, as far as they were looked at


def watch(cupy):
    """Has CuPy allocate through its pool and this module. Called once, when the backend is made."""
    pool = cupy.get_default_memory_pool()

    def allocate(size):
        try:
            memory = pool.malloc(size)
        except cupy.cuda.memory.OutOfMemoryError:
            raise OutOfMemoryError(_advice(cupy, pool, size)) from None
        used, device = pool.used_bytes(), cupy.cuda.runtime.getDevice()
        if used > _peak.get(device, 0):
            _peak[device] = used
        return memory

    cupy.cuda.set_allocator(allocate)


def _advice(cupy, pool, size):
    free, total = cupy.cuda.runtime.memGetInfo()
    return (
        f"CUDA out of memory: {_spelt(size)} were asked for. Of the GPU's {_spelt(total)}, {_spelt(free)} are free; "
        f"arrays hold {_spelt(pool.used_bytes())}, and the pool keeps {_spelt(pool.free_bytes())} more for reuse. "
        "Hint: a smaller batch, fewer saved activations (no_grad where no gradient is needed), del of what is done, "
        "or minidl.cuda.empty_cache() where another process needs the pool's memory. Nothing was lost, and the process "
        "goes on."
    )


def _spelt(size):
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"


def peak(device):
    """Bytes in use at most on a device since the last reset."""
    return _peak.get(device, 0)


def reset_peak(device, used):
    """Lets the peak begin anew at what is in use."""
    _peak[device] = used
