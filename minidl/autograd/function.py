"""``Function``: operations that users define with a forward and a backward of their own."""

import functools
import inspect
import weakref

from minidl import backends, dtypes
from minidl.autograd import modes
from minidl.autograd.conform import broadcasts
from minidl.autograd.inplace import written
from minidl.autograd.node import Node
from minidl.autograd.packing import restored
from minidl.autograd.pull import check
from minidl.autograd.tensor import Tensor, make
from minidl.autograd.views import fresh_edge


class FunctionCtx:
    """What a Function's forward leaves for its backward.

    ``save_for_backward`` keeps tensors, ``needs_input_grad`` says which inputs need a gradient; any
    attribute may be set.
    """

    def __init__(self):
        self._to_save, self._dirty, self._no_grad = (), (), ()
        self._materialize, self._node = True, None
        self.needs_input_grad = ()

    def save_for_backward(self, *tensors):
        """Keeps tensors (or None) for ``saved_tensors`` in backward, checked against in-place changes."""
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {i} is of type {t.__class__.__name__}"
                )
        self._to_save = tensors

    @property
    def saved_tensors(self):
        """The tensors given to ``save_for_backward``. Raises ``RuntimeError`` where they were freed or
        changed in place.
        """
        if self._node is None:
            return tuple(self._to_save)
        node = self._node()
        check(node)
        return tuple(None if item is None else self._restore(node, *item) for item in node.saved)

    @staticmethod
    def _restore(node, array, edge, slot):
        return restored(array, edge if slot is None else (node, slot))

    def mark_dirty(self, *tensors):
        """Says which inputs the forward changed in place; they must be among its outputs."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors):
        """Says which outputs carry no gradient."""
        self._no_grad = tensors

    def set_materialize_grads(self, value):
        """Whether backward gets zeros (the default) or None for outputs that nothing used."""
        self._materialize = bool(value)


class _UserOp:
    """What a node of a Function runs backward."""

    keep = ("saved",)
    frees = True

    def __init__(self, cls, ctx, count):
        self.cls, self.ctx, self.count = cls, ctx, count
        self.backward_name = cls.__name__ + "Backward"

    def pull(self, node, g):
        with modes.no_grad():
            found = self._backward(node, [None if v is None else make(v, None) for v in self._listed(g)])
        return [None if f is None else f._array for f in found]

    def pull_boxed(self, node, g, run):
        return self._backward(node, self._listed(g))

    def moved(self, node):
        """Another node takes the place of the one that the forward recorded."""
        self.ctx._node = weakref.ref(node)

    def attribute(self, node, name):
        """What the node has for a program: in PyTorch it is the context itself."""
        return getattr(self.ctx, name)

    def _listed(self, g):
        return list(g) if g.__class__ is list else [g]

    def _backward(self, node, grads):
        ctx = self.ctx
        if ctx._materialize:
            shapes = node.shape if node.shape.__class__ is list else [node.shape]
            types = node.dtype if node.dtype.__class__ is list else [node.dtype]
            grads = [
                _zeros(ctx, s, d) if v is None and s is not None else v
                for v, s, d in zip(grads, shapes, types, strict=True)
            ]
        found = self.cls.backward(ctx, *grads)
        found = list(found) if isinstance(found, tuple) else [found]
        while len(found) > self.count and found[-1] is None:
            found.pop()
        if len(found) != self.count:
            raise RuntimeError(
                f"function {self.backward_name} returned an incorrect number of gradients (expected "
                f"{self.count}, got {len(found)})"
            )
        for index, (value, edge) in enumerate(zip(found, node.edges, strict=True)):
            if value is not None and not isinstance(value, Tensor):
                raise RuntimeError(
                    f"{self.backward_name}: expected Variable or None (got {value.__class__.__name__})"
                )
            if value is not None and edge is not None:
                self._check_shape(index, tuple(value._array.shape), *edge)
        return found

    def _check_shape(self, index, shape, target, slot):
        wanted = target.shape[slot] if target.shape.__class__ is list else target.shape
        if shape != wanted and not broadcasts(wanted, shape):
            raise RuntimeError(
                f"Function {self.backward_name} returned an invalid gradient at index {index} - got {list(shape)} but "
                f"expected shape compatible with {list(wanted)}"
            )


def _zeros(ctx, shape, dtype):
    return make(ctx._space.zeros(shape, dtype), None)


class _Twice:
    """The backward of a gradient that ``once_differentiable`` made."""

    backward_name, keep, frees = "Error", (), False

    def pull(self, node, g):
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )

    def pull_boxed(self, node, g, run):
        self.pull(node, g)


_TWICE = _Twice()


def once_differentiable(fn):
    """Declares that a ``backward`` computes without recording: differentiating its gradients again raises.

    Source: ``torch.autograd.function.once_differentiable``.
    """

    @functools.wraps(fn)
    def backward(ctx, *grads):
        with modes.no_grad():
            found = fn(ctx, *grads)
        edges = tuple(g._edge for g in grads if isinstance(g, Tensor) and g.requires_grad)
        if not modes.is_grad_enabled() or not edges:
            return found
        several = isinstance(found, tuple)
        out = [
            make(f._array, (Node(_TWICE, edges, (), (), f._array.shape, f._array.dtype), 0))
            if isinstance(f, Tensor)
            else f
            for f in (found if several else (found,))
        ]
        return tuple(out) if several else out[0]

    return backward


def _positional(cls, args, kwargs):
    """The arguments of ``apply`` in the order of forward's parameters, up to the last one given."""
    signature = inspect.signature(cls.forward)
    ctx = (None,) if cls.setup_context is Function.setup_context else ()
    bound = signature.bind(*ctx, *args, **kwargs)
    given = max(i for i, name in enumerate(signature.parameters, 1) if name in bound.arguments)
    bound.apply_defaults()
    return bound.args[len(ctx) : given]


