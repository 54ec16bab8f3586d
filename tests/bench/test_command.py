"""``python -m minidl bench``: what it prints, writes, and refuses."""

import io
import json

import bench_records as records
import pytest

import minidl
from minidl import __main__ as command_line
from minidl import bench
from minidl.bench import ceilings, command, peers, record, running
from minidl.bench.progress import Progress

FAST = ["--seconds", "0", "--vs", "none", "--threads", "1"]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No probes, no more samples than one."""
    monkeypatch.setattr(ceilings, "probe", lambda *args: records.CEILINGS)
    monkeypatch.setattr(command, "Budget", lambda seconds: bench.Budget(seconds, 1, 1))


def run(*arguments):
    return command_line.main(["bench", *arguments])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nonsense"], "no workload matches 'nonsense'"),
        (["overhead", "no*thing"], "no workload matches 'no*thing'"),
        (["--list", "nonsense"], "no workload matches 'nonsense'"),
        (["overhead/add", "--dtype", "int7"], "dtype 'int7' is unknown"),
        (["overhead/add", "--vs", "torch,jax"], "peer 'jax' is unknown"),
        (["overhead/add", "--threads", "0"], "--threads must be at least 1, got 0"),
        (["overhead/add", "--seconds", "-1"], "--seconds must not be negative"),
        (["overhead/add", "--device", "tpu"], "tpu"),
        (["overhead/add", "--json", "/no/such/folder/x.json"], "there is no folder /no/such/folder"),
        (["compare", "a.json"], "compare takes two files"),
        (["compare", "a.json", "b.json"], "a.json cannot be read: No such file"),
        (["table"], "table takes one file"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, text, capsys):
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("error: ") and text in printed.err
    assert printed.err.count("\n") == 1


def test_a_run_prints_a_table_and_writes_all_of_it(capsys, tmp_path):
    path = tmp_path / "r.json"
    status = run(
        "overhead/add", "overhead/mul-number/forward", "--json", str(path), *FAST, "--caches", "both"
    )
    printed = capsys.readouterr().out
    found = record.read(path)
    assert status == (1 if any(row["fallbacks"] for row in found["rows"]) else 0)
    assert [row["name"] for row in found["rows"]] == [
        "overhead/add/forward", "overhead/add/backward", "overhead/mul-number/forward",
    ]  # fmt: skip
    for row in found["rows"]:
        assert row["name"] in printed and set(row["peers"]["minidl"]) == {"error", "warm", "cold"}
        assert row["oracle"] == "minidl float64" and float(row["peers"]["minidl"]["error"]) < 1e-6
    assert found["settings"]["threads"] == 1 and found["ceilings"] == {"float32": records.CEILINGS}
    assert found["machine"]["cpus"] >= 1 and found["versions"]["minidl"] == minidl.__version__


def test_the_thread_count_is_given_back():
    before = minidl.get_num_threads()
    run("overhead/add/forward", *FAST[:-1], str(before + 1))
    assert minidl.get_num_threads() == before


def test_numpy_runs_beside_us(tmp_path):
    path = tmp_path / "r.json"
    run("matmul/256/forward", "--json", str(path), *FAST, "--vs", "numpy")
    (row,) = record.read(path)["rows"]
    assert set(row["peers"]) == {"minidl", "numpy"} and row["peers"]["numpy"]["warm"]["ratio"]["median"] > 0


def test_a_peer_that_is_not_installed_is_named_and_left_out(monkeypatch, capsys):
    def missing(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(peers.importlib, "import_module", missing)
    run("overhead/add/forward", *FAST, "--vs", "torch")
    assert (
        "note: torch is left out: it cannot be imported (No module named 'torch')" in capsys.readouterr().err
    )


def test_a_fallback_fails_the_row_and_the_run(monkeypatch, capsys):
    fallen = records.row(fallbacks=["native.matmul"])
    monkeypatch.setattr(running, "measure", lambda *args: fallen)
    assert run("matmul/256/forward", *FAST) == 1
    assert "FAILED, fell back to the reference: native.matmul" in capsys.readouterr().out


def test_a_workload_that_raises_fails_its_row_and_not_the_run(monkeypatch, capsys):
    def broken(kit, **arguments):
        raise ZeroDivisionError("as planned")

    row = bench.named("overhead/add/forward")
    monkeypatch.setattr(
        command, "select", lambda *args: [bench.registry.dataclasses.replace(row, build=broken)] * 2
    )
    assert run(*FAST) == 1
    assert capsys.readouterr().out.count("minidl failed: ZeroDivisionError: as planned") == 2


def test_the_list_shows_every_workload(capsys):
    assert run("--list") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(bench.registered())
    assert run("--list", "--targets") == 0
    assert len(capsys.readouterr().out.splitlines()) == sum(
        row.target is not None for row in bench.registered()
    )


def test_compare_says_what_moved_and_fails_on_a_regression(capsys, tmp_path):
    for name, ours in (("a", 1.0), ("b", 2.0)):
        record.write(tmp_path / f"{name}.json", records.made(records.row(ours=ours)))
    a, b = str(tmp_path / "a.json"), str(tmp_path / "b.json")
    assert run("compare", a, b) == 1
    assert capsys.readouterr().out.startswith("SLOWER  2.00x  matmul/256/forward")
    assert run("compare", b, a) == 0
    assert run("compare", a, b, "--noise", "1.5") == 0


def test_table_writes_markdown_a_figure_and_a_page(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "r.json"
    record.write(path, records.made(records.row()))
    assert run("table", str(path), "--plot", str(tmp_path / "r.png"), "--html", str(tmp_path / "r.html")) == 0
    assert capsys.readouterr().out.startswith("| workload |")
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


def test_the_help_names_the_subcommands(capsys):
    with pytest.raises(SystemExit) as stopped:
        run("--help")
    shown = capsys.readouterr().out
    assert stopped.value.code == 0 and all(
        word in shown for word in ("compare", "table", "--list", "roofline")
    )


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_alone():
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        line = Progress(3, stream)
        line.start("matmul/256/forward")
        line.step(7)
        line.clear()
        assert ("[1/3] matmul/256/forward  sample 7" in stream.getvalue()) == shown
        assert bool(stream.getvalue()) == shown


def test_json_has_no_infinities(tmp_path):
    row = records.row(error="inf")
    record.write(tmp_path / "r.json", records.made(row))
    json.loads((tmp_path / "r.json").read_text(), parse_constant=pytest.fail)
