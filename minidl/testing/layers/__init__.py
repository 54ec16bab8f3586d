"""Hypothesis strategies of modules, by name from a registry, each with inputs that it takes."""

from minidl.testing.layers import elementwise, losses, sequences, spatial  # noqa: F401 (they fill the registry)
from minidl.testing.layers.registry import REGISTRY, ModuleExample, modules, register_module

__all__ = ["REGISTRY", "ModuleExample", "modules", "register_module"]