class Function:
    """An operation with its own gradient: subclass it, define ``forward`` and ``backward``, call ``apply``.

    ``forward(ctx, *args)`` computes without recording; or ``forward(*args)`` with ``setup_context(ctx,
    inputs, output)``. ``backward(ctx, *grad_outputs)`` returns a gradient for each argument of forward, None
    where there is none. Source: ``torch.autograd.Function``.

    >>> import minidl
    >>> class Double(minidl.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         return g * 2
    >>> x = minidl.tensor(3.0, requires_grad=True)
    >>> Double.apply(x).backward()
    >>> x.grad
    tensor(2.)
    """

    @staticmethod
    def forward(*args, **kwargs):
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx, inputs, output):
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function."
        )

    def __init__(self):
        raise RuntimeError(
            f"{self.__class__} should not be instantiated. Methods on autograd functions are all static, use .apply()."
        )

    @classmethod
    def apply(cls, *args, **kwargs):
        """Runs forward on the arguments and records backward. Returns what forward returns."""
        args = _positional(cls, args, kwargs) if kwargs else args
        ctx = FunctionCtx()
        edges = [fresh_edge(a) if isinstance(a, Tensor) else None for a in args]
        live = modes.is_grad_enabled() and any(e is not None for e in edges)
        ctx.needs_input_grad = tuple(e is not None and live for e in edges)
        with modes.no_grad():
            if cls.setup_context is Function.setup_context:
                output = cls.forward(ctx, *args)
            else:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
        outputs = list(output) if isinstance(output, (tuple, list)) else [output]
        if live:
            _record(cls, ctx, args, edges, outputs)
        return type(output)(outputs) if isinstance(output, (tuple, list)) else outputs[0]


def _record(cls, ctx, args, edges, outputs):
    """Puts the outputs on a node of their own, replacing those that are inputs passed through."""
    one = len(outputs) == 1
    tensors = [o if isinstance(o, Tensor) else None for o in outputs]
    shapes = [None if t is None else t._array.shape for t in tensors]
    types = [None if t is None else t._array.dtype for t in tensors]
    node = Node(None, tuple(edges), (), (), shapes[0] if one else shapes, types[0] if one else types)
    node.op = _UserOp(cls, ctx, len(edges))
    inputs = [a for a in args if isinstance(a, Tensor)]
    ctx._space = backends.of(inputs[0]._array)
    _check_returned(ctx._dirty, tensors)
    saved_slots = {}
    for slot, tensor in enumerate(tensors):
        if tensor is None:
            continue
        if any(tensor is d for d in ctx._dirty):
            _check_dirty(tensor)
            written(tensor, make(tensor._array, (node, slot)))
            saved_slots[id(tensor)] = slot
            continue
        if any(tensor is i for i in inputs):
            out = tensor.detach()
        else:
            out = tensor
        if dtypes.is_floating(out._array.dtype) and not any(tensor is t for t in ctx._no_grad):
            out._edge = (node, slot)
            saved_slots[id(tensor)] = slot
        outputs[slot] = out
    node.saved, node.cells = _saved(ctx, saved_slots)
    modes.remember(node)
    ctx._node = weakref.ref(node)  # weak: the node holds the context, which must hold no output
    ctx._to_save = ctx._dirty = ctx._no_grad = ()


def _check_returned(dirty, outputs):
    if any(all(d is not o for o in outputs) for d in dirty):
        raise RuntimeError(
            "Some elements marked as dirty during the forward method were not returned as output. The inputs that are "
            "modified inplace must all be outputs of the Function."
        )


def _check_dirty(tensor):
    if tensor.is_leaf and tensor.requires_grad:
        raise RuntimeError(
            "a leaf Variable that requires grad has been used in an in-place operation. Hint: pass a clone() to the "
            "Function, or do not change its input."
        )


def _saved(ctx, slots):
    saved, cells = [], []
    for t in ctx._to_save:
        if t is None:
            saved.append(None)
            continue
        saved.append((t._array, None if id(t) in slots else fresh_edge(t), slots.get(id(t))))
        cells += [t._cell, t._version]
    return tuple(saved), tuple(cells)
