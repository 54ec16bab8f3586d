"""One training step of an MLP (64-64-32-1, batch 32, Adam), beside PyTorch's default and fused Adam in one process.

``python benchmarks/mlp_step.py [--write]``. Floor: 32 * 3 * 2 * (64 * 64 + 64 * 32 + 32) flops = 1.2 Mflop, 3 us at
400 GFLOP/s; the rest is calls. Aims: <= 0.7 of PyTorch's default step, <= 1.0 of its fused one.
"""

import sys

import numpy as np
import torch
from beside import write

import minidl
from minidl.bench.statistics import summary
from minidl.bench.timing import Budget, HostTimer, interleaved


def step_of(m, **options):
    """A function that trains one step on fixed data."""
    rng = np.random.default_rng(0)
    x = m.tensor(rng.standard_normal((32, 64)).astype(np.float32))
    y = m.tensor((rng.random((32, 1)) > 0.5).astype(np.float32))
    nn = m.nn
    net = nn.Sequential(
        nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid()
    )
    criterion, optimizer = nn.BCELoss(), m.optim.Adam(net.parameters(), lr=1e-3, **options)

    def step():
        optimizer.zero_grad()
        criterion(net(x), y).backward()
        optimizer.step()

    return step


def main(argv):
    steps = {"minidl": step_of(minidl), "torch": step_of(torch), "torch fused": step_of(torch, fused=True)}
    samples = interleaved(steps, HostTimer(), Budget(seconds=5, least=31))
    found = {name: summary(times) for name, times in samples.items()}
    rows = []
    for name, times in found.items():
        ratio = found["minidl"]["median"] / times["median"]
        rows.append({"step": name, **times, "ours_over_this": ratio})
        print(
            f"{name:12} {times['median'] * 1e6:8.1f} us  (p10 {times['p10'] * 1e6:.1f}, p90 "
            f"{times['p90'] * 1e6:.1f})  ours / this {ratio:.2f}"
        )
    if "--write" in argv:
        versions = {"minidl": minidl.__version__, "torch": torch.__version__, "numpy": np.__version__}
        write("mlp_step", "python benchmarks/mlp_step.py --write", versions, rows)


if __name__ == "__main__":
    main(sys.argv[1:])
