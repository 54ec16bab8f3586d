"""What PyTorch (cuBLAS, cuDNN, its own kernels) and CuPy reach on this GPU: the figures that ours stand beside.

``python benchmarks/gpu_peers.py --json FILE [--only PATTERN] [--device cuda] [--tiny]``: the median of event-timed
calls on random data, inputs rotated beyond the L2 cache; a row that fails says why and the rest goes on. ``--tiny``
shrinks every size: a rehearsal on a CPU. Nothing of minidl is timed here: ``python -m minidl bench large --device
cuda`` times both in one process.
"""

import argparse
import json
import re
import statistics
import time
from pathlib import Path

import torch
import torch.nn.functional as F

import minidl
from minidl.bench import machine

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--json")
parser.add_argument("--only", default="")
parser.add_argument("--device", default="cuda")
parser.add_argument("--tiny", action="store_true")
args = parser.parse_args()
dev, gpu = args.device, args.device.startswith("cuda")
bf16, f16, f32 = torch.bfloat16, torch.float16, torch.float32


def S(n):
    """A size, smaller in a rehearsal."""
    return max(8, n // 32) if args.tiny else n


def rand(*shape, dtype=f32):
    return torch.randn(*shape, device=dev, dtype=f32).to(dtype)


ROWS, DONE = {}, []


def row(name, flops=0, nbytes=0):
    def deco(make):
        ROWS[name] = (make, flops, nbytes)
        return make

    return deco


def time_us(run, budget=0.4):
    """Median microseconds of one call of run(i); i rotates the inputs."""
    for i in range(4):
        run(i)
    if not gpu:
        t = time.perf_counter()
        run(0)
        return (time.perf_counter() - t) * 1e6
    torch.cuda.synchronize()
    times, start, i = [], time.perf_counter(), 0
    while len(times) < 10 or (time.perf_counter() - start < budget and len(times) < 400):
        a, b = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        a.record()
        run(i)
        b.record()
        b.synchronize()
        times.append(a.elapsed_time(b) * 1e3)
        i += 1
    return statistics.median(times)


def host_us(run, n=300):
    """Host microseconds to issue one call (no synchronisation inside the loop)."""
    run(0)
    torch.cuda.synchronize() if gpu else None
    t = time.perf_counter()
    for i in range(n):
        run(i)
    t = (time.perf_counter() - t) / n * 1e6
    torch.cuda.synchronize() if gpu else None
    return t


def rotate(make, each):
    """Enough copies of the inputs to exceed three times a 60 MB L2."""
    n = 1 if args.tiny else max(1, min(16, 200_000_000 // max(1, each)))
    return [make() for _ in range(n)]


# ---- ceilings ----------------------------------------------------------------------------------------------
n = S(1 << 28)


@row("copy 1 GiB fp32", nbytes=2 * 4 * n)
def _():
    a, b = torch.empty(n, device=dev), rand(n)
    return lambda i: a.copy_(b)


# ---- GEMM --------------------------------------------------------------------------------------------------
def gemm(label, m, n, k, dtype, form="nt", tf32=False, batch=None):
    m, n, k = S(m), S(n), S(k)

    @row(
        f"gemm {label} {form} {'' if batch is None else str(batch) + 'x'}{m}x{n}x{k}",
        flops=2 * m * n * k * (batch or 1),
    )
    def _():
        lead = () if batch is None else (batch,)

        def make():
            a = rand(*lead, m, k, dtype=dtype) if form[0] == "n" else rand(*lead, k, m, dtype=dtype).mT
            b = rand(*lead, k, n, dtype=dtype) if form[1] == "n" else rand(*lead, n, k, dtype=dtype).mT
            return a, b

        sets = rotate(make, (m * k + k * n) * (batch or 1) * dtype.itemsize)

        def run(i):
            torch.backends.cuda.matmul.allow_tf32 = tf32
            a, b = sets[i % len(sets)]
            return a @ b

        return run


for size in (512, 1024, 2048, 4096, 8192):
    gemm("bf16", size, size, size, bf16)
    gemm("tf32", size, size, size, f32, tf32=True)
    gemm("fp32", size, size, size, f32)
for form in ("nn", "tn"):
    gemm("bf16", 4096, 4096, 4096, bf16, form)
    gemm("bf16", 8192, 8192, 8192, bf16, form)
    gemm("tf32", 4096, 4096, 4096, f32, form, tf32=True)
gemm("bf16", 512, 512, 512, bf16, batch=16)
gemm("bf16", 1024, 1024, 1024, bf16, batch=8)
gemm("bf16", 64, 4096, 4096, bf16)
gemm("bf16", 1, 4096, 4096, bf16)
gemm("bf16", 1000, 1001, 1003, bf16)
gemm("fp32", 128, 512, 784, f32)
gemm("bf16", 8192, 3072, 768, bf16)
gemm("bf16", 8192, 50304, 768, bf16)


# ---- convolution (channels_last is cuDNN's fast path) ------------------------------------------------------
def conv(label, N, C, H, K, R, stride, pad, groups=1, dtypes=((bf16, "bf16"), (f32, "tf32"), (f32, "fp32"))):
    N, H = S(N), max(R, S(H) if args.tiny else H)
    P = (H + 2 * pad - R) // stride + 1
    fl = 2 * N * P * P * K * (C // groups) * R * R
    for dtype, tag in dtypes:
        for layout in ("NHWC", "NCHW") if tag == "bf16" else ("NHWC",):
            fmt = torch.channels_last if layout == "NHWC" else torch.contiguous_format

            def make(dtype=dtype, fmt=fmt):
                return (
                    rand(N, C, H, H, dtype=dtype).to(memory_format=fmt),
                    rand(K, C // groups, R, R, dtype=dtype).to(memory_format=fmt),
                    rand(N, K, P, P, dtype=dtype).to(memory_format=fmt),
                )

            for which in ("fprop", "dgrad", "wgrad"):

                @row(f"conv {label} {tag} {layout} {which}", flops=fl)
                def _(make=make, which=which, tag=tag):
                    x, w, g = make()
                    mask = {"dgrad": [True, False, False], "wgrad": [False, True, False]}.get(which)

                    def run(i):
                        torch.backends.cudnn.allow_tf32 = tag == "tf32"
                        if which == "fprop":
                            return F.conv2d(x, w, stride=stride, padding=pad, groups=groups)
                        return torch.ops.aten.convolution_backward(
                            g, x, w, None, [stride] * 2, [pad] * 2, [1, 1], False, [0, 0], groups, mask
                        )

                    torch.backends.cudnn.benchmark = True
                    return run


conv("3x3 64 @56 n32", 32, 64, 56, 64, 3, 1, 1)
conv("3x3 64 @56 n256", 256, 64, 56, 64, 3, 1, 1, dtypes=((bf16, "bf16"),))
conv("3x3 256 @14 n256", 256, 256, 14, 256, 3, 1, 1)
conv("3x3 512 @7 n256", 256, 512, 7, 512, 3, 1, 1, dtypes=((bf16, "bf16"),))
conv("3x3 s2 128 @56 n256", 256, 128, 56, 128, 3, 2, 1, dtypes=((bf16, "bf16"),))
conv("1x1 256-64 @56 n256", 256, 256, 56, 64, 1, 1, 0, dtypes=((bf16, "bf16"),))
conv("7x7 s2 stem n256", 256, 3, 224, 64, 7, 2, 3, dtypes=((bf16, "bf16"),))
conv("depthwise 3x3 256 @28 n128", 128, 256, 28, 256, 3, 1, 1, groups=256, dtypes=((bf16, "bf16"),))


# ---- pooling -----------------------------------------------------------------------------------------------
def pool(label, shape, call):
    for layout in ("NHWC", "NCHW"):
        fmt = torch.channels_last if layout == "NHWC" else torch.contiguous_format

        def data(fmt=fmt):
            return rand(*shape, dtype=bf16).to(memory_format=fmt)

        @row(f"pool {label} bf16 {layout} forward")
        def _(data=data):
            x = data()
            return lambda i: call(x)

        @row(f"pool {label} bf16 {layout} backward")
        def _(data=data):
            x = data().requires_grad_()
            y = call(x)
            g = torch.randn_like(y)
            return lambda i: torch.autograd.grad(y, x, g, retain_graph=True)


big = (S(256), 64, S(112) + 16 * args.tiny, S(112) + 16 * args.tiny)
pool("max 3x3 s2", big, lambda x: F.max_pool2d(x, 3, 2, 1))
pool("max 2x2", big, lambda x: F.max_pool2d(x, 2))
pool("avg 3x3 s2", big, lambda x: F.avg_pool2d(x, 3, 2, 1))
pool("global avg", (S(256), 512, 7, 7), lambda x: F.adaptive_avg_pool2d(x, 1))
pool("global max", (S(256), 512, 7, 7), lambda x: F.adaptive_max_pool2d(x, 1))

# ---- recurrent ---------------------------------------------------------------------------------------------
for kind in ("LSTM", "GRU", "RNN"):
    for T, B, H, dtype in (
        (1024, 16, 768, f16),
        (512, 64, 512, bf16),
        (512, 64, 512, f32),
        (128, 64, 256, bf16),
        (128, 64, 1024, bf16),
        (50, 32, 256, f32),
    ):
        T, B, H = S(T), S(B), S(H)
        for mode in ("forward", "forward+backward"):

            @row(f"{kind} T{T} B{B} H{H} {str(dtype)[6:]} {mode}")
            def _(kind=kind, T=T, B=B, H=H, dtype=dtype, mode=mode):
                m = getattr(torch.nn, kind)(H, H).to(dev, dtype)
                x = rand(T, B, H, dtype=dtype).requires_grad_(mode != "forward")

                def run(i):
                    if mode == "forward":
                        with torch.no_grad():
                            return m(x)
                    y = m(x)[0]
                    y.backward(y.detach())

                return run


# ---- memory-bound set --------------------------------------------------------------------------------------
r, c = S(32768), S(4096)


def unary(label, call, passes):
    @row(f"{label} {r}x{c} bf16 forward", nbytes=passes * 2 * r * c)
    def _():
        x = rand(r, c, dtype=bf16)
        return lambda i: call(x)

    @row(f"{label} {r}x{c} bf16 backward", nbytes=(passes + 1) * 2 * r * c)
    def _():
        x = rand(r, c, dtype=bf16).requires_grad_()
        y = call(x)
        g = torch.randn_like(y)
        return lambda i: torch.autograd.grad(y, x, g, retain_graph=True)


w = torch.ones(c, device=dev, dtype=bf16)
unary("softmax", lambda x: F.softmax(x, -1), 2)
unary("layer_norm", lambda x: F.layer_norm(x, (c,), w, w), 2)
unary("rms_norm", lambda x: F.rms_norm(x, (c,), w), 2)
unary("gelu", F.gelu, 2)


@row(f"cross_entropy {S(8192)}x{S(50304)} bf16 forward+backward", nbytes=2 * 2 * S(8192) * S(50304))
def _():
    x = rand(S(8192), S(50304), dtype=bf16).requires_grad_()
    y = torch.randint(0, S(50304), (S(8192),), device=dev)
    return lambda i: torch.autograd.grad(F.cross_entropy(x, y), x)


@row(f"batch_norm n{S(256)} 64@56 bf16 NHWC forward+backward")
def _():
    m = torch.nn.BatchNorm2d(64).to(dev)
    x = rand(S(256), 64, 56, 56, dtype=bf16).to(memory_format=torch.channels_last).requires_grad_()

    def run(i):
        y = m(x)
        y.backward(y.detach())

    return run


@row("adamw 124M fp32 fused", nbytes=7 * 4 * S(124_000_000))
def _():
    ps = [torch.nn.Parameter(rand(S(1_240_000))) for _ in range(100)]
    for p in ps:
        p.grad = torch.randn_like(p)
    o = torch.optim.AdamW(ps, fused=gpu)
    return lambda i: o.step()


for D, T in ((128, 8192), (64, 2048)):
    T = S(T)
    for causal in (False, True):

        @row(
            f"attention B{S(4)} H16 T{T} D{D} bf16 {'causal' if causal else 'full'} forward",
            flops=4 * S(4) * 16 * T * T * D // (2 if causal else 1),
        )
        def _(D=D, T=T, causal=causal):
            q, k, v = (rand(S(4), 16, T, D, dtype=bf16) for _ in range(3))
            return lambda i: F.scaled_dot_product_attention(q, k, v, is_causal=causal)


# ---- overheads and whole steps -----------------------------------------------------------------------------
@row("host cost: torch add 4x4")
def _():
    a, b = rand(4, 4), rand(4, 4)

    def f(i):
        return a + b

    f.host = True
    return f


@row("host cost: cupy add 4x4")
def _():
    import cupy

    a, b = cupy.ones((4, 4), "f4"), cupy.ones((4, 4), "f4")

    def f(i):
        return a + b

    f.host = True
    return f


@row("host cost: cupy empty 4x4")
def _():
    import cupy

    def f(i):
        return cupy.empty((4, 4), "f4")

    f.host = True
    return f


def step(label, make):
    for mode in ("eager", "compile", "reduce-overhead"):

        @row(f"step {label} {mode}")
        def _(mode=mode):
            if args.tiny and mode != "eager":
                raise RuntimeError("not in a rehearsal")
            model, x, y, loss = make()
            opt = torch.optim.AdamW(model.parameters(), fused=gpu, capturable=gpu)
            net = (
                model
                if mode == "eager"
                else torch.compile(model, mode="default" if mode == "compile" else mode)
            )

            def run(i):
                opt.zero_grad()
                loss(net(x), y).backward()
                opt.step()

            return run


nn = torch.nn


def digits(features):
    """A batch of 128 images, its labels and the loss."""
    return rand(128, *features), torch.randint(0, 10, (128,), device=dev), F.cross_entropy


def mlp():
    layers = nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    return (nn.Sequential(*layers).to(dev), *digits((784,)))


def lenet():
    first = nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
    second = nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
    head = nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10)
    return (nn.Sequential(*first, *second, *head).to(dev), *digits((1, 28, 28)))


step("MLP 784-512-512-10 b128 fp32", mlp)
step("LeNet b128 fp32", lenet)

print(
    torch.__version__, torch.cuda.get_device_name() if gpu else "cpu", "cuDNN", torch.backends.cudnn.version()
)
for name, (make, flops, nbytes) in ROWS.items():
    if not re.search(args.only, name):
        continue
    try:
        run = make()
        us = host_us(run) if getattr(run, "host", False) else time_us(run)
        found = {"name": name, "us": us, "tflops": flops / us / 1e6, "gbs": nbytes / us / 1e3}
        print(f"{name:62s} {us:12.1f} us {found['tflops']:8.1f} TFLOP/s {found['gbs']:8.0f} GB/s", flush=True)
    except Exception as error:
        found = {"name": name, "error": f"{type(error).__name__}: {error}"[:200]}
        print(f"{name:62s} {found['error'][:80]}", flush=True)
    DONE.append(found)
    if gpu:
        torch.cuda.empty_cache()
if args.json:
    gpu_name = torch.cuda.get_device_name() if gpu else None
    record = {
        "command": f"python benchmarks/gpu_peers.py --json FILE --only '{args.only}'",
        "machine": {**machine.describe(), "gpu": gpu_name},
        "versions": {"minidl": minidl.__version__, "torch": torch.__version__},
        "rows": DONE,
    }
    Path(args.json).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
