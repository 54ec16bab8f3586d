"""One row a layer configuration: how to build it and what to call it with.

A family's rows live in ``tests/cases/modules_<family>.py`` as a list named ``MODULE_CASES`` and are found
by their place::

    from .case import normal
    from .modules import ModuleCase

    MODULE_CASES = [
        ModuleCase("Linear", (3, 4), {"bias": False}, (normal(2, 3),), id="no-bias"),
        ModuleCase(
            "LSTM",
            (3, 4),
            {"num_layers": 2},
            (normal(5, 2, 3), (normal(2, 2, 4), normal(2, 2, 4))),
            id="state",
        ),
        ModuleCase(
            lambda nn: nn.Sequential(nn.Linear(3, 4), nn.ReLU()), inputs=(normal(2, 3),), id="Sequential"
        ),
    ]

A row drives forward, gradients of parameters and inputs in training and evaluation mode, ``state_dict``
there and back, and, beside PyTorch with the same weights, outputs, gradients, buffers, keys and ``repr``.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from .case import DType, Spec, replace


@dataclasses.dataclass(frozen=True, eq=False)
class ModuleCase:
    """A row.

    Args:
        layer: a name in ``nn``, or a function of the namespace ``nn`` that builds the module (give ``id``).
        args, kwargs: arguments of the constructor; specs among them (a loss's ``weight``) become tensors
            without gradient.
        inputs: arguments of the call; specs become tensors, float ones with gradient; tuples may nest.
        id: what tells rows of one layer apart.
        call: keyword arguments of the call.
        torch: False where PyTorch has no such layer.
        grad: whether there are gradients to check.
        random: whether training mode draws random numbers, which PyTorch then draws otherwise.
        tolerance: multiplies the tolerance of every comparison.
    """

    layer: str | Callable
    args: tuple = ()
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    inputs: tuple = ()
    id: str = ""
    call: dict[str, Any] = dataclasses.field(default_factory=dict)
    torch: bool = True
    grad: bool = True
    random: bool = False
    tolerance: float = 1.0

    @property
    def name(self) -> str:
        return self.id if callable(self.layer) else f"{self.layer}-{self.id}" if self.id else self.layer

    def build(self, nn: Any, namespace: Any, wrap: Callable[[np.ndarray], Any]) -> Any:
        """The module, from ``nn``; ``wrap`` makes tensors of the arrays among its arguments."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        args, kwargs = replace((self.args, self.kwargs), Spec, lambda spec: wrap(spec.draw(rng)))
        args, kwargs = replace((args, kwargs), DType, lambda dtype: getattr(namespace, dtype.name))
        return (
            self.layer(nn, *args, **kwargs)
            if callable(self.layer)
            else getattr(nn, self.layer)(*args, **kwargs)
        )

    def arrays(self) -> list[np.ndarray]:
        """The array arguments of the call: float64, int64 or bool, the same each time."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()) + 1)
        specs: list[Spec] = []
        replace((self.inputs, self.call), Spec, specs.append)
        return [spec.draw(rng) for spec in specs]

    def arguments(self, arrays: list) -> tuple[tuple, dict[str, Any]]:
        """``(args, kwargs)`` of the call with ``arrays`` in the places of the specs."""
        remaining = iter(arrays)
        return replace((self.inputs, self.call), Spec, lambda _: next(remaining))
