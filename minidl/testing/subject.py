"""``Subject``: a function of tensors seen as a vector of outputs and a vector of inputs that can be moved."""

import inspect

import numpy as np

from minidl import backends
from minidl.autograd.engine import grad
from minidl.autograd.tensor import Tensor, make
from minidl.errors import GradcheckError
from minidl.ops.generator import positions
from minidl.testing.striding import restrided, sharing


class Subject:
    """``fn`` at ``inputs``; those that require a gradient are ``wanted``, in ``parameters`` too.

    All outputs that depend on them are one flat float64 vector, in order. Random numbers are the same on each call.
    """

    def __init__(self, fn, inputs, parameters=()):
        self.fn, self.inputs = fn, inputs
        self.generators = positions()
        named = dict(zip(_names(fn, len(inputs)), inputs, strict=True))
        self.wanted = [(i, n, x) for i, (n, x) in enumerate(named.items()) if _differentiable(x)]
        self.wanted += [(len(inputs) + i, n, p) for i, (n, p) in enumerate(parameters)]
        if not self.wanted:
            raise ValueError(
                "check_gradients: expected at least one input that is a floating-point tensor or array. Hint: those in "
                "a list or dict are not looked for; pass each by itself, as lambda a, b: fn([a, b])."
            )
        watched = self.wanted + [(i, "", x) for i, x in enumerate(inputs) if _constant(x)]
        before = [host(x).copy() for _, _, x in watched]
        first = self.call()
        for (index, name, x), values in zip(watched, before):
            if not np.array_equal(host(x), values, equal_nan=True):
                raise GradcheckError(
                    f"a call of the function changes its input {index}{_called(name)} in place. Hint: clone() it first."
                )
        self.outputs = self._checked(first)
        self.shapes = [tuple(output.shape) for _, output in self.outputs]
        self.sizes = [output._array.size for _, output in self.outputs]
        self.here = self._flat(first)  # the vector at the inputs themselves
        if not np.array_equal(self.vector(), self.here, equal_nan=True):
            raise GradcheckError(
                "two calls of the function with the same inputs give different values, so differences say nothing. "
                "Hint: draw random numbers through minidl, whose generators are set back, or pass them in."
            )

    def call(self):
        """The outputs, as a tuple, at the present values of the inputs."""
        for generator, state in self.generators:
            generator.set_state(state)
        found = self.fn(*self.inputs)
        return tuple(found) if isinstance(found, (tuple, list)) else (found,)

    def _checked(self, returned):
        """``(place, tensor)`` of the outputs on the tape, or, where none is, of all floating-point ones."""
        for place, output in enumerate(returned):
            if not isinstance(output, Tensor):  # a forgotten return must not pass as "nothing to check"
                raise TypeError(
                    f"gradcheck expects a function of tensors, but its output {place} is {type(output).__name__}. "
                    "Hint: return a tensor or a tuple of tensors; other libraries' functions go through from_torch, "
                    "from_jax or from_vjp."
                )
        floating = [(i, o) for i, o in enumerate(returned) if o.is_floating_point()]
        if not floating:
            raise ValueError(
                "check_gradients: no output of the function is a floating-point tensor, so nothing can be checked"
            )
        return [(i, o) for i, o in floating if o.requires_grad] or floating

    def values(self):
        """The wanted inputs' present values: copies, as float64 arrays."""
        return [host(x).copy() for _, _, x in self.wanted]

    def vector(self):
        """The checked outputs at the inputs' present values: a flat float64 array."""
        return self._flat(self.call())

    def _flat(self, returned):
        return np.concatenate([np.zeros(0), *(host(returned[i]).reshape(-1) for i, _ in self.outputs)])

    def pull_back(self, weights, only=None, lay=None):
        """For each wanted input, the gradient of ``weights @ vector`` as a flat array; ``only``: of one output.

        ``lay`` puts the weights of an output, a tensor, into another memory layout.
        """
        parts = np.split(weights, np.cumsum(self.sizes)[:-1]) if self.sizes else []
        chosen = [
            (output, part)
            for i, ((_, output), part) in enumerate(zip(self.outputs, parts))
            if output.requires_grad and only in (None, i)
        ]
        leaves = [x for _, _, x in self.wanted]
        if not chosen:
            return [np.zeros(x._array.size) for x in leaves]
        given = [like(output._array, part) for output, part in chosen]
        before = [host(weight).copy() for weight in given]
        given = [lay(weight) for weight in given] if lay else given
        outputs = [output for output, _ in chosen]
        found = grad(outputs, leaves, given, retain_graph=True, allow_unused=True)
        if not all(np.array_equal(host(weight), values) for weight, values in zip(given, before)):
            raise GradcheckError(
                "Backward changes in place the gradient that it is given, which other ops may have been given too. "
                "Hint: use the out-of-place form, or clone() it first."
            )
        return [np.zeros(x._array.size) if g is None else host(g).reshape(-1) for x, g in zip(leaves, found)]

    def line(self, directions):
        """``vector`` as a function of t: wanted input k moves by ``t * directions[k]`` and is put back each time."""
        moved = [(self.wanted[k][2]._array, direction) for k, direction in directions.items()]
        starts = [backends.to_numpy(array).copy() for array, _ in moved]

        def put(t):
            for (array, direction), start in zip(moved, starts):
                values = start + t * direction.reshape(start.shape) if t else start
                where = backends.device_of(array)
                backends.of(array).assign(array, backends.transfer(np.asarray(values, array.dtype), where))

        def at(t):
            if t == 0:
                return self.here
            try:
                put(t)
                return self.vector()
            finally:
                put(0)

        return at

    def place(self, flat):
        """``(output, element)`` of an element of ``vector``; outputs are counted as the function returns them."""
        which = int(np.searchsorted(np.cumsum(self.sizes), flat, side="right"))
        inner = flat - sum(self.sizes[:which])
        return self.outputs[which][0], element(inner, self.shapes[which])


