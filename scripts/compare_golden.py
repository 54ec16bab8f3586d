#!/usr/bin/env python3
"""Compares what the emulator does, wrapper by wrapper, with what a GPU did.

    python scripts/compare_golden.py FOUND [GOLDEN]      (default: tests/conformance/golden)

Both folders hold files of tests/conformance. Bits must be equal; results of matrix instructions too, because their
inputs make every sum exact. A file that is missing on either side is a failure. Exit status 1 where something differs.
"""

import pathlib
import sys

import numpy as np

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "tests" / "conformance" / "golden"


def difference(found, golden):
    """What is wrong with a file, or None."""
    if not golden.exists():
        return "no GPU has said what is right; run scripts/check_gpu.py wrappers on one"
    if not found.exists():
        return "the emulator has no such result"
    ours, theirs = np.load(found), np.load(golden)
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f"{ours.dtype}{list(ours.shape)} beside {theirs.dtype}{list(theirs.shape)}"
    places = np.flatnonzero(ours != theirs)
    if not len(places):
        return None
    first = places[0]
    return f"{len(places)} of {ours.size} differ; at {first}: {ours[first]:#x}, on the GPU {theirs[first]:#x}"


def main(found, golden=GOLDEN):
    found, golden = pathlib.Path(found), pathlib.Path(golden)
    names = sorted({path.name for folder in (found, golden) for path in folder.glob("*.npy")})
    wrong = 0
    for name in names:
        text = difference(found / name, golden / name)
        wrong += text is not None
        if text:
            print(f"{name}: {text}")
    print(f"{len(names)} files, {wrong} differ")
    return 1 if wrong or not names else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
