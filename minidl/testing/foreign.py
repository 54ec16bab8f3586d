"""Functions of other libraries as functions of minidl's tensors, so that every check and strategy works on them."""

import functools

import numpy as np

from minidl import backends
from minidl.autograd.function import Function
from minidl.autograd.tensor import Tensor, make


def from_torch(fn):
    """A PyTorch function as one of minidl's tensors, differentiated by PyTorch, to any order.

    Values pass through DLPack's memory as NumPy arrays. ``fn`` takes tensors and whatever else, and returns a tensor or
    a tuple of them. Raises ``ImportError`` without PyTorch.

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
                outputs, weights = zip(*pairs)
                leaves = [x for x in live if moves(x)]
                return torch.autograd.grad(
                    outputs, leaves, weights, create_graph=True, materialize_grads=True
                )

        return vjp

    def wrap(function):
        def forward(*arrays):
            tensors = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in arrays]
            return _arrays(function(*tensors), lambda t: t.detach().numpy())

        return _function(
            forward, lambda count: wrap(vjp_of(function, count)), getattr(fn, "__name__", "function")
        )

    return wrap(fn)


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

        return _function(
            forward, lambda count: wrap(vjp_of(function, count)), getattr(fn, "__name__", "function")
        )

    return wrap(fn)


def from_vjp(forward, vjp):
    """A function of NumPy arrays with a gradient of its own as one of minidl's tensors, for gradients of first order.

    Args:
        forward: takes arrays (and whatever else), returns an array or a tuple of them.
        vjp: takes the same arguments and a gradient for each output; returns one for each floating-point input.

    >>> from minidl.testing import check_gradients
    >>> check_gradients(from_vjp(np.sin, lambda x, g: (g * np.cos(x),)), np.array([0.5, 2.0]))
    """

    def once(count):
        return _function(lambda *values: _arrays(vjp(*values), np.asarray), _no_second, "vjp")

    return _function(
        lambda *values: _arrays(forward(*values), np.asarray), once, getattr(forward, "__name__", "forward")
    )


def _no_second(count):
    raise NotImplementedError("from_vjp gives no second gradient. Hint: use order=1.")


def _function(forward, vjp_of, name):
    """A function of tensors: ``forward`` on NumPy arrays; ``vjp_of(count)`` is the function of its gradients."""

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
            gradients = iter(found)
            return tuple(
                next(gradients) if isinstance(x, Tensor) and x.is_floating_point() else None for x in inputs
            )

    Foreign.__name__ = Foreign.__qualname__ = name

    @functools.wraps(forward)
    def call(*inputs):
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
