"""Every example of the documentation runs: Python blocks of README.md and docs/, docstrings."""

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import minidl

ROOT = Path(__file__).resolve().parent.parent
PAGES = [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if path.exists()]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
OPTIONAL = ("cupy", "h5py", "hypothesis", "keras", "matplotlib", "ml_dtypes", "sklearn", "torch")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


def skip_without_optional(source):
    for name in OPTIONAL:
        if re.search(
            rf"^\s*(?:>>> )?(?:import|from) {name}\b", source, re.MULTILINE
        ) and not importlib.util.find_spec(name):
            pytest.skip(f"the example needs {name}")


def blocks():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            yield pytest.param(page, line, match.group(1), id=f"{page.name}:{line}")


def is_contract(source):
    """A block of the architecture page shows how code is written, with names that exist inside the package."""
    return source.lstrip().startswith(("@op", "def softmax(xp", "CASES"))


@pytest.mark.parametrize(("page", "line", "source"), list(blocks()))
def test_python_block_runs(page, line, source, tmp_path, monkeypatch):
    skip_without_optional(source)
    if page.name == "architecture.md" and is_contract(source):
        compile(source, str(page), "exec")
        return
    monkeypatch.chdir(tmp_path)
    if ">>>" in source:
        run_examples(doctest.DocTestParser().get_doctest(source, {}, page.name, str(page), line))
    else:
        script = tmp_path / f"{page.stem}_at_line_{line}.py"
        script.write_text(source, encoding="utf-8")
        runpy.run_path(str(script), run_name="__main__")


def test_the_tutorial_s_command_gives_what_it_shows(tmp_path):
    pytest.importorskip("hypothesis")
    text = (ROOT / "docs" / "testing-gradients.md").read_text(encoding="utf-8")
    (tmp_path / "test_huber.py").write_text(BLOCK.search(text).group(1), encoding="utf-8")
    shown = re.search(r"^```bash\n(.*?)^```.*?^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert shown.group(1) == "pytest test_huber.py\n"
    command = [sys.executable, "-m", *shown.group(1).split(), "--hypothesis-seed=0", "-p", "no:cacheprovider"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert run.returncode == 1, run.stdout + run.stderr
    for line in shown.group(2).splitlines():
        assert line in run.stdout


def modules():
    yield minidl.__name__
    for found in pkgutil.walk_packages(minidl.__path__, "minidl."):
        leaf = found.name.rpartition(".")[2]
        if leaf not in ("__main__", "_native", "_cuda", "_emulated"):
            yield found.name


class Finder(doctest.DocTestFinder):
    """Finds compiled op functions too, whose globals are not their module's."""

    def _from_module(self, module, object):
        if object is minidl.Tensor:
            return module.__name__ == "minidl.autograd.tensor"
        if inspect.isfunction(object):
            return object.__module__ == module.__name__
        return super()._from_module(module, object)


def run_examples(example):
    report = []
    doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(example, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", list(modules()))
def test_docstring_examples_run(name, tmp_path, monkeypatch):
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in OPTIONAL:
            raise
        pytest.skip(f"{name} needs {missing}")
    monkeypatch.chdir(tmp_path)
    for example in Finder(exclude_empty=True).find(module):
        if example.examples:
            skip_without_optional(example.docstring)
            minidl.manual_seed(0)
            run_examples(example)
