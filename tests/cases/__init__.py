"""Every row of every family, found by its place.

A module of this package gives its rows as ``CASES`` (ops) or ``MODULE_CASES`` (layers); nothing lists the modules.
"""

import importlib
import pkgutil

_FAMILIES = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]

CASES = [case for family in _FAMILIES for case in getattr(family, "CASES", ())]
MODULE_CASES = [case for family in _FAMILIES for case in getattr(family, "MODULE_CASES", ())]
