"""What moved between two records, beyond the noise."""

import dataclasses

from minidl.bench.peers import OURS
from minidl.bench.text import seconds

BY = ("time", "ratio")


@dataclasses.dataclass(frozen=True)
class Change:
    """A row of both records. ``factor`` above 1: slower than before. ``moved`` says that noise does not explain it."""

    name: str
    before: float
    after: float
    factor: float
    moved: bool

    @property
    def regressed(self):
        """Whether it is slower beyond the noise."""
        return self.moved and self.factor > 1


def compare(before, after, noise=0.05, by="time"):
    """The changes of all rows in both records, and the names that are in one alone: (changes, gone, new).

    A row moved where the medians differ by more than ``noise`` and the ranges p10 ... p90 do not overlap. ``by`` is
    "time", ours, or "ratio", ours beside PyTorch's in the same run, which a busier machine disturbs less.
    """
    old, new = _by_key(before), _by_key(after)
    changes = []
    for key in old:
        if key in new:
            pair = _range(old[key], by), _range(new[key], by)
            if None not in pair:
                changes.append(_change(key, *pair, noise))
    return (
        changes,
        [" ".join(key) for key in old if key not in new],
        [" ".join(key) for key in new if key not in old],
    )


def _by_key(record):
    return {(row["name"], row["dtype"], row["device"]): row for row in record["rows"]}


def _range(row, by):
    """(p10, median, p90), larger is slower; None where the row has no such figure."""
    peer = row["peers"].get(OURS if by == "time" else "torch", {})
    times = peer.get("warm") or peer.get("cold")
    if times is None:
        return None
    if by == "time":
        return times["p10"], times["median"], times["p90"]
    return tuple(1 / times["ratio"][key] for key in ("p90", "median", "p10"))


def _change(key, before, after, noise):
    factor = after[1] / before[1]
    apart = after[0] > before[2] or after[2] < before[0]
    moved = apart and not 1 / (1 + noise) <= factor <= 1 + noise
    return Change(" ".join(key), before[1], after[1], factor, moved)


def report(changes, gone, new, by="time"):
    """The lines to print: what moved, slowest first, and a count of the rest."""
    show = seconds if by == "time" else lambda ratio: f"ours is {ratio:.2f} of PyTorch's time"
    moved = sorted((change for change in changes if change.moved), key=lambda change: -change.factor)
    lines = []
    for change in moved:
        word = "SLOWER" if change.regressed else "faster"
        factor = change.factor if change.regressed else 1 / change.factor
        lines.append(f"{word} {factor:5.2f}x  {change.name}: {show(change.before)} -> {show(change.after)}")
    lines += [f"only in the first: {name}" for name in gone] + [f"only in the second: {name}" for name in new]
    slower = sum(change.regressed for change in changes)
    lines.append(
        f"{len(changes)} rows compared: {slower} slower, {len(moved) - slower} faster, the rest within noise"
    )
    return lines


def unlike(before, after):
    """What differs between the machines or settings of two records, as lines: then times say little."""
    lines = []
    for part in ("machine", "settings", "versions"):
        for key in sorted({*before[part], *after[part]} - {"peers", "seconds", "minidl"}):
            a, b = before[part].get(key), after[part].get(key)
            if a != b:
                lines.append(f"{part}: {key} was {a}, is {b}")
    return lines
