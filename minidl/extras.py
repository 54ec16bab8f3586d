"""Optional dependencies: imported where they are used, with one line that says what to install."""

import importlib

from minidl.errors import MissingDependencyError


def need(module, distribution, extra):
    """The module, imported. Raises ``MissingDependencyError``, a one-line ImportError, where it is not installed.

    >>> from minidl.extras import need
    >>> need("json", "json", "demo").dumps(1)
    '1'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"{distribution} is needed here ({error}): pip install '{distribution}' or pip install 'minidl[{extra}]'"
        ) from None
