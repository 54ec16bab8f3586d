"""docs/keras-defaults.md is what the code says, and so are the spreads that it names."""

import math
import runpy
from pathlib import Path

import numpy as np

from minidl import nn

ROOT = Path(__file__).resolve().parents[2]


def test_page_is_what_the_code_says():
    written = runpy.run_path(str(ROOT / "scripts" / "write_keras_defaults.py"))["page"]()
    assert (ROOT / "docs" / "keras-defaults.md").read_text(encoding="utf-8") == written, (
        "run python scripts/write_keras_defaults.py"
    )


def test_spreads_of_the_pytorch_column():
    for module, bound in [
        (nn.Linear(50, 80), 1 / math.sqrt(50)),
        (nn.Conv2d(4, 40, 3), 1 / math.sqrt(36)),
        (nn.LSTM(20, 30), 1 / math.sqrt(30)),
        (nn.GRU(20, 30), 1 / math.sqrt(30)),
    ]:
        values = np.concatenate([p.detach().numpy().ravel() for p in module.parameters()])
        assert 0.95 * bound < np.abs(values).max() <= bound
    assert abs(nn.Embedding(200, 50).weight.detach().numpy().std() - 1) < 0.05
