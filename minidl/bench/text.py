"""The table on a terminal: a line for everyone who was timed."""

from minidl.bench.peers import OURS
from minidl.bench.verdict import failures, judge, roof

_HEAD = (
    f"{'workload':42} {'who':20} {'time':>9} {'p10':>9} {'p90':>9}  {'ratio':>6} {'p10':>5} {'p90':>5}  "
    f"{'cold':>9} {'ratio':>6} {'GFLOP/s':>8} {'GB/s':>7} {'roof':>5} {'error':>8}"
)


def seconds(value):
    """A time in a unit that fits.

    >>> from minidl.bench.text import seconds
    >>> seconds(0.00512)
    '5.120 ms'
    """
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3f} {unit}" if value < 100 * scale else f"{value / scale:.1f} {unit}"
    return f"{value / 1e-9:.1f} ns"


def heading():
    """The line above the rows. A ratio is the peer's time / ours: above 1, minidl is faster."""
    return _HEAD


def lines(row, ceilings=None):
    """The lines of a row, one for each that was timed, and one for everything that went wrong."""
    found = []
    for name, peer in row["peers"].items():
        first = peer.get("warm") or peer.get("cold")
        if first is not None:
            found.append(_line(row, name, peer, first, ceilings))
    found += [f"  ! {row['name']}: {problem}" for problem in failures(row)]
    found += [
        f"  ! {row['name']}: {name} failed: {reason}"
        for name, reason in row["failed"].items()
        if name != OURS
    ]
    return found + _targets(row, ceilings)


def _line(row, name, peer, first, ceilings):
    ratio, label = first.get("ratio"), row["name"] if name == OURS else ""
    spread = f"{ratio['median']:6.2f} {ratio['p10']:5.2f} {ratio['p90']:5.2f}" if ratio else " " * 18
    cold = ""
    if "cold" in peer and first is not peer["cold"]:
        again = peer["cold"].get("ratio")
        cold = f"{seconds(peer['cold']['median']):>9} {format(again['median'], '6.2f') if again else '':6}"
    time, error, share = first["median"], peer.get("error"), roof(row, first["median"], ceilings)
    return (
        f"{label:42} {name:20} {seconds(time):>9} {seconds(first['p10']):>9} {seconds(first['p90']):>9}  {spread}  "
        f"{cold:16} {row['flops'] / time / 1e9:8.1f} {row['bytes'] / time / 1e9:7.1f} "
        f"{'' if share is None else format(share, '.0%'):>5} {'' if error is None else format(float(error), '.1e'):>8}"
    ).rstrip()


def _targets(row, ceilings):
    verdict, target = judge(row, ceilings), row["target"]
    if verdict.must is None:
        return []
    aim = f"{target['aim_bandwidth']:.0%} of copy" if target["aim"] is None else f"{target['aim']:.2f}"
    parts = [
        f"must {target['must']:.2f} {said(verdict.must)}",
        f"{verdict.best} {beside_best(verdict)} {said(verdict.beside_best)}",
        f"aim {aim} {said(verdict.aim)}",
    ]
    return [f"  {'ok' if verdict.must and verdict.beside_best else '--'} {', '.join(parts)}"]


def beside_best(verdict):
    """PyTorch's best variant's time / ours, and / our best variant's where that is faster."""
    if verdict.mine == OURS:
        return f"{verdict.best_ratio:.2f}"
    return f"{verdict.best_ratio:.2f}, {verdict.mine} {verdict.mine_ratio:.2f}"


def said(met):
    """A verdict in a word."""
    return {True: "met", False: "missed", None: "not measured"}[met]
