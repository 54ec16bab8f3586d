"""The house of docs/architecture.md: imports go down the floors, no cycles; files and functions are short."""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE, MAX_FUNCTION = 400, 60

# Rooms by floor. A new module of minidl/ is given its floor here.
FLOORS = {
    **dict.fromkeys(
        ("errors", "device", "dtypes", "_version", "build_info", "extras", "absent", "as_torch"), 0
    ),
    **dict.fromkeys(("layouts", "profiler", "return_types", "__future__"), 0),
    **dict.fromkeys(("_native", "_cuda", "_emulated", "_build_info"), 0),
    "backends": 1,
    "autograd": 2,
    "ops": 3,
    **dict.fromkeys(
        ("nn", "optim", "utils", "io", "random", "amp", "cuda", "special", "functional", "linalg", "fft"), 4
    ),
    **dict.fromkeys(
        ("settings", "typed", "accelerator", "compiler", "hub", "jit", "onnx", "version", "fx"), 4
    ),
    **dict.fromkeys(("distributed", "distributions", "batching", "func", "types", "cpu", "mps", "xpu"), 4),
    **dict.fromkeys(("bench", "testing", "demo", "doctor", "__main__"), 5),
    **dict.fromkeys(("array_api", "keras", "preprocessing", "metrics"), 5),
}
TOP = 4.5  # minidl/__init__.py gathers the floors up to 4; only floor 5 may import it

# What a machine may lack: the only modules that may be imported inside a function.
OPTIONAL = {
    *(
        "cupy",
        "cupyx",
        "h5py",
        "hypothesis",
        "jax",
        "keras",
        "matplotlib",
        "ml_dtypes",
        "pandas",
        "PIL",
        "sklearn",
        "torch",
        "tqdm",
    ),
    *("minidl._native", "minidl._cuda", "minidl._emulated", "minidl._build_info"),
    *("minidl.backends.cuda", "minidl.backends.emulated"),  # they need CuPy, or the emulator
}
EXTENSIONS = {"cupy", "cupyx", "minidl._native", "minidl._cuda", "minidl._emulated"}

SOURCES = sorted((ROOT / "minidl").rglob("*.py"))
PYTHON = SOURCES + sorted(
    path for room in ("tests", "scripts", "benchmarks", "cmake") for path in (ROOT / room).rglob("*.py")
)
CPP = sorted(path for path in (ROOT / "csrc").rglob("*") if path.suffix in {".h", ".cpp", ".cu", ".cuh"})


def short(path):
    return str(path.relative_to(ROOT))


files = pytest.mark.parametrize("path", SOURCES, ids=short)


@functools.cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in SOURCES}


def imported(node, path):
    """Absolute names of the modules that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
    source = ".".join(filter(None, (base, node.module)))
    inner = [f"{source}.{alias.name}" for alias in node.names]
    known = [name if name in MODULES or name in OPTIONAL else source for name in inner]
    return list(dict.fromkeys(known))


def imports(path, inside_functions):
    """(line, module) of a file's imports: those that run with it, or those that wait inside its functions."""
    found = []

    def visit(node, within):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            return
        if isinstance(node, (ast.Import, ast.ImportFrom)) and within == inside_functions:
            found.extend((node.lineno, name) for name in imported(node, path))
        within = within or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            visit(child, within)

    visit(parsed(path), False)
    return found


def floor(module):
    parts = module.split(".")
    if len(parts) == 1:
        return TOP
    assert parts[1] in FLOORS, (
        f"minidl/{parts[1]} has no floor: add it to FLOORS in tests/test_architecture.py"
    )
    return FLOORS[parts[1]]


@files
def test_imports_go_down(path):
    here = module_name(path)
    for line, name in imports(path, False) + imports(path, True):
        if name.partition(".")[0] == "minidl":
            assert floor(name) <= floor(here), (
                f"{short(path)}:{line} imports {name}, which is on a higher floor"
            )


