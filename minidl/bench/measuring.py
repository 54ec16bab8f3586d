"""Measures one workload on minidl and its peers: a row of plain numbers."""

import contextlib
import dataclasses

import numpy as np

from minidl import backends
from minidl.bench import accuracy, peers
from minidl.bench.caches import evictor_of
from minidl.bench.kit import Kit, itemsize
from minidl.bench.registry import BACKWARD, FORWARD, STEP
from minidl.bench.statistics import ratio, summary
from minidl.bench.timing import Budget, interleaved, timer_of

WARM, COLD = "warm", "cold"


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to measure: dtype, device, threads, caches (``warm`` and/or ``cold``) and the time for each workload."""

    dtype: str = "float32"
    device: str = "cpu"
    threads: int = 1
    caches: tuple = (WARM,)
    budget: Budget = dataclasses.field(default_factory=Budget)
    cache_bytes: int = 32 * 2**20


def prepared(workload, lib, dtype="float32", device="cpu", options=None, compute=None):
    """The function without arguments that is timed: the workload built in one library, in its mode.

    >>> import minidl
    >>> from minidl import bench
    >>> tuple(bench.prepared(bench.named("overhead/add/forward"), minidl)().shape)
    (4, 4)
    """
    gradient = workload.mode != FORWARD
    kit = Kit(lib, dtype, device, gradient, compute)
    function = workload.build(kit, **workload.arguments, **(options or {}))
    if workload.mode in (FORWARD, STEP):
        return function
    g, leaves, grad = kit.normal(*function().shape), kit.leaves, lib.autograd.grad
    if workload.mode == BACKWARD:
        out = function()
        return lambda: grad(out, leaves, g, retain_graph=True)
    return lambda: grad(function(), leaves, g)


def measure(workload, libraries, settings, progress=None):
    """The row of a workload: a dict that JSON can hold (``docs/benchmarks.md`` lists its keys).

    A library that fails is left out with the reason in ``failed``; where that is minidl, nothing is timed. Calls
    that the backend's overrides refused are in ``fallbacks``.
    """
    row = _head(workload, settings)
    calls, results = {}, {}
    for peer in peers.candidates(workload, libraries):
        with _failure(row, peer.name):
            call = prepared(workload, peer.lib, settings.dtype, settings.device, peer.options)
            with backends.trace_fallbacks() as fallen:
                results[peer.name] = accuracy.host(call())
            calls[peer.name] = call
            if peer.name == peers.OURS:
                row["fallbacks"] = sorted({f"{backend}.{name}" for backend, name in fallen})
    if peers.OURS not in calls:
        return row
    row["peers"] = {name: {} for name in calls}
    if not workload.random:
        _errors(row, workload, libraries, settings, results)
    results.clear()
    for caches in settings.caches:
        _times(row, calls, settings, caches, progress)
    return row


def _head(workload, settings):
    aimed = workload.target if settings.device.startswith(workload.devices[0]) else None
    target = dataclasses.asdict(aimed) if aimed else None
    return {
        "name": workload.name, "family": workload.family, "mode": workload.mode, "arguments": workload.arguments,
        "dtype": settings.dtype, "device": settings.device, "flops": workload.flops,
        "bytes": workload.bytes(itemsize(settings.dtype)), "target": target,
        "fallbacks": [], "failed": {}, "oracle": None, "peers": {},
    }  # fmt: skip


@contextlib.contextmanager
def _failure(row, name):
    try:
        yield
    except Exception as error:  # one library's refusal ends neither the others' rows nor the run
        row["failed"][name] = (
            f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
        )


def _errors(row, workload, libraries, settings, results):
    """The error of every result against float64: PyTorch's where it is there, because it is not ours; else our own.

    PyTorch computes it on the device, where sizes may be beyond what a CPU does in the time.
    """
    library = next(name for name in ("torch", peers.OURS) if name in {**libraries, peers.OURS: None})
    lib = libraries.get(library) or peers.minidl
    where = settings.device if library == "torch" and settings.device.startswith("cuda") else "cpu"
    with _failure(row, f"{library} float64"):
        exact = accuracy.host(prepared(workload, lib, settings.dtype, where, compute="float64")())
        row["oracle"] = f"{library} float64"
        for name, found in results.items():
            row["peers"][name]["error"] = _finite(accuracy.error(found, exact))


def _times(row, calls, settings, caches, progress):
    before = evictor_of(settings.device, settings.cache_bytes, settings.threads) if caches == COLD else None
    try:
        samples = interleaved(calls, timer_of(settings.device), settings.budget, before, progress)
    finally:
        if before is not None:
            before.close()
    for name, found in samples.items():
        row["peers"][name][caches] = summary(found)
        if name != peers.OURS:
            row["peers"][name][caches]["ratio"] = ratio(found, samples[peers.OURS])


def _finite(number):
    """JSON has no infinity."""
    return number if np.isfinite(number) else "inf"
