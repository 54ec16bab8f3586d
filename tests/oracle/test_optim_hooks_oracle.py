"""Hooks of optimizers, groups and gradients beside PyTorch's: the order of calls, what they may change."""

import importlib

import pytest
import torch

import minidl

LIBRARIES = [minidl, torch]


def optimizer_of(library, **options):
    p = library.nn.Parameter(library.ones(2))
    p.grad = library.ones(2)
    return p, library.optim.SGD([p], lr=0.1, momentum=0.9, **options)


def test_hooks_of_steps_and_states_run_in_the_same_order():
    found = []
    for library in LIBRARIES:
        seen = []

        def note(name, seen=seen, gives=None):
            return lambda *args: seen.append((name, len(args))) or gives

        _, optimizer = optimizer_of(library)
        module = importlib.import_module(f"{library.__name__}.optim.optimizer")
        handles = [
            module.register_optimizer_step_pre_hook(note("all before")),
            module.register_optimizer_step_post_hook(note("all after")),
            optimizer.register_step_pre_hook(note("before")),
            optimizer.register_step_post_hook(note("after")),
            optimizer.register_state_dict_pre_hook(note("saving 2")),
            optimizer.register_state_dict_pre_hook(note("saving 1"), prepend=True),
            optimizer.register_state_dict_post_hook(note("saved")),
            optimizer.register_load_state_dict_pre_hook(note("loading 2")),
            optimizer.register_load_state_dict_pre_hook(note("loading 1"), prepend=True),
            optimizer.register_load_state_dict_post_hook(note("loaded")),
        ]
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
        _, another = optimizer_of(library)
        another.step()
        for handle in handles:
            handle.remove()
        optimizer.step()
        optimizer.state_dict()
        found.append(seen)
    assert found[0] == found[1]


def test_hooks_may_replace_a_state():
    for library in LIBRARIES:
        _, optimizer = optimizer_of(library)
        optimizer.register_state_dict_post_hook(lambda _, state: {**state, "more": 1})
        state = optimizer.state_dict()
        assert state["more"] == 1
        optimizer.register_load_state_dict_pre_hook(
            lambda _, state: {**state, "param_groups": [{**state["param_groups"][0], "lr": 0.5}]}
        )
        optimizer.load_state_dict(state)
        assert optimizer.param_groups[0]["lr"] == 0.5


def test_a_bad_answer_of_a_hook_is_refused():
    for library in LIBRARIES:
        _, optimizer = optimizer_of(library)
        optimizer.register_step_pre_hook(lambda *args: 3)
        with pytest.raises(
            RuntimeError, match=r"must return None or a tuple of \(new_args, new_kwargs\), but got 3"
        ):
            optimizer.step()


@pytest.mark.filterwarnings("ignore:Using backward")
def test_zero_grad_writes_where_the_gradient_lies():
    for library in LIBRARIES:
        p, optimizer = optimizer_of(library)
        held = p.grad
        optimizer.zero_grad(set_to_none=False)
        assert held is p.grad and held.tolist() == [0.0, 0.0]
        x = library.nn.Parameter(library.ones(2))
        (x * x * x).sum().backward(create_graph=True)
        library.optim.SGD([x]).zero_grad(set_to_none=False)
        assert x.grad.grad_fn is None and not x.grad.requires_grad and x.grad.tolist() == [0.0, 0.0]


def test_a_group_is_the_dict_that_was_given():
    for library in LIBRARIES:
        p = library.nn.Parameter(library.ones(2))
        group = {"params": p}
        optimizer = library.optim.SGD([group], lr=0.1)
        group["lr"] = 0.5
        assert optimizer.param_groups[0]["lr"] == 0.5 and group["params"][0] is p


@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_names_of_a_loaded_state(saved, own):
    found = []
    for library in LIBRARIES:
        p = library.nn.Parameter(library.ones(2))
        first = library.optim.SGD([("a", p)] if saved else [p])
        second = library.optim.SGD([("b", p)] if own else [p])
        second.load_state_dict(first.state_dict())
        found.append(second.param_groups[0].get("param_names"))
    assert found[0] == found[1]
