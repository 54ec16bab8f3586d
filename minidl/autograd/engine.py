"""Backward: visits nodes from the newest to the oldest by a heap, so no recursion and no graph is too deep."""

import math
import os
import sys
import threading
from heapq import heappop, heappush

from minidl import backends
from minidl.autograd import anomaly, hooks, modes, registry
from minidl.autograd.conform import accumulate, conform
from minidl.autograd.node import AccumulateGrad, GradientEdge, next_order
from minidl.autograd.tensor import Tensor, make
from minidl.autograd.views import fresh_edge
from minidl.backends import memory_order

_accumulating = threading.RLock()  # again by one thread: a boxed sum may run a user's code


def _renew_lock():
    """A child forked while another thread held the lock would wait for that thread, which it does not have."""
    global _accumulating
    _accumulating = threading.RLock()


os.register_at_fork(after_in_child=_renew_lock)


class _Sweep:
    """The gradients under way: those of nodes (by a heap, newest first) and those of leaves."""

    __slots__ = ("boxed", "heap", "leaves", "pending")

    def __init__(self, boxed):
        self.boxed = boxed
        self.pending, self.heap, self.leaves = {}, [], {}

    def give(self, edge, g):
        """Adds ``g`` to what an edge's target has received, made to fit it."""
        target, slot = edge
        if g.shape != target.shape or g.dtype is not target.dtype:
            g = conform(g, target, slot, self.boxed)
        if target.order == 0:
            held = self.leaves.get(target)
            self.leaves[target] = g if held is None else _add(held, g, self.boxed)
            return
        held = self.pending.get(target)
        if held is None:
            heappush(self.heap, (-target.order, target))
        if target.shape.__class__ is list:
            if held is None:
                held = self.pending[target] = [None] * len(target.shape)
            held[slot] = g if held[slot] is None else _add(held[slot], g, self.boxed)
        else:
            self.pending[target] = g if held is None else _add(held, g, self.boxed)


def run(roots, retain_graph=False, create_graph=False, captures=None, accumulating=False):
    """Sends gradients from ``roots``, a list of (edge, gradient), down the graph.

    Gradients are raw arrays, or Tensors with ``create_graph``. Leaves accumulate into ``.grad`` where
    ``accumulating`` and no ``captures`` are given; ``captures`` maps edges to names, only what leads to them
    is visited, and the gradients that reach them are returned by edge.
    """
    boxed, found, retain_graph = create_graph, {}, retain_graph or modes.is_keeping_graphs()
    needed = None if captures is None else _leading_to(captures, [edge for edge, _ in roots])
    sweep = _Sweep(boxed)
    pending, heap, give = sweep.pending, sweep.heap, sweep.give
    watch = modes.is_anomaly_enabled()
    for edge, g in roots:
        if needed is None or edge[0] in needed:
            give(edge, g)
    while heap:
        node = heappop(heap)[1]
        g = pending.pop(node)
        if node.hooks is not None:
            g = hooks.before(node, g, boxed)
        if captures is not None:
            _capture(node, g, captures, found)
            if node not in needed.inner:
                continue
        if watch:
            grads = anomaly.watched(node, g, boxed, run)
        else:
            grads = node.op.pull_boxed(node, g, run) if boxed else node.op.pull(node, g)
        if not retain_graph and node.op.frees:
            node.saved = None
        if node.hooks is not None and "after" in node.hooks:
            grads = hooks.after(node, grads, g, boxed)
        for edge, gradient in zip(node.edges, grads, strict=True):
            if gradient is None or edge is None or (needed is not None and edge[0] not in needed):
                continue
            target = edge[0]
            if (
                target.order
                and target not in pending
                and gradient.shape == target.shape
                and gradient.dtype is target.dtype
            ):
                pending[target] = gradient  # the usual case of ``give``, without the call
                heappush(heap, (-target.order, target))
            else:
                give(edge, gradient)
        g = grads = gradient = None  # so that a leaf's gradient is seen to be nobody else's
    _finish(sweep.leaves, captures, found, accumulating, boxed)
    return found


def _add(a, b, boxed):
    return accumulate(a, b) if boxed else backends.of(a).add(a, b)


class _Needed(set):
    """Nodes to visit; ``inner`` are those whose rules must run."""


def _leading_to(captures, roots):
    """The nodes on a path from a root to a captured edge."""
    targets = {edge[0] for edge in captures}
    needed = _Needed(targets)
    needed.inner = set()
    seen, stack = set(), [edge[0] for edge in roots]
    order = []
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        order.append(node)
        stack.extend(e[0] for e in node.edges if e is not None)
    for node in sorted(order, key=lambda n: n.order):
        if any(e is not None and e[0] in needed for e in node.edges):
            needed.add(node)
            needed.inner.add(node)
    return needed


