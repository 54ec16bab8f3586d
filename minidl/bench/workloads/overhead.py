"""The cost of a call: ops on 4x4, where there is no arithmetic to speak of."""

from minidl.bench.registry import BACKWARD, FORWARD, workload
from minidl.bench.registry import Case as _Case

OPS = {
    "add": lambda m, x, y, b: x + y,
    "mul": lambda m, x, y, b: x * y,
    "mul-number": lambda m, x, y, b: x * 2.0,
    "relu": lambda m, x, y, b: m.relu(x),
    "tanh": lambda m, x, y, b: m.tanh(x),
    "sum": lambda m, x, y, b: x.sum(1),
    "reshape": lambda m, x, y, b: x.reshape(2, 8),
    "index": lambda m, x, y, b: x[0],
    "cat": lambda m, x, y, b: m.cat((x, y)),
    "matmul": lambda m, x, y, b: x @ y,
    "linear": lambda m, x, y, b: m.nn.functional.linear(x, y, b),
    "softmax": lambda m, x, y, b: m.softmax(x, 1),
}
_USED = {
    "cat": 2,
    "add": 2,
    "mul": 2,
    "matmul": 2,
    "linear": 3,
}  # leaves that the op reads; else the first alone


@workload(
    "overhead",
    [_Case(name, {"op": name}) for name in OPS],
    lambda mode, op: (16 if mode == FORWARD else 32, 48 if mode == FORWARD else 96),
    modes=(FORWARD, BACKWARD),
)
def overhead(kit, op):
    """An op on 4x4 (and a bias of 4)."""
    m, call = kit.lib, OPS[op]
    x, y, b = kit.leaf(4, 4), kit.leaf(4, 4), kit.leaf(4)
    del kit.leaves[_USED.get(op, 1) :]
    return lambda: call(m, x, y, b)
