"""Nested lists, tuples and dicts of tensors: flatten them, map over them, rebuild them."""


def is_nested(value):
    """Whether ``value`` is a list, tuple or dict."""
    return isinstance(value, (list, tuple, dict))


def flatten(structure):
    """The leaves in order; a dict's by sorted key.

    >>> flatten({"b": 1, "a": [2, (3,)]})
    [2, 3, 1]
    """
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in flatten(item)]
    return [structure]


def map_structure(function, structure):
    """The same structure with ``function`` of every leaf.

    >>> map_structure(lambda x: x + 1, {"a": [1, 2]})
    {'a': [2, 3]}
    """
    if isinstance(structure, dict):
        return {key: map_structure(function, value) for key, value in structure.items()}
    if isinstance(structure, tuple):
        items = [map_structure(function, item) for item in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
    if isinstance(structure, list):
        return [map_structure(function, item) for item in structure]
    return function(structure)


def pack_like(structure, leaves):
    """``structure`` with its leaves replaced, in ``flatten``'s order, by ``leaves``.

    >>> pack_like({"b": 0, "a": 0}, [1, 2])
    {'b': 2, 'a': 1}
    """
    return _pack(structure, iter(leaves))


def _pack(structure, leaves):
    if isinstance(structure, dict):
        found = {key: _pack(structure[key], leaves) for key in sorted(structure)}
        return {key: found[key] for key in structure}
    if isinstance(structure, (list, tuple)):
        items = [_pack(item, leaves) for item in structure]
        if hasattr(structure, "_fields"):
            return type(structure)(*items)
        return items if isinstance(structure, list) else tuple(items)
    return next(leaves)


def is_shape(value):
    """Whether ``value`` is one shape: a tuple or list of ints and Nones."""
    return isinstance(value, (list, tuple)) and all(
        d is None or (isinstance(d, int) and not isinstance(d, bool)) for d in value
    )


def shapes_of(structure):
    """The structure with the shape, a tuple, of every leaf (None for a leaf without one)."""
    return map_structure(lambda leaf: tuple(leaf.shape) if hasattr(leaf, "shape") else None, structure)


def map_shapes(function, shapes):
    """The same structure with ``function`` of every shape in it."""
    if is_shape(shapes):
        return function(tuple(shapes))
    if isinstance(shapes, dict):
        return {key: map_shapes(function, value) for key, value in shapes.items()}
    return type(shapes)(map_shapes(function, value) for value in shapes)
