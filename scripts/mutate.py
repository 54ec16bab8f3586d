#!/usr/bin/env python3
"""Plants small faults, one after the other, and reports which share of them the tests catch.

    python scripts/mutate.py rules [--sample 600] [--seed 0] [--only NAME]    faults in gradient rules (minidl/ops)
    python scripts/mutate.py kernels [--sample 200] [--seed 0] [--only NAME]  faults in kernels and their selection

Survivors are printed with their place; docs/mutation.md has the figures and says why a survivor may live.

*Rules.* Every rule, and every helper that rules alone call, is changed in one place (``scripts/python_mutants.py``). A
child process puts the changed code in the function's place and runs, for each row of ``tests/cases`` that names the
op and a few that reach it, the checks of ``tests/test_cases.py``, and those of ``tests/test_gradients_at_edges.py``.
A failure or an error is a catch. Without a mutant all of it must pass, or nothing is planted.

*Kernels.* See ``scripts/kernel_mutants.py``.
"""

import argparse
import os
import pathlib
import random
import signal
import sys
import time
import types

import kernel_mutants

ROOT = pathlib.Path(__file__).resolve().parent.parent
PASSING = 5  # rows of other ops that run a rule on their way, for either order
BESIDE = (
    "test_gradients_at_edges.py",
    "test_linalg.py",
)  # for rules of linear algebra; of the first, EDGES for all
SECONDS = 60  # for one mutant; one that takes longer is caught


def rules_and_helpers():
    """Functions to change: each rule, and what only rules call, with the names of the ops that it serves."""
    from minidl.autograd import registry

    served = {}
    for name, op in registry.OPS.items():
        for _, rule, _ in op.rules:
            for function in _below(rule):
                served.setdefault(function, set()).add(name)
    forwards = {f for op in registry.OPS.values() for f in _below(op.forward)}
    return {function: ops for function, ops in served.items() if function not in forwards}


def _below(function):
    """A function of ``minidl.ops`` or ``minidl.autograd`` and the helpers that it calls, no ops among them."""
    found, stack = [], [function]
    while stack:
        one = stack.pop()
        home = getattr(one, "__module__", None) or ""
        if not isinstance(one, types.FunctionType) or one in found or not home.startswith("minidl.ops"):
            continue
        found.append(one)
        names = _code_names(one.__code__)
        stack += [
            one.__globals__[n] for n in names if n in one.__globals__ and _is_helper(one.__globals__[n])
        ]
    return found


def _code_names(code):
    inner = [n for c in code.co_consts if isinstance(c, types.CodeType) for n in _code_names(c)]
    return [*code.co_names, *inner]


def _is_helper(value):
    return (
        isinstance(value, types.FunctionType) and not hasattr(value, "op") and not hasattr(value, "composed")
    )


def plant(mutant, negative):
    """Puts a mutant's code in its function's place, and has every backward be compiled again."""
    from python_mutants import SWAPS

    from minidl.autograd import registry, rules

    for name in SWAPS.values():
        if name in registry.OPS or name in registry.FACES["torch"]:
            mutant.function.__globals__.setdefault(name, registry.FACES["torch"].get(name))
    mutant.function.__globals__["_negative"] = negative
    mutant.function.__code__ = mutant.code
    rules._unboxed_globals.clear()
    for op in registry.OPS.values():
        op._pull = None


def _negative(value):
    return None if value is None else -value


def survives(mutant, rows):
    """Whether every check passes, in this process with the mutant planted."""
    import pytest
    import test_cases
    import test_gradients_at_edges

    if mutant is not None:
        plant(mutant, _negative)
    first = (
        test_cases.test_gradient_agrees_with_central_differences,
        test_cases.test_gradient_does_not_depend_on_which_others_are_wanted,
    )
    second = (
        test_cases.test_second_gradient_agrees_with_central_differences,
        test_cases.test_create_graph_gives_the_same_gradient,
    )
    try:
        for case in rows:
            for check in first if not (case.grad and case.grad2) else first + second:
                check(case)
        for name in test_gradients_at_edges.EDGES:
            test_gradients_at_edges.test_gradient_is_the_formulas(name)
    except BaseException:
        return False
    if mutant is not None and "linalg" not in mutant.function.__module__:
        return True
    files = [str(ROOT / "tests" / file) for file in BESIDE]
    quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider"]
    return pytest.main(["-x", "-q", *quiet, "--rootdir", str(ROOT), *files]) == 0


def in_child(task):
    """Whether a task is true, in a fork that may hang or die; None where it took too long."""
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        try:
            code = 0 if task() else 1
        except BaseException:
            code = 1
        os._exit(code)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def rows_for(ops):
    """Rows that name one of these ops, and a few more that run their rules on the way."""
    import test_coverage

    rows = []
    for name in sorted(ops):
        for order in (1, 2):
            found = test_coverage.rows_by_op(order).get(name, [])
            own = [case for case in found if case.op.rpartition(".")[2] == name.strip("_")]
            rows += own + [case for case in found if case not in own][:PASSING]
    return list(dict.fromkeys(rows))


def report(kind, planted, survivors, seconds, options):
    caught = planted - len(survivors)
    print(f"\n{kind}: {caught} of {planted} caught, {100 * caught / max(planted, 1):.1f} %, in {seconds:.0f} s "
          f"(seed {options.seed}, sample {options.sample or 'all'})")  # fmt: skip
    for survivor in survivors:
        print(f"  survived  {survivor}")


def mutate_rules(options):
    import driving
    import python_mutants

    import minidl  # noqa: F401 - registers the ops

    found = [
        (mutant, frozenset(ops))
        for function, ops in sorted(rules_and_helpers().items(), key=lambda item: _place(item[0]))
        if not options.only or options.only in _place(function)[0] or options.only in ops
        for mutant in python_mutants.mutants(function)
    ]
    if options.again:
        text = pathlib.Path(options.again).read_text(encoding="utf-8")
        found = [pair for pair in found if f"survived  {pair[0]}\n" in text]
    print(f"{len(found)} mutants of gradient rules", flush=True)
    chosen = random.Random(options.seed).sample(found, min(options.sample or len(found), len(found)))
    if not in_child(lambda: survives(None, [])):
        sys.exit("the tests fail without any fault")
    began, survivors = time.monotonic(), []
    for number, (mutant, ops) in enumerate(sorted(chosen, key=lambda pair: _place(pair[0].function))):
        rows = rows_for(ops)
        for case in rows:  # once, before the fork
            driving.numeric_gradients(case)
            if case.grad and case.grad2:
                driving.second_gradients(case)
        if in_child(lambda mutant=mutant, rows=rows: survives(mutant, rows)):
            survivors.append(mutant)
            print(f"  {number}: survived  {mutant}", flush=True)
        elif number % 10 == 0:
            print(f"  {number} of {len(chosen)}, {time.monotonic() - began:.0f} s", flush=True)
    report("gradient rules", len(chosen), survivors, time.monotonic() - began, options)
    return survivors


def _place(function):
    code = function.__code__
    return code.co_filename, code.co_firstlineno, repr(code.co_code)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["rules", "kernels"])
    parser.add_argument("--sample", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument(
        "--again", default="", help="a report: only the mutants that lived, say with better tests"
    )
    options = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    if options.what == "rules":
        survivors = mutate_rules(options)
    else:
        survivors = kernel_mutants.mutate(options, report)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