def element(flat, shape):
    """The index of the ``flat``-th element of a shape, as a tuple of ints."""
    return tuple(int(n) for n in np.unravel_index(int(flat), shape)) if shape else ()


def host(tensor):
    """A tensor's values as a float64 array on the host."""
    return backends.to_numpy(tensor._array).astype(np.float64, copy=False)


def like(array, values):
    """A tensor of ``values`` with the dtype, shape and device of ``array``."""
    drawn = np.asarray(values).reshape(array.shape).astype(array.dtype)
    return make(backends.transfer(drawn, backends.device_of(array)), None)


def leaf_of(value):
    """A float64 leaf of its own memory for floating-point tensors and arrays, of their strides; others pass."""
    value = np.asarray(value) if isinstance(value, np.floating) else value
    if isinstance(value, Tensor) and value.is_floating_point():
        array = value._array
        if not isinstance(array, np.ndarray):
            return make(backends.of(array).copy(array).astype(np.float64), None).requires_grad_()
        return make(_relaid(array), None).requires_grad_()
    if isinstance(value, np.ndarray):
        if np.issubdtype(value.dtype, np.floating):
            return make(_relaid(value), None).requires_grad_()
        return make(value.copy(order="K"), None)
    return value


def _relaid(array):
    """A float64 copy with the strides of ``array``; a compact one where elements share memory, as expanded ones do."""
    return array.astype(np.float64, order="K") if sharing(array) else restrided(array, np.float64)


def _differentiable(value):
    return isinstance(value, Tensor) and value.requires_grad


def _constant(value):
    return isinstance(value, Tensor) and not value.requires_grad


def _called(name):
    return "" if name.startswith("#") or not name else f" ({name})"


def _names(fn, count):
    """The names of the first parameters of ``fn``, where it tells them; otherwise distinct stand-ins."""
    try:
        parameters = inspect.signature(getattr(fn, "forward", fn)).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return plain + [f"#{i}" for i in range(len(plain), count)]
