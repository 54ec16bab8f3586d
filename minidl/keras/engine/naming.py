"""Names of layers and models: one counter a class and process, as Keras counts."""

import re

_counts = {}


def to_snake_case(name):
    """``'MaxPooling2D'`` becomes ``'max_pooling2d'``, ``'RMSprop'`` ``'rm_sprop'``."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix):
    """``prefix`` the first time, then ``prefix_1``, ``prefix_2``, ...

    >>> first = auto_name("gadget")
    >>> auto_name("gadget")
    'gadget_1'
    """
    count = _counts.get(prefix, 0)
    _counts[prefix] = count + 1
    return f"{prefix}_{count}" if count else prefix


def clear_session(free_memory=True):
    """Starts all names anew: the next ``Dense`` is ``dense`` again."""
    _counts.clear()
