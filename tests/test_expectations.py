"""MINIDL_EXPECT makes the suite fail where a named backend is missing or overrides nothing."""

import os
import subprocess
import sys

import pytest
from expectations import unmet

from minidl import backends

ACTIVE = {"reference": [], "native": ["conv2d"], "emulated": []}


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        ("", None),
        ("reference", None),
        ("native, reference", None),
        ("emulated", "overrides nothing"),
        ("native,cuda", "'cuda' is expected but missing"),
        ("natvie", "'natvie' is expected but missing"),
    ],
)
def test_each_unmet_expectation_is_named(expected, problem):
    found = unmet(expected, ACTIVE)
    assert found == [] if problem is None else problem in found[0]


def test_the_expectation_of_this_run_is_met():
    assert unmet(os.environ.get("MINIDL_EXPECT", ""), backends.active()) == []


def test_a_missing_backend_stops_the_suite():
    env = {**os.environ, "MINIDL_EXPECT": "nonsense"}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", __file__]
    run = subprocess.run(command, check=False, env=env, capture_output=True, text=True, timeout=120)
    assert run.returncode != 0
    assert "'nonsense' is expected but missing" in run.stdout + run.stderr
