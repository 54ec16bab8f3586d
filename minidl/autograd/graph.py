"""The tape as a program sees it: its nodes and edges, what becomes of saved tensors, hooks of several tensors.

Source: ``torch.autograd.graph``.
"""

import abc
import contextlib

from minidl.autograd import modes, packing
from minidl.autograd.inplace import bump
from minidl.autograd.node import AccumulateGrad, GradientEdge, RemovableHandle, classed
from minidl.autograd.node import Node as _Recorded
from minidl.autograd.tensor import Tensor, make
from minidl.autograd.views import fresh_edge

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
]  # fmt: skip


class Node(abc.ABC):
    """What every ``grad_fn`` is an instance of: ``name()``, ``next_functions``, ``metadata``, ``register_hook`` and
    ``register_prehook``. Source: ``torch.autograd.graph.Node``.

    >>> import minidl
    >>> x = minidl.ones(2, requires_grad=True)
    >>> isinstance((x * 2).grad_fn, minidl.autograd.graph.Node)
    True
    """

    @abc.abstractmethod
    def name(self):
        """The class name that PyTorch shows."""


Node.register(_Recorded)
Node.register(AccumulateGrad)


def _install(pairs, refused):
    """Makes the last pair of hooks the one that packs; a callable with both at hand is what ``modes`` keeps."""
    if not pairs and refused is None:
        modes.set_packing(None)
        return
    if refused is not None and pairs:
        raise RuntimeError(refused)

    def packs(node, output):
        if pairs:
            if output is None:
                packing.pack_listed(node, pairs[-1])
            else:
                packing.pack(node, output, pairs[-1])

    packs.pairs, packs.refused = pairs, refused
    modes.set_packing(packs)


def _installed():
    packs = modes.packing()
    return ((), None) if packs is None else (packs.pairs, packs.refused)


class saved_tensors_hooks:
    """Within it, each tensor that an op saves for backward goes through ``pack_hook``, and what that returns through
    ``unpack_hook``, which gives a tensor of the same values, when backward needs it.

    The innermost hooks count. A pack hook that writes into its tensor raises ``RuntimeError``; an unpack hook that
    returns no tensor, ``TypeError``. A saved tensor's later changes in place are not noticed.
    Source: ``torch.autograd.graph.saved_tensors_hooks``.

    >>> import minidl
    >>> x = minidl.tensor([3.0], requires_grad=True)
    >>> with minidl.autograd.graph.saved_tensors_hooks(lambda t: t.half(), lambda t: t.float()):
    ...     y = x * x
    >>> y.backward()
    >>> x.grad
    tensor([6.])
    """

    def __init__(self, pack_hook, unpack_hook):
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self):
        pairs, refused = _installed()
        _install((*pairs, (self.pack_hook, self.unpack_hook)), refused)

    def __exit__(self, *exc):
        pairs, refused = _installed()
        _install(pairs[:-1], refused)


class save_on_cpu(saved_tensors_hooks):
    """Within it, tensors saved for backward wait in the host's memory, with ``pin_memory`` in page-locked memory.

    Source: ``torch.autograd.graph.save_on_cpu``.

    >>> import minidl
    >>> x = minidl.tensor([3.0], requires_grad=True)
    >>> with minidl.autograd.graph.save_on_cpu():
    ...     y = x.exp()
    >>> y.backward()
    >>> bool(x.grad == y)
    True
    """

    def __init__(self, pin_memory=False, device_type="cuda"):
        def pack(tensor):
            host = tensor.cpu()
            return tensor.device, host.pin_memory() if pin_memory and tensor.device.type != "cpu" else host

        def unpack(packed):
            device, host = packed
            return host.to(device, non_blocking=pin_memory)

        super().__init__(pack, unpack)


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message):
    """Within it, hooks on saved tensors raise ``RuntimeError(error_message)``.
    Source: ``torch.autograd.graph.disable_saved_tensors_hooks``.

    >>> import minidl
    >>> with minidl.autograd.graph.disable_saved_tensors_hooks("no hooks here"):
    ...     with minidl.autograd.graph.save_on_cpu():
    ...         pass
    Traceback (most recent call last):
    RuntimeError: no hooks here
    """
    pairs, refused = _installed()
    _install(pairs, error_message)
    try:
        yield
    finally:
        _install(pairs, refused)


class _AllowMutationOnSavedContext:
    """What ``allow_mutation_on_saved_tensors`` gives: whether its block is left."""

    def __init__(self):
        self.closed = False

    def clear(self):
        """Forgets nothing: each saved tensor belongs to its node."""


