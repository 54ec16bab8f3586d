"""Hooks: their order, their grad mode, what they may return; ``retain_grad``; what an error leaves behind."""

import numpy as np
import pytest

import minidl


def leaf(*values):
    return minidl.tensor(values or (1.0, 2.0), dtype=minidl.float64, requires_grad=True)


def test_hooks_run_in_order_of_tensor_then_node_then_leaf():
    log, x = [], leaf()
    y = x * 2
    y.grad_fn.register_prehook(lambda grads: log.append(("pre", grads[0].tolist())))
    y.grad_fn.register_hook(lambda inputs, outputs: log.append(("node", inputs[0].tolist())))
    y.register_hook(lambda g: log.append(("y", g.tolist())))
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: log.append(("x", g.tolist())))
    x.register_post_accumulate_grad_hook(lambda t: log.append(("after", t.grad.tolist())))
    y.sum().backward()
    assert log == [
        ("y", [1.0, 1.0]),
        ("pre", [10.0, 10.0]),
        ("node", [20.0, 20.0]),
        ("x", [20.0, 20.0]),
        ("after", [20.0, 20.0]),
    ]


def test_hooks_of_leaves_run_from_the_last_used_to_the_first():
    log, leaves = [], [minidl.ones(2, requires_grad=True) for _ in range(4)]
    y = minidl.ones(2)
    for index, leaf in enumerate(leaves):
        leaf.register_hook(lambda g, index=index: log.append(index))
        y = y * leaf
    y.sum().backward()
    assert log == [3, 2, 1, 0]


@pytest.mark.parametrize("first", ["retain", "hook"])
def test_retained_gradient_is_the_one_after_all_hooks(first):
    x = leaf()
    y = x * 2
    steps = [y.retain_grad, lambda: y.register_hook(lambda g: g * 10)]
    for step in steps if first == "retain" else reversed(steps):
        step()
    y.sum().backward()
    assert y.grad.tolist() == [10.0, 10.0]


def test_retain_grad_follows_a_tensor_written_in_place():
    x = leaf()
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    (y * y).sum().backward()
    assert y.grad.tolist() == (2 * y).tolist()
    z = x * 2
    z.retain_grad()
    z[0].mul_(5)
    z.sum().backward()
    assert z.grad.tolist() == [1.0, 1.0]


def test_retained_gradients_alias_nothing():
    x = leaf()
    y = x + 0
    z = y + 0
    y.retain_grad()
    z.retain_grad()
    z.sum().backward()
    z.grad.add_(1)
    assert y.grad.tolist() == x.grad.tolist() == [1.0, 1.0]


def test_hooks_do_not_record_unless_the_backward_does():
    modes, x = [], leaf()
    x.register_hook(lambda g: modes.append((minidl.is_grad_enabled(), (g * x).requires_grad)))
    x.register_post_accumulate_grad_hook(lambda t: modes.append(minidl.is_grad_enabled()))
    (x * x).sum().backward()
    (x * x).sum().backward(create_graph=True)
    assert modes == [(False, False), False, (True, True), True]
    x.grad = None


def test_a_hook_after_accumulation_may_write_the_leaf():
    x = leaf()
    x.register_post_accumulate_grad_hook(lambda t: t.sub_(t.grad))
    x.sum().backward()
    assert x.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("hook", "error", "text"),
    [
        (lambda g: g.sum(), RuntimeError, "has changed the size of value"),
        (lambda g: g.float(), RuntimeError, "has changed the type of value"),
        (lambda g: 3, TypeError, "expected Variable, but hook returned 'int'"),
    ],
)
def test_wrong_hooks_are_named(hook, error, text):
    x = leaf()
    x.register_hook(hook)
    with pytest.raises(error, match=text):
        x.sum().backward()


def test_a_node_hook_that_returns_too_few_is_named():
    y = leaf() * leaf()
    y.grad_fn.register_hook(lambda inputs, outputs: inputs[:1])
    with pytest.raises(RuntimeError, match=r"incorrect number of values \(got 1, but expected 2\)"):
        y.sum().backward()


def test_an_error_in_a_hook_leaves_a_usable_graph_and_grad_mode():
    x = leaf()
    y = x * 2

    def fails(g):
        raise KeyError("no")

    handle = y.register_hook(fails)
    out = (y * y).sum()
    with pytest.raises(KeyError):
        out.backward(retain_graph=True)
    handle.remove()
    assert minidl.is_grad_enabled() and x.grad is None
    out.backward()
    np.testing.assert_allclose(x.grad.numpy(), 8 * x.detach().numpy())


def test_graphs_that_keep_no_arrays_run_backward_twice():
    x = leaf()
    out = (x + 1).reshape(2, 1).sum()
    out.backward()
    out.backward()
    assert x.grad.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="a second time"):
        out = (x * x).sum()
        out.backward()
        out.backward()


def test_module_level_backward_takes_grad_tensors():
    x = leaf()
    minidl.autograd.backward([x * 2, x.sum()], grad_tensors=[minidl.ones(2, dtype=minidl.float64), None])
    assert x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("value", [3, minidl.ones(3), minidl.ones(2, dtype=minidl.float64)])
def test_gradients_that_do_not_fit_are_refused(value):
    x = minidl.ones(2, requires_grad=True)
    with pytest.raises((RuntimeError, TypeError), match="assign"):
        x.grad = value
    with pytest.raises(RuntimeError, match="its own grad"):
        x.grad = x
