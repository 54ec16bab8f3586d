"""Sizes that fill a GPU: the workloads of the other families, for ``--device cuda`` alone.

Meant for ``--dtype bfloat16`` (convolution, pooling and batch norm channels-last, which is what cuDNN is fast at) and,
where the name says so, ``float32``. Targets are PyTorch's time / ours.
"""

from minidl.bench.registry import BACKWARD, BOTH, FORWARD, STEP, Case, Target, workload
from minidl.bench.workloads import attention, conv, loss, matmul, norm, pool, recurrent

_GPU = {"family": "large", "devices": ("cuda",)}
_GEMM = {FORWARD: Target(0.97, 1.02)}
_ROWS = {FORWARD: Target(1.0, 1.5), BACKWARD: Target(1.0, 1.5)}


def _product(m, n, k, form="nt", batch=1, target=None):
    id = "x".join(map(str, (m, n, k) if batch == 1 else (batch, m, n, k)))
    arguments = {"m": m, "k": k, "n": n, "batch": batch, "form": form}
    return Case(f"{id}-{form}", arguments, {FORWARD: target} if target else _GEMM)


workload(
    "large/matmul",
    [
        *(_product(n, n, n) for n in (512, 1024, 2048, 4096, 8192)),
        *(_product(4096, 4096, 4096, form) for form in ("nn", "tn", "tt")),
        _product(512, 512, 512, batch=16),
        _product(1024, 1024, 1024, batch=8),
        _product(64, 4096, 4096, target=Target(0.95, 1.05)),
        _product(1, 4096, 4096, target=Target(0.95, 1.05)),
        _product(1000, 1001, 1003, target=Target(1.2, 1.5)),
        _product(8192, 3072, 768),
        _product(8192, 50304, 768),
        _product(128, 512, 784),
    ],
    matmul.cost,
    modes=(FORWARD,),
    **_GPU,
)(matmul.matmul)


def _images(id, must, *shape, **options):
    aims = {FORWARD: Target(must[0], 1.0), BACKWARD: Target(must[1], 1.0)}
    return Case(id, {**conv.shape(*shape, **options), "channels_last": True}, aims)


workload(
    "large/conv2d",
    [
        _images("3x3-64-56-n32", (0.9, 0.8), 32, 64, 64, 56, 3),
        _images("3x3-256-14-n256", (0.9, 0.8), 256, 256, 256, 14, 3),
        _images("3x3-512-7-n256", (0.9, 0.8), 256, 512, 512, 7, 3),
        _images("3x3s2-128-56-n256", (0.9, 0.8), 256, 128, 128, 56, 3, 2),
        _images("1x1-256-64-56-n256", (0.95, 0.95), 256, 256, 64, 56, 1),
        _images("7x7s2-3-64-224-n64", (0.8, 0.8), 64, 3, 64, 224, 7, 2),
        _images("depthwise-3x3-256-28-n128", (1.3, 1.3), 128, 256, 256, 28, 3, groups=256),
    ],
    conv.cost,
    modes=(FORWARD, BACKWARD),
    **_GPU,
)(conv.conv2d)

_STEM = {"batch": 256, "channels": 64, "size": 112, "channels_last": True}
_TWICE = {FORWARD: Target(2.0, 2.4), BACKWARD: Target(2.0, 3.0)}


def _pool_cost(mode, channels_last, kernel=None, stride=1, padding=0, **shape):
    return pool.cost(mode, **shape, kernel=kernel or shape["size"], stride=stride, padding=padding)


for _name, _cases in {
    "max_pool2d": {"2x2": (2, 2, 0), "3x3s2": (3, 2, 1)},
    "avg_pool2d": {"3x3s2": (3, 2, 1)},
}.items():
    workload(
        f"large/{_name}",
        [
            Case(id, {**_STEM, "kernel": kernel, "stride": stride, "padding": padding}, _TWICE)
            for id, (kernel, stride, padding) in _cases.items()
        ],
        _pool_cost,
        modes=(FORWARD, BACKWARD),
        **_GPU,
    )(getattr(pool, _name))

workload(
    "large/global_avg_pool2d",
    [Case("7x7", {"batch": 256, "channels": 512, "size": 7, "channels_last": True}, _TWICE)],
    _pool_cost,
    modes=(FORWARD, BACKWARD),
    **_GPU,
)(pool.global_avg_pool2d)


def _sequence(layer, steps, batch, size, must):
    arguments = {"layer": layer, "steps": steps, "batch": batch, "inputs": size, "hidden": size}
    return Case(
        f"{layer.lower()}-T{steps}-N{batch}-H{size}", arguments, {BOTH: Target(must), FORWARD: Target(must)}
    )


workload(
    "large/recurrent",
    [
        _sequence("LSTM", 512, 64, 512, 2.5),
        _sequence("GRU", 512, 64, 512, 2.5),
        _sequence("RNN", 128, 64, 256, 0.8),
    ],
    recurrent.cost,
    **_GPU,
)(recurrent.recurrent)

_WIDE = {"rows": 32768, "classes": 4096}
workload("large/softmax", [Case("32768x4096", _WIDE, _ROWS)], loss.cost, (FORWARD, BACKWARD), **_GPU)(
    loss.softmax
)
workload(
    "large/cross_entropy",
    [Case("8192x50304", {"rows": 8192, "classes": 50304}, {BOTH: Target(1.5)})],
    loss.loss_cost,
    modes=(BOTH,),
    **_GPU,
)(loss.cross_entropy)
for _norm in (norm.layer_norm, norm.rms_norm):
    workload(
        f"large/{_norm.__name__}",
        [Case("32768x4096", {"shape": (32768, 4096)}, _ROWS)],
        norm.cost,
        modes=(FORWARD, BACKWARD),
        **_GPU,
    )(_norm)
workload(
    "large/batch_norm",
    [Case("256x64x56x56", {"shape": (256, 64, 56, 56), "channels_last": True}, {BOTH: Target(0.95, 1.1)})],
    norm.cost,
    modes=(BOTH,),
    **_GPU,
)(norm.batch_norm)


@workload(
    "large/gelu",
    [Case("32768x4096", {"rows": 32768, "columns": 4096}, _ROWS)],
    lambda mode, rows, columns: (rows * columns, (2 if mode == FORWARD else 3) * rows * columns),
    modes=(FORWARD, BACKWARD),
    **_GPU,
)
def gelu(kit, rows, columns):
    """x Phi(x), elementwise."""
    x, function = kit.leaf(rows, columns), kit.lib.nn.functional.gelu
    return lambda: function(x)


@workload(
    "large/adamw",
    [Case("124M-float32", {"tensors": 100, "length": 1_240_000}, {STEP: Target(0.95, 1.1)})],
    lambda mode, tensors, length: (14 * tensors * length, 7 * tensors * length),
    modes=(STEP,),
    variants={"torch fused": {"fused": True}},
    **_GPU,
)
def adamw(kit, tensors, length, fused=False):
    """One step of AdamW; returns the first parameter."""
    parameters = [kit.lib.nn.Parameter(kit.normal(length)) for _ in range(tensors)]
    for parameter in parameters:
        parameter.grad = kit.normal(length)
    step = kit.lib.optim.AdamW(parameters, **({"fused": True} if fused else {})).step

    def run():
        step()
        return parameters[0]

    return run


workload(
    "large/attention",
    [
        attention.case(4, 16, steps, width, causal, {FORWARD: Target(0.6, 0.85)})
        for steps, width in ((2048, 64), (4096, 128))
        for causal in (False, True)
    ],
    attention.cost,
    modes=(FORWARD, BACKWARD),
    **_GPU,
)(attention.attention)
