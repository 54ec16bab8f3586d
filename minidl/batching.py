"""``vmap``: a function of single samples, called for each of a batch."""

import functools

from minidl.autograd import Tensor, modes
from minidl.ops.joining import stack
from minidl.random import default_generator
from minidl.utils._pytree import tree_flatten, tree_unflatten

__all__ = ["vmap"]


def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """``func`` of every slice of the arguments, results stacked: one call a slice, so it is as slow as that loop.

    ``in_dims`` and ``out_dims`` are the dimension to slice or to stack along, for all or in the structure of the
    arguments or results; None: not sliced, given as it is. Keyword arguments are given as they are. Gradients go
    through. ``randomness="same"`` draws the same numbers in each call, the others draw anew; ``chunk_size`` changes
    nothing. Raises ``ValueError`` where nothing is sliced, sizes differ or a result is no tensor.
    Where there is a way to write ``func`` for a batch, that is faster. Source: ``torch.func.vmap``.

    >>> import minidl
    >>> minidl.func.vmap(minidl.dot, in_dims=(0, None))(minidl.eye(2), minidl.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}"
        )

    @functools.wraps(func)
    def each(*args, **kwargs):
        called = f"vmap({getattr(func, '__name__', func)}, in_dims={in_dims}, ...)(<inputs>)"
        if not isinstance(in_dims, (int, list, tuple)):
            raise ValueError(
                f"{called}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of "
                f"inputs, got: {type(in_dims)}."
            )
        leaves, structure = tree_flatten(list(args))
        dims = _along(list(in_dims) if isinstance(in_dims, tuple) else in_dims, list(args), called)
        size = _mapped_size(leaves, dims, called)
        state = default_generator.get_state()
        results = []
        for i in range(size):
            if randomness == "same":
                default_generator.set_state(state)
            slices = [x if d is None else x.select(d, i) for x, d in zip(leaves, dims, strict=True)]
            with modes.keeping_graphs(i + 1 < size):  # a graph from outside is there for every slice
                results.append(func(*tree_unflatten(slices, structure), **kwargs))
        return _stacked(results, out_dims, called)

    return each


def _along(dims, tree, called):
    """The dimension of each leaf of ``tree``: ``dims`` is one for all, or of the tree's structure."""
    if dims is None or isinstance(dims, int):
        return [dims] * len(tree_flatten(tree)[0])
    children = list(tree.values()) if isinstance(tree, dict) else tree
    dims = list(dims.values()) if isinstance(dims, dict) else dims
    if not isinstance(children, (list, tuple)) or len(children) != len(dims):
        raise ValueError(f"{called}: in_dims is not compatible with the structure of inputs.")
    return [d for dim, child in zip(dims, children, strict=True) for d in _along(dim, child, called)]


def _mapped_size(leaves, dims, called):
    """How many slices there are."""
    for leaf, d in zip(leaves, dims, strict=True):
        if d is None:
            continue
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"{called}: Got in_dim={d} for an input but the input is of type {type(leaf)}. We cannot vmap over "
                "non-Tensor arguments, please use None as the respective in_dim"
            )
        if not -leaf.dim() <= d < leaf.dim():
            raise ValueError(
                f"{called}: Got in_dim={d} for some input, but that input is a Tensor of dimensionality {leaf.dim()} "
                f"so expected in_dim to satisfy -{leaf.dim()} <= in_dim < {leaf.dim()}."
            )
    sizes = [leaf.shape[d] for leaf, d in zip(leaves, dims, strict=True) if d is not None]
    if not sizes:
        raise ValueError(
            f"{called}: at least one input must be mapped over. Hint: give it an in_dim that is not None."
        )
    if len(set(sizes)) > 1:
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
            "mapped dimension"
        )
    if not sizes[0]:
        raise NotImplementedError(
            "vmap over a dimension of size 0: there is no result to tell its shape from"
        )
    return sizes[0]


def _stacked(results, out_dims, called):
    """Results of like structure as one, each tensor stacked along its dimension of ``out_dims``."""
    leaves = [tree_flatten(result)[0] for result in results]
    structure = tree_flatten(results[0])[1]
    dims = _along(list(out_dims) if isinstance(out_dims, tuple) else out_dims, results[0], called)
    for leaf in leaves[0]:
        if not isinstance(leaf, Tensor):
            raise ValueError(f"{called}: `func` must only return Tensors, got type {type(leaf)}.")
    stacked = [
        column[0] if d is None else stack(column, d)
        for d, column in zip(dims, zip(*leaves, strict=True), strict=True)
    ]
    return tree_unflatten(stacked, structure)
