"""``Described``: a layer that keeps its constructor's arguments and writes its config from them."""

from minidl.keras import activations, constraints, initializers, regularizers
from minidl.keras.engine.layer import Layer

__all__ = ["Described", "per_axis"]

_KINDS = {
    "activation": activations,
    "constraint": constraints,
    "initializer": initializers,
    "regularizer": regularizers,
}


def _kind(name):
    """The module that reads and writes arguments of this name, or None for plain ones."""
    return _KINDS.get(name.rpartition("_")[2])


class Described(Layer):
    """A layer whose config is its constructor's arguments.

    ``__init__`` calls ``self.keep(units=units, ...)``: every argument becomes the attribute of its name, activations,
    initialisers, regularisers and constraints as the objects they name, and ``get_config`` writes them back.
    """

    def keep(self, **arguments):
        """Makes attributes, which ``get_config`` lists, of the arguments."""
        names = self.__dict__.setdefault("_kept", [])
        for name, value in arguments.items():
            kind = _kind(name)
            setattr(self, name, value if kind is None else kind.get(value))
            if name not in names:
                names.append(name)

    def get_config(self):
        config = super().get_config()
        for name in self.__dict__.get("_kept", ()):
            kind, value = _kind(name), getattr(self, name)
            config[name] = value if kind is None else kind.serialize(value)
        return config


def per_axis(value, rank, name, zero=False):
    """An int, or ``rank`` of them, as a tuple of ``rank``. ``ValueError`` for another number of them or a negative."""
    values = (value,) * rank if isinstance(value, int) else value
    try:
        values = tuple(int(v) for v in values)
    except TypeError:
        values = ()
    low = 0 if zero else 1
    if len(values) != rank or any(v < low for v in values):
        kind = "non-negative" if zero else "positive"
        raise ValueError(
            f"The `{name}` argument must be a tuple of {rank} {kind} integers. Received {name}={value}"
        )
    return values
