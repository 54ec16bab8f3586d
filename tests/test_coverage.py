"""Every registered op and function has a row, and a fault in any gradient rule is caught by one."""

import driving
import pytest
from cases import CASES

from minidl.autograd import registry

ROWS = {}
for _case in CASES:
    ROWS.setdefault(_case.op, []).append(_case)

SLOTS = [
    (name, slot)
    for name, op in sorted(registry.OPS.items())
    for slot in [n for n in op.tensors if n not in op.constants and n != op.sequence]
    + ([op.sequence] if op.sequence and op.sequence not in op.constants else [])
]


def test_every_op_has_a_row():
    missing = sorted(set(registry.OPS) - set(ROWS))
    assert not missing, f"add rows to tests/cases/<family>.py for: {', '.join(missing)}"


def test_every_row_names_something_registered():
    for name in ROWS:
        driving.public(name)


def _scaled(value, factor=1.01):
    return None if value is None else value * factor


@pytest.mark.parametrize(("name", "slot"), SLOTS, ids=lambda value: value)
def test_a_planted_fault_in_a_rule_is_caught(name, slot, monkeypatch):
    op = registry.OPS[name]
    ordered = [n for n in op.tensors if n not in op.constants and n != op.sequence]
    pull = op.pull

    def faulty(node, g):
        gradients = list(pull(node, g))
        chosen = range(len(ordered), len(gradients)) if slot == op.sequence else [ordered.index(slot)]
        for i in chosen:
            gradients[i] = _scaled(gradients[i])
        return tuple(gradients)

    monkeypatch.setattr(op, "_pull", faulty)
    rows = [case for case in ROWS.get(name, ()) if case.grad]
    assert rows, f"no row of {name} has a gradient, though it has a rule for {slot}"
    caught = any(not _passes(case) for case in rows)
    assert caught, f"no row of {name} notices a gradient of {slot!r} that is 1 % too large"


def _passes(case):
    found = driving.gradients(case, case.arrays())
    try:
        for analytic, numeric in zip(found, driving.numeric_gradients(case), strict=True):
            driving.assert_near(analytic, numeric, 1e-5 * case.tolerance, 1e-6 * case.tolerance)
    except AssertionError:
        return False
    return True
