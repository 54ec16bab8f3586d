"""Calls of ``minidl._native`` that nearly fit, in child processes: an exception or an answer, never the end of one.

Call ``number`` of a run is a function of the seed and the number. A child writes the number that it is at into shared
memory, so a child that dies or hangs says by which call; the next child goes on behind it.
"""

import contextlib
import mmap
import os
import pickle
import random
import resource
import signal
import struct
import time

import numpy as np

from fuzzing.recorded import copied, record
from minidl import _native

REFUSALS = (TypeError, ValueError, IndexError, MemoryError, OverflowError, RuntimeError, NotImplementedError)
_APART = {"set_num_threads", "probe_multiply_add"}  # their argument is how long they take, or what they take
_SECONDS = 10  # for one call
_HUGE = [2**31 - 1, 2**31, 2**32 + 1, 2**53, 2**61, 2**63 - 1, -(2**63), 2**63, 10**30]
_NUMBERS = [-2, -1, 0, 0, 1, 1, 2, 3, 5, 100]
_JUNK = [
    None,
    True,
    False,
    1.5,
    "mean",
    "tanh",
    b"x",
    [],
    (),
    {},
    float("nan"),
    float("inf"),
    3 + 2j,
    np.float32(1),
    np.int64(2),
    [[1]],
]
_DTYPES = [
    "f4",
    "f8",
    "f2",
    "i8",
    "i4",
    "i2",
    "u1",
    "?",
    "c8",
    ">f4",
    ">i8",
    "u8",
    "O",
    "S3",
    "g",
    "M8[s]",
    "f4,i4",
]


def fuzz(runs, seed, names=(), folder=None, every=1, seconds=_SECONDS):
    """Makes ``runs`` calls; a list of texts, one a child that ended or hung. ``folder`` gets the arguments."""
    calls = record(every)
    chosen = [
        name for name in sorted(dir(_native)) if not name.startswith("_") and callable(getattr(_native, name))
    ]
    chosen = [name for name in chosen if name not in _APART and (not names or name in names)]
    shared, findings, number = mmap.mmap(-1, 8), [], 0
    while number < runs and len(findings) < 20:
        shared[:8] = struct.pack("<q", number)
        child = os.fork()
        if child == 0:
            _work(shared, number, runs, seed, chosen, calls)
        status, last = _awaited(child, shared, seconds)
        if status == 0:
            break
        name, arguments = call_of(seed, last, chosen, calls)
        findings.append(f"call {last} of seed {seed}, {name}: {status}\n  {_shown(arguments)}")
        if folder is not None:
            with contextlib.suppress(Exception):
                (folder / f"{name}-{seed}-{last}.pickle").write_bytes(pickle.dumps((name, arguments)))
        number = last + 1
    return findings


