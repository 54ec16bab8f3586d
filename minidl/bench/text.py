"""The table on a terminal."""

from minidl.bench.peers import OURS

_HEAD = (
    f"{'workload':44} {'who':20} {'time':>9} {'p10':>9} {'p90':>9} {'ratio':>6} {'p10':>5} {'p90':>5} "
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
    """The line above the rows."""
    return _HEAD


def lines(row, ceilings=None):
    """The lines of a row, one for each that ran, and one for everything that went wrong."""
    found = []
    for name, peer in row["peers"].items():
        first = peer.get("warm") or peer.get("cold")
        if first is None:
            continue
        found.append(_line(row, name, peer, first, ceilings))
    for name, reason in row["failed"].items():
        found.append(f"  ! {row['name']}: {name} failed: {reason}")
    if row["fallbacks"]:
        found.append(f"  ! {row['name']}: FAILED, fell back to the reference: {', '.join(row['fallbacks'])}")
    return found


def _line(row, name, peer, first, ceilings):
    cold = peer.get("cold") if "warm" in peer else None
    ratio, label = first.get("ratio"), row["name"] if name == OURS else ""
    spread = f"{ratio['median']:6.2f} {ratio['p10']:5.2f} {ratio['p90']:5.2f}" if ratio else " " * 18
    if cold:
        cold_ratio = f"{cold['ratio']['median']:6.2f}" if "ratio" in cold else " " * 6
        cold = f"{seconds(cold['median']):>9} {cold_ratio}"
    time, error = first["median"], peer.get("error")
    return (
        f"{label:44} {name:20} {seconds(time):>9} {seconds(first['p10']):>9} {seconds(first['p90']):>9} {spread} "
        f"{cold or ' ' * 16} {row['flops'] / time / 1e9:8.1f} {row['bytes'] / time / 1e9:7.1f} "
        f"{roof(row, time, ceilings):>5} {'' if error is None else format(float(error), '.1e'):>8}"
    ).rstrip()


def roof(row, time, ceilings):
    """The share of the machine's ceiling that a time reaches, in per cent; empty without ceilings."""
    if not ceilings:
        return ""
    least = max(row["flops"] / ceilings["flops"], row["bytes"] / ceilings["bandwidth"])
    return f"{100 * least / time:.0f}%"
