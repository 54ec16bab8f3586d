"""``benchmarks/keras_table.py``: every row runs in both libraries, and from equal weights they predict the same."""

import runpy
from pathlib import Path

import pytest

pytest.importorskip("scipy", reason="Keras' legacy ImageDataGenerator needs SciPy")
FOLDER = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning", "ignore:Please import"
)  # Keras
def test_rows_run_in_both(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    table = runpy.run_path(str(FOLDER / "keras_table.py"))
    assert table["agreement"]() <= 1e-5
    for name, row in table["ROWS"].items():
        for keras in (table["ours"], table["theirs"]):
            assert row.make(keras)() > 0, name
