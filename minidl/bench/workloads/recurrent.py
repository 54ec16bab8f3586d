"""Recurrent layers over whole sequences: T=50 steps of N=32 rows of I=128 features, H=256 states."""

from minidl.bench.registry import BOTH, FORWARD, Case, Target, workload

_TARGETS = {FORWARD: Target(1.1, 1.5), BOTH: Target(1.2, 1.8)}
_SHAPE = {"steps": 50, "batch": 32, "inputs": 128, "hidden": 256}
_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def cost(mode, layer, steps, batch, inputs, hidden):
    gates, rows = _GATES[layer], steps * batch
    passes = 1 if mode == FORWARD else 3
    weights = gates * hidden * (inputs + hidden)
    return passes * 2 * rows * weights, passes * (rows * (inputs + hidden) + weights)


@workload("recurrent", [Case(name.lower(), {"layer": name, **_SHAPE}, _TARGETS) for name in _GATES], cost)
def recurrent(kit, layer, steps, batch, inputs, hidden):
    """One layer, (T, N, I) to (T, N, H); the gradients are the input's and the weights'."""
    x = kit.leaf(steps, batch, inputs)
    module = kit.module(getattr(kit.lib.nn, layer)(inputs, hidden))
    return lambda: module(x)[0]
