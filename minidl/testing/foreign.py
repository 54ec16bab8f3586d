"""Functions of other libraries as functions of minidl's tensors, so that every check and strategy works on them."""

import functools

import numpy as np

from minidl import backends
from minidl.autograd.function import Function
from minidl.autograd.tensor import Tensor, make
from minidl.testing.striding import restrided


def from_torch(fn):
    """A PyTorch function as one of minidl's tensors, differentiated by PyTorch, to any order.

    ``fn`` takes tensors and whatever else, by position or by name, and returns a tensor or a tuple of them: functions,
    the ``apply`` of a ``torch.autograd.Function``, modules (in ``double()``; gradients are those of the inputs, not of
    the parameters). It gets copies of the values, with their strides unless these are negative. Raises ``ImportError``
    without PyTorch.

    >>> import torch
    >>> from minidl.testing import check_gradients
    >>> check_gradients(from_torch(torch.tanh), np.array([0.1, -2.0]), order=2)
    """
    import torch

    def moves(value):
        return isinstance(value, torch.Tensor) and value.is_floating_point()

    def vjp_of(function, count):
        def vjp(*values):
            inputs, weights = values[:count], values[count:]
            with torch.enable_grad():
                live = [
                    x.detach().requires_grad_() if moves(x) and not x.requires_grad else x for x in inputs
                ]
                pairs = [(o, w) for o, w in zip(_tuple(function(*live)), weights) if o.requires_grad]
                leaves = [x for x in live if moves(x)]
                if not pairs:  # the function cuts the graph
                    return tuple(torch.zeros_like(x) for x in leaves)
                outputs, weights = zip(*pairs)
                return torch.autograd.grad(
                    outputs, leaves, weights, create_graph=True, materialize_grads=True
                )

        return vjp

    def wrap(function):
        def forward(*arrays):
            tensors = [_laid(torch, a) if isinstance(a, np.ndarray) else a for a in arrays]
            return _arrays(function(*tensors), lambda t: t.detach().numpy())

        return _function(forward, lambda count: wrap(vjp_of(function, count)), _name(fn), wrap, function)

    return wrap(fn)


def _laid(torch, array):
    """A tensor of PyTorch's of memory of its own, with the strides of an array, which must not be negative there."""
    positive = all(stride >= 0 for stride in array.strides)
    return torch.from_numpy(restrided(array) if positive else array.copy())


def from_jax(fn):
    """A JAX function as one of minidl's tensors, differentiated by ``jax.vjp``, to any order.

    Differences want float64: switch it on with ``jax.config.update("jax_enable_x64", True)``. Raises ``ImportError``
    without JAX, ``ValueError`` where float64 is off.
    """
    import jax

    if not jax.config.jax_enable_x64:
        raise ValueError(
            'from_jax: float64 is off in JAX, and differences in float32 say little. Hint: jax.config.update("'
            'jax_enable_x64", True)'
        )

    def vjp_of(function, count):
        def vjp(*values):
            inputs, weights = values[:count], values[count:]
            places = [i for i, x in enumerate(inputs) if getattr(x, "dtype", np.int64(0).dtype).kind == "f"]

            def of_floats(*floats):
                moved = dict(zip(places, floats))
                return _tuple(function(*(moved.get(i, x) for i, x in enumerate(inputs))))

            _, pull = jax.vjp(of_floats, *(inputs[i] for i in places))
            return tuple(pull(tuple(weights)))

        return vjp

    def wrap(function):
        def forward(*arrays):
            return _arrays(function(*arrays), np.asarray)

        return _function(forward, lambda count: wrap(vjp_of(function, count)), _name(fn), wrap, function)

    return wrap(fn)


def from_vjp(forward, vjp):
    """A function of NumPy arrays with a gradient of its own as one of minidl's tensors, for gradients of first order.

    Args:
        forward: takes arrays (and whatever else), returns an array or a tuple of them.
        vjp: takes the same arguments and a gradient for each output; returns one for each floating-point input, and
            ``ValueError`` is raised where it does not.

    >>> from minidl.testing import check_gradients
    >>> check_gradients(from_vjp(np.sin, lambda x, g: (g * np.cos(x),)), np.array([0.5, 2.0]))
    """

    def once(count):
        return _function(lambda *values: _arrays(vjp(*values), np.asarray), _no_second, "vjp")

    return _function(lambda *values: _arrays(forward(*values), np.asarray), once, _name(forward))


def _no_second(count):
    raise NotImplementedError("from_vjp gives no second gradient. Hint: use order=1.")


def _name(fn):
    """What a function is called; the ``apply`` of a Function by its class."""
    owner = getattr(fn, "__self__", None)
    return owner.__name__ if isinstance(owner, type) else getattr(fn, "__name__", type(fn).__name__)


def _function(forward, vjp_of, name, wrap=None, fn=None):
    """A function of tensors: ``forward`` on NumPy arrays; ``vjp_of(count)`` is the function of its gradients.

    ``wrap(fn)`` made it, and makes one of ``fn`` with arguments given by name.
    """

    class Foreign(Function):
        @staticmethod
        def forward(ctx, *inputs):
            ctx.inputs = [x for x in inputs if not isinstance(x, Tensor)]
            ctx.places = [isinstance(x, Tensor) for x in inputs]
            ctx.save_for_backward(*(x for x in inputs if isinstance(x, Tensor)))
            out = forward(*(_host(x) if isinstance(x, Tensor) else x for x in inputs))
            made = tuple(make(np.array(array), None) for array in out)
            return made if len(made) > 1 else made[0]

        @staticmethod
        def backward(ctx, *weights):
            saved, rest = iter(ctx.saved_tensors), iter(ctx.inputs)
            inputs = [next(saved) if tensor else next(rest) for tensor in ctx.places]
            found = _tuple(vjp_of(len(inputs))(*inputs, *weights))
            wanted = [isinstance(x, Tensor) and x.is_floating_point() for x in inputs]
            if len(found) != sum(wanted):
                raise ValueError(
                    f"the gradient of {name} gives {len(found)} arrays for {sum(wanted)} floating-point inputs"
                )
            gradients = iter(found)
            return tuple(next(gradients) if each else None for each in wanted)

    Foreign.__name__ = Foreign.__qualname__ = name

    @functools.wraps(forward)
    def call(*inputs, **named):
        if named and wrap is None:
            raise TypeError(
                f"{name} takes its arguments by position. Hint: bind others, as functools.partial does."
            )
        if named:
            return wrap(functools.partial(fn, **named))(*inputs)
        return Foreign.apply(*inputs)

    call.__name__ = call.__qualname__ = name
    del call.__wrapped__
    return call


def _host(tensor):
    return backends.to_numpy(tensor._array)


def _arrays(found, convert):
    return tuple(np.asarray(convert(each)) for each in _tuple(found))


def _tuple(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)
