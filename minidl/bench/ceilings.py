"""What the machine can do at most, measured: flops of multiply-adds and bandwidth of copies, not a data sheet's."""

import math
import statistics

import numpy as np

from minidl import backends
from minidl.backends import probes
from minidl.bench.timing import HostTimer, no_garbage_collection, timer_of

_MIB = 2**20
WORKING_SETS = tuple(2**power * _MIB for power in range(9))  # source and target together: 1 MiB ... 256 MiB
_ROUNDS = 200_000  # of 12 multiply-adds a lane: about a quarter of a millisecond
_SAMPLES = 7


def probe(dtype, device, threads):
    """The ceilings of a device: a dict that JSON can hold.

    ``flops`` a second and ``flops_by`` (how they were measured); ``copies``, a list of ``bytes`` (source and target
    together) and ``bandwidth`` (bytes read plus bytes written a second), and ``copies_by``.
    """
    if device.startswith("cuda"):
        return _gpu(dtype)
    flops, flops_by = _multiply_adds(dtype, threads)
    copies_by = (
        "memcpy in pieces of 64 KiB or of a thread's share, the faster" if probes.probe_copy else "np.copyto"
    )
    with no_garbage_collection():
        copies = [{"bytes": size, "bandwidth": _copy(size, threads)} for size in WORKING_SETS]
    return {"flops": flops, "flops_by": flops_by, "copies": copies, "copies_by": copies_by}


def bandwidth(ceilings, size):
    """Bytes a second of the copy whose working set is nearest to ``size`` bytes.

    >>> from minidl.bench import ceilings
    >>> ceilings.bandwidth(
    ...     {"copies": [{"bytes": 2**20, "bandwidth": 9e10}, {"bytes": 2**28, "bandwidth": 3e10}]}, 4e6
    ... )
    90000000000.0
    """
    distance = lambda copy: abs(math.log(copy["bytes"] / max(size, 1)))  # noqa: E731
    return min(ceilings["copies"], key=distance)["bandwidth"]


def least_seconds(ceilings, flops, size):
    """The roofline's bound: the time that the arithmetic or the traffic takes at the ceilings, the longer one."""
    return max(flops / ceilings["flops"], size / bandwidth(ceilings, size))


def _best(call, amount, timer=None, samples=_SAMPLES):
    """``amount`` a second, by the median of the faster half of the samples: a ceiling is not what was disturbed."""
    timer = timer or HostTimer()
    call()
    times = sorted(timer.seconds(call, 1) for _ in range(samples))
    return amount / statistics.median(times[: (samples + 1) // 2])


def _multiply_adds(dtype, threads):
    if probes.probe_multiply_add is None or dtype not in ("float32", "float64"):
        return _product(dtype if dtype == "float64" else "float32")
    run = probes.probe_multiply_add
    pieces = 4 * threads
    count = run(_ROUNDS, pieces, dtype)
    by = f"multiply-adds in registers, {dtype}, {probes.instruction_set}, {threads} threads"
    return _best(lambda: run(_ROUNDS, pieces, dtype), count), by


def _product(dtype, n=1024):
    a = np.random.default_rng(0).standard_normal((n, n)).astype(dtype)
    return _best(lambda: a @ a, 2 * n**3), f"NumPy's product of {n}x{n} {dtype}"


def _copy(size, threads):
    half = size // 2
    source, target = np.ones(half, np.uint8), np.zeros(half, np.uint8)
    repeats = max(1, 8 * _MIB // size)  # short copies in a row: a sample is more than the clock's ticks
    if probes.probe_copy is None:
        calls = [lambda: np.copyto(target, source)]
    else:
        grains = (65536, -(-half // threads))
        calls = [lambda grain=grain: probes.probe_copy(target, source, grain) for grain in grains]

    def in_a_row(call):
        return lambda: [call() for _ in range(repeats)]

    return max(_best(in_a_row(call), 2 * half * repeats) for call in calls)


def _gpu(dtype, n=8192):
    xp = backends.on("cuda").xp
    timer, kind = timer_of("cuda"), "float32" if dtype == "bfloat16" else dtype
    a = xp.random.default_rng(0).standard_normal((n, n), dtype="float32").astype(kind)
    flops = _best(lambda: xp.matmul(a, a), 2 * n**3, timer)
    source = xp.ones(2**29, dtype="uint8")
    target = xp.zeros_like(source)
    rate = _best(lambda: xp.copyto(target, source), 2 * source.size, timer)
    copies = [{"bytes": 2 * source.size, "bandwidth": rate}]
    return {
        "flops": flops,
        "flops_by": f"CuPy's product of {n}x{n} {kind}",
        "copies": copies,
        "copies_by": "CuPy",
    }
