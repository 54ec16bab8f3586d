"""``keras.tree``: functions of nested lists, tuples and dicts.

>>> from minidl.keras import tree
>>> tree.map_structure(lambda a, b: a + b, {"x": [1, 2]}, {"x": [10, 20]})
{'x': [11, 22]}
"""

from minidl.keras.engine.nest import flatten, is_nested, pack_like

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]

pack_sequence_as = pack_like


def map_structure(func, *structures):
    """The structure with ``func`` of the leaves that stand at the same place in all of them."""
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    leaves = zip(*(flatten(structure) for structure in structures))
    return pack_like(structures[0], [func(*group) for group in leaves])


def assert_same_structure(a, b):
    """Raises ``ValueError`` where two structures are not nested alike."""
    alike = is_nested(a) == is_nested(b)
    if alike and is_nested(a):
        keys = a.keys() == b.keys() if isinstance(a, dict) and isinstance(b, dict) else True
        same = isinstance(a, dict) == isinstance(b, dict) and len(a) == len(b) and keys
        if same:
            pairs = [(a[key], b[key]) for key in a] if isinstance(a, dict) else zip(a, b)
            for one, other in pairs:
                assert_same_structure(one, other)
            return
        alike = False
    if not alike:
        raise ValueError(f"`a` and `b` don't have the same structure. Received:\na: {a}\nb: {b}")