def _capture(node, g, captures, found):
    several = node.shape.__class__ is list
    for slot in range(len(node.shape) if several else 1):
        value = g[slot] if several else g
        if value is not None and (node, slot) in captures:
            found[(node, slot)] = value


def _finish(leaves, captures, found, accumulating, boxed):
    for node in list(leaves):  # in the order in which backward reached them: the last layer's first
        g = leaves.pop(node)
        if node.hooks is not None:
            g = hooks.before(node, g, boxed)
        if captures is not None and (node, 0) in captures:
            found[(node, 0)] = g
        if accumulating:
            _into_leaf(node, g, boxed)


def _into_leaf(node, g, boxed):
    """Adds ``g`` into the leaf's ``.grad``, which never aliases anything."""
    tensor = node.leaf()
    if tensor is None:
        return
    with _accumulating:  # of several threads that share a leaf, one adds at a time
        held = tensor._grad
        if boxed:
            tensor._grad = g if held is None else accumulate(held, g)
            if held is None and g._edge is None:
                tensor._grad = make(backends.of(g._array).copy(g._array), None)
        elif held is None:
            # fresh from a rule and owned by nobody else (this frame, its caller's and getrefcount's own reference)
            mine = sys.getrefcount(g) <= 3 and _has_own_memory(g)
            array = tensor._array
            if g.strides != array.strides and not array.flags.c_contiguous:
                # in the leaf's order: an optimizer's step wants one for all its arrays
                tensor._grad = make(memory_order.in_order(g, memory_order.order_of(array, None)), None)
            else:
                tensor._grad = make(g if mine else backends.of(g).copy(g), None)
        elif held._edge is None:
            _add_in_place(held, g)
        else:
            tensor._grad = accumulate(held, make(g, None))
    if node.hooks is not None:
        hooks.accumulated(node, tensor, g, boxed)


def _has_own_memory(g):
    """Whether no other array shares memory with ``g``, an array or the transposition of one that is seen no more."""
    base = g.base
    if base is None:
        return True
    whole = base.__class__ is g.__class__ and base.base is None and base.size == g.size
    return whole and sys.getrefcount(base) <= 3  # g's reference, this frame's and getrefcount's


def _add_in_place(held, g):
    space = backends.of(g)
    space.assign(held._array, space.add(held._array, g))
    list.__setitem__(held._cell, 0, list.__getitem__(held._cell, 0) + 1)


def seed(tensor, gradient, boxed):
    """The first gradient of ``tensor``: the one given, or one for a scalar. Raises PyTorch's errors for
    what cannot be.
    """
    if tensor.__class__ is GradientEdge:
        return _seed_of_edge(tensor, gradient, boxed)
    if fresh_edge(tensor) is None:
        raise RuntimeError(
            "element 0 of tensors does not require grad and does not have a grad_fn. Hint: was "
            "requires_grad=True set on "
            "the inputs, and was this computed outside no_grad()?"
        )
    array = tensor._array
    if gradient is None:
        if array.size != 1:
            raise RuntimeError(
                f"grad can be implicitly created only for scalar outputs, but this one has shape {list(array.shape)}. "
                "Hint: reduce it first (.sum(), .mean()) or pass gradient=."
            )
        ones = backends.of(array).full(array.shape, 1, array.dtype)
        return make(ones, None) if boxed else ones
    if not isinstance(gradient, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {gradient.__class__.__name__}")
    if gradient._array.shape != array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[0] has a shape of {gradient.shape} and output[0] has a "
            f"shape of {tensor.shape}."
        )
    return gradient if boxed else gradient._array


def _seed_of_edge(edge, gradient, boxed):
    """The first gradient of a ``GradientEdge``, whose array is known no more."""
    shape, dtype = edge.node.shape, edge.node.dtype
    if shape.__class__ is list:
        shape, dtype = shape[edge.output_nr], dtype[edge.output_nr]
    if gradient is None:
        if math.prod(shape) != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        gradient = make(backends.on("cpu").full(shape, 1, dtype), None)
    if gradient._array.shape != shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[0] has a shape of {gradient.shape} and output[0] has a shape of "
            f"{list(shape)}."
        )
    return gradient if boxed else gradient._array


def _edge_of(value):
    return (value.node, value.output_nr) if value.__class__ is GradientEdge else value._edge


