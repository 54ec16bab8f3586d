"""The build of the extensions: what AUTO, ON and OFF do where the build can and where it cannot succeed."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import minidl
from minidl import build_info

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "cmake" / "build_extensions.py"
CMAKE = shutil.which("cmake") or "cmake"
GENERATOR = "Ninja" if shutil.which("ninja") else "Unix Makefiles"
SMALL = [
    "CMakeLists.txt",
    "cmake/*",
    "common/*",
    "cpu/erased.h",
    "cpu/isa.*",
    "cpu/thread_pool.*",
    "bindings/registry.h",
    "bindings/translate.h",
]
SMALL += ["bindings/native.cpp", "bindings/cpu_threads.cpp"]

needs_cmake = pytest.mark.skipif(shutil.which("cmake") is None, reason="no cmake on the PATH")


@pytest.fixture
def source(tmp_path):
    """A csrc with a single family, so that building it takes seconds."""
    for pattern in SMALL:
        for file in (ROOT / "csrc").glob(pattern):
            target = tmp_path / "csrc" / file.relative_to(ROOT / "csrc")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    return tmp_path / "csrc"


def build(source, **environment):
    """Runs the script; returns its exit status, the records that it wrote, its output, and the modules' names."""
    folder = source.parent
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith("MINIDL_") and k not in ("CXX", "CUDACXX")
    }
    command = [sys.executable, SCRIPT, "--cmake", CMAKE, "--generator", GENERATOR, "--source", source]
    command += ["--build", folder / "build", "--output", folder / "out"]
    environment = {**kept, "MINIDL_CUDA": "OFF", **environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    info = folder / "out" / "_build_info.json"
    records = json.loads(info.read_text())["extensions"] if info.exists() else {}
    modules = {file.name.split(".")[0] for file in (folder / "out").glob("*.so")}
    return done.returncode, records, done.stdout + done.stderr, modules


def test_extras_name_extras_that_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.findall(r"minidl\[([\w,]+)\]", str(extras))
    assert named and {extra for names in named for extra in names.split(",")} <= set(extras)


@pytest.mark.parametrize("text, status", [("wgmma.mma_async instructions are serialized", 1), ("fine", 0)])
def test_a_kernel_whose_wgmma_was_serialised_does_not_compile(text, status):
    """ptxas tells of it and ends well."""
    nvcc = [sys.executable, "-c", f"import sys; print({text!r}, file=sys.stderr)"]
    checked = [sys.executable, ROOT / "csrc" / "cmake" / "checked_nvcc.py", *nvcc]
    done = subprocess.run(checked, capture_output=True, text=True)
    assert done.returncode == status and text in done.stderr


def test_off_leaves_every_extension_out(source):
    status, records, _, modules = build(source, MINIDL_NATIVE="OFF")
    assert status == 0 and modules == set()
    assert {name: record["built"] for name, record in records.items()} == dict.fromkeys(records, False)
    assert "MINIDL_NATIVE was OFF" in records["native"]["reason"]
    assert "MINIDL_EMULATED was OFF" in records["emulated"]["reason"]


def test_an_unknown_mode_is_an_error(source):
    status, _, output, _ = build(source, MINIDL_NATIVE="yes")
    assert status != 0 and "MINIDL_NATIVE='yes' is unknown; use AUTO, ON or OFF" in output


@pytest.mark.parametrize("mode, expected", [("AUTO", 0), ("ON", 1), ("auto", 0), ("", 0)])
def test_no_compiler_on_the_path(source, tmp_path, mode, expected):
    status, records, output, modules = build(source, MINIDL_NATIVE=mode, PATH=str(tmp_path))
    assert status == expected and modules == set()
    assert "no C++ compiler was found" in records["native"]["reason"]
    assert "no C++ compiler was found" in output


@needs_cmake
@pytest.mark.parametrize("mode, expected", [("AUTO", 0), ("ON", 1)])
def test_a_compiler_that_fails(source, mode, expected):
    status, records, _, modules = build(source, MINIDL_NATIVE=mode, CXX="/bin/false")
    assert status == expected and modules == set()
    assert "/bin/false" in records["native"]["reason"]


@pytest.mark.slow
@needs_cmake
def test_a_good_source_builds_and_loads(source):
    status, records, output, modules = build(source, MINIDL_NATIVE="ON")
    assert status == 0, output
    assert modules == {"_native"}
    assert records["native"]["built"] and records["native"]["reason"] == ""
    assert "-O3" in records["native"]["flags"] and records["native"]["compiler"]
    assert "fast-math" not in records["native"]["flags"] and "march=native" not in records["native"]["flags"]


@pytest.mark.slow
@needs_cmake
@pytest.mark.parametrize("mode, expected", [("AUTO", 0), ("ON", 1)])
def test_a_file_that_does_not_compile(source, mode, expected):
    (source / "bindings" / "cpu_broken.cpp").write_text("int broken( { return 1; }\n")
    status, records, _, modules = build(source, MINIDL_NATIVE=mode)
    assert status == expected and modules == set()
    assert "cpu_broken.cpp:1" in records["native"]["reason"] and "error" in records["native"]["reason"]


@pytest.mark.slow
@needs_cmake
def test_a_module_that_does_not_load_is_not_installed(source):
    text = "void nowhere();\nstruct Caller { Caller() { nowhere(); } } caller;\n"
    (source / "bindings" / "cpu_undefined.cpp").write_text(text)
    status, records, _, modules = build(source, MINIDL_NATIVE="AUTO")
    assert status == 0 and modules == set()
    assert (
        "does not load" in records["native"]["reason"] and "undefined symbol" in records["native"]["reason"]
    )


@needs_cmake
def test_an_extension_without_sources(source):
    status, records, _, _ = build(source, MINIDL_NATIVE="OFF", MINIDL_EMULATED="AUTO")
    assert status == 0
    assert "csrc has no sources for the extension 'emulated'" in records["emulated"]["reason"]


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("build_extensions", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cuda_without_nvcc_or_driver(script, monkeypatch):
    monkeypatch.setenv("CXX", sys.executable)  # any program that exists: nothing is compiled
    monkeypatch.setattr(script, "find_nvcc", lambda: None)
    with pytest.raises(script.Failure, match="nvcc was not found"):
        script.check_prerequisites("cuda", "ON")
    monkeypatch.setattr(script, "find_nvcc", lambda: "/usr/bin/nvcc")
    monkeypatch.setattr(script, "has_gpu_driver", lambda: False)
    with pytest.raises(script.Failure, match="no NVIDIA driver"):
        script.check_prerequisites("cuda", "AUTO")
    script.check_prerequisites("cuda", "ON")


def test_the_reason_starts_at_the_first_error(script):
    output = "[1/2] compiling\nfile.cpp:3:1: error: expected ';'\n" + "note\n" * 50
    lines = script.first_error(output).splitlines()
    assert lines[0] == "file.cpp:3:1: error: expected ';'" and len(lines) == script.REASON_LINES
    assert script.first_error("one\n\ntwo\n") == "one\ntwo"


@pytest.fixture
def package(tmp_path):
    """A copy of the package without its extensions."""
    ignored = shutil.ignore_patterns("*.so", "_build_info.json", "__pycache__")
    shutil.copytree(Path(minidl.__file__).parent, tmp_path / "minidl", ignore=ignored)
    return tmp_path / "minidl"


def in_copy(package, code):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MINIDL_")}
    environment["PYTHONPATH"] = str(package.parent)
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, cwd=package.parent, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


SHOW = """
import minidl
from minidl import backends
from minidl.backends import native
print(backends.cpu.name, (minidl.ones(2) + 1).tolist(), native.unavailable_reason())
"""


def test_a_module_that_does_not_load_falls_back(package):
    (package / f"_native{EXTENSION_SUFFIXES[0]}").write_bytes(b"not a shared library")
    shown = in_copy(package, SHOW)
    assert shown.startswith("reference [2.0, 2.0] minidl._native does not load: ")


def test_a_package_without_the_module_says_why(package):
    record = {
        "extensions": {"native": {"mode": "AUTO", "built": False, "reason": "the compiler was on holiday"}}
    }
    (package / "_build_info.json").write_text(json.dumps(record))
    assert in_copy(package, SHOW) == "reference [2.0, 2.0] the compiler was on holiday"


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"extensions": 3}', '{"extensions": {"native": 3}}'])
def test_build_info_without_a_good_file(monkeypatch, tmp_path, text):
    if text is not None:
        (tmp_path / "_build_info.json").write_text(text)
    monkeypatch.setattr(build_info, "_HERE", tmp_path)
    record = build_info.extension("native")
    assert record["built"] is False and "scripts/build_inplace.sh native" in record["reason"]
