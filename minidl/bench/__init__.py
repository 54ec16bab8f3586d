"""``minidl.bench``: kernels timed beside PyTorch, NumPy and CuPy in one process. ``python -m minidl bench --help``.

>>> import minidl
>>> from minidl import bench
>>> row = bench.measure(
...     bench.named("overhead/add/forward"), {}, bench.Settings(budget=bench.Budget(seconds=0))
... )
>>> 0 < row["peers"]["minidl"]["warm"]["median"] < 1
True
"""

from minidl.bench import workloads
from minidl.bench.errors import BadInput
from minidl.bench.kit import Kit
from minidl.bench.measuring import Settings, measure, prepared
from minidl.bench.registry import Case, Target, Workload, named, registered, select, workload
from minidl.bench.running import run
from minidl.bench.timing import Budget

__all__ = [
    "BadInput",
    "Budget",
    "Case",
    "Kit",
    "Settings",
    "Target",
    "Workload",
    "measure",
    "named",
    "prepared",
    "registered",
    "run",
    "select",
    "workload",
    "workloads",
]