def _as_tuple(value):
    alone = isinstance(value, (Tensor, GradientEdge)) or value is None
    return (value,) if alone else tuple(value)


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None):
    """Adds the sum of gradients of ``tensors`` with respect to each leaf into the leaf's ``.grad``.

    ``grad_tensors`` are the gradients of some loss with respect to ``tensors``; None stands for that of a one-element
    tensor. The rest is as in ``Tensor.backward``. Source: ``torch.autograd.backward``.
    """
    tensors = _as_tuple(tensors)
    gradients = _as_tuple(grad_tensors) if grad_tensors is not None else (None,) * len(tensors)
    retain = create_graph if retain_graph is None else retain_graph
    roots = [(t, seed(t, g, create_graph)) for t, g in zip(tensors, gradients, strict=True)]
    roots = [(_edge_of(t), g) for t, g in roots]
    if inputs is None:
        _running(roots, retain, create_graph, accumulating=True)
        return
    wanted = _as_tuple(inputs)
    if not wanted:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    edges = _wanted_edges(wanted)
    found = _running(roots, retain, create_graph, captures=dict.fromkeys(edges))
    for tensor, edge in zip(wanted, edges, strict=True):
        if edge in found:
            node = edge[0] if edge[0].__class__ is AccumulateGrad else _Holder(tensor)
            _into_leaf(node, found[edge], create_graph)


def _backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
    """Adds gradients of this tensor with respect to each leaf into the leaf's ``.grad``.

    ``gradient`` is the gradient of some loss with respect to this tensor; a one-element tensor may omit it. ``inputs``
    restricts accumulation to these tensors. Raises ``RuntimeError`` where no graph leads here, or where its saved
    values were freed by an earlier backward (``retain_graph=True`` keeps them; it defaults to ``create_graph``).
    Source: ``torch.Tensor.backward``.

    >>> import minidl
    >>> x = minidl.tensor([1.0, 2.0], requires_grad=True)
    >>> (x**2).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """
    backward(self, gradient, retain_graph, create_graph, inputs)


_backward.__name__ = _backward.__qualname__ = "backward"


class _Holder:
    """Stands for the accumulation node of a tensor that is no leaf."""

    hooks = None

    def __init__(self, tensor):
        self.leaf = lambda: tensor


def _running(roots, retain, create_graph, **how):
    before = modes.set_running((roots, how.get("captures"), next_order()))
    try:
        if create_graph:
            with modes.enable_grad():
                return run(roots, retain, True, **how)
        return run(roots, retain, False, **how)
    finally:
        modes.set_running(before)


def _wanted_edges(inputs):
    edges = []
    for tensor in inputs:
        edge = _edge_of(tensor) if tensor.__class__ is GradientEdge else fresh_edge(tensor)
        if edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        edges.append(edge)
    return edges


def grad(
    outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True, allow_unused=None,
    is_grads_batched=False, materialize_grads=False,
):  # fmt: skip
    """The sum of gradients of ``outputs`` with respect to each of ``inputs``, as a tuple; ``.grad`` is not touched.

    An input that no output depends on is an error, or None with ``allow_unused=True``, or zeros with
    ``materialize_grads=True``.

    >>> import minidl
    >>> x = minidl.tensor(3.0, requires_grad=True)
    >>> (y,) = minidl.autograd.grad(x**3, x, create_graph=True)
    >>> minidl.autograd.grad(y, x)
    (tensor(18.),)
    """
    if is_grads_batched:
        raise NotImplementedError("grad(is_grads_batched=True) is not supported; call grad once for each row")
    if allow_unused is False and materialize_grads:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True")
    outputs, wanted = _as_tuple(outputs), _as_tuple(inputs)
    if not wanted:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    given = _as_tuple(grad_outputs) if grad_outputs is not None else (None,) * len(outputs)
    retain = create_graph if retain_graph is None else retain_graph
    roots = [(t, seed(t, g, create_graph)) for t, g in zip(outputs, given, strict=True)]
    edges = _wanted_edges(wanted)
    found = _running(
        [(_edge_of(t), g) for t, g in roots], retain, create_graph, captures=dict.fromkeys(edges)
    )
    out = []
    for tensor, edge in zip(wanted, edges, strict=True):
        value = found.get(edge)
        if value is None and materialize_grads:
            if tensor.__class__ is GradientEdge:
                raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
            value = backends.of(tensor._array).zeros(tensor._array.shape, tensor._array.dtype)
        if value is None and not allow_unused:
            raise RuntimeError(
                f"The differentiated Tensor at index {len(out)} appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior."
            )
        out.append(value if value is None or isinstance(value, Tensor) else make(value, None))
    return tuple(out)


registry.attach(Tensor, "backward", _backward)
