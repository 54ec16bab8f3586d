"""Who is timed: minidl and the libraries beside it, each with the variants that a workload names."""

import contextlib
import dataclasses
import importlib
from types import ModuleType

import minidl
from minidl.bench.errors import BadInput
from minidl.bench.registry import LIBRARIES

OURS = "minidl"


@dataclasses.dataclass(frozen=True)
class Peer:
    """A library, or a variant of it: ``torch fused`` is torch with the option ``fused=True`` of the workload."""

    name: str
    lib: ModuleType
    options: dict = dataclasses.field(default_factory=dict)

    @property
    def library(self):
        """The library's own name."""
        return self.name.partition(" ")[0]


def find(names, device="cpu"):
    """The libraries called ``names`` that can be used here, and the reasons why the others cannot: two dicts.

    Raises ``BadInput`` for a name that is no peer's.

    >>> from minidl.bench import peers
    >>> found, missing = peers.find(["numpy"])
    >>> list(found), missing
    (['numpy'], {})
    """
    found, missing = {}, {}
    for name in names:
        if name not in LIBRARIES:
            raise BadInput(f"peer {name!r} is unknown; use some of {', '.join(LIBRARIES)}")
        if (name == "cupy") != device.startswith("cuda") and name in ("cupy", "numpy"):
            missing[name] = f"it does not compute on {device}"
            continue
        try:
            found[name] = importlib.import_module(name)
        except Exception as error:  # whatever a broken installation raises
            missing[name] = f"it cannot be imported ({error})"
            continue
        if name == "torch" and device.startswith("cuda") and not found[name].cuda.is_available():
            missing[name] = "it sees no GPU"
            del found[name]
    return found, missing


def candidates(workload, libraries):
    """The peers of a workload, ours first: every library that can run it, then its variants."""
    found = [Peer(OURS, minidl)]
    found += [Peer(name, lib) for name, lib in libraries.items() if name in workload.libraries]
    for name, options in workload.variants.items():
        library = name.partition(" ")[0]
        if library == OURS:
            found.append(Peer(name, minidl, options))
        elif library in libraries and library in workload.libraries:
            found.append(Peer(name, libraries[library], options))
    return found


@contextlib.contextmanager
def threads(libraries, count):
    """Gives minidl and torch ``count`` threads within. NumPy's BLAS has as many as its own settings say."""
    sides = [minidl] + [lib for name, lib in libraries.items() if name == "torch"]
    before = [side.get_num_threads() for side in sides]
    for side in sides:
        side.set_num_threads(count)
    try:
        yield
    finally:
        for side, number in zip(sides, before, strict=True):
            side.set_num_threads(number)


def versions(libraries):
    """Versions by name, minidl's among them."""
    return {OURS: minidl.__version__, **{name: lib.__version__ for name, lib in libraries.items()}}
