"""Every registered op and function has a row, and a fault in any gradient rule is caught by one."""

import functools

import driving
import numpy as np
import pytest
from cases import CASES

from minidl.autograd import registry

NAMED = {case.op for case in CASES}
# What is no function of arrays has tests of its own: devices, conversions, the generator's state.
ELSEWHERE = {
    *("_cholesky", "_eigh"),  # their gradients are those of symmetric matrices: tests/test_linalg.py
    "_ldl_factor",  # its gradient is refused there
    *("_transfer", "_pinned", "pin_memory", "record_stream", "cuda", "cupy", "type", "result_type"),
    *("manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state"),
}


def tensor_slots(op):
    """The parameters of an op that gradients reach, in the order of its node's edges; a sequence is last."""
    single = [name for name in op.tensors if name not in op.constants and name != op.sequence]
    return single + ([op.sequence] if op.sequence and op.sequence not in op.constants else [])


SLOTS = [(name, slot) for name, op in sorted(registry.OPS.items()) for slot in tensor_slots(op)]


@functools.cache
def rows_by_op(order):
    """For each op the rows whose gradient of ``order`` runs its rules, those that name it first."""
    found = {}
    for case in CASES:
        if case.grad and (order == 1 or case.grad2):
            for op in _ops_below(_results(case, order)):
                rows = found.setdefault(op.name, [])
                rows.insert(0, case) if case.op == op.name else rows.append(case)
    return found


def _results(case, order):
    if order == 2:
        return driving.differentiable(driving.pull_back(case, case.arrays(), create_graph=True)[0])
    return driving.differentiable(
        driving.outputs(case, driving.tensors(case, case.arrays(), grad=case.differentiable))
    )


def _ops_below(results):
    """The ops on the tape below ``results``."""
    seen, stack = set(), [result.grad_fn for result in results if result.grad_fn is not None]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(below for below, _ in node.next_functions if below is not None)
    return {node.op for node in seen if hasattr(node, "op") and hasattr(node.op, "name")}


def public_functions():
    """Names by function, for everything that users call and that differentiates or computes on tensors."""
    names = {}
    for face, home in (*registry.FACES.items(), ("Tensor", registry.METHODS)):
        for name, fn in home.items():
            if hasattr(fn, "op") or hasattr(fn, "composed"):
                names.setdefault(fn, set()).update((name, f"{face}.{name}"))
    return names


def test_every_op_and_function_has_a_row():
    missing = sorted(
        max(names, key=len) for names in public_functions().values() if not names & (NAMED | ELSEWHERE)
    )
    assert not missing, f"add rows to tests/cases/<family>.py for: {', '.join(missing)}"


def test_every_private_op_is_reached_by_a_row():
    private = {
        name for name, op in registry.OPS.items() if op.public not in public_functions() and tensor_slots(op)
    }
    missing = sorted(private - NAMED - set(rows_by_op(1)) - set(rows_by_op(2)) - ELSEWHERE)
    assert not missing, f"no row reaches the gradients of: {', '.join(missing)}"


def test_every_row_names_something_registered():
    for name in NAMED:
        driving.public(name)


@pytest.mark.parametrize(("name", "slot"), [pair for pair in SLOTS if pair[0] not in ELSEWHERE], ids=str)
def test_a_planted_fault_in_a_rule_is_caught(name, slot, monkeypatch):
    first, second = rows_by_op(1).get(name, []), rows_by_op(2).get(name, [])[:5]
    assert first or second, f"no row runs the gradient rules of {name}, though it has one for {slot}"
    for case in first:
        driving.numeric_gradients(case)
    for case in second:
        driving.second_gradients(case)
    plant(registry.OPS[name], slot, monkeypatch)
    caught = not all(map(first_gradient_passes, first)) or not all(map(second_gradient_passes, second))
    assert caught, f"none of {len(first)} + {len(second)} rows notices a wrong gradient of {name}'s {slot!r}"


def plant(op, slot, monkeypatch):
    """Makes the gradients of one parameter 1 % too large, and those that are 0 a little more than 0."""
    pull, slots = op.pull, tensor_slots(op)
    start = slots.index(slot)

    def faulty(node, g):
        gradients = list(pull(node, g))
        stop = len(gradients) if slot == op.sequence else start + 1
        for i in range(start, stop):
            if gradients[i] is not None:
                wrong = gradients[i] * 1.01 + 0.01 * (gradients[i] == 0)
                gradients[i] = np.asarray(wrong, gradients[i].dtype)
        return tuple(gradients)

    monkeypatch.setattr(op, "_pull", faulty)


def first_gradient_passes(case):
    return agree(driving.gradients(case, case.arrays()), driving.numeric_gradients(case), case.tolerance)


def second_gradient_passes(case):
    return agree(*driving.second_gradients(case), case.tolerance)


def agree(analytic, numeric, tolerance):
    try:
        for found, wanted in zip(analytic, numeric, strict=True):
            driving.assert_near(found, wanted, 1e-5 * tolerance, 1e-5 * tolerance)
    except AssertionError:
        return False
    return True
