"""``torch.utils._pytree``, as far as programs use it: nested lists, tuples, named tuples and dicts as their leaves.

>>> from minidl.utils._pytree import tree_flatten, tree_map, tree_unflatten
>>> tree_map(lambda x: x + 1, {"a": [1, 2], "b": (3,)})
{'a': [2, 3], 'b': (4,)}
>>> leaves, spec = tree_flatten([1, {"x": 2}])
>>> leaves, tree_unflatten([5, 6], spec)
([1, 2], [5, {'x': 6}])
"""

from collections import OrderedDict, defaultdict, deque, namedtuple

__all__ = [
    "TreeSpec", "tree_all", "tree_any", "tree_flatten", "tree_iter", "tree_leaves", "tree_map", "tree_map_only",
    "tree_structure", "tree_unflatten",
]  # fmt: skip


class TreeSpec(namedtuple("TreeSpec", "build children")):
    """The shape of a nested value: what makes it of its items (None of a leaf), and the shapes of those."""

    __slots__ = ()

    @property
    def num_leaves(self):
        """How many leaves there are."""
        return 1 if self.build is None else sum(child.num_leaves for child in self.children)

    def is_leaf(self):
        """Whether the value is no container."""
        return self.build is None


class _Build(namedtuple("_Build", "kind context")):
    """Makes a container of its items; equal where kind and keys are."""

    __slots__ = ()

    def __call__(self, items):
        if self.kind is defaultdict:
            return defaultdict(self.context[0], zip(self.context[1], items, strict=True))
        if self.kind is deque:
            return deque(items, self.context)
        if self.kind in (dict, OrderedDict):
            return self.kind(zip(self.context, items, strict=True))
        return self.kind(*items) if self.context == "fields" else self.kind(items)


def _opened(tree):
    """(what makes the container, its items), or None of a leaf."""
    kind = type(tree)
    if kind in (dict, OrderedDict):
        return _Build(kind, tuple(tree)), list(tree.values())
    if kind is defaultdict:
        return _Build(kind, (tree.default_factory, tuple(tree))), list(tree.values())
    if kind is deque:
        return _Build(kind, tree.maxlen), list(tree)
    if kind in (list, tuple):
        return _Build(kind, None), list(tree)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _Build(kind, "fields"), list(tree)
    return None


def tree_flatten(tree, is_leaf=None):
    """(the leaves of a nested value in order, its shape). Where ``is_leaf`` says so, the descent ends."""
    opened = None if is_leaf is not None and is_leaf(tree) else _opened(tree)
    if opened is None:
        return [tree], TreeSpec(None, ())
    build, items = opened
    parts = [tree_flatten(item, is_leaf) for item in items]
    return [leaf for leaves, _ in parts for leaf in leaves], TreeSpec(build, tuple(spec for _, spec in parts))


def tree_unflatten(leaves, treespec):
    """A nested value of a shape, from its leaves. Raises ``ValueError`` where their number is another."""
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(
            f"tree_unflatten(leaves, treespec): `leaves` has length {len(leaves)} but the spec refers to a pytree "
            f"that holds {treespec.num_leaves} items ({treespec})."
        )
    return _built(iter(leaves), treespec)


def _built(leaves, spec):
    return (
        next(leaves) if spec.build is None else spec.build([_built(leaves, child) for child in spec.children])
    )


def tree_leaves(tree, is_leaf=None):
    """The leaves of a nested value, in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_iter(tree, is_leaf=None):
    """An iterator of the leaves of a nested value."""
    return iter(tree_leaves(tree, is_leaf))


def tree_structure(tree, is_leaf=None):
    """The shape of a nested value."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func, tree, *rests, is_leaf=None):
    """The nested value of what ``func`` gives of each leaf (and of the leaves at its place in ``rests``). Raises
    ``ValueError`` where those have another shape.
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [tree_flatten(rest, is_leaf) for rest in rests]
    for _, other in others:
        if other != spec:
            raise ValueError(f"Node type mismatch; expected {spec}, but got {other}.")
    return tree_unflatten(map(func, leaves, *(found for found, _ in others)), spec)


def tree_map_only(types, func, tree, is_leaf=None):
    """``tree_map`` of the leaves that are of a type; the others stay."""
    return tree_map(lambda leaf: func(leaf) if isinstance(leaf, types) else leaf, tree, is_leaf=is_leaf)


def tree_all(pred, tree, is_leaf=None):
    """Whether ``pred`` holds of every leaf."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred, tree, is_leaf=None):
    """Whether ``pred`` holds of a leaf."""
    return any(map(pred, tree_leaves(tree, is_leaf)))
