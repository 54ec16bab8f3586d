"""``scripts/check_gpu.py``: a stage that fails or hangs is told, and does not keep the next from running."""

import json
import runpy
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest

from minidl import bench

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


@pytest.fixture
def check():
    """The script as a dict of names."""
    return runpy.run_path(str(SCRIPTS / "check_gpu.py"))


def performed(check, tmp_path, **stages):
    check["STAGES"].clear()
    check["STAGES"].update(stages)
    check["SHOWN"].update(dict.fromkeys(stages, 5))
    status = check["main"](["--out", str(tmp_path)])
    return status, {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in stages}


def test_a_failing_stage_does_not_hide_the_next(check, tmp_path, capsys):
    def breaks(stage):
        raise ValueError("no such GPU")

    status, found = performed(
        check,
        tmp_path,
        bad=lambda stage: stage.run(sys.executable, "-c", "print('half way'); raise SystemExit(3)"),
        broken=breaks,
        missing=lambda stage: stage.run("no-such-command"),
        good=lambda stage: stage.run(sys.executable, "-c", "print(6 * 7)"),
    )
    assert status == 3
    assert [found[name]["passed"] for name in found] == [False, False, False, True]
    assert found["bad"]["steps"][0]["status"] == 3 and "half way" in found["bad"]["tail"]
    assert found["broken"]["reason"] == "ValueError: no such GPU"
    assert found["good"]["tail"][-1] == "42"
    assert capsys.readouterr().out.splitlines()[-1].startswith("good       yes")


def test_a_stage_ends_when_its_time_is_up(check, tmp_path):
    stage = check["Stage"]("slow", tmp_path, False, most=1)
    assert not stage.run(sys.executable, "-c", "import time; time.sleep(60)")
    assert stage.steps[0]["status"] == "out of time" and stage.steps[0]["seconds"] < 30


def test_what_is_out_of_time_ends_with_all_that_it_started(check, tmp_path):
    late = tmp_path / "late"
    stage = check["Stage"]("slow", tmp_path, False, most=1)
    assert not stage.run("bash", "-c", f"(sleep 2; touch {late}) & wait")
    time.sleep(2)
    assert not late.exists()


def test_a_command_leaves_time_to_those_after_it(check, tmp_path):
    stage = check["Stage"]("shared", tmp_path, False, most=2)
    assert not stage.run(sys.executable, "-c", "import time; time.sleep(60)", shares=2)
    assert stage.steps[0]["status"] == "out of time" and stage.steps[0]["seconds"] < 2
    assert stage.run("true")


def test_on_a_gpu_every_stage_asks_for_the_gpu(check, tmp_path):
    """Else the tests of a machine whose build failed would pass with nothing on the GPU."""
    ran = []

    def run(*command, env=None, shares=1):
        ran.append(([str(part) for part in command], env or {}))
        return True

    stage = types.SimpleNamespace(rehearse=False, out=tmp_path, run=run)
    for name in ("tests", "sanitizer", "bench"):
        assert check["STAGES"][name](stage)
    suites = [(command, env) for command, env in ran if "pytest" in command]
    assert len(suites) == 3 and all(env["MINIDL_EXPECT"] == "cuda" for _, env in suites)
    assert [command[2] for command, _ in suites[1:]] == ["memcheck", "racecheck"]
    benches = [command for command, _ in ran if "bench" in command]
    assert len(benches) == 2
    for command in benches:
        assert command[command.index("--device") + 1] == "cuda"
        for pattern in command[command.index("bench") + 1 : command.index("--dtype")]:
            assert bench.select([pattern], device="cuda"), pattern


def test_an_unknown_stage_is_refused(check, tmp_path):
    with pytest.raises(SystemExit):
        check["main"](["everything", "--out", str(tmp_path)])


def test_golden_files_are_compared_bit_by_bit(tmp_path, capsys):
    compare = runpy.run_path(str(SCRIPTS / "compare_golden.py"))["main"]
    found, golden = tmp_path / "found", tmp_path / "golden"
    for folder in (found, golden):
        folder.mkdir()
        np.save(folder / "a.npy", np.array([1, 2, 0x7FC00000], np.uint32))
    assert compare(found, golden) == 0
    np.save(found / "a.npy", np.array([1, 3, 0x7FC00000], np.uint32))
    np.save(golden / "b.npy", np.zeros(2, np.uint32))
    assert compare(found, golden) == 1
    text = capsys.readouterr().out
    assert "a.npy: 1 of 3 differ; at 1: 0x3, on the GPU 0x2" in text and "b.npy: the emulator has no" in text
    assert compare(tmp_path / "none", tmp_path / "none") == 1
