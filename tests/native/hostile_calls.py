"""Calls every function of ``minidl._native`` with arguments drawn from a list of bad ideas, many times.

A program of its own, because what it looks for is the end of the interpreter. Sizes are tiny or far too large, nothing
between: a call either fails at once or takes no time.
"""

import contextlib
import faulthandler
import random

import numpy as np

from minidl import _native

CALLS = 20_000
HUGE = [2**61, 2**63 - 1, -(2**63), 2**63, 10**30]
JUNK = [None, True, 1.5, "tanh", b"x", [], (), {}, object(), float("nan"), 3 + 2j, np.float32(1), np.int64(2)]
DTYPES = [*["f4"] * 6, "f8", "f8", "i8", "i4", "u1", "?", "f2", "c8", ">f4", "u8", "O", "S3", "g"]

draw = random.Random(0)


def array():
    shape = [draw.choice([0, 1, 1, 2, 3, 4]) for _ in range(draw.choice([0, 1, 2, 2, 3, 3, 4, 5]))]
    made = np.ones(shape, draw.choice(DTYPES))
    twist = draw.random()
    if made.ndim and twist < 0.1:
        return made[::-1]
    if twist < 0.2:
        return made.T
    if made.ndim and twist < 0.3:
        return np.lib.stride_tricks.as_strided(made, made.shape, (0,) * made.ndim)
    if twist < 0.4:
        made.flags.writeable = False
    return made


def number():
    return draw.choice([-1, 0, 0, 1, 1, 2, 3, draw.choice(HUGE)])


def argument():
    return draw.choice(
        [
            array,
            array,
            array,
            lambda: draw.choice(JUNK),
            number,
            lambda: tuple(number() for _ in range(draw.randrange(4))),
            lambda: [array() for _ in range(draw.randrange(3))],
            lambda: draw.random() < 0.5,
        ]
    )()


def alike():
    """Arrays of one dtype and of shapes that a family of functions may take for its own."""
    size, dtype = draw.choice([0, 1, 2]), draw.choice(["f4", "f8"])
    shapes = [(size,) * rank for rank in (1, 2, 3, 4)]
    return [np.ones(draw.choice(shapes), dtype) for _ in range(14)]


def main():
    faulthandler.enable()
    names = [name for name in dir(_native) if not name.startswith("_") and name != "set_num_threads"]
    for _ in range(CALLS):
        count = draw.choice([0, 1, 2, 2, 3, 3, 4, 5, 6, 7, 9, 10, 13, 14])
        arguments = alike()[:count] if draw.random() < 0.5 else [argument() for _ in range(count)]
        for _ in range(draw.randrange(4)):
            if arguments:
                arguments[draw.randrange(len(arguments))] = argument()
        with contextlib.suppress(TypeError, ValueError, IndexError, MemoryError, OverflowError, RuntimeError):
            getattr(_native, draw.choice(names))(*arguments)


if __name__ == "__main__":
    main()
