"""``python -m minidl bench``: arguments, and what they start."""

import sys

from minidl.bench import machine, peers, text
from minidl.bench.errors import BadInput
from minidl.bench.kit import itemsize
from minidl.bench.measuring import COLD, WARM, Settings, measure
from minidl.bench.registry import select
from minidl.bench.timing import Budget

_CACHES = {"warm": (WARM,), "cold": (COLD,), "both": (WARM, COLD)}


def add_arguments(parser):
    """Declares the arguments of the command on an ``argparse`` parser."""
    parser.add_argument("filters", nargs="*", metavar="FILTER")
    parser.add_argument("--vs", default="torch,numpy,cupy", metavar="PEERS")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=machine.cpus())
    parser.add_argument("--caches", choices=sorted(_CACHES), default="warm")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--targets", action="store_true")
    parser.add_argument("--list", action="store_true")


def main(args):
    """Runs the command; returns the exit status."""
    try:
        return _list(args) if args.list else _run(args)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _list(args):
    for row in select(args.filters, args.targets):
        print(row.name)
    return 0


def _run(args):
    chosen = select(args.filters, args.targets)
    itemsize(args.dtype)
    libraries, missing = peers.find(args.vs.split(","), args.device)
    for name, reason in missing.items():
        print(f"note: {name} is left out: {reason}", file=sys.stderr)
    peers.set_threads(libraries, args.threads)
    settings = Settings(
        args.dtype,
        args.device,
        args.threads,
        _CACHES[args.caches],
        Budget(args.seconds),
        machine.last_level(),
    )
    print(text.heading())
    fallen = False
    for workload in chosen:
        row = measure(workload, libraries, settings)
        print("\n".join(text.lines(row)), flush=True)
        fallen = fallen or bool(row["fallbacks"] or "minidl" in row["failed"])
    return 1 if fallen else 0
