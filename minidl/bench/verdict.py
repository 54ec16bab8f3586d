"""What a row says of its targets."""

import dataclasses

from minidl.bench.ceilings import bandwidth, least_seconds
from minidl.bench.peers import OURS

SLACK = 0.97  # a must holds at this share of it: what two runs of the same program differ by
BEST = 0.95  # of the speed of PyTorch's best variant, for our best one, beside every target


@dataclasses.dataclass(frozen=True)
class Verdict:
    """``ratio`` is PyTorch's default time / ours, ``best_ratio`` its best variant's (called ``best``) / ours, and
    ``mine_ratio`` that / our best variant's (called ``mine``).

    ``must``, ``beside_best`` and ``aim`` say whether each is met, None where it is not asked for or not measured.
    """

    ratio: float | None
    best: str | None
    best_ratio: float | None
    mine: str | None
    mine_ratio: float | None
    must: bool | None
    beside_best: bool | None
    aim: bool | None


def judge(row, ceilings=None):
    """The verdict on a row, from its warm times (cold ones where there are no others).

    >>> from minidl.bench.verdict import judge
    >>> peers = {"minidl": {"warm": {"median": 1.0}}, "torch": {"warm": {"median": 1.2}}}
    >>> verdict = judge({"peers": peers, "target": {"must": 1.0, "aim": 1.5, "aim_bandwidth": None}})
    >>> verdict.ratio, verdict.must, verdict.aim
    (1.2, True, False)
    """
    times = {name: time for name, peer in row["peers"].items() if (time := median(peer)) is not None}
    target = row["target"] or {}
    ours, torch = times.get(OURS), times.get("torch")
    if ours is None or torch is None:
        return Verdict(*[None] * len(dataclasses.fields(Verdict)))
    best, mine = (
        min((name for name in times if name.partition(" ")[0] == library), key=times.get)
        for library in ("torch", OURS)
    )
    ratio, best_ratio, mine_ratio = torch / ours, times[best] / ours, times[best] / times[mine]
    return Verdict(
        ratio, best, best_ratio, mine, mine_ratio,
        ratio >= SLACK * target["must"] if target else None,
        mine_ratio >= BEST if target else None,
        _aim(row, target, ratio, ours, ceilings),
    )  # fmt: skip


def median(peer):
    """Median seconds of one who was timed, with warm caches if measured; None for one who was not."""
    times = peer.get("warm") or peer.get("cold")
    return times["median"] if times else None


def _aim(row, target, ratio, ours, ceilings):
    if target.get("aim") is not None:
        return ratio >= target["aim"]
    if target.get("aim_bandwidth") is not None and ceilings:
        return row["bytes"] / ours >= target["aim_bandwidth"] * bandwidth(ceilings, row["bytes"])
    return None


def roof(row, seconds, ceilings):
    """The share of the machine's ceiling that a time reaches, 1.0 at the roof; None where nothing is known of it."""
    if not ceilings or not (row["flops"] or row["bytes"]):
        return None
    return least_seconds(ceilings, row["flops"], row["bytes"]) / seconds


def failures(row):
    """What is wrong with a row, one line each: ours failed, or fell back to the reference."""
    found = []
    if OURS in row["failed"]:
        found.append(f"{OURS} failed: {row['failed'][OURS]}")
    if row["fallbacks"]:
        found.append(f"FAILED, fell back to the reference: {', '.join(row['fallbacks'])}")
    return found
