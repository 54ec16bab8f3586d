"""Softmax and the losses."""

from minidl.bench.registry import BACKWARD, BOTH, FORWARD, Case, Target, workload

_TARGETS = {FORWARD: Target(1.0, 1.5), BACKWARD: Target(1.0, 1.5)}
_MODES = (FORWARD, BACKWARD, BOTH)
_MOVED = {FORWARD: 2, BACKWARD: 3, BOTH: 5}
_CASES = [
    Case("1024x1024", {"rows": 1024, "classes": 1024}, _TARGETS),
    Case("64x10", {"rows": 64, "classes": 10}),
]


def cost(mode, rows, classes):
    size = rows * classes
    return (5 if mode == FORWARD else 3 if mode == BACKWARD else 8) * size, _MOVED[mode] * size


def loss_cost(mode, rows, classes):
    size = rows * classes
    return (4 if mode == FORWARD else 3 if mode == BACKWARD else 7) * size, (
        1 if mode == FORWARD else 2
    ) * size


@workload("softmax", _CASES, cost, modes=_MODES)
def softmax(kit, rows, classes):
    """exp(x) / sum exp(x) of each row."""
    x, function = kit.leaf(rows, classes), kit.lib.nn.functional.softmax
    return lambda: function(x, -1)


@workload("log_softmax", _CASES, cost, modes=_MODES)
def log_softmax(kit, rows, classes):
    """x - log sum exp(x) of each row."""
    x, function = kit.leaf(rows, classes), kit.lib.nn.functional.log_softmax
    return lambda: function(x, -1)


@workload("cross_entropy", _CASES, loss_cost, modes=_MODES)
def cross_entropy(kit, rows, classes):
    """The mean negative log-likelihood of a class a row."""
    x, labels = kit.leaf(rows, classes), kit.integers(classes, rows)
    function = kit.lib.nn.functional.cross_entropy
    return lambda: function(x, labels)


@workload(
    "mse_loss",
    [Case("1024x1024", {"rows": 1024, "classes": 1024})],
    lambda mode, rows, classes: (3 * rows * classes, (2 if mode == FORWARD else 5) * rows * classes),
)
def mse_loss(kit, rows, classes):
    """The mean squared difference."""
    x, y = kit.leaf(rows, classes), kit.normal(rows, classes)
    function = kit.lib.nn.functional.mse_loss
    return lambda: function(x, y)
