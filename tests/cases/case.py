"""One row an op: what to call it with, and the NumPy float64 function that says what it should give.

A family's rows live in ``tests/cases/<family>.py`` as a list named ``CASES`` and are found by their place::

    import numpy as np

    from .case import Case, normal, positive

    CASES = [
        Case("mul", (normal(3, 4), normal(4)), numpy=np.multiply),
        Case("log", (positive(2, 3),), numpy=np.log),
        Case(
            "cat", ([normal(2, 3), normal(1, 3)], 0), numpy=lambda tensors, dim: np.concatenate(tensors, dim)
        ),
        Case("sum", (normal(2, 3),), kwargs={"dim": 1}, numpy=lambda input, dim: input.sum(dim), id="dim"),
    ]

A row drives the forward, the gradient, the second gradient, every memory layout, parity of the backends
and parity with PyTorch.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Spec:
    """An array input: ``draw(rng)`` gives it as bool, int64 or float64; one may be without gradient."""

    draw: Callable[[np.random.Generator], np.ndarray]
    differentiable: bool = True


@dataclasses.dataclass(frozen=True)
class DType:
    """A dtype by its name; each side of a comparison reads it from its own namespace."""

    name: str


def normal(*shape: int) -> Spec:
    """Standard normal floats."""
    return Spec(lambda rng: np.asarray(rng.standard_normal(shape)))


def positive(*shape: int) -> Spec:
    """Floats in [0.5, 2): far from 0, where logarithms and roots have their poles."""
    return Spec(lambda rng: np.asarray(rng.uniform(0.5, 2.0, shape)))


def unit(*shape: int) -> Spec:
    """Floats in (-0.9, 0.9): inside the domain of asin, atanh and of everything that asks for (-1, 1)."""
    return Spec(lambda rng: np.asarray(rng.uniform(-0.9, 0.9, shape)))


def away(*shape: int, points: tuple[float, ...] = (0,)) -> Spec:
    """Normal floats of which none lies within 0.1 of a kink at one of ``points``."""

    def draw(rng):
        values = np.asarray(rng.standard_normal(shape))
        for _ in range(100):
            near = np.zeros(values.shape, bool)
            for point in points:
                near |= np.abs(values - point) < 0.1
            if not near.any():
                return values
            values = np.where(near, rng.standard_normal(values.shape), values)
        raise ValueError(f"away: 100 draws left a value near one of {points}; give fewer points")

    return Spec(draw)


def distinct(*shape: int) -> Spec:
    """Shuffled floats of which no two lie within 0.1: for max, sort, median and other choices."""

    def draw(rng):
        count = int(np.prod(shape))
        return np.asarray((rng.permutation(count) - count / 2 + 0.25) * 0.2).reshape(shape)

    return Spec(draw)


def integers(low: int, high: int, *shape: int) -> Spec:
    """int64 numbers with low <= n < high."""
    return Spec(lambda rng: np.asarray(rng.integers(low, high, shape)))


def boolean(*shape: int) -> Spec:
    """Truth values, about half of them True."""
    return Spec(lambda rng: np.asarray(rng.random(shape) < 0.5))


def values(array: Any) -> Spec:
    """These very values, as bool, int64 or float64."""
    fixed = np.asarray(array)
    return Spec(lambda rng: fixed.copy())


def constant(spec: Spec) -> Spec:
    """``spec`` without a gradient, for float inputs that an op does not differentiate."""
    return dataclasses.replace(spec, differentiable=False)


def dtype(name: str) -> DType:
    """``minidl.<name>``, ``numpy.<name>`` or ``torch.<name>``, whichever side is asked."""
    return DType(name)


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """A row.

    Args:
        op: the op's registered name.
        inputs: positional arguments; specs become arrays, also inside lists, tuples and dicts; the rest passes
            as it is.
        numpy: the oracle, called with the same arguments as bool, int64 and float64 arrays. ``None`` only for
            ops that draw random numbers, whose values have tests of their own.
        kwargs: keyword arguments, handled like ``inputs``.
        torch: the PyTorch counterpart: a dotted name below ``torch``, or a function of
            ``(torch, *inputs, **kwargs)``; ``None`` looks ``op`` up in torch, torch.nn.functional and
            torch.Tensor; ``False`` says there is none.
        id: what tells rows of one op apart.
        grad, grad2: whether the first and the second gradient exist.
        backends: whether the result is to be the same on every backend.
        layouts: whether any strides of the inputs must give the same result.
        tolerance: multiplies the tolerance of every comparison.
    """

    op: str
    inputs: tuple
    numpy: Callable | None
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    torch: str | Callable | bool | None = None
    id: str = ""
    grad: bool = True
    grad2: bool = True
    backends: bool = True
    layouts: bool = True
    tolerance: float = 1.0

    @property
    def name(self) -> str:
        return f"{self.op}-{self.id}" if self.id else self.op

    @property
    def specs(self) -> list[Spec]:
        """Every array input, in the order in which the arguments name them."""
        found: list[Spec] = []
        replace((self.inputs, self.kwargs), Spec, found.append)
        return found

    def arrays(self, floating: type = np.float64) -> list[np.ndarray]:
        """The array inputs: the same on every call, floats as ``floating``."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        drawn = [spec.draw(rng) for spec in self.specs]
        return [array.astype(floating) if array.dtype.kind == "f" else array for array in drawn]

    def arguments(self, arrays: list, namespace: Any) -> tuple[tuple, dict[str, Any]]:
        """``(args, kwargs)``: ``arrays`` in the places of the specs, dtypes read from ``namespace``."""
        remaining = iter(arrays)
        arguments = replace((self.inputs, self.kwargs), Spec, lambda _: next(remaining))
        return replace(arguments, DType, lambda dtype: getattr(namespace, dtype.name))

    def expected(self, arrays: list[np.ndarray]) -> Any:
        """What the oracle gives for ``arrays``, computed in float64 on copies."""
        exact = [array.astype(np.float64) if array.dtype.kind == "f" else array.copy() for array in arrays]
        args, kwargs = self.arguments(exact, np)
        return self.numpy(*args, **kwargs)

    @property
    def differentiable(self) -> list[int]:
        """Which of ``arrays()`` are asked for a gradient."""
        if not self.grad:
            return []
        pairs = zip(self.specs, self.arrays(), strict=True)
        return [i for i, (spec, array) in enumerate(pairs) if spec.differentiable and array.dtype.kind == "f"]


def replace(tree: Any, kind: type, function: Callable) -> Any:
    """``tree`` with ``function(leaf)`` for every leaf of ``kind`` in lists, tuples and dicts."""
    if isinstance(tree, kind):
        return function(tree)
    if isinstance(tree, dict):
        return {key: replace(value, kind, function) for key, value in tree.items()}
    if type(tree) in (list, tuple):
        return type(tree)(replace(value, kind, function) for value in tree)
    return tree