@contextlib.contextmanager
def allow_mutation_on_saved_tensors():
    """Within it, tensors saved for backward may be written in place: backward sees the values that were saved.

    Every saved tensor is copied at once, where PyTorch copies it when it is written. Backward must run within the block
    too: an ``AssertionError`` else. Source: ``torch.autograd.graph.allow_mutation_on_saved_tensors``.

    >>> import minidl
    >>> with minidl.autograd.graph.allow_mutation_on_saved_tensors():
    ...     x = minidl.ones(1, requires_grad=True)
    ...     y = x.clone()
    ...     out = y**2
    ...     _ = y.zero_()
    ...     out.backward()
    >>> x.grad
    tensor([2.])
    """
    if any(getattr(pair[0], "allows_mutation", False) for pair in _installed()[0]):
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    context = _AllowMutationOnSavedContext()

    def pack(tensor):
        return make(tensor.detach().clone()._array, None)

    def unpack(copy):
        if context.closed:
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in which the graph was "
                "originally recorded."
            )
        return copy

    pack.allows_mutation = True
    try:
        with saved_tensors_hooks(pack, unpack):
            yield context
    finally:
        context.closed = True


def get_gradient_edge(tensor):
    """Where the gradient of a tensor goes, without the tensor: ``backward`` and ``grad`` take it in its place.

    Raises ``RuntimeError`` for a tensor without gradient. Source: ``torch.autograd.graph.get_gradient_edge``.

    >>> import minidl
    >>> x = minidl.tensor(2.0, requires_grad=True)
    >>> y = minidl.autograd.graph.get_gradient_edge(x * x)
    >>> minidl.autograd.grad(y, x)
    (tensor(4.),)
    """
    edge = fresh_edge(tensor)
    if edge is None:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require gradients"
        )
    node = edge[0]
    return GradientEdge(node if node.__class__ is AccumulateGrad else classed(node), edge[1])


def increment_version(tensor):
    """Says that a tensor, or each of several, was written in place behind autograd's back.
    Source: ``torch.autograd.graph.increment_version``.

    >>> import minidl
    >>> x = minidl.ones(2)
    >>> minidl.autograd.graph.increment_version(x)
    >>> x._version
    1
    """
    tensors = (tensor,) if isinstance(tensor, Tensor) else tensor
    try:
        tensors = list(tensors)
    except TypeError:
        raise RuntimeError("increment_version expect a Iterable[Tensor] as input") from None
    for each in tensors:
        if each.is_inference():
            raise RuntimeError("Inference tensors do not track version counter.")
        bump(each)


class _Handle(RemovableHandle):
    """Takes the hooks of several tensors away."""

    def __init__(self, handles):
        self.handles = tuple(handles)

    def remove(self):
        for handle in self.handles:
            handle.remove()

    def __getstate__(self):
        return self.handles

    def __setstate__(self, state):
        self.handles = state


class _Gathered:
    """The gradients of several tensors in the backward under way, until the last one that it computes has come."""

    def __init__(self, edges, fn):
        self.edges, self.fn = edges, fn
        self.run, self.awaited, self.found = None, 0, []

    def take(self, index, gradient):
        run = modes.running()
        if run[2] != self.run:
            self.run, self.found = run[2], [None] * len(self.edges)
            self.awaited = _reached(self.edges, *run[:2])
        self.awaited -= 1
        self.found[index] = gradient
        if self.awaited == 0:
            found, self.run, self.found = self.found, None, []
            self.fn(found)


def _reached(edges, roots, captures):
    """How many of the edges a backward reaches."""
    seen, stack = set(), [edge[0] for edge, _ in roots]
    order = []
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            order.append(node)
            stack.extend(edge[0] for edge in node.edges if edge is not None)
    if captures is not None:
        needed = {edge[0] for edge in captures}
        for node in sorted(order, key=lambda n: n.order):
            if any(edge is not None and edge[0] in needed for edge in node.edges):
                needed.add(node)
        seen &= needed
    return len([edge for edge in edges if edge[0] in seen])


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Calls ``fn`` in each backward when the gradients of ``tensors`` are there: with a list of them, None for those
    that this backward does not compute; with ``mode="any"`` with the first one alone.

    ``fn`` cannot change the gradients. Returns a handle with ``remove()``. Raises ``ValueError`` for another mode.
    Source: ``torch.autograd.graph.register_multi_grad_hook``.

    >>> import minidl
    >>> x, y = minidl.ones(1, requires_grad=True), minidl.ones(1, requires_grad=True)
    >>> handle = minidl.autograd.graph.register_multi_grad_hook((x, y), print)
    >>> (2 * x + 3 * y).backward()
    [tensor([2.]), tensor([3.])]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    if mode == "any":
        last = [None]

        def first(gradient):
            number = modes.running()[2]
            if last[0] != number:
                last[0] = number
                fn(gradient)

        return _Handle([t.register_hook(first) for t in tensors if t.requires_grad])
    edges = [fresh_edge(t) for t in tensors]
    if None in edges:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    gathered = _Gathered(edges, fn)
    return _Handle(
        [
            t.register_hook(lambda gradient, index=index: gathered.take(index, gradient))
            for index, t in enumerate(tensors)
        ]
    )
