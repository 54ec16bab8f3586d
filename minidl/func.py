"""Functions of functions: gradients of what a function returns, and modules called with other parameters.

Arguments and results are tensors, or dicts, lists and tuples of them. Source: ``torch.func``.

>>> import minidl
>>> minidl.func.grad(minidl.func.grad(lambda x: x**3))(minidl.tensor(2.0))
tensor(12.)
"""

from minidl.autograd import Tensor, enable_grad
from minidl.autograd import grad as _gradients
from minidl.batching import vmap
from minidl.nn.utils import stateless
from minidl.ops.create import zeros_like
from minidl.ops.joining import stack
from minidl.utils._pytree import tree_flatten, tree_map_only, tree_unflatten

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "stack_module_state", "vjp",
    "vmap",
]  # fmt: skip


def functional_call(
    module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights=True, strict=False
):
    """``nn.utils.stateless.functional_call``, which it is; several dicts, in a list or tuple, are taken together.

    Raises ``ValueError`` where two of them have a name in common. Source: ``torch.func.functional_call``.

    >>> import minidl
    >>> layer = minidl.nn.Linear(1, 1)
    >>> states = [{"weight": minidl.ones(1, 1)}, {"bias": minidl.ones(1)}]
    >>> minidl.func.functional_call(layer, states, minidl.ones(1))
    tensor([2.])
    """
    given = parameter_and_buffer_dicts
    if isinstance(given, (list, tuple)):
        names = [name for each in given for name in each]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"{twice} appeared in multiple dictionaries; behavior of functional call is ambiguous"
            )
        given = {name: tensor for each in given for name, tensor in each.items()}
    elif not isinstance(given, dict):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(given)}"
        )
    return stateless.functional_call(module, given, args, kwargs, tie_weights=tie_weights, strict=strict)


def stack_module_state(models):
    """The parameters and the buffers of like models, each stacked along a new dimension 0: two dicts by name.

    Source: ``torch.func.stack_module_state``.

    >>> import minidl
    >>> parameters, buffers = minidl.func.stack_module_state([minidl.nn.Linear(2, 1) for _ in range(3)])
    >>> parameters["weight"].shape
    torch.Size([3, 1, 2])
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if any(type(model) is not type(models[0]) for model in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    stacked = {
        name: stack([each[name] for each in parameters]).detach().requires_grad_(own.requires_grad)
        for name, own in parameters[0].items()
    }
    return stacked, {name: stack([each[name] for each in buffers]).detach() for name in buffers[0]}


class _Run:
    """One call of ``func`` with fresh tensors in the place of those to differentiate by."""

    def __init__(self, func, args, kwargs, argnums, has_aux):
        numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        if any(not -len(args) <= number < len(args) for number in numbers):
            raise RuntimeError(f"Got argnum={argnums}, but only {len(args)} positional inputs")
        args = list(args)
        given, self.spec = tree_flatten(
            args[argnums] if isinstance(argnums, int) else [args[i] for i in numbers]
        )
        for leaf in given:
            if not isinstance(leaf, Tensor):
                raise RuntimeError(
                    f"expected the arguments to differentiate by to be Tensors, got {type(leaf)}"
                )
        self.single = isinstance(argnums, int)
        with enable_grad():
            self.leaves = [t.view_as(t) if t.requires_grad else t.detach().requires_grad_() for t in given]
            fresh = tree_unflatten(self.leaves, self.spec)
            for number, value in zip(numbers, (fresh,) if self.single else fresh, strict=True):
                args[number] = value
            self.result = func(*args, **kwargs)
            self.aux = None
            if has_aux:
                if not (isinstance(self.result, tuple) and len(self.result) == 2):
                    raise RuntimeError("expected func to return (output, aux) with has_aux=True")
                self.result, self.aux = self.result
        self.outputs, self.out_spec = tree_flatten(self.result)
        self.tracked = any(t.requires_grad for t in given) or _reaches_others(self.outputs, self.leaves)

    def gradients(self, outputs, vectors=None, retain=True):
        """By the leaves; zeros where an output does not depend on one. They have a graph where others track it."""
        wanted = [i for i, out in enumerate(outputs) if out.requires_grad]
        if not wanted:
            return [zeros_like(leaf) for leaf in self.leaves]
        found = _gradients(
            [outputs[i] for i in wanted],
            self.leaves,
            None if vectors is None else [vectors[i] for i in wanted],
            retain_graph=retain,
            create_graph=self.tracked,
            allow_unused=True,
        )
        return [zeros_like(leaf) if g is None else g for g, leaf in zip(found, self.leaves, strict=True)]

    def arranged(self, values):
        """Values by leaf as the arguments are: for several ``argnums`` a tuple."""
        tree = tree_unflatten(values, self.spec)
        return tree if self.single else tuple(tree)

    def plain(self, tree):
        """Without our graph, unless others track it."""
        return tree if self.tracked else tree_map_only(Tensor, lambda t: t.detach(), tree)


def _reaches_others(outputs, leaves):
    """Whether what ``outputs`` are made of wants gradients beside ``leaves``: an enclosing transform, a parameter."""
    ours = {id(leaf) for leaf in leaves}
    nodes = [out.grad_fn for out in outputs if isinstance(out, Tensor) and out.grad_fn is not None]
    seen = set(nodes)
    while nodes:
        node = nodes.pop()
        if hasattr(node, "variable") and id(node.variable) not in ours:
            return True
        for below, _ in node.next_functions:
            if below is not None and below not in seen:
                seen.add(below)
                nodes.append(below)
    return False


def grad_and_value(func, argnums=0, has_aux=False):
    """A function like ``func`` that returns ``(gradient, value)``, with ``has_aux`` ``(gradient, (value, aux))``.

    ``func`` returns a single number. Source: ``torch.func.grad_and_value``.

    >>> import minidl
    >>> minidl.func.grad_and_value(lambda x: (x * x).sum())(minidl.tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """

    def differentiated(*args, **kwargs):
        run = _Run(func, args, kwargs, argnums, has_aux)
        out = run.result
        if not isinstance(out, Tensor):
            raise RuntimeError(
                f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(out)}"
            )
        if out.dim():
            raise RuntimeError(
                "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with "
                f"{out.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
            )
        found = run.arranged(run.gradients([out], retain=run.tracked))
        value = run.plain(out)
        return found, (value, run.plain(run.aux)) if has_aux else value

    return differentiated


def grad(func, argnums=0, has_aux=False):
    """A function like ``func`` that returns its gradient by the arguments ``argnums``, with ``has_aux`` and ``aux``.

    ``func`` returns a single number. Source: ``torch.func.grad``.

    >>> import minidl
    >>> minidl.func.grad(lambda x, y: x * y, argnums=(0, 1))(minidl.tensor(2.0), minidl.tensor(3.0))
    (tensor(3.), tensor(2.))
    """
    both = grad_and_value(func, argnums, has_aux)

    def differentiated(*args, **kwargs):
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return differentiated


def vjp(func, *primals, has_aux=False):
    """``(func(*primals), pull)``, with ``has_aux`` and ``aux``: ``pull(v)`` is v^T J, a tuple with one for each primal.

    Source: ``torch.func.vjp``.

    >>> import minidl
    >>> value, pull = minidl.func.vjp(lambda x: x * x, minidl.tensor([1.0, 2.0]))
    >>> pull(minidl.tensor([1.0, 10.0]))
    (tensor([ 2., 40.]),)
    """
    run = _Run(func, primals, {}, tuple(range(len(primals))), has_aux)

    def pull(cotangents, retain_graph=True, create_graph=None):
        vectors, spec = tree_flatten(cotangents)
        if spec != run.out_spec:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {spec}, primal output: {run.out_spec}"
            )
        run.tracked = run.tracked or any(v.requires_grad for v in vectors)
        return run.arranged(run.gradients(run.outputs, vectors, retain_graph))

    value = run.plain(run.result)
    return (value, pull, run.plain(run.aux)) if has_aux else (value, pull)


def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """``(func(*primals), J t)``, with ``has_aux`` and ``aux``: two backwards, one through the other.

    ``primals`` and ``tangents`` are tuples. Source: ``torch.func.jvp``.

    >>> import minidl
    >>> minidl.func.jvp(lambda x: x * x, (minidl.tensor(3.0),), (minidl.tensor(2.0),))
    (tensor(9.), tensor(12.))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to be tuples")
    directions, spec = tree_flatten(list(tangents))
    run = _Run(func, primals, {}, tuple(range(len(primals))), has_aux)
    if spec != run.spec:
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same structure"
        )
    tracked, run.tracked = run.tracked or any(t.requires_grad for t in directions), True
    with enable_grad():
        weights = [zeros_like(out).requires_grad_() for out in run.outputs]
        pulled = run.gradients(run.outputs, weights)  # linear in the weights: its derivative by them is J t
        found = (
            _gradients(pulled, weights, directions, create_graph=tracked, allow_unused=True)
            if any(each.requires_grad for each in pulled)
            else [None] * len(weights)
        )
    run.tracked = tracked
    filled = [zeros_like(w) if g is None else g for g, w in zip(found, weights, strict=True)]
    result = run.plain(run.result), run.plain(tree_unflatten(filled, run.out_spec))
    return (*result, run.plain(run.aux)) if has_aux else result


