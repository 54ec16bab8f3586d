"""Records of runs that never happened, for the tests of what reads them."""

from minidl import bench
from minidl.bench import measuring, peers, record
from minidl.bench.statistics import ratio, summary

CEILINGS = {
    "flops": 4e11, "flops_by": "a guess", "copies_by": "a guess",
    "copies": [{"bytes": 2**20, "bandwidth": 1e11}, {"bytes": 2**28, "bandwidth": 5e10}],
}  # fmt: skip


def row(name="matmul/256/forward", ours=1.0, theirs=1.2, spread=0.01, best=None, fallbacks=(), error=1e-7):
    """A row in which ours and PyTorch's took so many milliseconds."""
    made = measuring._head(bench.named(name), bench.Settings())
    mine = [ours * 1e-3 * (1 + spread * place) for place in range(-7, 8)]
    made["peers"] = {peers.OURS: {"error": error, "warm": summary(mine)}}
    for peer, time in (("torch", theirs), ("torch fused", best)):
        if time is not None:
            samples = [time * 1e-3 * (1 + spread * place) for place in range(-7, 8)]
            made["peers"][peer] = {"error": 2e-7, "warm": {**summary(samples), "ratio": ratio(samples, mine)}}
    made["fallbacks"] = list(fallbacks)
    return made


def made(*rows, ceilings=CEILINGS):
    """A record of rows."""
    settings = {"threads": 2, "device": "cpu", "caches": "warm", "seconds": 2.0}
    return record.make(
        list(rows), settings, {}, {}, {"float32": ceilings} if ceilings else {}, "python -m minidl bench"
    )
