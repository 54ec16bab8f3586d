"""How the machines of tests/stateful run: short in every run of the suite, long in the scheduled one."""

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test


def quick_and_long(machine, examples, steps):
    """Two tests of a state machine: ``examples`` programs of ``steps`` steps, and, marked slow, many times that."""

    def run(count, length):
        settings = hypothesis.settings(
            max_examples=count,
            stateful_step_count=length,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        run_state_machine_as_test(machine, settings=settings)

    def test_quick():
        run(examples, steps)

    @pytest.mark.slow
    def test_long():
        run(100 * examples, 2 * steps)

    return test_quick, test_long
