"""Times our code and PyTorch's in turns in one process, so that a busy machine slows both alike."""

import gc
import json
import pathlib
import platform
import statistics
import time

RESULTS = pathlib.Path(__file__).parent / "results"


def interleaved(candidates, rounds=31, repeats=40):
    """Median seconds a call of each of ``candidates`` (name to function), with the 10th and 90th percentile.

    Every round calls each candidate ``repeats`` times; the garbage collector rests meanwhile.
    """
    for run in candidates.values():
        for _ in range(repeats):
            run()
    times = {name: [] for name in candidates}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, run in candidates.items():
                start = time.perf_counter()
                for _ in range(repeats):
                    run()
                times[name].append((time.perf_counter() - start) / repeats)
    finally:
        gc.enable()
    return {name: _summary(values) for name, values in times.items()}


def _summary(values):
    tenths = statistics.quantiles(values, n=10)
    return {"median": statistics.median(values), "p10": tenths[0], "p90": tenths[-1]}


def machine():
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        model = f"{names[0]}, {len(names)} CPUs" if names else model
    return {"cpu": model, "python": platform.python_version(), "system": platform.system()}


def write(name, command, versions, rows):
    """Writes ``results/<name>.json``: the rows with machine, versions and the command that made them."""
    RESULTS.mkdir(exist_ok=True)
    record = {"command": command, "machine": machine(), "versions": versions, "rows": rows}
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
