"""A seed for a while: afterwards all generators go on where they were."""

import contextlib
import random

import numpy as np

from minidl.keras.settings import set_random_seed
from minidl.random import get_rng_state, set_rng_state


@contextlib.contextmanager
def seeded(random_state):
    """Seeds Python's, NumPy's and minidl's generators inside the block. None does nothing.

    ``random_state`` is an int, or a NumPy ``RandomState`` or ``Generator`` that a seed is drawn from.

    >>> with seeded(3):
    ...     first = np.random.rand()
    >>> with seeded(3):
    ...     first == np.random.rand()
    True
    """
    if random_state is None:
        yield
        return
    if hasattr(random_state, "integers"):
        random_state = random_state.integers(2**31 - 1)
    elif hasattr(random_state, "randint"):
        random_state = random_state.randint(2**31 - 1)
    before = random.getstate(), np.random.get_state(), get_rng_state()
    try:
        set_random_seed(int(random_state))
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        set_rng_state(before[2])
