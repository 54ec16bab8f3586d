"""Memory that training LeNet (28x28, batch 64 and 512, Adam) takes, beside PyTorch: peak resident memory of a process.

``python benchmarks/lenet_memory.py [--write]``. A child process for each builds network and data, forgets the peak of
that (``/proc/self/clear_refs``), trains ten steps, and tells how far the peak lies above what it began with:
activations, gradients, the optimizer's state, scratch and caches of the library, its threads. Linux only.
"""

import statistics
import subprocess
import sys
from pathlib import Path

from beside import write

CHILD = """
import importlib, re, sys
from minidl import bench
name, batch, steps = sys.argv[1], int(sys.argv[2]), 10
lib = importlib.import_module(name)
lib.set_num_threads(2)
row = bench.named("train/lenet/step")
step = row.build(bench.Kit(lib, gradient=True), batch=batch)
def status(key):
    return int(re.search(key + r":\\s*(\\d+) kB", open("/proc/self/status").read()).group(1)) * 1024
open("/proc/self/clear_refs", "w").write("5")
start = status("VmRSS")
for _ in range(steps):
    loss, *_ = step()
print(status("VmHWM") - start, lib.__version__)
"""


def peak(library, batch):
    """Bytes above the start, the median of three processes, and the library's version."""
    runs = []
    for _ in range(3):
        command = [sys.executable, "-c", CHILD, library, str(batch)]
        runs.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    return statistics.median(int(run[0]) for run in runs), runs[0][1]


def main(argv):
    if not Path("/proc/self/clear_refs").exists():
        raise SystemExit("error: this needs Linux's /proc/self/clear_refs")
    rows, versions = [], {}
    for batch in (64, 512):
        row = {"workload": "train/lenet/step", "batch": batch}
        for library in ("minidl", "torch"):
            row[library], versions[library] = peak(library, batch)
        row["ours_over_torch"] = row["minidl"] / row["torch"]
        rows.append(row)
        mib = {library: row[library] / 2**20 for library in versions}
        print(
            f"batch {batch:4}: minidl {mib['minidl']:6.1f} MiB, torch {mib['torch']:6.1f} MiB, "
            f"ours / torch {row['ours_over_torch']:.2f}"
        )
    if "--write" in argv:
        write("lenet_memory", "python benchmarks/lenet_memory.py --write", versions, rows)
    return 0 if all(row["ours_over_torch"] <= 1 for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
