"""Operations: forward, gradient rule, messages and docstring side by side; a module here is found by its place."""

import importlib
import pkgutil

for _info in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_info.name}")
