"""What is made of results: verdicts, JSON, comparison, tables, figures."""

import json

import bench_records as records
import pytest

from minidl import bench
from minidl.bench import compare, markdown, record, text, verdict


def test_a_must_holds_at_97_per_cent_of_it_and_an_aim_at_all_of_it():
    name = "optimizer/adam/step"  # must 2.0, aim 2.5
    for theirs, must, aim in (
        (1.93, False, False),
        (1.95, True, False),
        (2.49, True, False),
        (2.51, True, True),
    ):
        found = verdict.judge(records.row(name, theirs=theirs))
        assert (found.must, found.aim) == (must, aim)


def test_the_best_variant_is_the_fastest_of_pytorchs():
    found = verdict.judge(records.row("optimizer/adam/step", theirs=3.0, best=0.9))
    assert (found.ratio, found.best, found.best_ratio) == (
        pytest.approx(3.0),
        "torch fused",
        pytest.approx(0.9),
    )
    assert found.must and found.beside_best is False
    assert verdict.judge(records.row("optimizer/adam/step", theirs=3.0, best=4.0)).best == "torch"


def test_an_aim_may_be_a_share_of_the_copy_bandwidth():
    row = records.row("max_pool2d/2x2/forward", theirs=50.0)
    needed = row["bytes"] / (0.7 * 5e10) * 1e3
    slower = records.row("max_pool2d/2x2/forward", ours=needed * 1.01)
    faster = records.row("max_pool2d/2x2/forward", ours=needed * 0.99)
    assert [verdict.judge(r, records.CEILINGS).aim for r in (slower, faster)] == [False, True]
    assert verdict.judge(faster).aim is None


def test_a_row_without_a_peer_or_a_target_has_no_verdict():
    assert verdict.judge(records.row(theirs=None)).must is None
    assert verdict.judge(records.row("overhead/add/forward")).must is None


def test_the_roof_is_the_longer_of_arithmetic_and_traffic():
    row = records.row("matmul/2048/forward")
    assert verdict.roof(row, row["flops"] / 4e11, records.CEILINGS) == pytest.approx(1.0)
    row = records.row("transpose/1024x1024/forward")
    assert verdict.roof(row, row["bytes"] / 1e11, records.CEILINGS) == pytest.approx(1.0)
    assert verdict.roof(row, 1.0, None) is None


def test_a_record_is_read_as_it_was_written(tmp_path):
    made = records.made(records.row(), records.row("train/lenet/step"))
    record.write(tmp_path / "r.json", made)
    assert record.read(tmp_path / "r.json") == json.loads(json.dumps(made))
    record.write(tmp_path / "none.json", records.made())
    assert record.read(tmp_path / "none.json")["rows"] == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file"),
        ("{", "is not JSON"),
        ("[]", "is no result"),
        ('{"schema": 1}', "is no result"),
        (json.dumps({**dict.fromkeys(sorted(record._KEYS)), "schema": 99}), "has schema 99"),
        (b"\xff\xfe", "is not JSON"),
    ],
)
def test_a_file_that_is_no_record_is_named_with_the_reason(content, reason, tmp_path):
    path = tmp_path / "r.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(bench.BadInput, match=reason) as raised:
        record.read(path)
    assert "r.json" in str(raised.value)


def changes(before, after, **options):
    return {
        change.name.split()[0]: change
        for change in compare.compare(records.made(*before), records.made(*after), **options)[0]
    }


@pytest.mark.parametrize(
    ("after", "spread", "moved", "regressed"),
    [
        (1.0, 0.01, False, False),
        (1.04, 0.001, False, False),  # beyond the spread, within the noise
        (1.3, 0.001, True, True),
        (1.3, 0.1, False, False),  # the ranges overlap
        (0.7, 0.001, True, False),
    ],
)
def test_a_row_moved_beyond_the_noise_or_not(after, spread, moved, regressed):
    rows = [records.row(ours=ours, spread=spread) for ours in (1.0, after)]
    (change,) = changes(rows[:1], rows[1:]).values()
    assert (change.moved, change.regressed) == (moved, regressed)
    assert change.factor == pytest.approx(after)


def test_a_comparison_of_ratios_is_blind_to_a_slower_machine():
    before, after = records.row(), records.row(ours=2.0, theirs=2.4)
    assert next(iter(changes([before], [after]).values())).regressed
    assert not next(iter(changes([before], [after], by="ratio").values())).moved
    worse = records.row(ours=2.0, theirs=1.2)
    assert next(iter(changes([before], [worse], by="ratio").values())).regressed


def test_the_report_names_what_moved_what_is_new_and_what_is_gone():
    before = records.made(records.row(), records.row("matmul/512/forward"), records.row("train/mlp/step"))
    after = records.made(
        records.row(ours=2.0), records.row("matmul/512/forward", ours=0.5), records.row("train/lenet/step")
    )
    lines = compare.report(*compare.compare(before, after))
    assert [line.split()[:3] for line in lines[:2]] == [
        ["SLOWER", "2.00x", "matmul/256/forward"],
        ["faster", "2.00x", "matmul/512/forward"],
    ]
    assert any("only in the first: train/mlp" in line for line in lines)
    assert any("only in the second: train/lenet" in line for line in lines)
    assert lines[-1] == "2 rows compared: 1 slower, 1 faster, the rest within noise"


def test_other_machines_and_settings_are_pointed_out():
    before, after = records.made(), records.made()
    assert compare.unlike(before, after) == []
    after["settings"]["threads"] = 4
    after["machine"]["cpu"] = "another"
    assert [line.split(" was ")[0] for line in compare.unlike(before, after)] == [
        "machine: cpu",
        "settings: threads",
    ]


def test_markdown_has_a_line_a_row_and_says_what_is_met():
    rows = [records.row(), records.row("matmul/512/forward", theirs=0.5), records.row("overhead/add/forward")]
    lines = markdown.table(records.made(*rows)).splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    assert "0.95 met" in lines[2] and "0.95 missed" in lines[3]
    assert len(markdown.table(records.made(*rows), targets_only=False).splitlines()) == 5


def test_a_row_that_failed_is_shown_as_failed_everywhere():
    fallen = records.row(fallbacks=["native.matmul"])
    assert "(fell back)" in markdown.table(records.made(fallen))
    assert any("FAILED, fell back to the reference: native.matmul" in line for line in text.lines(fallen))
    broken = {**records.row(), "peers": {}, "failed": {"minidl": "ValueError: no"}}
    assert "minidl failed: ValueError: no" in markdown.table(records.made(broken))
    assert any("minidl failed: ValueError: no" in line for line in text.lines(broken))


def test_the_figure_holds_everyone_and_the_ceilings():
    pytest.importorskip("matplotlib")
    from minidl.bench import roofline

    axes = roofline.draw(records.made(records.row(best=1.1))).axes[0]
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["minidl", "torch", "torch fused"]
    labels = [note.get_text() for note in axes.texts]
    assert labels == ["400 GFLOP/s", "copy of 1 MiB: 100 GB/s", "copy of 256 MiB: 50 GB/s"]
    assert roofline.png(records.made()).startswith(b"\x89PNG")


def test_the_page_needs_no_other_file():
    pytest.importorskip("matplotlib")
    from minidl.bench import page

    shown = page.render(records.made(records.row(), records.row("matmul/512/forward", theirs=0.5)))
    assert "data:image/png;base64," in shown and "http" not in shown
    assert ("class=missed" in shown and "AMD" in shown) or "cpu" in shown
