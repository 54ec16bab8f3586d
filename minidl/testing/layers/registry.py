"""The registry of strategies of modules: an example of a layer and what to call it with, by the layer's name."""

import dataclasses
from typing import Any

from hypothesis import strategies as st

from minidl import nn
from minidl.ops.generator import manual_seed

REGISTRY = {}


@dataclasses.dataclass(frozen=True)
class ModuleExample:
    """A module and what to call it with: the name in ``nn``, arguments of the constructor, inputs as arrays.

    ``batch_dim`` is the dimension of the samples in the first input and in the result, None where there is none.
    """

    layer: str
    args: tuple
    kwargs: dict
    inputs: tuple
    batch_dim: Any = None

    def build(self, seed=0):
        """The module, with the same random weights for the same seed."""
        manual_seed(seed)
        return getattr(nn, self.layer)(*self.args, **self.kwargs)

    def __repr__(self):
        given = [*map(repr, self.args), *(f"{key}={value!r}" for key, value in self.kwargs.items())]
        return f"nn.{self.layer}({', '.join(given)}) on {', '.join(str(x.shape) for x in self.inputs)}"


def register_module(name, strategy):
    """Adds a strategy of ``ModuleExample`` to the registry that ``modules`` draws from, under ``name``."""
    if name in REGISTRY:
        raise ValueError(f"register_module: {name!r} is registered already")
    REGISTRY[name] = strategy


def modules(names=None):
    """``ModuleExample`` of the named entries of the registry, or of any.

    >>> from hypothesis import given
    >>> @given(modules(["Linear", "LayerNorm"]))
    ... def check(example):
    ...     assert example.build().double()(*map(minidl.tensor, example.inputs)).dim() >= 1
    >>> import minidl
    >>> check()
    """
    unknown = sorted(set(names or ()) - set(REGISTRY))
    if unknown:
        raise ValueError(
            f"modules: no entry named {', '.join(unknown)}; the registry has {', '.join(sorted(REGISTRY))}"
        )
    return st.sampled_from(sorted(names or REGISTRY)).flatmap(REGISTRY.get)


small = st.integers(1, 3)


def entry(name, *fixed):
    """Registers a function of ``draw`` (and of what is fixed) that gives the fields of an example after its name."""

    def register(drawn):
        @st.composite
        def strategy(draw):
            return ModuleExample(name, *drawn(draw, *fixed))

        register_module(name, strategy())
        return drawn

    return register
