"""The tape itself: depth, memory, freeing, retain_graph, unused inputs, hooks, modes per thread."""

import gc
import threading
import tracemalloc
import weakref

import numpy as np
import pytest

import minidl
from minidl import autograd


def leaf(values):
    return minidl.tensor(values, dtype=minidl.float64, requires_grad=True)


@pytest.fixture
def no_collector():
    """Whatever dies inside dies by reference counting."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# --- depth and memory -------------------------------------------------------------------------------------------------


def test_a_chain_of_200_000_ops_runs_backward():
    x = leaf([1.0, -1.0])
    y = x
    for _ in range(200_000):
        y = y + 1
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]
    del y  # freeing it does not recurse either


def test_a_long_chain_is_freed_without_running_backward(no_collector):
    x = leaf([1.0])
    y = x
    for _ in range(200_000):
        y = y * 1.0
    alive = weakref.ref(y.grad_fn)
    del y
    assert alive() is None


def test_shared_nodes_are_visited_once():
    x = leaf([1.0])
    y = x
    for _ in range(60):  # 2**60 paths
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_step_leaves_no_reference_cycle(no_collector, create_graph):
    w = leaf(np.ones((3, 3)))

    def step():
        hidden = (minidl.ones(2, 3, dtype=minidl.float64) @ w).tanh() * 3
        row = hidden[0]
        row.mul_(2)
        loss = (hidden * hidden).sum()
        (gradient,) = autograd.grad(loss, w, create_graph=create_graph)
        if create_graph:
            (gradient * gradient).sum().backward()
        return [weakref.ref(each) for each in (hidden, row, loss, gradient, loss.grad_fn, hidden.grad_fn)]

    assert [each() for each in step()] == [None] * 6


def test_memory_returns_after_each_step(no_collector):
    w = leaf(np.ones((200, 200)))

    def step():
        loss = (w @ w).tanh().exp().sum()
        loss.backward()
        w.grad = None

    step()
    tracemalloc.start()
    try:
        step()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(5):
            step()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 100_000, f"{grown} bytes more after five steps; one array of this step takes 320,000"


def test_backward_frees_what_ops_saved():
    x = leaf([1.0, 2.0])
    y = x.exp()
    loss = (y * y).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert np.allclose(x.grad.numpy(), 4 * np.exp(2 * x.detach().numpy()))
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        loss.backward()


def test_a_leaf_that_died_costs_nothing():
    x, y = leaf([1.0]), leaf([2.0])
    out = x * y
    del x
    out.backward()
    assert y.grad.item() == 1.0


def test_the_gradient_of_a_leaf_aliases_nothing():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    out = x + y
    seed = minidl.ones(2, dtype=minidl.float64)
    out.backward(seed)
    x.grad.mul_(10)
    assert y.grad.tolist() == [1, 1]
    assert seed.tolist() == [1, 1]


def test_the_gradient_of_a_leaf_keeps_its_memory_order_without_a_copy():
    x = leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    (x.t() * 2).backward(minidl.ones(3, 2, dtype=minidl.float64))
    assert x.grad.stride() == (1, 2)
    x.grad.mul_(10)
    assert x.grad.tolist() == [[20, 20, 20], [20, 20, 20]]


def test_the_gradient_of_a_leaf_is_no_view_of_what_another_holds():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    seed = minidl.ones(2, 2, dtype=minidl.float64)
    x.t().backward(seed)
    x.grad.mul_(10)
    assert seed.tolist() == [[1, 1], [1, 1]]
    x.grad = None
    x.sum(0).backward(minidl.ones(2, dtype=minidl.float64))
    x.grad.mul_(10)
    assert x.grad.tolist() == [[10, 10], [10, 10]]


# --- autograd.grad and backward ---------------------------------------------------------------------------------------


def test_unused_inputs_of_grad():
    x, y = leaf([1.0]), leaf([2.0])
    out = x * 2
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        autograd.grad(out, [x, y], retain_graph=True)
    used, unused = autograd.grad(out, [x, y], allow_unused=True, retain_graph=True)
    assert (used.item(), unused) == (2.0, None)
    assert autograd.grad(out, y, materialize_grads=True)[0].tolist() == [0]
    with pytest.raises(ValueError, match="allow_unused"):
        autograd.grad(x * 2, x, allow_unused=False, materialize_grads=True)


def test_grad_of_intermediate_tensors_touches_no_leaf():
    x = leaf([2.0])
    y = x * x
    z = y * y * x
    gy, gx = autograd.grad(z, [y, x])
    assert (gy.item(), gx.item()) == (16.0, 80.0)
    assert x.grad is None


def test_several_outputs_add_up():
    x = leaf([1.0, 2.0])
    outputs = [x * 2, (x * x).sum()]
    (gradient,) = autograd.grad(outputs, x, [minidl.ones(2, dtype=minidl.float64), None])
    assert gradient.tolist() == [4, 6]


def test_backward_accumulates_into_chosen_inputs_only():
    x, y = leaf([1.0]), leaf([2.0])
    (x * y).backward(inputs=[x])
    (x * y).backward(inputs=[x])
    assert x.grad.item() == 4.0
    assert y.grad is None
    with pytest.raises(RuntimeError, match="cannot be empty"):
        (x * y).backward(inputs=[])


def test_create_graph_gives_gradients_of_gradients():
    x = leaf([2.0])
    y = x * x * x
    found = []
    for _ in range(3):
        (y,) = autograd.grad(y, x, create_graph=True)
        found.append(y.item())
    assert found == [12.0, 12.0, 6.0]


def test_retain_grad_keeps_the_gradient_of_a_result():
    x = leaf([1.0, 2.0])
    y = x * 3
    y.retain_grad()
    assert y.retains_grad
    (y * y).sum().backward()
    assert y.grad.tolist() == [6, 12]
    with pytest.raises(RuntimeError, match="can't retain_grad"):
        minidl.ones(1).retain_grad()


# --- hooks ------------------------------------------------------------------------------------------------------------


def test_tensor_hooks_see_and_replace_gradients():
    x = leaf([1.0, 2.0])
    y = x * 3
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    handle = y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    y.sum().backward()
    assert seen == [[1, 1]]
    assert x.grad.tolist() == [31, 31]
    handle.remove()
    x.grad = None
    (y.detach().requires_grad_() * 1).sum().backward()
    assert x.grad is None


def test_a_removed_hook_is_gone():
    x = leaf([1.0])
    with x.register_hook(lambda g: g * 5):
        (x * 1).backward()
    (x * 1).backward()
    assert x.grad.item() == 6.0


def test_leaf_hooks_run_once_on_the_whole_gradient():
    x = leaf([1.0])
    seen = []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * 2 + x * 3).backward()
    assert seen == [5.0]


def test_hooks_after_accumulation():
    x = leaf([1.0])
    seen = []
    x.register_post_accumulate_grad_hook(lambda tensor: seen.append(tensor.grad.item()))
    (x * 2).backward()
    (x * 2).backward()
    assert seen == [2.0, 4.0]


def test_node_hooks():
    x = leaf([1.0, 2.0])
    y = x * 2
    seen = []
    y.grad_fn.register_prehook(lambda outputs: seen.append(("before", outputs[0].tolist())))
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append(("after", inputs[0].tolist())))
    y.sum().backward()
    assert seen == [("before", [1, 1]), ("after", [2, 2])]


def test_a_hook_that_returns_nonsense_is_refused():
    x = leaf([1.0, 2.0])
    x.register_hook(lambda g: g[:1])
    with pytest.raises(RuntimeError, match="has changed the size of value"):
        (x * 2).sum().backward()
    y = leaf([1.0])
    y.register_hook(lambda g: 3)
    with pytest.raises(TypeError, match="hook returned 'int'"):
        (y * 2).backward()


def test_a_hook_needs_a_gradient_to_come():
    with pytest.raises(
        RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"
    ):
        minidl.ones(1).register_hook(print)


# --- modes ------------------------------------------------------------------------------------------------------------


def test_grad_mode_belongs_to_its_thread():
    x = leaf([1.0])
    inside, release = threading.Event(), threading.Event()
    seen = {}

    def worker():
        seen["fresh"] = minidl.is_grad_enabled()
        with minidl.no_grad():
            inside.set()
            release.wait(10)
            seen["off"] = (x * 2).requires_grad

    with minidl.no_grad():
        thread = threading.Thread(target=worker)
        thread.start()
        assert inside.wait(10)
    seen["main"] = (x * 2).requires_grad
    release.set()
    thread.join(10)
    assert seen == {"fresh": True, "off": False, "main": True}


def test_modes_nest_decorate_and_survive_errors():
    x = leaf([1.0])

    @minidl.no_grad()
    def off():
        with minidl.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
        raise KeyError

    with pytest.raises(KeyError):
        off()
    assert (x * 2).requires_grad
    with minidl.set_grad_enabled(False):
        assert not minidl.is_grad_enabled()
    minidl.set_grad_enabled(False)
    try:
        assert not (x * 2).requires_grad
    finally:
        minidl.set_grad_enabled(True)


def test_backward_from_several_threads_at_once():
    def work(found, i):
        w = leaf(np.full((20, 20), 0.01))
        for _ in range(20):
            (w @ w).tanh().sum().backward()
        found[i] = w.grad.numpy()

    found = {}
    threads = [threading.Thread(target=work, args=(found, i)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4
    for each in found.values():
        np.testing.assert_array_equal(each, found[0])


def test_inference_mode_results_stay_off_the_tape():
    x = leaf([1.0, 2.0])
    with minidl.inference_mode():
        y = x * 2
        y.add_(1)
    assert y.is_inference() and not y.requires_grad
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        _ = y * x
    assert (y.clone() * x).requires_grad
