"""What PyTorch (cuBLAS, cuDNN, its own kernels) and CuPy reach on this GPU: the figures that ours stand beside.

``python benchmarks/gpu_peers.py --json FILE [--only PATTERN] [--device cuda] [--tiny]``: the median of event-timed
calls on random data, inputs rotated beyond the L2 cache; a row that fails says why and the rest goes on. ``--tiny``
shrinks every size: a rehearsal on a CPU. Nothing of minidl is timed here: ``python -m minidl bench large --device
cuda`` times both in one process. The rows stand in ``gpu_peer_rows.py``.
"""

import argparse
import json
import re
import statistics
import time
from pathlib import Path

import torch
from gpu_peer_rows import rows

import minidl
from minidl.bench import machine


def time_us(run, gpu, budget=0.4):
    """Median microseconds of one call of run(i); i rotates the inputs."""
    for i in range(4):
        run(i)
    if not gpu:
        start = time.perf_counter()
        run(0)
        return (time.perf_counter() - start) * 1e6
    torch.cuda.synchronize()
    times, start = [], time.perf_counter()
    while len(times) < 10 or (time.perf_counter() - start < budget and len(times) < 400):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        run(len(times))
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) * 1e3)
    return statistics.median(times)


def host_us(run, gpu, count=300):
    """Host microseconds to issue one call (no synchronisation inside the loop)."""
    wait = torch.cuda.synchronize if gpu else lambda: None
    run(0)
    wait()
    start = time.perf_counter()
    for i in range(count):
        run(i)
    spent = time.perf_counter() - start
    wait()
    return spent / count * 1e6


def measure(name, row, gpu):
    """The figures of a row, or why it has none; its line is printed."""
    try:
        run = row.make()
        us = host_us(run, gpu) if row.on_host else time_us(run, gpu)
    except Exception as error:
        found = {"name": name, "error": f"{type(error).__name__}: {error}"[:200]}
        print(f"{name:62s} {found['error'][:80]}", flush=True)
        return found
    found = {"name": name, "us": us, "tflops": row.flops / us / 1e6, "gbs": row.nbytes / us / 1e3}
    print(f"{name:62s} {us:12.1f} us {found['tflops']:8.1f} TFLOP/s {found['gbs']:8.0f} GB/s", flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--only", default="", metavar="PATTERN")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    args = parser.parse_args()
    gpu = args.device.startswith("cuda")
    gpu_name = torch.cuda.get_device_name() if gpu else None
    print(torch.__version__, gpu_name or "cpu", "cuDNN", torch.backends.cudnn.version())
    done = []
    for name, row in rows(args.device, args.tiny).items():
        if re.search(args.only, name):
            done.append(measure(name, row, gpu))
            if gpu:
                torch.cuda.empty_cache()
    if args.json:
        record = {
            "command": f"python benchmarks/gpu_peers.py --json FILE --only '{args.only}'",
            "machine": {**machine.describe(), "gpu": gpu_name},
            "versions": {"minidl": minidl.__version__, "torch": torch.__version__},
            "rows": done,
        }
        Path(args.json).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
