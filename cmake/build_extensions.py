"""Builds the extension modules of an install, as MINIDL_NATIVE, MINIDL_CUDA and MINIDL_EMULATED ask.

AUTO: build it where the machine can, otherwise go on without it and record the reason. ON: any failure is an
error. OFF: leave it out. The default is AUTO, and OFF for the emulator, which only tests use. What happened is
written to ``_build_info.json`` beside the modules, where ``minidl.build_info`` and ``python -m minidl doctor``
read it.

Run by CMakeLists.txt; it needs nothing but the standard library.
"""

import argparse
import ctypes.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

DEFAULTS = {"native": "AUTO", "cuda": "AUTO", "emulated": "OFF"}
COMPILERS = ("c++", "g++", "clang++", "CC")
REASON_LINES = 12


class Failure(Exception):
    """The extension cannot be built; the message says why."""


def mode_of(extension):
    variable = f"MINIDL_{extension.upper()}"
    mode = os.environ.get(variable, "").strip().upper() or DEFAULTS[extension]
    if mode not in ("AUTO", "ON", "OFF"):
        raise SystemExit(f"{variable}={os.environ[variable]!r} is unknown; use AUTO, ON or OFF")
    return mode


def find_compiler():
    """CXX, or the usual names: pip's build sets CXX to the compiler of Python itself, which may be absent."""
    named = os.environ.get("CXX", "").split()
    return next((c for c in [*named[:1], *COMPILERS] if shutil.which(c)), None)


def find_nvcc():
    """The CUDA compiler, where CMake looks for it too; None if there is none."""
    candidates = [os.environ.get("CUDACXX"), "nvcc"]
    roots = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]
    candidates += [str(Path(root, "bin", "nvcc")) for root in roots if root]
    return next((found for c in candidates if c and (found := shutil.which(c))), None)


def has_gpu_driver():
    return Path("/dev/nvidiactl").exists() or ctypes.util.find_library("cuda") is not None


def check_prerequisites(extension, mode):
    """The causes that deserve a plain sentence instead of a compiler's output."""
    if find_compiler() is None:
        tried = [os.environ["CXX"]] if "CXX" in os.environ else []
        raise Failure(f"no C++ compiler was found (tried {', '.join([*tried, *COMPILERS])})")
    if extension == "cuda" and find_nvcc() is None:
        raise Failure("nvcc was not found; install the CUDA toolkit or set CUDACXX")
    if extension == "cuda" and mode == "AUTO" and not has_gpu_driver():
        raise Failure("no NVIDIA driver on this machine; MINIDL_CUDA=ON builds the extension all the same")


def run(command, log):
    """Runs a step of the build; its output goes to the log, and to the user where it fails."""
    environment = dict(os.environ)
    if not shutil.which(environment.get("CXX", "").split(" ")[0]):
        environment["CXX"] = find_compiler()
    if nvcc := find_nvcc():
        environment.setdefault("CUDACXX", nvcc)
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment)
    except OSError as error:
        raise Failure(f"{command[0]}: {error}") from None
    output = done.stdout + done.stderr
    with log.open("a") as file:
        file.write(output)
    if done.returncode != 0:
        raise Failure(first_error(output))


def first_error(output):
    """The lines of a compiler's or CMake's output from the first error on."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    starts = (i for i, line in enumerate(lines) if re.search(r"\berror\b|\bfatal\b", line, re.IGNORECASE))
    start = next(starts, max(0, len(lines) - REASON_LINES))
    return "\n".join(lines[start : start + REASON_LINES])


def check_loads(module, name):
    """Imports the module in another process: an undefined symbol shows only there."""
    code = (
        "import importlib.util as u, sys\n"
        "spec = u.spec_from_file_location(*sys.argv[1:])\n"
        "spec.loader.exec_module(u.module_from_spec(spec))"
    )
    done = subprocess.run([sys.executable, "-c", code, name, str(module)], capture_output=True, text=True)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise Failure(f"the module was built but does not load: {lines[-1]}")


def build(extension, options):
    """Configures, builds and loads one extension; returns what was used. Raises ``Failure``."""
    folder = options.build / extension
    shutil.rmtree(folder, ignore_errors=True)
    output = folder / "module"
    output.mkdir(parents=True)
    log = folder / "build.log"
    configure = [options.cmake, "-S", options.source, "-B", folder, "-G", options.generator]
    configure += [f"-DMINIDL_EXTENSION={extension}", f"-DMINIDL_OUTPUT_DIR={output}"]
    configure += [f"-DPython_EXECUTABLE={sys.executable}"]
    configure += [f"-DMINIDL_WERROR={os.environ.get('MINIDL_WERROR', 'OFF')}"]
    if options.make_program:
        configure.append(f"-DCMAKE_MAKE_PROGRAM={options.make_program}")
    run([str(part) for part in configure], log)
    run([str(options.cmake), "--build", str(folder), "--parallel", str(os.cpu_count() or 1)], log)
    modules = list(output.glob(f"_{extension}.*"))
    if not modules:
        raise Failure(f"csrc has no sources for the extension {extension!r}")
    check_loads(modules[0], f"_{extension}")
    shutil.copy2(modules[0], options.output)
    toolchain = (folder / "toolchain.txt").read_text().splitlines()
    return dict(line.split("=", 1) for line in toolchain if "=" in line)


def attempt(extension, options):
    """The record of one extension for ``_build_info.json``."""
    mode = mode_of(extension)
    record = {"mode": mode, "built": False, "reason": ""}
    if mode == "OFF":
        record["reason"] = f"MINIDL_{extension.upper()} was OFF when minidl was installed"
        return record
    print(f"minidl: building _{extension} ({mode})", flush=True)
    try:
        check_prerequisites(extension, mode)
        record.update(build(extension, options), built=True)
    except Failure as failure:
        record["reason"] = str(failure)
        print(f"minidl: _{extension} was not built: {failure}", file=sys.stderr, flush=True)
    return record


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--generator", default="Ninja")
    parser.add_argument("--make-program", default="")
    for folder in ("source", "build", "output"):
        parser.add_argument(f"--{folder}", type=Path, required=True)
    options = parser.parse_args()
    shutil.rmtree(options.output, ignore_errors=True)
    options.output.mkdir(parents=True)
    records = {extension: attempt(extension, options) for extension in DEFAULTS}
    info = {"extensions": records, "python": sys.version.split()[0], "platform": sys.platform}
    (options.output / "_build_info.json").write_text(json.dumps(info, indent=2) + "\n")
    return any(record["mode"] == "ON" and not record["built"] for record in records.values())


if __name__ == "__main__":
    sys.exit(main())