def jacrev(func, argnums=0, has_aux=False, *, chunk_size=None):
    """A function like ``func`` that returns its Jacobian: as the output is, and within that as the arguments are; each
    tensor is shaped as the output and then the argument. One backward for each element of the output.

    Source: ``torch.func.jacrev``.

    >>> import minidl
    >>> minidl.func.jacrev(lambda x: x * x)(minidl.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    def differentiated(*args, **kwargs):
        run = _Run(func, args, kwargs, argnums, has_aux)
        rows = [_jacobian_of(run, out) for out in run.outputs]
        found = tree_unflatten([run.arranged(row) for row in rows], run.out_spec)
        return (found, run.plain(run.aux)) if has_aux else found

    return differentiated


def _jacobian_of(run, out):
    """One output's Jacobian, a tensor for each leaf."""
    with enable_grad():
        elements = out.reshape(-1)
        rows = [run.gradients([elements[i]]) for i in range(elements.numel())]
    return [
        stack([row[i] for row in rows]).reshape(*out.shape, *leaf.shape)
        if rows
        else leaf.new_zeros(*out.shape, *leaf.shape)
        for i, leaf in enumerate(run.leaves)
    ]


def jacfwd(func, argnums=0, has_aux=False, *, chunk_size=None, randomness="error"):
    """``jacrev``: the same numbers, found backwards. Source: ``torch.func.jacfwd``.

    >>> import minidl
    >>> minidl.func.jacfwd(lambda x: x.sum())(minidl.ones(2))
    tensor([1., 1.])
    """
    return jacrev(func, argnums, has_aux, chunk_size=chunk_size)


def hessian(func, argnums=0):
    """``jacfwd(jacrev(func))``: the second derivatives of a function that returns one number.

    Source: ``torch.func.hessian``.

    >>> import minidl
    >>> minidl.func.hessian(lambda x: (x**3).sum())(minidl.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
