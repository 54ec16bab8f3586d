"""``python -m minidl``: bad arguments end in a line, ``doctor`` survives whatever is broken."""

import errno
import importlib.metadata
import json
import os
import subprocess
import sys

import pytest

import minidl
from minidl import __main__ as command_line
from minidl import backends, build_info, doctor
from minidl.backends import cuda


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "required: command"),
        (["demo", "--model", "x"], "invalid choice: 'x'"),
        (["demo", "--data", "x"], "--data takes 'digits'"),
        (["demo", "--data", "mnist"], "--data takes 'digits'"),
        (["demo", "--epochs", "0"], "at least 1, got 0"),
        (["demo", "--seed", "-5"], "2^32 - 1, got -5"),
        (["demo", "--seed", "9" * 30], "2^32 - 1, got 999"),
        (["doctor", "--x"], "unrecognized arguments"),
    ],
)
def test_bad_arguments(arguments, text, capsys):
    with pytest.raises(SystemExit) as stopped:
        command_line.main(arguments)
    assert stopped.value.code == 2
    assert text in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--data", "mnist", os.devnull], os.devnull),
        (["--device", "nonsense"], "nonsense"),
        (["--out", os.devnull], os.devnull),
    ],
)
def test_what_a_user_can_mend_is_one_line(arguments, text, capsys):
    pytest.importorskip("sklearn")
    assert command_line.main(["demo", *arguments]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("error: ") and text in printed.err
    assert printed.err.count("\n") == 1


def causes():
    found = doctor.examine()
    json.dumps(found)
    assert "report this as a bug" not in doctor.report(found)
    return [problem["cause"] for problem in found["problems"]]


def test_doctor_without_a_path_and_without_metadata(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(importlib.metadata, "version", missing)
    monkeypatch.setitem(sys.modules, "torch", None)
    causes()
    assert doctor.examine()["packages"]["numpy"] == "of unknown version"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"extensions": 5}', '{"extensions": {"cuda": {"reason": [1]}}}']
)
def test_doctor_with_a_damaged_record(text, monkeypatch, tmp_path):
    (tmp_path / "_build_info.json").write_text(text)
    monkeypatch.setattr(build_info, "_HERE", tmp_path)
    causes()


def test_doctor_names_the_reason_of_an_extension_that_does_not_load(monkeypatch):
    monkeypatch.delenv("MINIDL_BACKEND", raising=False)
    monkeypatch.setattr(backends, "cpu", backends.reference)
    monkeypatch.setattr(doctor.native, "unavailable_reason", lambda: "invalid ELF header")
    assert "the native extension is not used: invalid ELF header" in causes()


def test_a_cupy_that_is_broken_is_a_device_that_cannot_be_used(monkeypatch, tmp_path):
    (tmp_path / "cupy.py").write_text("raise OSError('broken')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    assert "broken" in cuda.unavailable_reason.__wrapped__()


def test_an_unknown_backend_is_a_warning_and_a_note():
    env = {**os.environ, "MINIDL_BACKEND": "nonsense"}
    run = subprocess.run(
        [sys.executable, "-m", "minidl", "doctor"], capture_output=True, text=True, env=env, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert "MINIDL_BACKEND='nonsense' is unknown" in run.stderr and "MINIDL_BACKEND='nonsense'" in run.stdout


def test_doctor_on_a_full_disk(monkeypatch, capsys):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(doctor, "report", full)
    assert command_line.main(["doctor"]) == 1
    assert "No space left" in capsys.readouterr().err


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["--version"])
    assert minidl.__version__ in capsys.readouterr().out