def _work(shared, number, runs, seed, chosen, calls):
    """The child."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    if not os.environ.get("ASAN_OPTIONS"):  # the sanitizer's own memory is beyond any limit
        resource.setrlimit(resource.RLIMIT_AS, (used + (512 << 20),) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    status = 0
    while number < runs:
        shared[:8] = struct.pack("<q", number)
        name, arguments = call_of(seed, number, chosen, calls)
        try:
            getattr(_native, name)(*arguments)
        except REFUSALS:
            pass
        except BaseException:
            status = 77
            break
        number += 1
    os._exit(status)


def _awaited(child, shared, seconds):
    """``(0 or how the child ended, the last number that it was at)``."""
    last, since = -1, time.monotonic()
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        (now,) = struct.unpack("<q", shared[:8])
        if done:
            ended = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            return (f"status {ended}" if ended else 0), now
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > seconds:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return f"no answer within {seconds} seconds", now
        time.sleep(0.01)


def call_of(seed, number, chosen, calls):
    """The name and arguments of a call."""
    draw = random.Random(seed << 40 | number)
    name = draw.choice(chosen)
    known = calls.get(name)
    if known and draw.random() < 0.97:
        arguments = list(copied(draw.choice(known)))
        if draw.random() < 0.3:
            _resized(arguments, draw)
    else:
        arguments = [_anything(draw) for _ in range(draw.randrange(8))]
    for _ in range(draw.choice((0, 1, 1, 1, 2, 3))):
        _twist(arguments, draw)
    return name, arguments


def _twist(arguments, draw):
    """Changes one argument, or their number."""
    kind = draw.random()
    if not arguments or kind < 0.02:
        arguments.append(_anything(draw))
        return
    place = draw.randrange(len(arguments))
    if kind < 0.04:
        del arguments[place]
    elif kind < 0.1:
        other = draw.randrange(len(arguments))
        arguments[place], arguments[other] = arguments[other], arguments[place]
    else:
        arguments[place] = _changed(arguments[place], draw)


def _changed(value, draw):
    """Something near ``value``."""
    if draw.random() < 0.1:
        return _anything(draw)
    if isinstance(value, np.ndarray):
        return _changed_array(value, draw)
    if isinstance(value, (list, tuple)) and value:
        items = list(value)
        place = draw.randrange(len(items))
        kind = draw.random()
        if kind < 0.15:
            del items[place]
        elif kind < 0.3:
            items.insert(place, items[place])
        else:
            items[place] = _changed(items[place], draw)
        return type(value)(items)
    if type(value) is bool:
        return not value
    if isinstance(value, int):
        return draw.choice([value + 1, value - 1, draw.choice(_NUMBERS), draw.choice(_HUGE)])
    if isinstance(value, float):
        return draw.choice([0.0, -1.0, float("nan"), float("inf"), 1e308, 5e-324, value * 2])
    return _anything(draw)


def _changed_array(array, draw):
    """An array near ``array``: another shape, dtype, layout or value, or one that cannot be written to."""
    kind = draw.randrange(12)
    if kind == 0:
        return np.asarray(np.ones(array.shape), draw.choice(_DTYPES))
    if kind == 1 and array.ndim:
        shape = list(array.shape)
        shape[draw.randrange(len(shape))] = draw.choice([0, 1, 2, 3, 7])
        return np.ones(shape, array.dtype)
    if kind == 2:
        return array[None] if draw.random() < 0.5 or not array.ndim else np.ones(array.shape[1:], array.dtype)
    if kind == 3 and array.ndim:
        return np.flip(array, draw.randrange(array.ndim))
    if kind == 4:
        return array.T
    if kind == 5 and array.ndim:
        return np.repeat(array, 2, -1)[..., ::2]
    if kind == 6:
        return np.lib.stride_tricks.as_strided(array, array.shape, (0,) * array.ndim)
    if kind == 7:
        array.flags.writeable = False
        return array
    if kind == 8:
        raw = np.zeros(array.nbytes + 1, np.uint8)[1:]
        return raw.view(array.dtype).reshape(array.shape) if not array.dtype.hasobject else array
    if kind == 9 and array.size and array.dtype.kind in "iuf":
        flat = array.reshape(-1).copy()
        odd = [-1, 0, 1, 100] if array.dtype.kind != "f" else [np.nan, np.inf, -0.0, 1e30]
        if array.dtype == np.int64:
            odd += [2**62, -(2**63), 2**31]
        with contextlib.suppress(OverflowError):
            flat[draw.randrange(flat.size)] = draw.choice(odd)
        return flat.reshape(array.shape)
    if kind == 10 and array.ndim > 1:
        return np.asfortranarray(array)
    return array.reshape(-1)


def _resized(arguments, draw):
    """All arrays with one of their sizes exchanged for another: they still fit each other."""
    sizes = sorted({n for a in arguments if isinstance(a, np.ndarray) for n in a.shape})
    if not sizes:
        return
    old, new = draw.choice(sizes), draw.choice([0, 1, 2, 3, 17, 33])
    for place, value in enumerate(arguments):
        if isinstance(value, np.ndarray):
            arguments[place] = np.ones([new if n == old else n for n in value.shape], value.dtype)


def _anything(draw):
    kind = draw.randrange(5)
    if kind == 0:
        return draw.choice(_JUNK)
    if kind == 1:
        return draw.choice([*_NUMBERS, draw.choice(_HUGE)])
    if kind == 2:
        return tuple(draw.choice([*_NUMBERS, draw.choice(_HUGE)]) for _ in range(draw.randrange(5)))
    shape = [draw.choice([0, 1, 1, 2, 3, 4]) for _ in range(draw.choice([0, 1, 2, 2, 3, 4, 5]))]
    array = np.ones(shape, draw.choice([*_DTYPES, *["f4"] * 8, *["f8"] * 8]))
    return [array] * draw.randrange(3) if kind == 3 and draw.random() < 0.3 else array


def _shown(arguments):
    return ", ".join(
        f"{a.dtype}{list(a.shape)} strides {a.strides}" if isinstance(a, np.ndarray) else repr(a)[:200]
        for a in arguments
    )
