"""Jacobians, Hessians and their products with vectors, of functions of tensors. Source: ``torch.autograd.functional``.

``inputs`` and what ``func`` returns are a Tensor or a tuple of Tensors. With ``create_graph`` results can be
differentiated again. With ``strict`` a result that is zero because nothing depends on an input is an error.
"""

from minidl import backends
from minidl.autograd import modes, registry
from minidl.autograd.engine import grad
from minidl.autograd.tensor import Tensor, make

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """``(func(inputs), v^T J)`` with J the Jacobian of ``func`` at ``inputs``: one backward.

    ``v`` is shaped as the output; None stands for 1 where that is a single number.

    >>> import minidl
    >>> minidl.autograd.functional.vjp(lambda x: x * x, minidl.tensor([1.0, 2.0]), minidl.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with modes.enable_grad():
        call = _Call("vjp", func, inputs, create_graph, strict)
        v = call.vector(v, call.outputs)
        found = call.derivatives(call.outputs, call.inputs, v, create_graph)
        found = _filled(found, call.inputs, strict, "back", create_graph)
    return call.result(call.outputs, call.many_out), call.result(found, call.many_in)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """``(func(inputs), J v)`` with J the Jacobian of ``func`` at ``inputs``: two backwards, one through the other.

    ``v`` is shaped as the input; None stands for 1 where that is a single number.

    >>> import minidl
    >>> minidl.autograd.functional.jvp(lambda x: x * x, minidl.tensor([1.0, 2.0]), minidl.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with modes.enable_grad():
        call = _Call("jvp", func, inputs, create_graph, strict)
        v = call.vector(v, call.inputs)
        found = _forward(call, call.outputs, call.inputs, v, create_graph, strict, "back")
        found = _filled(found, call.outputs, strict, "back_trick", create_graph)
    return call.result(call.outputs, call.many_out), call.result(found, call.many_out)


def _forward(call, outputs, inputs, v, create_graph, strict, stage):
    """J v: the derivative by w, in the direction v, of w^T J, which is linear in w."""
    w = [_zeros(out).requires_grad_() for out in outputs]
    pulled = call.derivatives(outputs, inputs, w, True)
    pulled = _filled(pulled, inputs, strict, stage, True)
    return call.derivatives(pulled, w, v, create_graph)


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """J[i][j] = d func(inputs)_i / d inputs_j, shaped as output i and then input j: one backward an output element.

    ``vectorize`` and ``strategy`` change no result and are accepted as PyTorch's.

    >>> import minidl
    >>> minidl.autograd.functional.jacobian(lambda x: x * x, minidl.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
            'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strict and vectorize:
        raise RuntimeError(
            "minidl.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. "
            "Please either set `strict=False` or `vectorize=False`."
        )
    with modes.enable_grad():
        call = _Call("jacobian", func, inputs, create_graph, strict)
        rows = [_rows(call, number, out, create_graph, strict) for number, out in enumerate(call.outputs)]
    rows = [call.result(row, call.many_in) for row in rows]
    return tuple(rows) if call.many_out else rows[0]


def _rows(call, number, out, create_graph, strict):
    """The Jacobian of one output, a tensor an input."""
    found = [[] for _ in call.inputs]
    flat = out.reshape(-1)
    for position in range(flat.numel()):
        gradients = call.derivatives([flat[position]], call.inputs, [None], create_graph)
        for index, (gradient, input) in enumerate(zip(gradients, call.inputs, strict=True)):
            if strict:
                _refuse_independent(gradient, number, index, create_graph)
            found[index].append(_zeros(input) if gradient is None else gradient)
    stack = registry.FACES["torch"]["stack"]
    shapes = [(*out.shape, *input.shape) for input in call.inputs]
    return [
        stack(rows).reshape(shape) if rows else input.new_zeros(shape)
        for rows, shape, input in zip(found, shapes, call.inputs, strict=True)
    ]


def _refuse_independent(gradient, number, index, create_graph):
    if gradient is None:
        raise RuntimeError(
            f"Output {number} of the user-provided function is independent of input {index}. This is not allowed in "
            "strict mode."
        )
    if create_graph and not gradient.requires_grad:
        raise RuntimeError(
            f"The jacobian of the user-provided function is independent of input {index}. This is not allowed in "
            "strict mode when create_graph=True."
        )


def hessian(
    func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"
):
    """H[i][j] = d^2 func(inputs) / d inputs_i d inputs_j of a function that returns one number.

    ``vectorize`` and ``outer_jacobian_strategy`` change no result and are accepted as PyTorch's.

    >>> import minidl
    >>> minidl.autograd.functional.hessian(lambda x: (x**3).sum(), minidl.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    inputs, many = _tensors(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def checked(*given):
        out = func(*given)
        values, several = _tensors(out, "outputs of the user-provided function", "hessian")
        _require_requires_grad(values, "outputs", strict)
        if several or not isinstance(out, Tensor):
            raise RuntimeError("The function given to hessian should return a single Tensor")
        if out.numel() != 1:
            raise RuntimeError(
                "The Tensor returned by the function given to hessian should contain a single element"
            )
        return out.squeeze()

    def gradient(*given):
        found = jacobian(checked, given, create_graph=True)
        _require_requires_grad(found, "jacobian", strict)
        return found

    found = jacobian(gradient, inputs, create_graph=create_graph, strict=strict)
    return found if many else found[0][0]


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """``(func(inputs), v^T H)`` with H the Hessian of ``func``, which returns one number, at ``inputs``.

    >>> import minidl
    >>> minidl.autograd.functional.vhp(lambda x: (x**3).sum(), minidl.tensor([1.0, 2.0]), minidl.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with modes.enable_grad():
        call = _Call("vhp", func, inputs, create_graph, strict)
        v = call.vector(v, call.inputs)
        call.require_number()
        first = call.derivatives(call.outputs, call.inputs, [None], True)
        first = _filled(first, call.inputs, strict, "back", False)
        _require_requires_grad(first, "jacobian", strict)
        found = call.derivatives(first, call.inputs, v, create_graph)
        found = _filled(found, call.inputs, strict, "double_back", create_graph)
    return call.result(call.outputs, call.many_out), call.result(found, call.many_in)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """``(func(inputs), H v)`` with H the Hessian of ``func``, which returns one number, at ``inputs``.

    ``vhp`` gives the same numbers faster, H being symmetric.

    >>> import minidl
    >>> minidl.autograd.functional.hvp(lambda x: (x**3).sum(), minidl.tensor([1.0, 2.0]), minidl.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with modes.enable_grad():
        call = _Call("hvp", func, inputs, create_graph, strict)
        v = call.vector(v, call.inputs)
        call.require_number()
        first = call.derivatives(call.outputs, call.inputs, [None], True)
        first = _filled(first, call.inputs, strict, "back", False)
        _require_requires_grad(first, "jacobian", strict)
        found = _forward(call, first, call.inputs, v, create_graph, strict, "double_back")
        found = _filled(found, call.inputs, strict, "double_back_trick", create_graph)
    return call.result(call.outputs, call.many_out), call.result(found, call.many_in)


class _Call:
    """One call of the user's function: inputs on the tape of their own, outputs, and how to give results back."""

    def __init__(self, name, func, inputs, create_graph, strict):
        self.name, self.create_graph = name, create_graph
        inputs, self.many_in = _tensors(inputs, "inputs", name)
        self.inputs = tuple(_own(input, create_graph) for input in inputs)
        found = func(*self.inputs)
        self.outputs, self.many_out = _tensors(found, "outputs of the user-provided function", name)
        _require_requires_grad(self.outputs, "outputs", strict)

    def require_number(self):
        """Raises where the function returned anything but one number."""
        if self.many_out:
            raise RuntimeError(f"The function given to {self.name} should return a single Tensor")
        if self.outputs[0].numel() != 1:
            raise RuntimeError(
                f"The Tensor returned by the function given to {self.name} should contain a single element"
            )

    def vector(self, v, like):
        """``v`` as a tuple of tensors shaped as ``like``, which are the inputs or the outputs."""
        if v is None:
            if len(like) != 1 or like[0].numel() != 1:
                inputs = like is self.inputs
                what = (
                    "input to the user-provided function is" if inputs else "user-provided function returns"
                )
                raise RuntimeError(
                    f"The vector v can only be None if the {what} a single Tensor with a single element."
                )
            return (_zeros(like[0]) + 1,)
        v, _ = _tensors(v, "v", self.name)
        several = self.many_in if like is self.inputs else self.many_out
        if len(v) != len(like):
            if not several:
                raise RuntimeError("The given v should contain a single Tensor.")
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}.")
        for index, (given, wanted) in enumerate(zip(v, like, strict=True)):
            if given.shape != wanted.shape:
                entry = f"Entry {index} in " if several else ""
                raise RuntimeError(
                    f"{entry}v has invalid size: should be {wanted.shape} but got {given.shape}."
                )
        return tuple(given if self.create_graph else given.detach() for given in v)

    def derivatives(self, outputs, inputs, v, create_graph):
        """v^T d outputs / d inputs, None where there is no dependence."""
        live = [
            (out, each) for out, each in zip(outputs, v, strict=True) if out is not None and out.requires_grad
        ]
        if not live:
            return (None,) * len(inputs)
        outs, given = zip(*live, strict=True)
        given = [(_zeros(out) + 1) if each is None else each for out, each in live]
        return grad(outs, inputs, given, retain_graph=True, create_graph=create_graph, allow_unused=True)

    def result(self, tensors, many):
        """Tensors as the caller gets them: off the tape unless the graph is wanted."""
        tensors = tuple(t if self.create_graph else t.detach() for t in tensors)
        return tensors if many else tensors[0]


def _tensors(value, what, name):
    """``value`` as a tuple of Tensors, and whether it was one."""
    many = isinstance(value, tuple)
    if not many:
        value = (value,)
    for index, item in enumerate(value):
        if not isinstance(item, Tensor):
            which = f"the value at index {index} has" if many else f"the given {what} has"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but {which} type "
                f"{type(item)}."
            )
    return value, many


def _own(tensor, create_graph):
    """A tensor of the same values, of which derivatives are taken."""
    if create_graph and tensor.requires_grad:
        return tensor.view_as(tensor)
    return tensor.detach().requires_grad_(True)


def _zeros(like):
    return make(backends.of(like._array).zeros(like._array.shape, like._array.dtype), None)


def _require_requires_grad(tensors, what, strict):
    for index, tensor in enumerate(tensors):
        if strict and not tensor.requires_grad:
            raise RuntimeError(_CONSTANT[what].format(index))


_CONSTANT = {
    "outputs": "Output {} of the user-provided function does not require gradients. The outputs must be computed in a "
    "differentiable manner from the input when running in strict mode.",
    "jacobian": "While computing the hessian, found that the jacobian of the user-provided function with respect to "
    "input {} is independent of the input. This is not allowed in strict mode. You should ensure that your function is "
    "twice differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for "
    "example).",
}
_INDEPENDENT = {
    "back": "The output of the user-provided function is independent of input {}. This is not allowed in strict mode.",
    "back_trick": "The gradient with respect to the input is independent of entry {} in the grad_outputs when using "
    "the double backward trick to compute forward mode gradients. This is not allowed in strict mode.",
    "double_back": "The jacobian of the user-provided function is independent of input {}. This is not allowed in "
    "strict mode.",
    "double_back_trick": "The hessian of the user-provided function is independent of entry {} in the grad_jacobian. "
    "This is not allowed in strict mode as it prevents from using the double backward trick to replace forward mode "
    "AD.",
}


def _filled(found, like, strict, stage, create_graph):
    """``found`` with zeros in the place of None, or the error that ``strict`` asks for."""
    for index, value in enumerate(found):
        if value is None and strict:
            raise RuntimeError(_INDEPENDENT[stage].format(index))
        if strict and create_graph and not value.requires_grad:
            raise RuntimeError(
                f"The {'hessian' if 'double' in stage else 'jacobian'} of the user-provided function is independent of "
                f"input {index}. This is not allowed in strict mode when create_graph=True."
            )
    return tuple(_zeros(t) if value is None else value for value, t in zip(found, like, strict=True))
