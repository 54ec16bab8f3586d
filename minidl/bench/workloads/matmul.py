"""Matrix products."""

from minidl.bench.registry import FORWARD, Case, Target, workload

_TABLE = Target(must=0.95, aim=1.05)


def _square(n):
    return Case(str(n), {"m": n, "k": n, "n": n}, {FORWARD: _TABLE})


def cost(mode, m, k, n, batch=1, form="nn"):
    products = 1 if mode == FORWARD else 3
    return products * batch * 2 * m * k * n, products * batch * (m * k + k * n + m * n)


@workload(
    "matmul",
    [
        *map(_square, (256, 512, 1024, 2048)),
        Case("64x4096x4096", {"m": 64, "k": 4096, "n": 4096}, {FORWARD: _TABLE}),
        Case("8192x64x64", {"m": 8192, "k": 64, "n": 64}, {FORWARD: _TABLE}),
        Case("batch64-128", {"m": 128, "k": 128, "n": 128, "batch": 64}),
    ],
    cost,
    libraries=("torch", "numpy", "cupy"),
)
def matmul(kit, m, k, n, batch=1, form="nn"):
    """a @ b, (m, k) by (k, n), or as many of them as ``batch`` says; ``t`` in ``form``: stored transposed, a or b."""
    first = (batch,) if batch > 1 else ()
    a = kit.leaf(*first, m, k) if form[0] == "n" else kit.leaf(*first, k, m).mT
    b = kit.leaf(*first, k, n) if form[1] == "n" else kit.leaf(*first, n, k).mT
    return lambda: a @ b


@workload(
    "linear",
    [
        Case("n64-784-128", {"batch": 64, "features": 784, "outputs": 128}),
        Case("n2048-128-512", {"batch": 2048, "features": 128, "outputs": 512}),
    ],
    lambda mode, batch, features, outputs: cost(mode, batch, features, outputs),
)
def linear(kit, batch, features, outputs):
    """x @ w^T + b."""
    x, w, b = kit.leaf(batch, features), kit.leaf(outputs, features), kit.leaf(outputs)
    function = kit.lib.nn.functional.linear
    return lambda: function(x, w, b)
