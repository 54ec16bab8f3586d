"""What ``gpu_peers.py`` times: PyTorch's kernels at sizes that fill a GPU, costs of calls, whole training steps."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

BFLOAT16, FLOAT16, FLOAT32 = torch.bfloat16, torch.float16, torch.float32
FORMATS = {"NHWC": torch.channels_last, "NCHW": torch.contiguous_format}


class Row(NamedTuple):
    """``make()`` draws the data and gives a function of the number of the call, which rotates them."""

    make: object
    flops: int
    nbytes: int
    on_host: bool  # what counts is the host's time of a call


class Rows:
    """The rows by name, for a device; ``tiny`` shrinks every size."""

    def __init__(self, device, tiny):
        self.device, self.tiny, self.by_name = device, tiny, {}
        self.gpu = device.startswith("cuda")

    def add(self, name, flops=0, nbytes=0, on_host=False):
        """Registers a function as the ``make`` of a row."""

        def registered(make):
            self.by_name[name] = Row(make, flops, nbytes, on_host)
            return make

        return registered

    def size(self, n):
        return max(8, n // 32) if self.tiny else n

    def random(self, *shape, dtype=FLOAT32):
        return torch.randn(*shape, device=self.device, dtype=FLOAT32).to(dtype)

    def rotated(self, make, nbytes):
        """Enough copies of the inputs, of ``nbytes`` each, to exceed three times an L2 cache of 60 MB."""
        count = 1 if self.tiny else max(1, min(16, 200_000_000 // max(1, nbytes)))
        return [make() for _ in range(count)]


def rows(device, tiny):
    """All rows by name."""
    found = Rows(device, tiny)
    for family in (
        copies,
        products,
        convolutions,
        pools,
        recurrent_layers,
        lines,
        others,
        attentions,
        calls,
        steps,
    ):
        family(found)
    return found.by_name


def copies(rows):
    n = rows.size(1 << 28)

    @rows.add("copy 1 GiB fp32", nbytes=2 * 4 * n)
    def _():
        a, b = torch.empty(n, device=rows.device), rows.random(n)
        return lambda i: a.copy_(b)


def products(rows):
    for size in (512, 1024, 2048, 4096, 8192):
        _product(rows, "bf16", size, size, size)
        _product(rows, "tf32", size, size, size)
        _product(rows, "fp32", size, size, size)
    for form in ("nn", "tn"):
        _product(rows, "bf16", 4096, 4096, 4096, form)
        _product(rows, "bf16", 8192, 8192, 8192, form)
        _product(rows, "tf32", 4096, 4096, 4096, form)
    _product(rows, "bf16", 512, 512, 512, batch=16)
    _product(rows, "bf16", 1024, 1024, 1024, batch=8)
    _product(rows, "bf16", 64, 4096, 4096)
    _product(rows, "bf16", 1, 4096, 4096)
    _product(rows, "bf16", 1000, 1001, 1003)
    _product(rows, "fp32", 128, 512, 784)
    _product(rows, "bf16", 8192, 3072, 768)
    _product(rows, "bf16", 8192, 50304, 768)


def _product(rows, kind, m, n, k, form="nt", batch=None):
    dtype = BFLOAT16 if kind == "bf16" else FLOAT32
    m, n, k = rows.size(m), rows.size(n), rows.size(k)
    lead, of_stack = ((), "") if batch is None else ((batch,), f"{batch}x")

    @rows.add(f"gemm {kind} {form} {of_stack}{m}x{n}x{k}", flops=2 * m * n * k * (batch or 1))
    def _():
        def operand(of_form, first, second):
            if of_form == "n":
                return rows.random(*lead, first, second, dtype=dtype)
            return rows.random(*lead, second, first, dtype=dtype).mT

        pairs = rows.rotated(
            lambda: (operand(form[0], m, k), operand(form[1], k, n)),
            (m * k + k * n) * (batch or 1) * dtype.itemsize,
        )

        def run(i):
            torch.backends.cuda.matmul.allow_tf32 = kind == "tf32"
            a, b = pairs[i % len(pairs)]
            return a @ b

        return run


def convolutions(rows):
    """Channels-last is cuDNN's fast path."""
    _convolution(rows, "3x3 64 @56 n32", 32, 64, 56, 64, 3, 1, 1, kinds=("bf16", "tf32", "fp32"))
    _convolution(rows, "3x3 64 @56 n256", 256, 64, 56, 64, 3, 1, 1)
    _convolution(rows, "3x3 256 @14 n256", 256, 256, 14, 256, 3, 1, 1, kinds=("bf16", "tf32", "fp32"))
    _convolution(rows, "3x3 512 @7 n256", 256, 512, 7, 512, 3, 1, 1)
    _convolution(rows, "3x3 s2 128 @56 n256", 256, 128, 56, 128, 3, 2, 1)
    _convolution(rows, "1x1 256-64 @56 n256", 256, 256, 56, 64, 1, 1, 0)
    _convolution(rows, "7x7 s2 stem n256", 256, 3, 224, 64, 7, 2, 3)
    _convolution(rows, "depthwise 3x3 256 @28 n128", 128, 256, 28, 256, 3, 1, 1, groups=256)


