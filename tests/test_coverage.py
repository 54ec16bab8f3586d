"""Every registered op and function has a row, and a fault in any gradient rule is caught by one."""

import functools

import driving
import numpy as np
import pytest
from cases import CASES

from minidl.autograd import registry

NAMED = {case.op for case in CASES}


def tensor_slots(op):
    """The parameters of an op that gradients reach, in the order of its node's edges; a sequence is last."""
    single = [name for name in op.tensors if name not in op.constants and name != op.sequence]
    return single + ([op.sequence] if op.sequence and op.sequence not in op.constants else [])


SLOTS = [(name, slot) for name, op in sorted(registry.OPS.items()) for slot in tensor_slots(op)]


@functools.cache
def rows_by_op():
    """For each op the rows whose gradient runs its rules, those that name it first."""
    found = {}
    for case in CASES:
        if case.grad:
            inputs = driving.tensors(case, case.arrays(), grad=case.differentiable)
            for op in _ops_of(driving.differentiable(driving.outputs(case, inputs))):
                rows = found.setdefault(op.name, [])
                rows.insert(0, case) if case.op == op.name else rows.append(case)
    return found


def _ops_of(results):
    """The ops on the tape below ``results``."""
    seen, stack = set(), [result.grad_fn for result in results if result.grad_fn is not None]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(below for below, _ in node.next_functions if below is not None)
    return {node.op for node in seen if hasattr(node, "op")}


def public_functions():
    """Names by function, for everything that users call and that differentiates or computes on tensors."""
    names = {}
    for home in (*registry.FACES.values(), registry.METHODS):
        for name, fn in home.items():
            if hasattr(fn, "op") or hasattr(fn, "composed"):
                names.setdefault(fn, set()).add(name)
    return names


def test_every_op_and_function_has_a_row():
    missing = sorted(min(names) for names in public_functions().values() if not names & NAMED)
    assert not missing, f"add rows to tests/cases/<family>.py for: {', '.join(missing)}"


def test_every_private_op_is_reached_by_a_row():
    private = {
        name for name, op in registry.OPS.items() if op.public not in public_functions() and tensor_slots(op)
    }
    missing = sorted(private - NAMED - set(rows_by_op()))
    assert not missing, f"no row reaches the gradients of: {', '.join(missing)}"


def test_every_row_names_something_registered():
    for name in NAMED:
        driving.public(name)


@pytest.mark.parametrize(("name", "slot"), SLOTS, ids=lambda value: value)
def test_a_planted_fault_in_a_rule_is_caught(name, slot, monkeypatch):
    rows = rows_by_op().get(name)
    assert rows, f"no row runs the gradient rules of {name}, though it has one for {slot}"
    op = registry.OPS[name]
    pull, slots = op.pull, tensor_slots(op)
    start = slots.index(slot)

    def faulty(node, g):
        gradients = list(pull(node, g))
        stop = len(gradients) if slot == op.sequence else start + 1
        for i in range(start, stop):
            gradients[i] = None if gradients[i] is None else np.asarray(gradients[i] * 1.01)  # 0-d ones stay arrays
        return tuple(gradients)

    monkeypatch.setattr(op, "_pull", faulty)
    caught = any(not gradient_passes(case) for case in rows)
    assert caught, f"none of {len(rows)} rows notices a gradient of {name}'s {slot!r} that is 1 % too large"


def gradient_passes(case):
    found = driving.gradients(case, case.arrays())
    try:
        for analytic, numeric in zip(found, driving.numeric_gradients(case), strict=True):
            driving.assert_near(analytic, numeric, 1e-5 * case.tolerance, 1e-6 * case.tolerance)
    except AssertionError:
        return False
    return True
