"""Page-locked memory of the host, pretended: a pool that hands on at once what is given back, filled with garbage."""

import collections
import ctypes
import weakref

import numpy as np

_UNIT = 512  # bytes
_GARBAGE = 0xFF  # NaN in floats, -1 in integers

_blocks = {}  # bytes by address: every block that there ever was
_free = collections.defaultdict(list)  # addresses by size
_owners = collections.Counter()  # how often an address was handed out
_in_use = set()


class PinnedMemoryPointer(np.ndarray):
    """``cupy.cuda.PinnedMemoryPointer``: a buffer that goes back to the pool when nobody holds it."""


def alloc_pinned_memory(size):
    """``cupy.cuda.alloc_pinned_memory``."""
    size = -(-max(size, 1) // _UNIT) * _UNIT
    if _free[size]:
        address = _free[size].pop()
    else:
        block = bytearray(size)
        address = np.frombuffer(block, np.uint8).ctypes.data
        _blocks[address] = block
    _in_use.add(address)
    _owners[address] += 1
    made = np.ndarray.__new__(PinnedMemoryPointer, (size,), np.uint8, buffer=_blocks[address])
    made[:] = _GARBAGE
    weakref.finalize(made, _give_back, address, size).atexit = False
    return made


def _give_back(address, size):
    ctypes.memset(address, _GARBAGE, size)
    _in_use.discard(address)
    _free[size].append(address)


def _block_of(address):
    return next((at for at, block in _blocks.items() if at <= address < at + len(block)), None)


def is_pinned(address):
    """Whether an address lies in page-locked memory, free or not."""
    return _block_of(address) is not None


def copy_later(stream, name, target, source, host):
    """Gives a stream a copy between the values of a device's array and page-locked memory, at address ``host``.

    ``target`` and ``source`` are NumPy arrays of the same size, dense in the same order; of the host's only the address
    is kept, as CUDA keeps it. Raises ``RuntimeError``, when the copy's turn comes, where the memory has changed hands.
    """
    block = _block_of(host)
    owner, size = _owners[block], source.nbytes
    to, origin = target.ctypes.data, source.ctypes.data
    held = (
        source if to == host else target
    )  # the device's side, whose memory is freed in the order of its stream

    def copy():
        if block not in _in_use or _owners[block] != owner:
            raise RuntimeError(f"{name}: page-locked memory was given away before its copy was over")
        ctypes.memmove(to, origin, min(size, held.nbytes))

    stream.give(name, copy)
