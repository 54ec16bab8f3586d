"""The roofline: flops a second over flops a byte, log-log, below the ceilings that were measured.

Source: S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful visual performance model", 2009.
"""

import io

from minidl.bench.verdict import median
from minidl.extras import need

_MARKS = "osD^vP*X"


def points(record):
    """(peer, family, flops a byte, flops a second) of everything that was timed and computes."""
    found = []
    for row in record["rows"]:
        for name, peer in row["peers"].items():
            time = median(peer)
            if time and row["flops"] and row["bytes"]:
                found.append((name, row["family"], row["flops"] / row["bytes"], row["flops"] / time))
    return found


def draw(record, dtype=None):
    """A matplotlib figure of a record; ``dtype`` chooses the ceilings, by default the first that were measured."""
    figure = need("matplotlib.figure", "matplotlib", "bench").Figure(figsize=(9, 6), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log", xlabel="flops a byte", ylabel="GFLOP/s")
    spots = points(record)
    if spots:
        for index, name in enumerate(dict.fromkeys(spot[0] for spot in spots)):
            mine = [spot for spot in spots if spot[0] == name]
            ours = name == "minidl"
            axes.plot(
                [spot[2] for spot in mine], [spot[3] / 1e9 for spot in mine], _MARKS[index % len(_MARKS)],
                label=name, markersize=7 if ours else 5, alpha=1.0 if ours else 0.6, zorder=3 if ours else 2,
            )  # fmt: skip
    if record["ceilings"]:
        dtype = dtype or next(iter(record["ceilings"]))
        _ceilings(axes, record["ceilings"][dtype], spots)
    axes.set_title(f"{record['machine']['cpu']}, {record['settings']['threads']} threads")
    axes.grid(which="both", alpha=0.2)
    if spots:
        axes.legend(loc="lower right")
    return figure


def _ceilings(axes, ceilings, spots):
    peak = ceilings["flops"]
    left = min([spot[2] for spot in spots], default=0.1) / 2
    right = max([spot[2] for spot in spots] + [4 * peak / min(c["bandwidth"] for c in ceilings["copies"])])
    axes.plot([left, right], [peak / 1e9] * 2, "k-", linewidth=1)
    axes.annotate(f"{peak / 1e9:.0f} GFLOP/s", (right, peak / 1e9), ha="right", va="bottom")
    shown = {copy["bytes"]: copy for copy in (ceilings["copies"][0], ceilings["copies"][-1])}
    for size, copy in shown.items():
        rate = copy["bandwidth"]
        axes.plot([left, peak / rate], [left * rate / 1e9, peak / 1e9], "k--", linewidth=1)
        axes.annotate(
            f"copy of {size / 2**20:.0f} MiB: {rate / 1e9:.0f} GB/s", (left, left * rate / 1e9),
            rotation=33, rotation_mode="anchor", va="bottom", fontsize=8,
        )  # fmt: skip


def png(record):
    """The figure as the bytes of a PNG file."""
    out = io.BytesIO()
    draw(record).savefig(out, format="png", dpi=120)
    return out.getvalue()
