"""The workloads: a family a module, found by its place. Importing a module registers what it holds."""

import importlib
import pkgutil

for _found in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_found.name}")
