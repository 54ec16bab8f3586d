"""``Workload``: one thing to be timed, with what it costs at least; and the registry of them all."""

import dataclasses
import fnmatch
from collections.abc import Callable

from minidl.bench.errors import BadInput

FORWARD, BACKWARD, BOTH, STEP = "forward", "backward", "forward+backward", "step"
MODES = (FORWARD, BACKWARD, BOTH, STEP)
LIBRARIES = ("torch", "numpy", "cupy")

_registry = {}


@dataclasses.dataclass(frozen=True)
class Target:
    """What a workload is asked to reach: factors on PyTorch's default time, or a fraction of a ceiling.

    ``must`` and ``aim`` are PyTorch's time / ours; ``aim_bandwidth`` is a fraction of the copy bandwidth.
    """

    must: float
    aim: float | None = None
    aim_bandwidth: float | None = None


@dataclasses.dataclass(frozen=True)
class Workload:
    """One thing to be timed, written once for every library with the same API.

    ``build(kit, **arguments)`` draws its data from the ``Kit`` and returns a function without arguments. What that
    function means is the ``mode``: ``forward`` calls it, ``backward`` times the gradients of all leaves of the kit
    through a graph that is kept, ``forward+backward`` both, ``step`` is a whole training step. ``flops`` counts
    multiplications and additions (an exp counts as one), ``elements`` what has to move at least: every input read
    once, every output written once.

    >>> from minidl import bench
    >>> row = bench.named("matmul/1024/forward")
    >>> row.flops, row.elements
    (2147483648, 3145728)
    """

    name: str
    family: str
    mode: str
    build: Callable
    arguments: dict
    flops: float
    elements: float
    libraries: tuple
    variants: dict
    target: Target | None
    random: bool
    devices: tuple

    def bytes(self, itemsize):
        """What has to move at least, for elements of ``itemsize`` bytes."""
        return self.elements * itemsize


@dataclasses.dataclass(frozen=True)
class Case:
    """Arguments of a workload, and by mode the targets: ``Case("1024", {"n": 1024}, forward=Target(0.95))``."""

    id: str
    arguments: dict
    targets: dict

    def __init__(self, id, arguments, targets=None, **by_mode):
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "arguments", arguments)
        object.__setattr__(self, "targets", {**(targets or {}), **by_mode})


def workload(
    name, cases, cost, modes=(FORWARD, BOTH), libraries=("torch",), variants=None, random=False, family=None,
    devices=("cpu", "cuda"),
):  # fmt: skip
    """Registers the decorated ``build`` for every case and mode, as ``<name>/<case>/<mode>``.

    ``cost(mode, **arguments)`` is (flops, elements). ``libraries`` names the peers that can run it, ``variants``
    further peers: a name like ``"torch fused"`` to keyword arguments that ``build`` gets besides. ``random`` says
    that results differ from run to run, so that no error is computed. The family is the module's name, if no other is
    given. ``devices`` are the types of device that it is meant for; its targets hold for the first of them.
    """

    def register(build):
        room = family or build.__module__.rpartition(".")[2]
        for case in cases:
            for mode in modes:
                flops, elements = cost(mode, **case.arguments)
                full = "/".join(part for part in (name, case.id, mode) if part)
                if full in _registry:
                    raise ValueError(f"workload {full!r} is registered twice")
                _registry[full] = Workload(
                    full, room, mode, build, case.arguments, flops, elements,
                    tuple(name for name in libraries if mode == FORWARD or name == "torch"),
                    variants or {}, case.targets.get(mode), random, devices,
                )  # fmt: skip
        return build

    return register


def registered(device="cpu"):
    """All workloads that are meant for a device, by family, in the order of their registration."""
    kind = "cuda" if device.startswith("cuda") else "cpu"
    return sorted((row for row in _registry.values() if kind in row.devices), key=lambda row: row.family)


def named(name):
    """The workload called ``name``. Raises ``BadInput`` where there is none."""
    if name not in _registry:
        raise BadInput(f"no workload is called {name!r}; `python -m minidl bench --list` shows their names")
    return _registry[name]


def select(filters, targets_only=False, device="cpu"):
    """The workloads of a device that any of ``filters`` matches; all where there is none.

    A filter is a family's name, a workload's name, a part of one, or a pattern with ``*`` and ``?`` for the whole name.
    Raises ``BadInput`` for one that matches nothing.

    >>> from minidl import bench
    >>> [row.name for row in bench.select(["matmul/10*/forward"])]
    ['matmul/1024/forward']
    """
    pool = [row for row in registered(device) if row.target or not targets_only]
    if not filters:
        return pool
    for text in filters:
        if not any(_matches(row, text) for row in pool):
            raise BadInput(f"no workload matches {text!r}; `python -m minidl bench --list` shows their names")
    return [row for row in pool if any(_matches(row, text) for text in filters)]


def _matches(row, text):
    if any(letter in text for letter in "*?["):
        return fnmatch.fnmatch(row.name, text)
    return row.name == text if text in _registry else text == row.family or text in row.name
