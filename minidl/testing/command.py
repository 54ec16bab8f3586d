"""The arguments of ``python -m minidl test``, which loads Hypothesis only when it runs."""

import importlib

from minidl.errors import MissingDependencyError

_DESCRIPTION = """\
Checks the installed minidl with its own tools: gradients of ops in first and second order over drawn shapes, memory
layouts and values, modules (gradients, state, dtypes, batches, leaks), networks, optimizers, and every function of the
native backend beside the reference. A failure is shrunk, named and printed with a program that repeats it."""


def add_arguments(parser):
    """Declares the arguments on an ``argparse`` parser."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "match", nargs="?", default="", help="only properties whose group/name contains this (ops/sin)"
    )
    parser.add_argument("--quick", action="store_true", help="5 examples a property: less than a minute")
    parser.add_argument("--examples", type=int, default=50, help="examples a property (default: 50)")
    parser.add_argument("--seed", type=int, default=0, help="seed of what is drawn (default: 0)")


def main(args):
    """Runs the self-test. Raises ``MissingDependencyError`` without Hypothesis."""
    try:
        importlib.import_module("hypothesis")
    except ModuleNotFoundError:
        raise MissingDependencyError(
            "python -m minidl test needs Hypothesis; install it with: pip install 'minidl[test]'"
        ) from None
    return importlib.import_module("minidl.testing.selftest").main(args)
