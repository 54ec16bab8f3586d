"""The steps of ``DataParallel``, as functions: a batch in pieces, a module for each, their results as one.

There is one process. The pieces lie on the devices that are named; modules on a device of their own are copies.
"""

import copy

from minidl.autograd import Tensor
from minidl.device import device as as_device
from minidl.nn.module import Module
from minidl.ops.joining import cat
from minidl.utils._pytree import tree_flatten, tree_unflatten

__all__ = ["gather", "parallel_apply", "replicate", "scatter"]


def scatter(inputs, target_gpus, dim=0):
    """Tensors in as many pieces as there are devices, each on its device; other values for each as they are.

    Returns a list of what ``inputs`` is, of no more than the pieces. Source: ``torch.nn.parallel.scatter``.

    >>> import minidl
    >>> minidl.nn.parallel.scatter(minidl.arange(4), ["cpu", "cpu"])
    [tensor([0, 1]), tensor([2, 3])]
    """
    places = [as_device(place) for place in target_gpus]
    leaves, structure = tree_flatten(inputs)
    pieces = [
        leaf.chunk(len(places), dim) if isinstance(leaf, Tensor) else [leaf] * len(places) for leaf in leaves
    ]
    count = min((len(piece) for piece in pieces), default=len(places))
    return [
        tree_unflatten([p[i].to(places[i]) if isinstance(p[i], Tensor) else p[i] for p in pieces], structure)
        for i in range(count)
    ]


def gather(outputs, target_device, dim=0):
    """Results of pieces as one, on a device: tensors joined along ``dim``, numbers of no dimension as a vector.
    Source: ``torch.nn.parallel.gather``.

    >>> import minidl
    >>> minidl.nn.parallel.gather([minidl.ones(1), minidl.zeros(2)], "cpu")
    tensor([1., 0., 0.])
    """
    flat = [tree_flatten(output) for output in outputs]
    joined = []
    for values in zip(*(leaves for leaves, _ in flat), strict=True):
        if not isinstance(values[0], Tensor):
            joined.append(values[0])
            continue
        rows = [v.to(target_device) for v in values]
        joined.append(cat([r.reshape(1) for r in rows]) if rows[0].ndim == 0 else cat(rows, dim))
    return tree_unflatten(joined, flat[0][1])


def parallel_apply(modules, inputs, kwargs_tup=None, devices=None):
    """Each module of its inputs, one after the other: a list of results. Source: ``torch.nn.parallel.parallel_apply``.

    >>> import minidl
    >>> minidl.nn.parallel.parallel_apply([minidl.nn.ReLU()], [minidl.tensor([-1.0])])
    [tensor([0.])]
    """
    if len(modules) != len(inputs):
        raise AssertionError(
            f"The number of modules {len(modules)} is not equal to the number of inputs {len(inputs)}"
        )
    options = kwargs_tup or ({},) * len(modules)
    arguments = (value if isinstance(value, (list, tuple)) else (value,) for value in inputs)
    return [m(*given, **named) for m, given, named in zip(modules, arguments, options, strict=True)]


def replicate(network, devices, detach=False):
    """The module for each device: itself on its own device, so that gradients add up in its parameters; a copy, apart
    from it, on another. Source: ``torch.nn.parallel.replicate``.

    >>> import minidl
    >>> len(minidl.nn.parallel.replicate(minidl.nn.Linear(1, 1), ["cpu", "cpu"]))
    2
    """
    if not isinstance(network, Module):
        raise TypeError(f"replicate(): expected a Module, got {type(network)}")
    own = next((p.device for p in network.parameters()), None)
    out = []
    for place in map(as_device, devices):
        apart = detach or (own is not None and place.type != own.type)
        out.append(copy.deepcopy(network).to(place) if apart else network)
    return out
