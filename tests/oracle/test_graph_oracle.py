"""``autograd.graph`` beside PyTorch: what programs do with nodes, edges, saved tensors and hooks of several tensors."""

import numpy as np
import pytest
import torch

import minidl


def _text(value):
    """What is compared: values, dtypes and node names, no addresses."""
    if isinstance(value, (minidl.Tensor, torch.Tensor)):
        return np.round(value.detach().numpy(), 5).tolist()
    if isinstance(value, (tuple, list)):
        return [_text(each) for each in value]
    return value


def _packed(m):
    """What goes through the hooks, in order, and the gradients that come out."""
    seen = []

    def pack(t):
        seen.append(("pack", _text(t), t.requires_grad, t.is_leaf, m.is_grad_enabled()))
        return t.detach().numpy()

    def unpack(array):
        seen.append(("unpack", array.tolist()))
        return m.tensor(array)

    a, b = m.tensor([1.0, 2.0], requires_grad=True), m.tensor([3.0, 4.0], requires_grad=True)
    with m.autograd.graph.saved_tensors_hooks(pack, unpack):
        out = ((a * b).exp() * a.detach() + a**2).sum()
    out.backward(retain_graph=True)
    out.backward()
    return seen, a.grad, b.grad


def _twice(m):
    x = m.tensor([0.5, 2.0], requires_grad=True)
    with m.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        (first,) = m.autograd.grad((x.exp() * x).sum(), x, create_graph=True)
        (second,) = m.autograd.grad(first.sum(), x)
    return first, second


