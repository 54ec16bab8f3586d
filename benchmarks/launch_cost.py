"""What one call costs the host, down to the launch of its kernel: Python, the binding, and the memory of the result.

``python benchmarks/launch_cost.py [--write] [--json FILE] [--profile OP] [OP ...]``. Aim: at most 5 us for the binding.

Columns, each the processor time of a call in the quickest of 31 rounds (other programs slow the rest), in microseconds:
``op`` is the call as a user writes it, with a gradient wanted; ``backend`` is the function on raw arrays, as the op's
forward calls it; ``binding`` is that without the memory of its result, which one ``empty`` costs.

On a GPU, arrays have 16 elements and nobody waits for the kernels; PyTorch stands beside, if it is there. Without one,
CuPy's arrays lie in the host's memory and have no elements: everything runs as on a GPU up to the launch, which ends
before anything starts because its grid is empty. CuPy's own memory pool and the launch itself are then not in it.
"""

import argparse
import cProfile
import json
import pstats
import time
import types
from pathlib import Path

import numpy as np
from beside import write

import minidl
from minidl import backends
from minidl.backends.namespace import Backend
from minidl.bench.timing import no_garbage_collection

CALLS, ROUNDS = 200, 31  # a GPU takes 1024 launches before it lets the host wait

# By name: the op on tensors (rows, rows, weight, bias), and the backend's function on arrays that its forward calls.
ROWS = {
    "add": (lambda m, x, y, w, b: m.add(x, y), lambda s, x, y, w, b: s.add(x, y)),
    "mul number": (lambda m, x, y, w, b: x * 2.0, lambda s, x, y, w, b: s.mul(x, 2.0)),
    "relu": (lambda m, x, y, w, b: m.relu(x), lambda s, x, y, w, b: s.relu(x)),
    "gelu": (lambda m, x, y, w, b: m.nn.functional.gelu(x), lambda s, x, y, w, b: s.gelu(x, "none")),
    "sum": (lambda m, x, y, w, b: x.sum(1), lambda s, x, y, w, b: s.sum(x, (1,), False)),
    "softmax": (lambda m, x, y, w, b: m.softmax(x, 1), lambda s, x, y, w, b: s.softmax(x, 1)),
    "matmul": (lambda m, x, y, w, b: x @ w, lambda s, x, y, w, b: s.matmul(x, w)),
    "cumsum": (lambda m, x, y, w, b: x.cumsum(1), lambda s, x, y, w, b: s.cumsum(x, 1)),
}


def on_host():
    """Has CuPy's arrays lie in the host's memory, and the emulator's binding serve them. Returns the array module."""
    import cupy

    from minidl import _emulated

    class Memory(cupy.cuda.BaseMemory):
        __slots__ = ()

    room = np.zeros(4096, np.uint8)
    address = room.ctypes.data

    def allocate(size, room=room):
        memory = Memory()
        memory.ptr, memory.size = address, size
        return cupy.cuda.MemoryPointer(memory, 0)

    stream = types.SimpleNamespace(ptr=0)
    cupy.cuda.set_allocator(allocate)
    cupy.cuda.get_current_stream = lambda: stream
    package = "minidl.backends.cuda"
    made = Backend("cuda", cupy, "minidl.backends.reference", package, bind=(cupy, _emulated))
    backends._BY_CLASS[cupy.ndarray] = backends._BY_TYPE["cuda"] = made
    return cupy


def quickest_us(call, finish):
    """Microseconds of a call in the quickest round, with the queue emptied between rounds."""
    samples = []
    with no_garbage_collection():
        for _ in range(ROUNDS):
            start = time.thread_time()
            for _ in range(CALLS):
                call()
            samples.append((time.thread_time() - start) / CALLS)
            finish()
    return min(samples) * 1e6


def arrays(xp, rows):
    return [xp.empty(shape, "float32") for shape in ((rows, 4), (rows, 4), (4, 4), (4,))]


def measure(name, xp, rows, finish):
    """The figures of a row, or what keeps it from being measured."""
    op, function = ROWS[name]
    raw, space = arrays(xp, rows), backends.on("cuda")
    with backends.trace_fallbacks() as fallen:
        result = function(space, *raw)
    if fallen:
        return f"{name}: the binding does not take it ({fallen[0][1]})"
    tensors = [minidl.Tensor._from_array(array).requires_grad_() for array in raw]
    call = {"op": lambda: op(minidl, *tensors), "backend": lambda: function(space, *raw)}
    times = {key: quickest_us(fn, finish) for key, fn in call.items()}
    shape, dtype = result.shape, result.dtype
    empty = quickest_us(lambda: xp.empty(shape, dtype), finish)
    return {"name": name, **times, "empty": empty, "binding": times["backend"] - empty}


def torch_us(name, rows):
    """PyTorch's host time of the same call on the GPU; None where it is not there."""
    try:
        import torch
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    tensors = [torch.empty(a, device="cuda").requires_grad_() for a in ((rows, 4), (rows, 4), (4, 4), (4,))]
    return quickest_us(lambda: ROWS[name][0](torch, *tensors), torch.cuda.synchronize)


def profile(name, xp, rows):
    """Prints where the time of an op goes, by Python function."""
    tensors = [minidl.Tensor._from_array(array).requires_grad_() for array in arrays(xp, rows)]
    run = cProfile.Profile()
    run.enable()
    for _ in range(20000):
        ROWS[name][0](minidl, *tensors)
    run.disable()
    pstats.Stats(run).sort_stats("tottime").print_stats(15)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ops", nargs="*", metavar="OP", help=", ".join(ROWS))
    parser.add_argument("--write", action="store_true", help="write results/launch_cost.json")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    parser.add_argument("--profile", metavar="OP", choices=list(ROWS))
    args = parser.parse_args()
    gpu = minidl.cuda.is_available()
    xp, rows = (backends.on("cuda").xp, 4) if gpu else (on_host(), 0)
    if args.profile:
        profile(args.profile, xp, rows)
        return
    print(
        "on a GPU, kernels included in no column"
        if gpu
        else "without a GPU: the host's part up to the launch"
    )
    print(f"{'op':12} {'op us':>7} {'backend':>8} {'empty':>6} {'binding':>8} {'torch op':>9}")
    found = []
    for name in args.ops or ROWS:
        row = measure(name, xp, rows, minidl.cuda.synchronize if gpu else lambda: None)
        if isinstance(row, str):
            print(row)
            continue
        row["torch"] = torch_us(name, rows)
        found.append(row)
        beside = "-" if row["torch"] is None else f"{row['torch']:.2f}"
        print(
            f"{name:12} {row['op']:7.2f} {row['backend']:8.2f} {row['empty']:6.2f} {row['binding']:8.2f} {beside:>9}"
        )
    print(f"binding, the largest: {max((row['binding'] for row in found), default=0):.2f} us")
    if args.json:
        Path(args.json).write_text(json.dumps({"gpu": gpu, "rows": found}, indent=1) + "\n", encoding="utf-8")
    if args.write:
        versions = {"minidl": minidl.__version__, "cupy": xp.__version__, "numpy": np.__version__}
        write("launch_cost", "python benchmarks/launch_cost.py --write", versions, found)


if __name__ == "__main__":
    main()
