"""What recycling the memory of results is worth: a chain of negations with and without it, in milliseconds.

    python benchmarks/recycled_memory.py

Each size runs in two processes in turn, one of them with MINIDL_CPU_CACHE=0. The floor is the bytes read and written
over the machine's copy bandwidth; what lies above it in the second column is page faults.
"""

import os
import statistics
import subprocess
import sys
import time

MIB = (0.25, 1, 4, 25, 64)
ROUNDS = 3


def measure(mib, samples=25):
    """Milliseconds of four negations, one after the other, of float32 arrays of ``mib`` MiB."""
    import minidl

    minidl.set_num_threads(1)
    x = minidl.ones(int(mib * 2**18))
    times = []
    for _ in range(samples):
        begin = time.perf_counter()
        for _ in range(4):
            x = -x
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times[5:])


def in_child(mib, cache):
    environment = {**os.environ, "MINIDL_CPU_CACHE": cache}
    done = subprocess.run(
        [sys.executable, __file__, str(mib)], capture_output=True, text=True, env=environment, check=True
    )
    return float(done.stdout)


def main():
    print(f"{'MiB':>6} {'recycled':>9} {'malloc':>9} {'ratio':>6}")
    for mib in MIB:
        pairs = [(in_child(mib, "512"), in_child(mib, "0")) for _ in range(ROUNDS)]
        ours, plain = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{mib:6g} {ours:9.3f} {plain:9.3f} {plain / ours:6.1f}")


if __name__ == "__main__":
    print(measure(float(sys.argv[1]))) if len(sys.argv) > 1 else main()
