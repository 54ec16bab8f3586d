"""Classes and functions that a program allows a file to name: ``load`` then builds whole modules of them alone."""

_allowed = []


def add_safe_globals(safe_globals):
    """Lets ``load`` build what files of ``save`` hold of these classes, and call these functions.

    An entry is a class or function, or a pair of it and the name under which files know it. They are trusted: reading
    a file calls them with what the file says. Source: ``torch.serialization.add_safe_globals``.
    """
    _allowed.extend(entry for entry in safe_globals if entry not in _allowed)


def get_safe_globals():
    """What is allowed, as a list. Source: ``torch.serialization.get_safe_globals``."""
    return list(_allowed)


def clear_safe_globals():
    """Allows nothing any more. Source: ``torch.serialization.clear_safe_globals``."""
    _allowed.clear()


class safe_globals:
    """A context in which classes and functions are allowed besides those that were; see ``add_safe_globals``.

    >>> import io, minidl
    >>> from minidl import nn
    >>> file = io.BytesIO()
    >>> minidl.save(nn.Sequential(nn.ReLU()), file)
    >>> _ = file.seek(0)
    >>> with minidl.serialization.safe_globals([nn.Sequential, nn.ReLU]):
    ...     minidl.load(file)
    Sequential(
      (0): ReLU()
    )
    """

    def __init__(self, safe_globals):
        self._safe_globals = safe_globals

    def __enter__(self):
        self._before = get_safe_globals()
        add_safe_globals(self._safe_globals)

    def __exit__(self, *exc):
        _allowed[:] = self._before


def allowed_by_name():
    """{(module, name): class or function} of what is allowed."""
    found = {}
    for entry in _allowed:
        value, path = entry if isinstance(entry, tuple) else (entry, None)
        module, _, name = path.rpartition(".") if path else (value.__module__, ".", value.__qualname__)
        found[module, name] = value
    return found
