"""Optimizer steps on 10 million parameters in 50 tensors."""

from minidl.bench.registry import STEP, Case, Target, workload

_TENSORS, _LENGTH = 50, 200_000
_SIZE = _TENSORS * _LENGTH
_FUSED = {"torch fused": {"fused": True}}
# flops, and elements read and written, a parameter
_COST = {"SGD": (2, 3), "SGD-momentum": (4, 5), "Adam": (12, 7), "AdamW": (14, 7)}


def _case(id, optimizer, target=None, **options):
    return Case(id, {"optimizer": optimizer, **options}, {STEP: target} if target else None)


def _cost(mode, optimizer, **options):
    flops, moved = _COST["SGD-momentum" if options.get("momentum") else optimizer]
    return flops * _SIZE, moved * _SIZE


@workload(
    "optimizer",
    [
        _case("adam", "Adam", Target(2.0, 2.5)),
        _case("adamw", "AdamW"),
        _case("sgd", "SGD", lr=1e-3),
        _case("sgd-momentum", "SGD", lr=1e-3, momentum=0.9),
    ],
    _cost,
    modes=(STEP,),
    variants=_FUSED,
)
def optimizer(kit, optimizer, **options):
    """One step; returns the first parameter."""
    parameters = [kit.lib.nn.Parameter(kit.normal(_LENGTH)) for _ in range(_TENSORS)]
    for parameter in parameters:
        parameter.grad = kit.normal(_LENGTH)
    step = getattr(kit.lib.optim, optimizer)(parameters, **options).step

    def run():
        step()
        return parameters[0]

    return run
