"""The command line: ``python -m minidl`` with ``demo``, ``doctor``, ``bench``, ``test``, ``convert``, ``inspect``..."""

import argparse
import sys

from minidl import doctor
from minidl._version import __version__
from minidl.bench import command as bench
from minidl.demo import run
from minidl.keras.saving import command as files
from minidl.testing import command as selftest


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m minidl", description="minidl: a from-scratch tensor framework."
    )
    parser.add_argument("--version", action="version", version=f"minidl {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="train a small network on real handwritten digits")
    demo.add_argument(
        "--model", choices=("cnn", "mlp", "lstm"), default="cnn", help="the network (default: cnn)"
    )
    demo.add_argument(
        "--data", nargs="+", default=["digits"], metavar=("digits|mnist", "PATH"),
        help="digits (scikit-learn's, the default), or mnist and the folder of its idx files",
    )  # fmt: skip
    demo.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    demo.add_argument(
        "--seed", type=int, default=0, help="seed of initialisation, shuffling and the split (default: 0)"
    )
    demo.add_argument(
        "--epochs", type=int, default=None, help="passes over the data (default: 12 for digits, 4 for mnist)"
    )
    demo.add_argument(
        "--out", default="minidl-demo", help="folder for the model and the picture (default: minidl-demo)"
    )
    bench.add_arguments(commands.add_parser("bench", help="time kernels beside PyTorch, NumPy and CuPy"))
    selftest.add_arguments(commands.add_parser("test", help="check the installed minidl with its own tools"))
    files.add_arguments(commands)
    doctor = commands.add_parser("doctor", help="say what works here, what does not, and the fix")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _demo(parser, args):
    data, path = args.data[0], args.data[1] if len(args.data) > 1 else None
    if data not in ("digits", "mnist") or (data == "mnist") != (path is not None) or len(args.data) > 2:
        parser.error("--data takes 'digits', or 'mnist' and the folder of its idx files")
    if args.epochs is not None and args.epochs < 1:
        parser.error(f"--epochs must be at least 1, got {args.epochs}")
    if not 0 <= args.seed < 2**32:
        parser.error(f"--seed must lie in 0 .. 2^32 - 1, got {args.seed}")
    run(args.model, data, path, args.device, args.seed, args.epochs, args.out)
    return 0


def main(argv=None):
    """Runs a command; returns the exit status. What a user can mend ends in one line, not in a traceback."""
    parser = _parser()
    args = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a name of a file may be none that the terminal can show
            stream.reconfigure(errors="backslashreplace")
    try:
        if args.command == "bench":
            return bench.main(args)
        if args.command == "test":
            return selftest.main(args)
        if args.command in ("convert", "inspect", "summary"):
            return files.main(args)
        return doctor.main(args.json) if args.command == "doctor" else _demo(parser, args)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
