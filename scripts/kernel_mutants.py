"""Small faults in CUDA kernels and in the functions that choose them: what ``scripts/mutate.py kernels`` plants.

A mutant is a line of ``csrc/cuda/*.cu`` or ``*_select.h`` with one operator, bound, constant or barrier changed. It is
compiled for the emulator, at -O1 under the sanitizers, with the kernels and the C++ tests of its family alone, and the
tests run: the machinery of ``scripts/plant_kernel_faults.py``. One that does not compile is no mutant; one that takes
more than a minute to run is caught.
"""

import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import time
from typing import NamedTuple

import plant_kernel_faults

ROOT = plant_kernel_faults.ROOT
SWAPS = [
    (" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "), (" != ", " == "),
    (" + ", " - "), (" - ", " + "), (" * ", " + "), (" / ", " * "), (" % ", " / "), (" && ", " || "),
    (" || ", " && "), (" += ", " -= "), (" >> ", " << "), (" & ", " | "), ("++", "--"), ("max(", "min("),
    ("min(", "max("), ("__syncthreads();", ""), ("__syncwarp();", ""), ("if (", "if (!("),
]  # fmt: skip
NOT_CODE = re.compile(
    r"^\s*(//|#|\*|/\*|template|static_assert|namespace|using|struct|INSTANTIATE|for \(auto)"
)
# Sources of a family beside those of its name, and the tests: what its program is linked from.
SHARED = ("device.cpp", "launch_shape.cpp", "array.cpp", "tensor_map.cpp", "images.cpp")
ALSO = {"norm": ("reduce",), "index": ("radix", "scan"), "cross": (), "conv": ("matmul",)}


class Mutant(NamedTuple):
    """A fault: the file of csrc/cuda, the text there (which is there once), and what is put there."""

    file: str
    right: str
    wrong: str

    def __str__(self):
        return f"csrc/cuda/{self.file}  {' '.join(self.right.split())}  ->  {' '.join(self.wrong.split())}"


def family(file):
    return file.split("_")[0].split(".")[0]


def mutants(only):
    """Every mutant, in the order of files and lines."""
    tests = {p.stem.split("_")[1] for p in (ROOT / "tests" / "emulator").glob("test_*.cpp")}
    files = sorted([*(ROOT / "csrc" / "cuda").glob("*.cu"), *(ROOT / "csrc" / "cuda").glob("*_select.h")])
    for path in files:
        if family(path.name) in tests and (not only or family(path.name) in only.split(",")):
            text = path.read_text(encoding="utf-8")
            for line in text.splitlines(keepends=True):
                if not NOT_CODE.match(line) and text.count(line) == 1:
                    yield from (Mutant(path.name, line, wrong) for wrong in _changes(line))


def _changes(line):
    code, comment, rest = line.partition("//")
    for right, wrong in SWAPS:
        for match in re.finditer(re.escape(right), code):
            changed = code[: match.start()] + wrong + code[match.end() :]
            if right == "if (":
                changed = _closed(code, match.end())
            if changed is not None:
                yield changed + comment + rest
    for match in re.finditer(r"(?<![\w.<])([0-9]+)(?![\w.>])", code):
        yield code[: match.start()] + str(int(match.group()) + 1) + code[match.end() :] + comment + rest


def _closed(code, start):
    """``if (x)`` as ``if (!(x))``, where it closes on its line."""
    depth = 1
    for place in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[place], 0)
        if depth == 0:
            return f"{code[:start]}!({code[start:place]}){code[place:]}"
    return None


def _sources(folder, name):
    """What a family's program is made of."""
    cuda, tests = folder / "csrc" / "cuda", folder / "tests" / "emulator"
    names = (name, *ALSO.get(name, ()))
    own = [p for p in cuda.iterdir() if p.suffix in (".cu", ".cpp") and family(p.name) in names]
    shared = [cuda / file for file in SHARED if (cuda / file).exists() and cuda / file not in own]
    found = [*(folder / "csrc" / "emulator").glob("*.cpp"), *shared, *own, tests / "main.cpp"]
    return [*found, *tests.glob(f"test_{name}*.cpp")]


def outcome(folder, name):
    """``caught``, ``survived`` or ``invalid``: what became of the family's tests."""
    sources = " ".join(str(p.relative_to(folder)) for p in sorted(_sources(folder, name)))
    env = {**os.environ, "SOURCES": sources, "BUILD": f"build/mutants-{name}"}
    build = subprocess.run(
        ["scripts/emulator_sanitized.sh", "no test has this name"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
    )
    if "error:" in build.stdout + build.stderr or "undefined reference" in build.stderr:
        return "invalid", build.stderr[-1500:]
    try:
        program = folder / env["BUILD"] / "tests"
        run = subprocess.run([program], cwd=folder, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "caught", "a minute passed"
    return ("survived" if run.returncode == 0 else "caught"), run.stdout[-500:] + run.stderr[-500:]


def mutate(options, report):
    """Plants a sample of the mutants; gives those that lived."""
    found = list(mutants(options.only))
    print(f"{len(found)} mutants of kernels", flush=True)
    chosen = random.Random(options.seed).sample(found, min(options.sample or 200, len(found)))
    began, survivors, planted = time.monotonic(), [], 0
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        for part in ("csrc", "scripts", "tests/emulator"):
            shutil.copytree(ROOT / part, folder / part)
        for name in sorted({family(m.file) for m in chosen}):
            result, output = outcome(folder, name)
            if result != "survived":
                print(f"the tests of {name} fail without any fault:\n{output}", flush=True)
                continue
            print(f"  {name} is built, {time.monotonic() - began:.0f} s", flush=True)
            for mutant in sorted(m for m in chosen if family(m.file) == name):
                path = folder / "csrc" / "cuda" / mutant.file
                text = path.read_text(encoding="utf-8")
                path.write_text(text.replace(mutant.right, mutant.wrong, 1), encoding="utf-8")
                result, _ = outcome(folder, name)
                path.write_text(text, encoding="utf-8")
                planted += result != "invalid"
                survivors += [mutant] if result == "survived" else []
                print(f"  {result}: {mutant}", flush=True)
    report("kernels", planted, survivors, time.monotonic() - began, options)
    return survivors
