"""Copies between the host and a device, and page-locked memory, whose copies need not wait for the device.

``xp`` is CuPy or its stand-in. What ``non_blocking`` asks for is honoured where the host's side is page-locked: the
call returns at once and the copy takes its turn on the current stream. Both sides are then kept until it is over, so
that neither a pool of page-locked memory nor another stream takes them meanwhile. Nothing here waits, or asks whether
an event is over, while the current stream is being captured: a captured copy's memory is kept for good.
"""

import math
import threading
import weakref

import numpy as np

_flying = []  # (event behind a copy, what the copy reads and writes)
_captured = []  # what copies of captured steps read and write, each time that they run
_lock = threading.RLock()


def empty(xp, shape, dtype):
    """A NumPy array in page-locked memory, uninitialised."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if not size:
        return np.empty(shape, dtype)
    if not xp.cuda.get_current_stream().is_capturing():
        release()
    return np.ndarray(shape, dtype, buffer=xp.cuda.alloc_pinned_memory(size))


def holds(xp, array):
    """Whether a NumPy array lies in page-locked memory, whoever allocated it."""
    if not array.size:
        return False
    found = xp.cuda.runtime.pointerGetAttributes(array.ctypes.data)
    return found.type == xp.cuda.runtime.memoryTypeHost


def pin(xp, array):
    """A NumPy array in page-locked memory, itself where it is there; a dense one keeps the order of its axes."""
    if holds(xp, array):
        return array
    axes = _dense_axes(array)
    if axes is not None:
        return _turned_back(pin(xp, array.transpose(axes)), axes)
    out = empty(xp, array.shape, array.dtype)
    np.copyto(out, array)
    return out


def to_device(xp, host, non_blocking=False):
    """A copy of a NumPy array on the current device. A dense one keeps the order of its axes in memory."""
    axes = _dense_axes(host)
    if axes is not None:
        return _turned_back(to_device(xp, host.transpose(axes), non_blocking), axes)
    if not host.flags.c_contiguous or not holds(xp, host):
        return xp.asarray(
            host, order="C"
        )  # by way of the library's own page-locked memory: read when this returns
    out = xp.empty(host.shape, host.dtype)
    fill(xp, out, host, non_blocking)
    return out


def to_host(xp, array, non_blocking=False):
    """A copy of a device array on the host: page-locked, and perhaps still under way, where it need not wait."""
    axes = _dense_axes(array)
    if axes is not None:
        return _turned_back(to_host(xp, array.transpose(axes), non_blocking), axes)
    if not non_blocking or not array.size:
        return array.get()
    out = empty(xp, array.shape, array.dtype)
    read(xp, array, out, non_blocking)
    return out


def _dense_axes(array):
    """The axes, slowest first, of an array that is dense in that order and not in the one it has; None for others."""
    if array.flags.c_contiguous or array.ndim < 2:
        return None
    axes = tuple(sorted(range(array.ndim), key=lambda d: -abs(array.strides[d])))
    return axes if array.transpose(axes).flags.c_contiguous else None


def _turned_back(array, axes):
    return array.transpose(tuple(axes.index(d) for d in range(len(axes))))


def fill(xp, target, host, non_blocking):
    """Copies a C-contiguous NumPy array into a C-contiguous array of the device, of the same shape and dtype."""
    stream = xp.cuda.get_current_stream()
    target.set(host, stream=stream)
    if not holds(xp, host):
        return  # read already
    if non_blocking:
        _keep(xp, stream, host, target)
    else:
        stream.synchronize()


def read(xp, array, out, non_blocking):
    """Copies an array of the device into a C-contiguous NumPy array, of the same shape and dtype."""
    stream = xp.cuda.get_current_stream()
    late = non_blocking and holds(xp, out)
    array.get(stream=stream, out=out, blocking=not late)
    if late:
        _keep(xp, stream, out, array)


def _keep(xp, stream, *arrays):
    """Keeps what the copy at the end of a stream reads and writes until it is over."""
    if stream.is_capturing():
        _captured.append(arrays)
        return
    release()
    flight = stream.record(xp.cuda.Event(disable_timing=True)), arrays
    with _lock:
        _flying.append(flight)


def used_on(xp, array, stream):
    """Keeps the memory of a device array, when its last array is dropped, until a stream has done what it has by then.

    A pool gives memory back to the stream that it was taken on, which knows nothing of its use on others.
    """
    owner = array if array.base is None else array.base
    weakref.finalize(owner, _keep, xp, stream, owner.data).atexit = False


def release():
    """Lets go of what copies that are over read and wrote. Returns how many are not known to be over."""
    with _lock:
        asked = [(flight[0].done, flight) for flight in _flying]
        _flying[:] = [flight for over, flight in asked if not over]
        return len(_flying)
