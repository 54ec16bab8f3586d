#!/usr/bin/env python3
"""Fuzzes the readers of files by coverage (atheris), and the functions of the extension by calls that nearly fit.

    pip install atheris
    python scripts/fuzz.py readers --runs 200000 --seed 1 [TARGET...]
    python scripts/fuzz.py bindings --runs 200000 --seed 1 [FUNCTION...]

A finding is written to build/fuzz and ends the target with an error. Put its file into tests/corpus/TARGET once it is
mended: tests/test_fuzz.py replays what lies there. Figures that were measured: docs/reliability.md.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
FOUND = ROOT / "build" / "fuzz"
READERS = ("minidl.io", "minidl.keras.saving", "minidl.keras.engine.serialization", "zipfile")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["readers", "bindings", "reader"])
    parser.add_argument("names", nargs="*", help="targets or functions, default all")
    parser.add_argument(
        "--runs", type=int, default=100_000, help="executions of each target; of all functions together"
    )
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_intermixed_args()
    FOUND.mkdir(parents=True, exist_ok=True)
    if args.what == "reader":  # the child of `readers`
        return fuzz_reader(args.names[0], args.runs, args.seed)
    if args.what == "readers":
        return fuzz_readers(args.names, args.runs, args.seed)
    return fuzz_bindings(args.names, args.runs, args.seed)


def fuzz_readers(names, runs, seed):
    """Each target in a process of its own, one after the other."""
    from fuzzing.targets import NAMES

    failed = []
    for name in names or NAMES:
        command = [sys.executable, __file__, "reader", name, "--runs", str(runs), "--seed", str(seed)]
        began = time.monotonic()
        log = FOUND / f"{name}.log"
        with open(log, "wb") as file:
            status = subprocess.run(command, stdout=file, stderr=file).returncode
        failed += [name] * (status != 0)
        seconds = time.monotonic() - began
        print(
            f"{name:<18} {runs:>9,} runs {seconds:7.0f} s  seed {seed}  {'ok' if status == 0 else f'FINDING: {log}'}",
            flush=True,
        )
    return bool(failed)


def fuzz_reader(name, runs, seed):
    import atheris
    from fuzzing.guarding import limited, watched
    from fuzzing.mutating import mutated
    from fuzzing.seeds import seeds, words
    from fuzzing.targets import target

    given, run = seeds(name), target(name)
    instrument(atheris, READERS)
    for data in given:  # what is imported late is imported now
        run(data)

    def change(data, limit, number):
        draw = random.Random(number)
        if draw.random() < 0.5:
            return atheris.Mutate(data, limit)
        return mutated(data, draw, given)[:limit]

    def once(data):
        with watched():
            run(data)

    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(given):
            Path(corpus, f"seed{number}").write_bytes(data)
        dictionary = Path(corpus).parent / f"{os.path.basename(corpus)}.dict"
        dictionary.write_text(
            "".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in words(name))
        )
        options = [
            f"-runs={runs}", f"-seed={seed}", "-max_len=16384", "-timeout=20", "-rss_limit_mb=4096",
            f"-artifact_prefix={FOUND}/{name}-", f"-dict={dictionary}", "-print_final_stats=1", "-reload=0",
        ]  # fmt: skip
        with limited():
            atheris.Setup([sys.argv[0], *options, corpus], once, custom_mutator=change)
            atheris.Fuzz()


def instrument(atheris, prefixes):
    """Makes the functions of the modules report which branches they take; the rest of the program stays fast."""
    for name, module in list(sys.modules.items()):
        if not name.startswith(prefixes):
            continue
        for holder in (module, *(item for item in vars(module).values() if isinstance(item, type))):
            for function in list(vars(holder).values()):
                function = getattr(function, "__func__", function)  # of a class or static method
                if isinstance(function, types.FunctionType) and function.__module__ == name:
                    atheris.instrument_func(function)


def fuzz_bindings(names, runs, seed):
    from fuzzing.calls import fuzz

    began = time.monotonic()
    findings = fuzz(runs, seed, names, FOUND)
    print(f"bindings {runs:,} calls {time.monotonic() - began:.0f} s seed {seed}: {len(findings)} findings")
    for finding in findings:
        print(finding)
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
