"""The fuzzer's targets for a few seconds: right files, files that once were findings, and mutations of both.

``scripts/fuzz.py`` runs them by coverage and for long; docs/reliability.md has the figures.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fuzzing import guarding, mutating, seeds, targets

HERE = Path(__file__).parent
MUTATIONS = {
    "mapped": 100,
    "pickled": 250,
    "keras_config": 6,
    "keras_training": 25,
    "keras_zip": 40,
    "keras_weights": 60,
    "h5": 6,
}
CALLS = """
import sys
sys.path[:0] = [sys.argv[1]]
from fuzzing.calls import fuzz
findings = fuzz(2500, 0, every=60)
print(*findings, sep="\\n")
sys.exit(bool(findings))
"""


@pytest.mark.parametrize("name", targets.NAMES)
def test_no_file_does_more_than_be_refused(name):
    if name in targets.KERAS:
        pytest.importorskip("h5py")
    run, given, draw = targets.target(name), seeds.seeds(name), random.Random(name)
    for data in given:
        run(data)
    with guarding.limited():
        for number in range(MUTATIONS.get(name, 400)):
            data = given[number] if number < len(given) else mutating.mutated(draw.choice(given), draw, given)
            try:
                with guarding.watched():
                    run(data)
            except BaseException as error:
                pytest.fail(f"{name}: {data[:2000]!r}: {type(error).__name__}: {error}")


def test_the_corpus_is_small_and_all_of_it_is_used():
    folders = {path.name for path in seeds.CORPUS.iterdir()}
    assert folders <= set(targets.NAMES)
    assert sum(path.stat().st_size for path in seeds.CORPUS.rglob("*") if path.is_file()) < 200_000


def test_calls_that_nearly_fit_do_not_end_the_interpreter():
    pytest.importorskip("minidl._native", exc_type=ImportError)
    command = [sys.executable, "-W", "ignore", "-c", CALLS, str(HERE)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]


# --- the harness itself -------------------------------------------------------------------------------------------


def test_what_a_file_may_not_do_is_noticed(tmp_path):
    for act in (
        lambda: os.mkdir(tmp_path / "x"),
        lambda: exec("1"),
        lambda: (tmp_path / "y").write_bytes(b""),
        lambda: subprocess.run(["true"]),
    ):
        with pytest.raises(guarding.Executed), guarding.watched():
            act()
    assert not list(tmp_path.iterdir())
    with guarding.watched(), open(__file__, "rb") as file:
        file.read(1)
    with pytest.raises(MemoryError), guarding.limited():
        np.ones(1 << 27)


DYING = """
import os, sys, time
sys.path[:0] = [sys.argv[1]]
from fuzzing import calls
class Native:
    def good(*a): pass
    def dies(*a): os.abort() if len(a) == 2 else None
    def hangs(*a): time.sleep(60) if len(a) == 3 else None
    def raises(*a): raise KeyError("x") if len(a) == 1 else TypeError
calls._native, calls.record = Native(), lambda every: {}
found = calls.fuzz(300, 1, seconds=0.3)
assert len(found) == 20, found
for sign in ("dies: status signal 6", "hangs: no answer", "raises: status 77"):
    assert any(sign in text for text in found), found
"""


def test_deaths_and_hangs_of_calls_are_noticed():
    run = subprocess.run(
        [sys.executable, "-c", DYING, str(HERE)], capture_output=True, text=True, timeout=100
    )
    assert run.returncode == 0, run.stderr
