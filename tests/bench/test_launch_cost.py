"""``benchmarks/launch_cost.py`` runs here: on CuPy's own arrays without a GPU, so that CuPy's names are met too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from minidl.backends import emulated

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_cost_of_launches_is_measured():
    pytest.importorskip("cupy")
    if emulated.extension() is None:
        pytest.skip(emulated.unavailable_reason())
    path = os.pathsep.join([str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(ROOT / "benchmarks" / "launch_cost.py"), "add", "sum", "softmax", "matmul"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[2:-1]]
    assert [row[0] for row in rows] == ["add", "sum", "softmax", "matmul"]
    for _, op, backend, empty, *_ in rows:
        assert float(op) > float(backend) * 0.5 > 0 and float(empty) > 0
