"""The cost of an op on 4x4 float32, forward and backward, beside PyTorch in the same process.

``python benchmarks/per_op.py [--write] [OP ...]``. The floor of such an op is no arithmetic (16 to 128 flops, 64 to 192
bytes) but the interpreter's calls. Aims: geometric mean forward <= 1.0, backward <= 0.65 of PyTorch's time,
no op above 1.5.
"""

import statistics
import sys
import time

import numpy as np
import torch
from beside import write

import minidl
from minidl.bench.timing import Budget, HostTimer, interleaved
from minidl.bench.workloads.overhead import OPS

COUNT = 40  # results of one op that one backward call serves


def leaves(m):
    rng = np.random.default_rng(0)
    return [
        m.tensor(rng.standard_normal(s).astype(np.float32), requires_grad=True)
        for s in ((4, 4), (4, 4), (4,))
    ]


def backward_times(fn, rounds=31):
    """Median seconds of backward a result, for each framework in turn."""
    times = {"minidl": [], "torch": []}
    inputs = {"minidl": leaves(minidl), "torch": leaves(torch)}
    for _ in range(rounds):
        for name, m in (("minidl", minidl), ("torch", torch)):
            results = [fn(m, *inputs[name]) for _ in range(COUNT)]
            gradients = [m.ones(*results[0].shape)] * COUNT
            start = time.perf_counter()
            m.autograd.backward(results, gradients)
            times[name].append((time.perf_counter() - start) / COUNT)
    return {name: statistics.median(values) for name, values in times.items()}


def measure(fn):
    ours, theirs = leaves(minidl), leaves(torch)
    calls = {"minidl": lambda: fn(minidl, *ours), "torch": lambda: fn(torch, *theirs)}
    forward = interleaved(calls, HostTimer(), Budget(seconds=1, least=31))
    forward = {name: statistics.median(samples) for name, samples in forward.items()}
    return forward, backward_times(fn)


def main(argv):
    chosen = [a for a in argv if not a.startswith("-")] or list(OPS)
    rows = []
    print(
        f"{'op':14} {'forward us':>10} {'torch':>7} {'ratio':>6} {'backward us':>12} {'torch':>7} {'ratio':>6}"
    )
    for name in chosen:
        forward, backward = measure(OPS[name])
        row = {"op": name, "forward": forward, "backward": backward}
        row["forward_ratio"], row["backward_ratio"] = (t["minidl"] / t["torch"] for t in (forward, backward))
        rows.append(row)
        print(
            f"{name:14} {forward['minidl'] * 1e6:10.2f} {forward['torch'] * 1e6:7.2f} {row['forward_ratio']:6.2f} "
            f"{backward['minidl'] * 1e6:12.2f} {backward['torch'] * 1e6:7.2f} {row['backward_ratio']:6.2f}"
        )
    means = [statistics.geometric_mean(r[key] for r in rows) for key in ("forward_ratio", "backward_ratio")]
    print(f"geometric mean of the ratios: forward {means[0]:.2f}, backward {means[1]:.2f}")
    if "--write" in argv:
        versions = {"minidl": minidl.__version__, "torch": torch.__version__, "numpy": np.__version__}
        rows.append({"geometric_mean": {"forward": means[0], "backward": means[1]}})
        write("per_op", "python benchmarks/per_op.py --write", versions, rows)


if __name__ == "__main__":
    main(sys.argv[1:])
