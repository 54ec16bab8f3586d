"""Small faults in CUDA kernels and in the functions that choose them: what ``scripts/mutate.py kernels`` plants.

A mutant is a line of ``csrc/cuda/*.cu`` or ``*_select.h`` with one operator, bound, constant or barrier changed. What
includes that line (of a kernel: one file) is compiled for the emulator at -O1 and linked with the objects of all else,
which are compiled once, and the C++ tests of its family run up to the first failure. AddressSanitizer does not run:
the tests' arrays lie between fences (``tests/emulator/fences.h``), indices and alignment are checked where the fault
is, and the emulator watches shared memory, barriers and copies. One that does not compile is no mutant; one that takes
four times as long as the tests take without it, or a minute, is caught: of processor time, however busy the machine.
"""

import concurrent.futures
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import tempfile
import time
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
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
ALSO = {
    "norm": ("reduce",), "index": ("radix", "scan"), "conv": ("matmul",), "dropout": ("random",),
    "recurrent": ("matmul",),
}  # fmt: skip
TESTED = {"radix": "index", "random": "dropout"}  # families that the tests of another run
# What a mutant is compiled with besides: an index past an array of registers ends the program, as does a pack that is
# not aligned. Cheaper by far than AddressSanitizer, and needs no library.
TRAPS = "-fsanitize=bounds,alignment,shift -fsanitize-undefined-trap-on-error"
FLAGS = "-std=c++20 -O1 -w -DMINIDL_EMULATOR -Icsrc/emulator -Icsrc -Itests/emulator -MMD -x c++ -c"


class Mutant(NamedTuple):
    """A fault: the file of csrc/cuda, the text there (which is there once), and what is put there."""

    file: str
    right: str
    wrong: str

    def __str__(self):
        return f"csrc/cuda/{self.file}  {' '.join(self.right.split())}  ->  {' '.join(self.wrong.split())}"


def family(file):
    """The family of a file: its tests are ``tests/emulator/test_FAMILY*.cpp``."""
    name = file.split("_")[0].split(".")[0]
    return TESTED.get(name, name)


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


def _sources(name):
    """What a family's program is made of."""
    cuda, tests = ROOT / "csrc" / "cuda", ROOT / "tests" / "emulator"
    names = (name, *ALSO.get(name, ()))
    own = [p for p in cuda.iterdir() if p.suffix in (".cu", ".cpp") and p.name.startswith(names)]
    shared = [cuda / file for file in SHARED if cuda / file not in own]
    found = [*(ROOT / "csrc" / "emulator").glob("*.cpp"), *shared, *own, tests / "main.cpp"]
    return sorted(str(p.relative_to(ROOT)) for p in [*found, *tests.glob(f"test_{name}*.cpp")])


class Program:
    """The tests of a family: objects compiled once, below ``build/mutants``, and those of a mutant."""

    def __init__(self, name, folder):
        self.folder, self.sources = folder, _sources(name)
        self.limit, self.seconds = 60, 0
        self.built = ROOT / "build" / "mutants"
        self.built.mkdir(parents=True, exist_ok=True)
        error = _compile(ROOT, [s for s in self.sources if self._is_old(s)], self.built)
        result, self.output = ("invalid", error) if error else self._run({})
        self.sound = result == "survived"
        self.limit = min(60, 2 + int(4 * self.seconds))

    def _read(self, source):
        """What a source reads, by what the compiler wrote down."""
        text = (self.built / f"{pathlib.Path(source).name}.d").read_text(encoding="utf-8")
        return text.partition(":")[2].replace("\\\n", " ").split()

    def _is_old(self, source):
        built = self.built / f"{pathlib.Path(source).name}.o"
        if not built.exists():
            return True
        made = built.stat().st_mtime
        return any(not (ROOT / p).exists() or (ROOT / p).stat().st_mtime > made for p in self._read(source))

    def outcome(self, mutant):
        """``caught``, ``survived`` or ``invalid``: what became of the tests."""
        changed = f"csrc/cuda/{mutant.file}"
        path = self.folder / changed
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(mutant.right, mutant.wrong, 1), encoding="utf-8")
        try:
            sources = [s for s in self.sources if changed in self._read(s)]
            if _compile(self.folder, sources, self.folder, TRAPS):
                return "invalid"
            return self._run({f"{pathlib.Path(s).name}.o" for s in sources})[0]
        finally:
            path.write_text(text, encoding="utf-8")

    def _run(self, changed):
        names = [f"{pathlib.Path(s).name}.o" for s in self.sources]
        objects = [(self.folder if n in changed else self.built) / n for n in names]
        program = self.folder / "tests" / "program"
        if subprocess.run(["g++", *objects, "-o", program], capture_output=True).returncode:
            return "invalid", "it does not link"
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        limit = (self.limit, self.limit + 5)
        run = subprocess.run(
            [program, "", "stop"],
            capture_output=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, limit),
        )
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.seconds = ended.ru_utime - began.ru_utime  # of the processor
        return ("survived" if run.returncode == 0 else "caught"), run.stdout[-500:].decode(errors="replace")


def _compile(folder, sources, to, more=""):
    """Compiles what lies below ``folder``; gives what the compiler says where it fails."""

    def one(source):
        command = ["g++", *more.split(), *FLAGS.split(), source, "-o", to / f"{pathlib.Path(source).name}.o"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        return run.stderr[-1500:] if run.returncode else ""

    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        return "".join(pool.map(one, sources))


def chosen(options):
    """A sample: its first are those of a smaller one. Or what lived according to a report."""
    found = list(mutants(options.only))
    print(f"{len(found)} mutants of kernels", flush=True)
    if options.again:
        text = pathlib.Path(options.again).read_text(encoding="utf-8")
        found = [m for m in found if f"survived  {m}\n" in text]
    random.Random(options.seed).shuffle(found)
    return found[: options.sample or 200]


def mutate(options, report):
    """Plants a sample of the mutants; gives those that lived."""
    sample = chosen(options)
    began, survivors, planted, programs = time.monotonic(), [], 0, {}
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        for part in ("csrc", "tests/emulator"):
            shutil.copytree(ROOT / part, folder / part)
        for mutant in sample:
            name, start = family(mutant.file), time.monotonic()
            if name not in programs:
                programs[name] = program = Program(name, folder)
                print(
                    f"  {name} is built, {time.monotonic() - start:.0f} s; its tests take {program.seconds:.1f} s"
                )
                if not program.sound:
                    print(f"  they fail without any fault:\n{program.output}", flush=True)
                start = time.monotonic()
            if programs[name].sound:
                result = programs[name].outcome(mutant)
                planted += result != "invalid"
                survivors += [mutant] if result == "survived" else []
                print(f"  {result}: {mutant}  ({time.monotonic() - start:.1f} s)", flush=True)
    report("kernels", planted, survivors, time.monotonic() - began, options)
    return survivors
