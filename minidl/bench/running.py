"""Runs workloads one after the other: what the command and the suites of ``benchmarks/`` share."""

from minidl import backends
from minidl.bench import ceilings as probes
from minidl.bench import machine, peers, record, text
from minidl.bench.measuring import COLD, WARM, Settings, measure
from minidl.bench.progress import Progress
from minidl.bench.timing import Budget

CACHES = {"warm": (WARM,), "cold": (COLD,), "both": (WARM, COLD)}


def run(
    workloads, vs=("torch",), dtypes=("float32",), device="cpu", threads=None, caches="warm", budget=None, command="",
    show=print, note=print,
):  # fmt: skip
    """Measures ``workloads`` beside the peers called ``vs`` and returns the record (``docs/benchmarks.md``).

    ``threads`` (default: all CPUs), ``caches`` (a key of ``CACHES``) and ``budget`` (a ``Budget``) are the command's
    options. ``show`` gets every line of the table as soon as it is known, ``note`` what is left out and why.

    >>> from minidl import bench
    >>> rows = bench.select(["overhead/add/forward"])
    >>> budget = bench.Budget(seconds=0, least=3)
    >>> found = bench.run(rows, vs=(), threads=1, budget=budget, show=lambda line: None)
    >>> [row["name"] for row in found["rows"]], found["schema"]
    (['overhead/add/forward'], 1)
    """
    backends.on(device.partition(":")[0])  # a device that cannot be used ends the run before it begins
    threads, budget = threads or machine.cpus(), budget or Budget()
    libraries, missing = peers.find(vs, device)
    for name, reason in missing.items():
        note(f"note: {name} is left out: {reason}")
    rows, ceilings = [], {}
    with peers.threads(libraries, threads):
        for dtype in dtypes:
            ceilings[dtype] = probes.probe(dtype, device, threads)
            show(_ceilings(ceilings[dtype]))
            show(text.heading())
            settings = Settings(dtype, device, threads, CACHES[caches], budget, machine.last_level())
            rows += _rows(workloads, libraries, settings, ceilings[dtype], show)
    settings = {"threads": threads, "device": device, "caches": caches, "seconds": budget.seconds}
    if device.startswith("cuda"):
        settings["gpu"] = machine.gpu()
    return record.make(rows, settings, libraries, missing, ceilings, command)


def _ceilings(ceilings):
    copies = ceilings["copies"]
    return (
        f"ceilings: {ceilings['flops'] / 1e9:.0f} GFLOP/s ({ceilings['flops_by']}); copy "
        f"{copies[0]['bandwidth'] / 1e9:.0f} GB/s of {copies[0]['bytes'] / 2**20:.0f} MiB, "
        f"{copies[-1]['bandwidth'] / 1e9:.0f} GB/s of {copies[-1]['bytes'] / 2**20:.0f} MiB ({ceilings['copies_by']})"
    )


def _rows(workloads, libraries, settings, ceilings, show):
    rows, progress = [], Progress(len(workloads))
    for workload in workloads:
        progress.start(workload.name)
        row = measure(workload, libraries, settings, progress.step)
        progress.clear()
        show("\n".join(text.lines(row, ceilings)))
        rows.append(row)
    return rows