def _function(m):
    class Cube(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            out = x**3
            ctx.save_for_backward(x, out)
            return out

        @staticmethod
        def backward(ctx, g):
            x, out = ctx.saved_tensors
            return g * 3 * out / x

    x = m.tensor([2.0], requires_grad=True)
    seen = []
    with m.autograd.graph.saved_tensors_hooks(lambda t: seen.append(_text(t)) or t, lambda t: t):
        y = Cube.apply(x)
    saved = _text(y.grad_fn.saved_tensors)
    y.backward()
    return seen, saved, x.grad


def _innermost(m):
    seen, x = [], m.ones(1, requires_grad=True)
    graph = m.autograd.graph
    with graph.saved_tensors_hooks(lambda t: seen.append("outer") or t, lambda t: t):
        with graph.saved_tensors_hooks(lambda t: seen.append("inner") or t, lambda t: t):
            x * x
        x.exp()
    x * x
    return seen


def _parameter(m):
    layer, seen = m.nn.Linear(2, 1), []
    with m.autograd.graph.saved_tensors_hooks(lambda t: seen.append(t is layer.weight) or t, lambda t: t):
        (layer.weight * m.ones(1, 2, requires_grad=True)).sum().backward()
    return any(seen)


def _checkpointed(m):
    x = m.tensor([1.0, 2.0], requires_grad=True)
    with m.autograd.graph.save_on_cpu():
        m.utils.checkpoint.checkpoint(lambda t: t.exp().sin(), x, use_reentrant=False).sum().backward()
    return x.grad


def _node(m):
    x = m.ones(2, 3, requires_grad=True)
    y = x * 2
    node = y.sum(0).grad_fn
    node.metadata["note"] = 1
    below = node.next_functions[0][0]
    leaf = below.next_functions[0][0]
    graph = m.autograd.graph
    return (
        node.name(), below.name(), leaf.name(), leaf.variable is x, node.metadata, below.metadata,
        [isinstance(n, graph.Node) for n in (node, below, leaf, y)], node._saved_self_sym_sizes,
        (x**3).grad_fn._saved_exponent, (x**3).grad_fn._saved_self is x, x.exp().grad_fn._saved_result,
        (x * y).grad_fn._saved_other, hasattr(node, "_saved_nothing"), hasattr(node, "variable"),
        "_saved_result" in dir(x.exp().grad_fn),
    )  # fmt: skip


def _node_hooks(m):
    seen, x = [], m.ones(2, requires_grad=True)
    y = x * 2
    y.grad_fn.register_prehook(lambda g: (g[0] * 10,))
    handle = y.grad_fn.register_hook(lambda i, o: seen.append((_text(i[0]), _text(o[0]))))
    y.sum().backward(retain_graph=True)
    handle.remove()
    y.sum().backward()
    return seen, x.grad


def _gathered(m, mode, used):
    seen = []
    x, y, z = (m.ones(1, requires_grad=True) for _ in range(3))
    hook = (lambda g: seen.append(_text(g))) if mode == "all" else (lambda g: seen.append(1))
    handle = m.autograd.graph.register_multi_grad_hook((x, y, z), hook, mode=mode)
    out = 2 * x + 3 * y if used == 2 else 2 * x + 3 * y + 4 * z
    out.backward(retain_graph=True)
    if mode == "any":  # PyTorch does not gather all of leaves' gradients under grad
        m.autograd.grad(out, [y], retain_graph=True)
    handle.remove()
    out.backward()
    return seen


def _edges(m):
    x = m.tensor([2.0], requires_grad=True)
    edge = m.autograd.graph.get_gradient_edge
    y = edge(x * x)
    first = m.autograd.grad(y, edge(x), retain_graph=True)
    m.autograd.backward(y, m.tensor([3.0]), inputs=(x,))
    return first, x.grad, edge(x).node.name(), y.node.name(), y.output_nr, type(y)._fields


def _written(m):
    x = m.ones(2, requires_grad=True)
    with m.autograd.graph.allow_mutation_on_saved_tensors():
        y = x * 3
        out = (y**2).sum()
        y.sin_()
        out.backward()
    return x.grad


def _versions(m):
    a, b = m.ones(2), m.ones(2)
    m.autograd.graph.increment_version(a)
    m.autograd.graph.increment_version([a, b])
    return a._version, b._version


SCENES = [
    *(
        _packed,
        _twice,
        _function,
        _innermost,
        _parameter,
        _checkpointed,
        _node,
        _node_hooks,
        _edges,
        _written,
        _versions,
    ),
    *(lambda m, a=a: _gathered(m, *a) for a in (("all", 2), ("all", 3), ("any", 2))),
]


@pytest.mark.parametrize("scene", SCENES)
def test_programs_of_the_graph(scene):
    assert _text(scene(minidl)) == _text(scene(torch))


def _changed(m):
    x = m.ones(2, requires_grad=True)
    y = x.clone()
    with m.autograd.graph.saved_tensors_hooks(lambda t: t.add_(1), lambda t: t):
        y * y


def _no_tensor(m):
    with m.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = m.ones(1, requires_grad=True).exp()
    y.backward()


def _disabled(m, inner):
    graph = m.autograd.graph
    hooks = graph.saved_tensors_hooks(lambda t: t, lambda t: t)
    none = graph.disable_saved_tensors_hooks("no hooks here")
    with hooks if inner else none, none if inner else hooks:
        pass


def _late(m):
    with m.autograd.graph.allow_mutation_on_saved_tensors():
        y = m.ones(1, requires_grad=True).exp()
    y.backward()


def _nested(m):
    with (
        m.autograd.graph.allow_mutation_on_saved_tensors(),
        m.autograd.graph.allow_mutation_on_saved_tensors(),
    ):
        pass


def _freed(m):
    y = m.ones(1, requires_grad=True).exp()
    y.backward()
    return y.grad_fn._saved_result


REFUSED = {
    "modifying its input in place": _changed,
    "unpack_hook expected to be a Tensor but got result of type int": _no_tensor,
    "no hooks here": lambda m: _disabled(m, False),
    "^no hooks here": lambda m: _disabled(m, True),
    "outside of the 'allow_mutation_on_saved_tensors'": _late,
    "contexts cannot be nested": _nested,
    "directly access saved tensors after they have already been freed": _freed,
    "gradient edge for a Tensor that does not require": lambda m: m.autograd.graph.get_gradient_edge(
        m.ones(1)
    ),
    "expect a Iterable": lambda m: m.autograd.graph.increment_version(3),
    "Expects mode to be one of": lambda m: m.autograd.graph.register_multi_grad_hook([], print, mode="first"),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refusals_of_the_graph(words):
    with pytest.raises(Exception, match=words) as theirs:
        REFUSED[words](torch)
    with pytest.raises(type(theirs.value), match=words):
        REFUSED[words](minidl)
    x = minidl.ones(1, requires_grad=True)
    (x * x).backward()  # a mode that was left by an error holds no longer
    assert x.grad.item() == 2