@files
def test_functions_import_only_what_may_be_missing(path):
    for line, name in imports(path, True):
        optional = name in OPTIONAL or name.partition(".")[0] in OPTIONAL
        assert optional, (
            f"{short(path)}:{line} imports {name} inside a function; import it at the top of the file"
        )


@files
def test_extensions_are_known_to_backends_alone(path):
    if module_name(path).startswith(("minidl.backends", "minidl.doctor")):
        return
    for line, name in imports(path, False) + imports(path, True):
        known = name in EXTENSIONS or name.partition(".")[0] in EXTENSIONS
        assert not known, f"{short(path)}:{line} imports {name}; ask minidl.backends instead"


def test_modules_import_each_other_in_no_cycle():
    graph = {
        name: [target for _, target in imports(path, False) if target in MODULES and target != name]
        for name, path in MODULES.items()
    }
    finished, trail = set(), []

    def visit(name):
        if name in trail:
            raise AssertionError("import cycle: " + " -> ".join([*trail[trail.index(name) :], name]))
        if name not in finished:
            trail.append(name)
            for target in graph[name]:
                visit(target)
            trail.pop()
            finished.add(name)

    for name in graph:
        visit(name)


@pytest.mark.parametrize("path", PYTHON + CPP, ids=short)
def test_files_are_short(path):
    length = len(path.read_text(encoding="utf-8").splitlines())
    assert length <= MAX_FILE, f"{short(path)} has {length} lines; split it by idea"


@pytest.mark.parametrize("path", PYTHON, ids=short)
def test_functions_are_short(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0]
            documented = ast.get_docstring(node) is not None
            docstring = first.end_lineno - first.lineno + 1 if documented else 0
            length = node.end_lineno - node.lineno + 1 - docstring
            assert length <= MAX_FUNCTION, f"{short(path)}:{node.lineno} {node.name} has {length} lines"


_NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|^[ \t]*\#(?:\\\n|[^\n])*""",
    re.DOTALL | re.MULTILINE,
)
_CONTROL = re.compile(r"\s*(?:\}\s*)?(?:else\s+)?(?:if|for|while|switch|catch)\b")
_AFTER_PARAMETERS = re.compile(
    r"\s*(?:(?:const|noexcept|override|final|mutable)\s*)*(?:->.*|:[^:].*)?", re.DOTALL
)


def cpp_functions(text):
    """(line, length) of every block after a parameter list: functions, and lambdas with parameters."""
    code = _NOT_CODE.sub(lambda match: "\n" * match.group().count("\n"), text)
    open_blocks, start, line = [], 0, 1
    for position, letter in enumerate(code):
        if letter == "\n":
            line += 1
        elif letter == "{":
            header = code[start:position].strip()
            tail = header[header.rfind(")") + 1 :]
            is_function = ")" in header and _AFTER_PARAMETERS.fullmatch(tail) and not _CONTROL.match(header)
            open_blocks.append((line - code[start:position].lstrip().count("\n"), is_function))
        elif letter == "}" and open_blocks:
            begin, is_function = open_blocks.pop()
            if is_function:
                yield begin, line - begin + 1
        if letter in "{};":
            start = position + 1


@pytest.mark.parametrize("path", CPP, ids=short)
def test_cpp_functions_are_short(path):
    for line, length in cpp_functions(path.read_text(encoding="utf-8")):
        assert length <= MAX_FUNCTION, f"{short(path)}:{line} has a function of {length} lines"


def test_the_cpp_measure_counts_functions():
    text = """namespace a {
#define X(y) \\
  { y }
struct B : C<(1)> {
  template <class T>
  int f(int x) const {  // {
    if (x) {
      return '{';
    }
    each([&](int y) { return y; });
    return 2;
  }
};
}
"""
    assert list(cpp_functions(text)) == [(10, 1), (5, 8)]


def test_importing_minidl_imports_nothing_optional():
    probe = "import sys, minidl; print(' '.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    roots = {name.partition(".")[0] for name in loaded.split()}
    allowed = {"ml_dtypes"}  # NumPy's bfloat16: small, and a dtype has to exist before the first tensor
    assert not roots & ({name for name in OPTIONAL if "." not in name} - allowed)