def _convolution(
    rows, label, images, channels, side, filters, taps, stride, padding, groups=1, kinds=("bf16",)
):
    images, side = rows.size(images), max(taps, rows.size(side))
    outputs = (side + 2 * padding - taps) // stride + 1
    flops = 2 * images * outputs * outputs * filters * (channels // groups) * taps * taps
    geometry = [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups

    def add(kind, layout, which):
        def tensor(*shape):
            drawn = rows.random(*shape, dtype=BFLOAT16 if kind == "bf16" else FLOAT32)
            return drawn.to(memory_format=FORMATS[layout])

        @rows.add(f"conv {label} {kind} {layout} {which}", flops=flops)
        def _():
            x = tensor(images, channels, side, side)
            w = tensor(filters, channels // groups, taps, taps)
            g = tensor(images, filters, outputs, outputs)
            wanted = {"dgrad": [True, False, False], "wgrad": [False, True, False]}.get(which)
            torch.backends.cudnn.benchmark = True

            def run(i):
                torch.backends.cudnn.allow_tf32 = kind == "tf32"
                if wanted is None:
                    return F.conv2d(x, w, stride=stride, padding=padding, groups=groups)
                return torch.ops.aten.convolution_backward(g, x, w, None, *geometry, wanted)

            return run

    for kind in kinds:
        for layout in ("NHWC", "NCHW") if kind == "bf16" else ("NHWC",):
            for which in ("fprop", "dgrad", "wgrad"):
                add(kind, layout, which)


def pools(rows):
    side = rows.size(112) + 16 * rows.tiny
    large, last = (rows.size(256), 64, side, side), (rows.size(256), 512, 7, 7)
    _pool(rows, "max 3x3 s2", large, lambda x: F.max_pool2d(x, 3, 2, 1))
    _pool(rows, "max 2x2", large, lambda x: F.max_pool2d(x, 2))
    _pool(rows, "avg 3x3 s2", large, lambda x: F.avg_pool2d(x, 3, 2, 1))
    _pool(rows, "global avg", last, lambda x: F.adaptive_avg_pool2d(x, 1))
    _pool(rows, "global max", last, lambda x: F.adaptive_max_pool2d(x, 1))


def _pool(rows, label, shape, call):
    for layout, memory_format in FORMATS.items():

        def data(memory_format=memory_format):
            return rows.random(*shape, dtype=BFLOAT16).to(memory_format=memory_format)

        _both_ways(rows, f"pool {label} bf16 {layout}", data, call)


def _both_ways(rows, name, data, call, forward_bytes=0, backward_bytes=0):
    """Rows of a function and of its gradient."""

    @rows.add(f"{name} forward", nbytes=forward_bytes)
    def _():
        x = data()
        return lambda i: call(x)

    @rows.add(f"{name} backward", nbytes=backward_bytes)
    def _():
        x = data().requires_grad_()
        y = call(x)
        g = torch.randn_like(y)
        return lambda i: torch.autograd.grad(y, x, g, retain_graph=True)


def recurrent_layers(rows):
    sizes = (
        (1024, 16, 768, FLOAT16), (512, 64, 512, BFLOAT16), (512, 64, 512, FLOAT32), (128, 64, 256, BFLOAT16),
        (128, 64, 1024, BFLOAT16), (50, 32, 256, FLOAT32),
    )  # fmt: skip
    for kind in ("LSTM", "GRU", "RNN"):
        for length, batch, features, dtype in sizes:
            for mode in ("forward", "forward+backward"):
                shape = rows.size(length), rows.size(batch), rows.size(features)
                _recurrent_layer(rows, kind, *shape, dtype, mode)


def _recurrent_layer(rows, kind, length, batch, features, dtype, mode):
    @rows.add(f"{kind} T{length} B{batch} H{features} {str(dtype)[6:]} {mode}")
    def _():
        layer = getattr(nn, kind)(features, features).to(rows.device, dtype)
        x = rows.random(length, batch, features, dtype=dtype).requires_grad_(mode != "forward")

        def run(i):
            if mode == "forward":
                with torch.no_grad():
                    return layer(x)
            y = layer(x)[0]
            y.backward(y.detach())

        return run


def lines(rows):
    """Functions of the lines of a large matrix, which memory limits."""
    count, length = rows.size(32768), rows.size(4096)
    weight = torch.ones(length, device=rows.device, dtype=BFLOAT16)
    functions = {
        "softmax": lambda x: F.softmax(x, -1),
        "layer_norm": lambda x: F.layer_norm(x, (length,), weight, weight),
        "rms_norm": lambda x: F.rms_norm(x, (length,), weight),
        "gelu": F.gelu,
    }
    once = 2 * count * length
    for name, call in functions.items():

        def data():
            return rows.random(count, length, dtype=BFLOAT16)

        _both_ways(rows, f"{name} {count}x{length} bf16", data, call, 2 * once, 3 * once)


def others(rows):
    samples, classes = rows.size(8192), rows.size(50304)

    @rows.add(f"cross_entropy {samples}x{classes} bf16 forward+backward", nbytes=2 * 2 * samples * classes)
    def _():
        x = rows.random(samples, classes, dtype=BFLOAT16).requires_grad_()
        y = torch.randint(0, classes, (samples,), device=rows.device)
        return lambda i: torch.autograd.grad(F.cross_entropy(x, y), x)

    @rows.add(f"batch_norm n{rows.size(256)} 64@56 bf16 NHWC forward+backward")
    def _():
        layer = nn.BatchNorm2d(64).to(rows.device)
        x = rows.random(rows.size(256), 64, 56, 56, dtype=BFLOAT16)
        x = x.to(memory_format=torch.channels_last).requires_grad_()

        def run(i):
            y = layer(x)
            y.backward(y.detach())

        return run

    @rows.add("adamw 124M fp32 fused", nbytes=7 * 4 * rows.size(124_000_000))
    def _():
        parameters = [nn.Parameter(rows.random(rows.size(1_240_000))) for _ in range(100)]
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter)
        optimizer = torch.optim.AdamW(parameters, fused=rows.gpu)
        return lambda i: optimizer.step()


def attentions(rows):
    for features, length in ((128, 8192), (64, 2048)):
        for causal in (False, True):
            _attention(rows, features, rows.size(length), causal)


def _attention(rows, features, length, causal):
    batch, name = rows.size(4), "causal" if causal else "full"

    @rows.add(
        f"attention B{batch} H16 T{length} D{features} bf16 {name} forward",
        flops=4 * batch * 16 * length * length * features // (2 if causal else 1),
    )
    def _():
        q, k, v = (rows.random(batch, 16, length, features, dtype=BFLOAT16) for _ in range(3))
        return lambda i: F.scaled_dot_product_attention(q, k, v, is_causal=causal)


def calls(rows):
    """What a call costs the host."""

    @rows.add("host cost: torch add 4x4", on_host=True)
    def _():
        a, b = rows.random(4, 4), rows.random(4, 4)
        return lambda i: a + b

    @rows.add("host cost: cupy add 4x4", on_host=True)
    def _():
        import cupy

        a, b = cupy.ones((4, 4), "f4"), cupy.ones((4, 4), "f4")
        return lambda i: a + b

    @rows.add("host cost: cupy empty 4x4", on_host=True)
    def _():
        import cupy

        return lambda i: cupy.empty((4, 4), "f4")


def steps(rows):
    def digits(*features):
        """A batch of 128 images, its labels and the loss."""
        labels = torch.randint(0, 10, (128,), device=rows.device)
        return rows.random(128, *features), labels, F.cross_entropy

    def mlp():
        layers = nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
        return (nn.Sequential(*layers).to(rows.device), *digits(784))

    def lenet():
        first = nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
        second = nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
        head = nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10)
        return (nn.Sequential(*first, *second, *head).to(rows.device), *digits(1, 28, 28))

    for mode in ("eager", "compile", "reduce-overhead"):
        _step(rows, "MLP 784-512-512-10 b128 fp32", mlp, mode)
    for mode in ("eager", "compile", "reduce-overhead"):
        _step(rows, "LeNet b128 fp32", lenet, mode)


def _step(rows, label, make, mode):
    @rows.add(f"step {label} {mode}")
    def _():
        if rows.tiny and mode != "eager":
            raise RuntimeError("not in a rehearsal")
        model, x, y, loss = make()
        optimizer = torch.optim.AdamW(model.parameters(), fused=rows.gpu, capturable=rows.gpu)
        net = model
        if mode != "eager":
            net = torch.compile(model, mode="default" if mode == "compile" else mode)

        def run(i):
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()

        return run
