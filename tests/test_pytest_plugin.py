"""The pytest plugin and ``python -m minidl test``: what they do, and that they do nothing unasked."""

import importlib.util
import subprocess
import sys

from minidl import __main__ as command_line
from minidl.testing import selftest

# An installed minidl has it by a name of its own, so that loading it does not load minidl.
FOUND = importlib.util.find_spec("minidl_pytest") or importlib.util.find_spec("minidl.testing.minidl_pytest")
PLUGIN = FOUND.origin
PROGRAM = """
import sys

def test_it(minidl_device):
    assert minidl_device == {device!r}
    assert ("minidl.testing.session" in sys.modules) == {asked}
    if {asked}:
        import minidl
        assert minidl.initial_seed() == 7
        assert minidl.ones(1).device.type == {device!r}
        x = minidl.ones(2, requires_grad=True)
        (g,) = minidl.autograd.grad(x.sin().sum(), x, create_graph=True)
        g.sum().backward()
"""


def run_pytest(folder, program, *options):
    """pytest in a process of its own, with the plugin as an installed minidl has it (whose own is kept out)."""
    (folder / "test_it.py").write_text(program)
    load = (
        "import importlib.util, sys, pytest; "
        f"spec = importlib.util.spec_from_file_location('minidl_pytest', {PLUGIN!r}); "
        "plugin = importlib.util.module_from_spec(spec); spec.loader.exec_module(plugin); "
        "alone = 'minidl' not in sys.modules; "
        "off = ['-p', 'no:cacheprovider', '-p', 'no:minidl']; "
        "code = pytest.main([*sys.argv[1:], '-q', *off, 'test_it.py'], [plugin]); "
        "print('loaded alone' if alone else 'loaded minidl'); sys.exit(code)"
    )
    command = [sys.executable, "-c", load, *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)


def test_without_an_option_minidl_is_not_even_loaded(tmp_path):
    program = "import sys\n\ndef test_it():\n    assert 'minidl' not in sys.modules\n"
    run = run_pytest(tmp_path, program)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "loaded alone" in run.stdout and "coverage" not in run.stdout


def test_options_set_the_seed_and_the_device_and_report_coverage(tmp_path, emulated):
    options = (
        "--minidl-device",
        emulated,
        "--minidl-seed",
        "7",
        "--minidl-coverage",
        "--minidl-backend",
        "reference",
    )
    run = run_pytest(tmp_path, PROGRAM.format(device=emulated, asked=True), *options)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "sin: all rules in both orders" in run.stdout


def test_a_device_that_is_not_there_ends_in_a_line(tmp_path):
    run = run_pytest(tmp_path, PROGRAM, "--minidl-device", "nonsense")
    assert run.returncode == 4 and "minidl: " in run.stderr and "nonsense" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_command_tells_what_holds(capsys):
    assert command_line.main(["test", "--examples", "2", "ops/sinh"]) == 0
    printed = capsys.readouterr().out
    assert "ops            1 properties, all hold" in printed
    assert command_line.main(["test", "no/such"]) == 2
    assert "no property named 'no/such'" in capsys.readouterr().out


def test_the_command_names_a_failure(capsys, monkeypatch):
    def wrong(example):
        raise AssertionError("planted")

    monkeypatch.setattr(selftest, "_check_op", wrong)
    assert command_line.main(["test", "--quick", "ops/sinh"]) == 1
    printed = capsys.readouterr().out
    assert "FAILED ops/sinh: AssertionError: planted" in printed and "1 properties, 1 failed" in printed


def test_the_command_without_hypothesis_is_one_line(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    assert command_line.main(["test", "--quick"]) == 1
    printed = capsys.readouterr()
    assert printed.err == (
        "error: python -m minidl test needs Hypothesis; install it with: pip install 'minidl[test]'\n"
    )
