"""Inspection: what the namespace can do, its devices and dtypes."""

import minidl
from minidl.array_api.datatypes import KINDS

__all__ = ["__array_namespace_info__"]


class Info:
    """What ``__array_namespace_info__()`` gives.

    >>> from minidl import array_api as xp
    >>> info = xp.__array_namespace_info__()
    >>> info.default_dtypes()["integral"], list(info.dtypes(kind="real floating"))
    (minidl.int64, ['float32', 'float64'])
    """

    def capabilities(self):
        """Indexing by booleans and shapes that depend on data are supported; arrays have up to 64 dimensions."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self):
        """The device of new arrays that name none."""
        return minidl.get_default_device()

    def devices(self):
        """The CPU, and every GPU."""
        return [minidl.device("cpu"), *(minidl.device("cuda", i) for i in range(minidl.cuda.device_count()))]

    def default_dtypes(self, *, device=None):
        """The dtypes of Python numbers and of indices, the same on every device. There is no complex one."""
        floating = minidl.get_default_dtype()
        return {"real floating": floating, "integral": minidl.int64, "indexing": minidl.int64}

    def dtypes(self, *, device=None, kind=None):
        """Dtypes of the standard by name, those of ``kind`` (one or several, as of ``isdtype``) alone.

        There is none of kind ``'complex floating'``. Raises ``ValueError`` for a kind that there is not.
        """
        kinds = ("bool", "numeric") if kind is None else kind if isinstance(kind, tuple) else (kind,)
        for one in kinds:
            if one not in KINDS:
                raise ValueError(f"there is no kind {one!r}; the kinds are {', '.join(KINDS)}")
        return {d.name: d for one in kinds for d in KINDS[one]}


def __array_namespace_info__():
    """An object whose methods tell what the namespace can do."""
    return Info()
