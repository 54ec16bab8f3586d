"""``benchmarks/``: what is committed can be read, and the README shows it."""

import json
import runpy
import sys
from pathlib import Path

import bench_records as records
import pytest

from minidl import bench
from minidl.bench import record

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("*.json"))


@pytest.fixture
def suite(monkeypatch):
    """``benchmarks/cpu_table.py`` as a dict of names."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return runpy.run_path(str(ROOT / "benchmarks" / "cpu_table.py"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_committed_results_say_what_made_them(path):
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["command"].startswith("python ") and found["machine"]["cpu"]
    assert found["versions"]["minidl"] and found["rows"]


def test_the_readme_shows_the_committed_table(suite):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert suite["rendered"](record.read(suite["RESULTS"])) in text


def test_the_committed_table_has_every_row_with_a_target(suite):
    names = [row["name"] for row in record.read(suite["RESULTS"])["rows"]]
    assert names == [row.name for row in bench.select([], targets_only=True)]


def test_rows_that_were_measured_again_replace_the_old_ones(suite):
    old = records.made(records.row("matmul/256/forward"), records.row("matmul/512/forward"))
    new = records.made(records.row("matmul/512/forward", ours=3.0), records.row("matmul/1024/forward"))
    found = suite["merged"](old, new)["rows"]
    assert [row["name"].split("/")[1] for row in found] == ["256", "512", "1024"]
    assert found[1]["peers"]["minidl"]["warm"]["median"] == pytest.approx(3e-3)
    elsewhere = {**old, "machine": {"cpu": "another"}}
    assert len(suite["merged"](elsewhere, new)["rows"]) == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc/self/clear_refs")
def test_lenet_takes_no_more_memory_than_pytorch(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    suite = runpy.run_path(str(ROOT / "benchmarks" / "lenet_memory.py"))
    assert suite["peak"]("minidl", 64)[0] <= suite["peak"]("torch", 64)[0]
