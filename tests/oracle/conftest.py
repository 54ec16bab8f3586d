"""PyTorch, beside which this folder compares: its files import torch plainly, and are skipped where it is not."""

import pytest


def pytest_pycollect_makemodule():
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch==2.13.0")
