"""Programs that are killed or fail while they save: the old file or the new one, whole, for every writer.

``killing.py`` is the program that does it. A thousand kills: ``pytest -m slow tests/test_saving_killed.py``.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from killing import WRITERS

import minidl
from minidl.io import atomic

PROGRAM = Path(__file__).with_name("killing.py")


def kill(writers, kills, seed):
    run = subprocess.run(
        [sys.executable, str(PROGRAM), writers, str(kills), str(seed)],
        capture_output=True,
        text=True,
        timeout=3000,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert sum(row["step"] + row["byte"] + row["moment"] for row in rows) == kills * len(rows)
    return rows


def test_each_writer_leaves_the_old_file_or_the_new_one():
    pytest.importorskip("h5py")
    rows = kill("all", 3, 0)
    assert [row["writer"] for row in rows] == list(WRITERS)


@pytest.mark.slow
def test_a_thousand_kills_lose_no_file():
    pytest.importorskip("h5py")
    rows = kill("all", 78, 1)
    assert sum(row["step"] + row["byte"] + row["moment"] for row in rows) > 1000
    assert all(row["old"] and row["new"] for row in rows), "kills at every step meet both"


def test_a_writer_that_overwrites_in_place_is_noticed(tmp_path):
    """The check itself: a program that writes into the file it replaces loses it."""
    program = tmp_path / "planted.py"
    program.write_text(
        f"import sys, contextlib; sys.path[:0] = [{str(PROGRAM.parent)!r}]\n"
        "import killing\nfrom minidl.io import checkpoint\n"
        "checkpoint.replacing = lambda path: open(path, 'wb')\n"
        f"killing.main('safetensors', 30, 0, {str(tmp_path)!r})\n"
    )
    run = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=300)
    assert run.returncode == 1
    assert "FileFormatError" in run.stderr or "AssertionError" in run.stderr, run.stderr


def test_what_dead_programs_began_is_removed_after_an_hour(tmp_path):
    path, other = tmp_path / "model.pt", tmp_path / ".model.pt.notes.tmp"
    old, fresh = tmp_path / ".model.pt.01234567.tmp", tmp_path / ".model.pt.89abcdef.tmp"
    for file in (old, fresh, other):
        file.write_bytes(b"half")
    ago = time.time() - atomic._STALE - 60
    for file in (old, other):
        os.utime(file, (ago, ago))
    minidl.save(1, path)
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, fresh.name, other.name])
