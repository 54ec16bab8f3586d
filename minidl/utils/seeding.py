"""Seeds and positions of all generators of random numbers at once: Python's, NumPy's, and minidl's of every device."""

import operator
import random

import numpy as np

from minidl import settings
from minidl.autograd.tensor import Tensor
from minidl.device import device
from minidl.ops.generator import default_of, manual_seed, positions

__all__ = ["all_rng_states", "restore_rng_states", "set_seed"]


def set_seed(seed, deterministic=None):
    """Seeds Python's ``random``, NumPy's global generator and the default generators of all devices.

    ``seed`` is an integer from 0 to 2^32 - 1, NumPy's range; else ``ValueError``, and nothing was seeded.
    ``deterministic=True`` is ``use_deterministic_algorithms(True)`` too: then a program that draws from no other source
    trains to the same bits in each run, whatever the number of CPU threads; False allows a GPU's kernels any order of
    additions; None leaves that as it is. The order of dictionaries and sets of strings is the interpreter's,
    ``PYTHONHASHSEED``.

    >>> import minidl
    >>> minidl.set_seed(7)
    >>> first = minidl.rand(2)
    >>> minidl.set_seed(7)
    >>> bool((minidl.rand(2) == first).all())
    True
    """
    try:
        number = operator.index(seed)
    except TypeError:
        raise TypeError(f"seed must be an integer, not {type(seed).__name__}") from None
    if not 0 <= number < 1 << 32:
        raise ValueError(f"Seed must be between 0 and 2**32 - 1, got {number}")
    random.seed(number)
    np.random.seed(number)
    manual_seed(number)
    if deterministic is not None:
        settings.use_deterministic_algorithms(bool(deterministic))


def all_rng_states():
    """The positions of all those generators, as plain values and tensors that ``minidl.save`` keeps. With them, the
    state of the model, the optimizer, the scheduler and of generators of one's own, training goes on to the same bits.

    >>> import minidl
    >>> from minidl.utils import all_rng_states, restore_rng_states
    >>> before = all_rng_states()
    >>> first = minidl.rand(2)
    >>> restore_rng_states(before)
    >>> bool((minidl.rand(2) == first).all())
    True
    """
    kind, keys, *rest = np.random.get_state()
    own = {str(generator.device): state for generator, state in positions()}
    return {"python": random.getstate(), "numpy": (kind, np.array(keys), *rest), "minidl": own}


def restore_rng_states(states):
    """Goes to positions that ``all_rng_states`` gave, also in another process, also of devices that are not here.
    ``ValueError`` for what it did not give."""
    if not isinstance(states, dict) or set(states) != {"python", "numpy", "minidl"}:
        raise ValueError("expected the dict that all_rng_states() gave: python, numpy, minidl")
    own = states["minidl"]
    if not isinstance(own, dict) or not all(isinstance(state, Tensor) for state in own.values()):
        raise ValueError("expected tensors by device at ['minidl'], as all_rng_states() gave")
    generators = [(default_of(device(name)), state) for name, state in own.items()]
    try:
        version, words, gauss = states["python"]
        random.setstate((version, tuple(words), gauss))
        np.random.set_state(tuple(states["numpy"]))
    except TypeError as error:
        raise ValueError(f"no positions of generators as all_rng_states() gave: {error}") from None
    for generator, state in generators:
        generator.set_state(state)
