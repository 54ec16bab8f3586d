"""The nodes that the tape makes by itself: replacing a view's region of its root, and passing a gradient on."""

import numpy as np

from minidl import backends
from minidl.autograd.node import Node
from minidl.autograd.tensor import make
from minidl.autograd.views import replay


class _Alias:
    """Passes its gradient on."""

    backward_name, keep = "AliasBackward0", ()
    frees = False

    def pull(self, node, g):
        return (g,)

    def pull_boxed(self, node, g, run):
        return (g,)


ALIAS = _Alias()


def _raw_view(array, steps):
    for op, rest, output in steps:
        array = op.forward(array, *rest)
        array = array if output is None else array[output]
    return array


def _without_region(g, steps, layout):
    """A copy of ``g``, zero in the region that ``steps`` view. The copy's strides are ordered as the
    root's, so that a step that was a view there is one here.
    """
    space = backends.of(g)
    back = tuple(int(i) for i in np.argsort(layout))
    out = space.permute(space.copy(space.permute(g, layout)), back)
    region = _raw_view(out, steps)
    space.assign(region, space.zeros((), g.dtype))
    return out


def _laid_out(g, steps, layout):
    """``g`` itself, or, where a step views memory rather than an array, a copy that lies as the root does."""
    if all(op.view != "memory" for op, _, _ in steps):
        return g
    space = backends.of(g)
    return space.permute(space.copy(space.permute(g, layout)), tuple(int(i) for i in np.argsort(layout)))


class _Region:
    """The backward of ``_without_region``, which is its own."""

    backward_name, keep = "SliceBackward0", ()
    frees = False

    def pull(self, node, g):
        return (_without_region(g, *node.saved),)

    def pull_boxed(self, node, g, run):
        return (_boxed_without_region(g, *node.saved),)


def _boxed_without_region(g, steps, layout):
    array = _without_region(g._array, steps, layout)
    if g._edge is None:
        return make(array, None)
    return make(array, (Node(_REGION, (g._edge,), (steps, layout), (), array.shape, array.dtype), 0))


class _CopySlices:
    """A root whose region at ``steps`` was replaced: its gradient goes to the old root outside, to the new
    value inside the region.
    """

    backward_name, keep = "CopySlices", ()
    frees = False

    def pull(self, node, g):
        steps, layout = node.saved
        root, value = node.edges
        inside = None if value is None else backends.of(g).copy(_raw_view(_laid_out(g, steps, layout), steps))
        return (None if root is None else _without_region(g, steps, layout), inside)

    def pull_boxed(self, node, g, run):
        steps, layout = node.saved
        root, value = node.edges
        inside = None if value is None else replay(g, steps)
        return (None if root is None else _boxed_without_region(g, steps, layout), inside)


_REGION, _COPY_SLICES = _Region(), _CopySlices()


def assigned_edge(array, root_edge, edge, steps):
    """The edge of a root (whose array is ``array``) after its region at ``steps`` was replaced by what
    ``edge`` made.
    """
    layout = tuple(sorted(range(array.ndim), key=lambda i: -abs(array.strides[i])))
    node = Node(_COPY_SLICES, (root_edge, edge), (steps, layout), (), array.shape, array.dtype)
    return (node, 0)
