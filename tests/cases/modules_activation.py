"""Rows of the activation layers."""

from .case import away, normal
from .modules import ModuleCase

_KINKS = away(3, 4, points=(-3, -1, -0.5, 0, 0.5, 1, 3, 6))


_IN_PLACE = [
    "ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "SiLU", "Mish", "Hardtanh", "Hardsigmoid", "Hardswish",
]  # fmt: skip
_LOOSE = {"Hardsigmoid": 100.0}  # PyTorch takes 1/6 in float32


def _row(name, *args, id="", **kwargs):
    return ModuleCase(name, args, kwargs, (_KINKS,), id=id, tolerance=_LOOSE.get(name, 1.0))


def _in_place(name):
    """A chain in which the activation writes over what the layer before it gave."""
    return ModuleCase(
        lambda nn: nn.Sequential(nn.Identity(), nn.Linear(4, 4), getattr(nn, name)(inplace=True)),
        inputs=(_KINKS,),
        id=f"{name}-inplace",
        tolerance=_LOOSE.get(name, 1.0),
    )


MODULE_CASES = [
    _row("ReLU"), _row("ReLU6"), _row("LeakyReLU"), _row("LeakyReLU", 0.2, id="slope"), _row("ELU"), _row("SELU"),
    _row("CELU"), _row("CELU", 0.5, id="alpha"), _row("GELU"), _row("GELU", "tanh", id="tanh"), _row("SiLU"),
    _row("Mish"), _row("Softplus"), _row("Softplus", 2, 30, id="beta"), _row("Softsign"), _row("Tanh"), _row("Sigmoid"),
    _row("Hardtanh"), _row("Hardtanh", -0.5, 0.5, id="limits"), _row("Hardsigmoid"), _row("Hardswish"),
    _row("LogSigmoid"), _row("Tanhshrink"), _row("Softshrink"), _row("Hardshrink"), _row("Threshold", 0.5, -2.0),
    _row("GLU"), _row("PReLU"),
    ModuleCase("PReLU", (3,), {"init": 0.1}, (away(2, 3, 2),), id="channels"),
    ModuleCase("GLU", (0,), {}, (normal(4, 3),), id="dim"),
    _row("RReLU", 0.2, 0.2),
    ModuleCase("RReLU", (), {}, (_KINKS,), id="drawn", random=True),
    *map(_in_place, _IN_PLACE),
]  # fmt: skip
