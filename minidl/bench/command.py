"""``python -m minidl bench``: its arguments, and what they start."""

import argparse
import shlex
import sys
from pathlib import Path

from minidl.bench import compare as comparison
from minidl.bench import machine, markdown, page, record, roofline
from minidl.bench.errors import BadInput
from minidl.bench.kit import itemsize
from minidl.bench.registry import select
from minidl.bench.running import CACHES, run
from minidl.bench.timing import Budget
from minidl.bench.verdict import failures
from minidl.extras import need

_DESCRIPTION = """\
Times workloads of minidl beside PyTorch, NumPy and CuPy: in one process, in turns, on the same random data.
A ratio is the peer's time divided by minidl's: above 1, minidl is faster."""

_EPILOG = """\
A FILTER is a family (conv, pool, training, ...), a part of a workload's name, or a pattern with * and ? for the whole
name; several are joined. Three words are no filters:
  bench --list [FILTER ...]                            names, flops and bytes of the workloads
  bench compare BEFORE.json AFTER.json                 what moved beyond the noise; exit status 1 where ours is slower
  bench table RESULTS.json [--plot FILE] [--html FILE] the results as a Markdown table, a picture, a page

examples:
  python -m minidl bench matmul/1024 --vs torch
  python -m minidl bench conv pool --targets --caches both --json now.json
  python -m minidl bench 'train/*' --vs torch --threads 2 --html report.html

exit status: 0; 1 where a workload of minidl failed or fell back to the reference; 2 for arguments that make no sense"""


def add_arguments(parser):
    """Declares the arguments of the command on an ``argparse`` parser."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("filters", nargs="*", metavar="FILTER", help="workloads to run (default: all)")
    parser.add_argument("--list", action="store_true", help="name the workloads and stop")
    parser.add_argument("--targets", action="store_true", help="only workloads that have a target")
    what = parser.add_argument_group("what is measured")
    what.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    what.add_argument(
        "--vs", default="torch,numpy,cupy", metavar="PEERS",
        help="torch, numpy, cupy, separated by commas, or none; those not installed are left out (default: all)",
    )  # fmt: skip
    what.add_argument(
        "--dtype", default="float32", metavar="DTYPES",
        help="float32, float64, float16, bfloat16, separated by commas (default: float32)",
    )  # fmt: skip
    what.add_argument(
        "--threads", type=int, default=machine.cpus(), metavar="N",
        help="threads of minidl and of PyTorch (default: all CPUs)",
    )  # fmt: skip
    what.add_argument(
        "--caches", choices=list(CACHES), default="warm",
        help="data in the caches as they are left, or evicted before every call (default: warm)",
    )  # fmt: skip
    what.add_argument(
        "--seconds", type=float, default=2.0, metavar="S",
        help="time for the samples of a workload, after the 15 that it gets at least (default: 2)",
    )  # fmt: skip
    out = parser.add_argument_group("results")
    out.add_argument("--json", metavar="FILE", help="write everything that was measured")
    out.add_argument("--plot", metavar="FILE", help="write a roofline as PNG (needs matplotlib)")
    out.add_argument(
        "--html", metavar="FILE", help="write a page with figure, table, machine (needs matplotlib)"
    )
    judging = parser.add_argument_group("compare")
    judging.add_argument(
        "--noise", type=float, default=0.05, metavar="SHARE", help="change that is none (default: 0.05)"
    )
    judging.add_argument(
        "--by",
        choices=comparison.BY,
        default="time",
        help="our time, or its ratio to PyTorch's (default: time)",
    )


def main(args):
    """Runs the command; returns the exit status."""
    try:
        if args.filters[:1] == ["compare"]:
            return _compare(args)
        if args.filters[:1] == ["table"]:
            return _table(args)
        return _list(args) if args.list else _run(args)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _list(args):
    dtype = args.dtype.split(",")[0]
    for row in select(args.filters, args.targets, args.device):
        must = f"  must {row.target.must:.2f}" if row.target else ""
        print(
            f"{row.name:44} {row.flops / 1e9:10.4f} Gflop {row.bytes(itemsize(dtype)) / 2**20:10.3f} MiB{must}"
        )
    return 0


def _compare(args):
    if len(args.filters) != 3:
        raise BadInput("compare takes two files: bench compare BEFORE.json AFTER.json")
    before, after = map(record.read, args.filters[1:])
    for line in comparison.unlike(before, after):
        print(f"note: {line}", file=sys.stderr)
    changes, gone, new = comparison.compare(before, after, args.noise, args.by)
    print("\n".join(comparison.report(changes, gone, new, args.by)))
    return 1 if any(change.regressed for change in changes) else 0


def _table(args):
    if len(args.filters) != 2:
        raise BadInput("table takes one file: bench table RESULTS.json")
    found = record.read(args.filters[1])
    any_target = any(row["target"] for row in found["rows"])
    print(f"{markdown.table(found, any_target)}\n\n{markdown.caption(found)}")
    _write(args, found)
    return 0


def _write(args, found):
    if args.json:
        record.write(args.json, found)
    if args.plot:
        Path(args.plot).write_bytes(roofline.png(found))
    if args.html:
        Path(args.html).write_text(page.render(found), encoding="utf-8")


def _check(args):
    """What would fail only after minutes of measuring."""
    for dtype in args.dtype.split(","):
        itemsize(dtype)
    if args.device.partition(":")[0] not in ("cpu", "cuda", "emulated"):
        raise BadInput(f"device {args.device!r} is unknown; use cpu or cuda")
    if args.threads < 1:
        raise BadInput(f"--threads must be at least 1, got {args.threads}")
    if args.seconds < 0:
        raise BadInput(f"--seconds must not be negative, got {args.seconds}")
    for path in filter(None, (args.json, args.plot, args.html)):
        if not Path(path).absolute().parent.is_dir():
            raise BadInput(f"{path} cannot be written: there is no folder {Path(path).absolute().parent}")
    if args.plot or args.html:
        need("matplotlib", "matplotlib", "bench")


def _run(args):
    _check(args)
    chosen = select(args.filters, args.targets, args.device)
    found = run(
        chosen, [] if args.vs == "none" else args.vs.split(","), args.dtype.split(","), args.device, args.threads,
        args.caches, Budget(args.seconds), shlex.join(["python", "-m", "minidl", "bench", *args.filters]),
        lambda line: print(line, flush=True), lambda line: print(line, file=sys.stderr),
    )  # fmt: skip
    _write(args, found)
    return 1 if any(failures(row) for row in found["rows"]) else 0
