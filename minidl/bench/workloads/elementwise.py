"""Elementwise functions, reductions and copies on 1M elements, activations among them."""

from minidl.bench.registry import BACKWARD, BOTH, FORWARD, Case, Target, workload

_MODES = (FORWARD, BACKWARD, BOTH)
_SHAPE = (1024, 1024)
_SIZE = _SHAPE[0] * _SHAPE[1]
_MOVED = {FORWARD: 2, BACKWARD: 3, BOTH: 5}
_ARRAYS = ("torch", "numpy", "cupy")
_GELU = {FORWARD: Target(1.0, 1.5), BACKWARD: Target(1.0, 1.5)}


def _unary_cost(mode, function):
    return _MOVED[mode] / 2 * _SIZE, _MOVED[mode] * _SIZE


def _activation(name, targets=None):
    return Case(name, {"function": name}, targets)


@workload(
    "activation",
    [
        _activation("gelu", _GELU),
        *map(_activation, ("relu", "sigmoid", "tanh", "silu", "leaky_relu", "elu", "softplus")),
    ],
    _unary_cost,
    modes=_MODES,
)
def activation(kit, function):
    """An activation of ``nn.functional``, elementwise."""
    x, call = kit.leaf(*_SHAPE), getattr(kit.lib.nn.functional, function)
    return lambda: call(x)


@workload(
    "unary",
    [Case(name, {"function": name}) for name in ("exp", "log", "sqrt", "tanh", "sin")],
    _unary_cost,
    libraries=_ARRAYS,
)
def unary(kit, function):
    """A function of one array, elementwise."""
    x, call = kit.leaf(*_SHAPE), getattr(kit.lib, function)
    if function in ("log", "sqrt"):
        x = kit.positive(*_SHAPE)
        if kit.gradient:
            kit.leaves[:] = [x.requires_grad_(True)]
    return lambda: call(x)


def _binary_cost(mode, function, broadcast=False):
    second = _SHAPE[1] if broadcast else _SIZE
    return (1 if mode == FORWARD else 3) * _SIZE, (1 if mode == FORWARD else 2) * (2 * _SIZE + second)


@workload(
    "binary",
    [Case(name, {"function": name}) for name in ("add", "mul", "div", "maximum")]
    + [Case("add-row", {"function": "add", "broadcast": True})],
    _binary_cost,
)
def binary(kit, function, broadcast=False):
    """A function of two arrays, elementwise; ``broadcast`` makes the second one row."""
    x, y = kit.leaf(*_SHAPE), kit.leaf(*(_SHAPE[1:] if broadcast else _SHAPE))
    call = getattr(kit.lib, function)
    return lambda: call(x, y)


@workload(
    "reduce",
    [
        Case(f"{name}-{'all' if dim is None else dim}", {"function": name, "dim": dim})
        for name, dim in (
            ("sum", None),
            ("sum", 0),
            ("sum", 1),
            ("mean", 1),
            ("amax", 0),
            ("amax", 1),
            ("var", 1),
        )
    ],
    lambda mode, function, dim: (
        (1 if mode == FORWARD else 2) * _SIZE,
        (1 if mode == FORWARD else 2) * _SIZE,
    ),
)
def reduce(kit, function, dim):
    """A reduction over all elements, the columns or the rows."""
    x, call = kit.leaf(*_SHAPE), getattr(kit.lib, function)
    return (lambda: call(x)) if dim is None else (lambda: call(x, dim))


@workload("transpose", [Case("1024x1024", {})], lambda mode: (0, 2 * _SIZE), modes=(FORWARD,))
def transpose(kit):
    """The transposed array in order."""
    x = kit.leaf(*_SHAPE)
    return lambda: x.t().contiguous()


@workload("dropout", [Case("0.5", {"p": 0.5})], lambda mode, p: _unary_cost(mode, None), random=True)
def dropout(kit, p):
    """Zeros elements at random and scales the rest."""
    x, function = kit.leaf(*_SHAPE), kit.lib.nn.functional.dropout
    return lambda: function(x, p, True)


@workload(
    "embedding",
    [Case("2048-of-10000x128", {"rows": 2048, "words": 10_000, "width": 128})],
    lambda mode, rows, words, width: (
        0 if mode == FORWARD else rows * width,
        2 * rows * width if mode == FORWARD else 4 * rows * width + words * width,
    ),
)
def embedding(kit, rows, words, width):
    """Rows of a table; the gradient is a table."""
    table, index = kit.leaf(words, width), kit.integers(words, rows)
    function = kit.lib.nn.functional.embedding
    return lambda: function(index, table)
