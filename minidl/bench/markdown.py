"""Results as a Markdown table: for the README and ``benchmarks/``."""

from minidl.bench.text import beside_best, said, seconds
from minidl.bench.verdict import failures, judge, median, roof

_COLUMNS = (
    "workload", "minidl", "PyTorch", "ratio (p10 to p90)", "must", "best of PyTorch", "aim", "of the ceiling",
    "error: minidl, PyTorch",
)  # fmt: skip


def table(record, targets_only=True):
    """The rows of a record that have targets (or all), a line each; the verdict stands beside each target."""
    lines = [_row(_COLUMNS), _row(["---"] + ["---:"] * (len(_COLUMNS) - 1))]
    lines += [
        _row(_cells(row, record["ceilings"].get(row["dtype"])))
        for row in record["rows"]
        if row["target"] or not targets_only
    ]
    return "\n".join(lines)


def caption(record):
    """The machine and what was used, in a sentence."""
    machine, versions, settings = record["machine"], record["versions"], record["settings"]
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    flops = "; ".join(
        f"{ceilings['flops'] / 1e9:.0f} GFLOP/s ({dtype}: {ceilings['flops_by']}), copy "
        f"{_range([copy['bandwidth'] for copy in ceilings['copies']])} GB/s"
        for dtype, ceilings in record["ceilings"].items()
    )
    return (
        f"{machine['cpu']}, {settings['threads']} threads, {machine['isa']}, {libraries}. "
        f"Ceilings, measured: {flops} (memory to caches). `{record['command']}`"
    )


def _range(values):
    return f"{min(values) / 1e9:.0f} to {max(values) / 1e9:.0f}"


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def _cells(row, ceilings):
    if not row["peers"] or not any(median(peer) for peer in row["peers"].values()):
        return [row["name"], "; ".join(failures(row)) or "not measured", *[""] * (len(_COLUMNS) - 2)]
    verdict, target = judge(row, ceilings), row["target"]
    ours, torch = row["peers"]["minidl"], row["peers"].get("torch", {})
    spread = (torch.get("warm") or torch.get("cold") or {}).get("ratio")
    share = roof(row, median(ours), ceilings)
    return [
        row["name"] + (" (fell back)" if row["fallbacks"] else ""),
        seconds(median(ours)),
        seconds(median(torch)) if torch else "",
        f"{spread['median']:.2f} ({spread['p10']:.2f} to {spread['p90']:.2f})" if spread else "",
        f"{target['must']:.2f} {said(verdict.must)}" if target else "",
        f"{verdict.best.removeprefix('torch').strip() or 'default'} {beside_best(verdict)}"
        + (f" {said(verdict.beside_best)}" if target else "") if verdict.best else "",
        f"{_aim(target)} {said(verdict.aim)}" if target else "",
        "" if share is None else f"{share:.0%}",
        ", ".join(f"{float(peer['error']):.0e}" for peer in (ours, torch) if "error" in peer),
    ]  # fmt: skip


def _aim(target):
    return f"{target['aim_bandwidth']:.0%} of copy" if target["aim"] is None else f"{target['aim']:.2f}"
