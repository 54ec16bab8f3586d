"""``swap_tensors``: two tensor objects trade what they are."""

import weakref

from minidl.autograd.node import AccumulateGrad

__all__ = ["swap_tensors"]

_PARTS = ("_array", "_cell", "_edge", "_grad", "_view")


def swap_tensors(t1, t2):
    """Makes two tensors trade places: each object is afterwards what the other was, for all who hold it.

    Values, dtype, gradient, class and attributes go over; who has a view of either keeps its memory. Raises
    ``RuntimeError`` where a graph leads to either. Source: ``torch.utils.swap_tensors``.

    >>> import minidl
    >>> a, b = minidl.ones(2), minidl.zeros(3)
    >>> minidl.utils.swap_tensors(a, b)
    >>> a, b
    (tensor([0., 0., 0.]), tensor([1., 1.]))
    """
    for tensor in (t1, t2):
        if not tensor.is_leaf:
            raise RuntimeError("Cannot swap a tensor that an operation has made. Hint: use .detach() of it.")
    first, second = ([getattr(t, part) for part in _PARTS] for t in (t1, t2))
    t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    own, other = dict(t1.__dict__), dict(t2.__dict__)
    for tensor, parts, attributes in ((t1, second, other), (t2, first, own)):
        for part, value in zip(_PARTS, parts, strict=True):
            setattr(tensor, part, value)
        tensor.__dict__.clear()
        tensor.__dict__.update(attributes)
        if tensor._edge is not None and tensor._edge[0].__class__ is AccumulateGrad:
            tensor._edge[0].leaf = weakref.ref(tensor)
