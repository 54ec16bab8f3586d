"""Forward-mode differentiation: dual tensors, which carry a tangent through what is computed from them.

Within a level the duals' operations are recorded as any; ``unpack_dual`` finds J v by two backwards, one through the
other, so it costs about three times the function, and its numbers are PyTorch's. A dual requires a gradient here.
Source: ``torch.autograd.forward_ad``.

>>> import minidl
>>> with dual_level():
...     x = make_dual(minidl.tensor(3.0), minidl.tensor(1.0))
...     unpack_dual(x * x).tangent
tensor(6.)
"""

from collections import namedtuple

from minidl import backends
from minidl.autograd import engine, modes
from minidl.autograd.assign import ALIAS
from minidl.autograd.boxing import not_a_tensor
from minidl.autograd.node import AccumulateGrad, Node
from minidl.autograd.tensor import Tensor, leaf, make
from minidl.autograd.views import fresh_edge

__all__ = [
    "UnpackedDualTensor",
    "dual_level",
    "enter_dual_level",
    "exit_dual_level",
    "make_dual",
    "unpack_dual",
]

UnpackedDualTensor = namedtuple("UnpackedDualTensor", "primal tangent")
UnpackedDualTensor.__doc__ = """What ``unpack_dual`` gives: the value, and the tangent or None."""

_levels = []  # at most one: a list of (leaf or alias of the primal, tangent)


def enter_dual_level():
    """Begins a level, as ``dual_level`` does. Raises ``RuntimeError`` within another one.
    Source: ``torch.autograd.forward_ad.enter_dual_level``.
    """
    if _levels:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _levels.append([])
    return 0


def exit_dual_level(*, level=None):
    """Ends the level: its tangents are forgotten. Source: ``torch.autograd.forward_ad.exit_dual_level``."""
    if not _levels or level not in (None, 0):
        raise RuntimeError("Trying to exit a forward AD level that was not the last one that was created.")
    _levels.pop()


class dual_level:
    """The context that dual tensors live in. Source: ``torch.autograd.forward_ad.dual_level``.

    >>> import minidl
    >>> with dual_level():
    ...     dual = make_dual(minidl.tensor([1.0, 2.0]), minidl.tensor([1.0, 10.0]))
    ...     print(unpack_dual(dual.exp().log()).tangent)
    tensor([ 1., 10.])
    """

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, *exc):
        exit_dual_level()


def make_dual(tensor, tangent, *, level=None):
    """A tensor of ``tensor``'s memory that carries ``tangent``, of its shape.

    Raises ``RuntimeError`` outside of a level, for another shape, or where ``tensor`` is a dual already; ``ValueError``
    for integers. Source: ``torch.autograd.forward_ad.make_dual``.

    >>> import minidl
    >>> with dual_level():
    ...     unpack_dual(make_dual(minidl.ones(1), minidl.zeros(1))).tangent
    tensor([0.])
    """
    if not _levels:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    for what, given in (("primal", tensor), ("tangent", tangent)):
        if not given.is_floating_point():
            raise ValueError(f"Expected {what} to be floating point or complex, but got: {given.dtype!r}")
    if tuple(tensor.shape) != tuple(tangent.shape):
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
            f"supported. Tensor is of size {list(tensor.shape)} while the given forward gradient is of size "
            f"{list(tangent.shape)}."
        )
    edge = fresh_edge(tensor)
    if edge is not None and _nodes([edge]) & {fresh._edge[0] for fresh, _ in _levels[0]}:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the same level 0 is not "
            "supported."
        )
    array = tensor._array
    fresh = leaf(array, True) if edge is None else _alias(tensor, edge)
    dual = _alias(tensor, fresh._edge)
    dual._tangent_of = tangent, dual._edge  # so that unpacking the dual itself gives it back
    _levels[0].append((fresh, tangent))
    return dual


def _alias(tensor, edge):
    """A tensor of the same memory, on an edge of its own that passes gradients on."""
    array = tensor._array
    out = make(array, (Node(ALIAS, (edge,), (), (), array.shape, array.dtype), 0))
    out._cell = tensor._cell
    return out


def unpack_dual(tensor, *, level=None):
    """``(primal, tangent)``: the value without its tangent, and the tangent, None where no dual of this level is in it.

    Raises ``NotImplementedError`` under ``no_grad`` for what was computed there.
    Source: ``torch.autograd.forward_ad.unpack_dual``.

    >>> import minidl
    >>> with dual_level():
    ...     x = make_dual(minidl.tensor([1.0, 2.0]), minidl.tensor([1.0, 1.0]))
    ...     unpack_dual(x**3)
    UnpackedDualTensor(primal=tensor([1., 8.]), tangent=tensor([ 3., 12.]))
    """
    if not isinstance(tensor, Tensor):
        raise not_a_tensor("_unpack_dual", "dual", 1, tensor)
    edge = fresh_edge(tensor)
    if not _levels or not _levels[0]:
        return UnpackedDualTensor(tensor, None)
    if edge is None:
        if not modes.is_grad_enabled():
            raise NotImplementedError(
                "unpack_dual: forward mode differentiates what was recorded, and nothing is under no_grad. Hint: "
                "compute within minidl.enable_grad()."
            )
        return UnpackedDualTensor(tensor, None)
    primal = tensor.detach()
    given = tensor.__dict__.get("_tangent_of")
    if given is not None and given[1] is edge:
        return UnpackedDualTensor(primal, given[0])
    with modes.enable_grad():
        return UnpackedDualTensor(primal, _tangent(tensor, _levels[0]))


def _tangent(out, duals):
    """J v: the derivative by w, in the direction v, of w^T J, which is linear in w."""
    array = out._array
    w = leaf(backends.of(array).zeros(array.shape, array.dtype), True)
    leaves = [fresh for fresh, _ in duals]
    pulled = engine.grad(out, leaves, w, create_graph=True, allow_unused=True)
    pairs = [(p, t) for p, (_, t) in zip(pulled, duals, strict=True) if p is not None]
    if not pairs:
        return None
    rows = [(p, t.to(p.dtype)) for p, t in pairs if p._edge is not None]
    found = None
    if rows:
        values, directions = zip(*rows, strict=True)
        (found,) = engine.grad(values, w, directions, create_graph=True, allow_unused=True)
    if found is None:
        return make(backends.of(array).zeros(array.shape, array.dtype), None)
    ours = {fresh._edge[0] for fresh in leaves} | {w._edge[0]}
    below = _nodes([out._edge, *(t._edge for _, t in pairs)]) - ours
    others = any(node.__class__ is AccumulateGrad for node in below)
    return found if others else found.detach()


def _nodes(edges):
    """The nodes at and below ``edges``."""
    seen, stack = set(), [edge[0] for edge in edges if edge is not None]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(edge[0] for edge in node.edges if edge is not None)
    return seen
