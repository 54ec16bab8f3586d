"""``Generator``: a position in a stream of random numbers, and the default one of each device.

A generator is a 64-bit seed and a 64-bit offset, counted in blocks of four 32-bit words. A draw reserves the blocks
that it needs and is then a pure function of (seed, offset), stated in ``backends/reference/random.py``: the same on
every backend and for every number of threads.
"""

import contextlib
import os
import threading

from minidl import backends, dtypes
from minidl.autograd import registry
from minidl.autograd.op import function
from minidl.autograd.tensor import Tensor, make
from minidl.device import device as Device

_DEFAULT_SEED = 67280421310721  # PyTorch's: a program that sets no seed gives the same numbers on each run
_UINT64 = 1 << 64
_STATE_BYTES = 16
_lock = threading.Lock()  # held for a few instructions only, so one serves all generators
_defaults = {}


def _renew_lock():
    """A child forked while another thread held the lock would wait for that thread, which it does not have."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)


class Generator:
    """A stream of random numbers (Philox-4x32-10) on a device. Safe to use from several threads.

    Raises ``ValueError`` for a seed outside [-2^63, 2^64), ``RuntimeError`` for a state that is none.
    Source: PyTorch's ``torch.Generator``; J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

    >>> import minidl
    >>> first = minidl.rand(3, generator=minidl.Generator().manual_seed(7))
    >>> second = minidl.rand(3, generator=minidl.Generator().manual_seed(7))
    >>> bool((first == second).all())
    True
    """

    def __init__(self, device="cpu"):
        self.device = Device(device)
        self._seed, self._offset = _DEFAULT_SEED, 0

    def manual_seed(self, seed):
        """Starts the stream of ``seed`` from its beginning. Returns the generator."""
        if isinstance(seed, Tensor):
            seed = seed.item()
        if not hasattr(seed, "__index__"):
            raise TypeError(f"manual_seed expected a long, but got {seed.__class__.__name__}")
        seed = seed.__index__()
        if not -(1 << 63) <= seed < _UINT64:
            raise ValueError(f"Overflow when unpacking long long: a seed lies in [-2^63, 2^64), got {seed}")
        with _lock:
            self._seed, self._offset = seed % _UINT64, 0
        return self

    def initial_seed(self):
        """The seed of the stream."""
        return self._seed

    def seed(self):
        """Takes a new seed from the operating system and returns it."""
        seed = int.from_bytes(os.urandom(8), "little") >> 1  # 63 bits, so that an int64 tensor holds it
        self.manual_seed(seed)
        return seed

    def reserve(self, count, words=1):
        """``(seed, offset)`` of a draw of ``count`` elements of ``words`` 32-bit words each. Moves on."""
        blocks = -(-count * words // 4)
        with _lock:
            seed, offset = self._seed, self._offset
            self._offset = (offset + blocks) % _UINT64
        return seed, offset

    def get_state(self):
        """The position as a uint8 tensor (16,): seed and offset, little-endian."""
        with _lock:
            seed, offset = self._seed, self._offset
        state = (seed | offset << 64).to_bytes(_STATE_BYTES, "little")
        return make(backends.on("cpu").asarray(list(state), dtypes.uint8.numpy), None)

    def set_state(self, new_state):
        """Goes to a position that ``get_state`` gave. Returns the generator."""
        if not isinstance(new_state, Tensor):
            raise TypeError(f"expected a ByteTensor, but got {new_state.__class__.__name__}")
        if new_state.dtype is not dtypes.uint8:
            raise TypeError(f"RNG state must be a minidl.ByteTensor (uint8), but got {new_state.dtype!r}")
        if tuple(new_state.shape) != (_STATE_BYTES,):
            raise RuntimeError(
                f"RNG state must be a minidl.uint8 tensor of shape ({_STATE_BYTES},), got {new_state.dtype!r} of shape "
                f"{tuple(new_state.shape)}. Hint: pass what get_state() returned."
            )
        value = int.from_bytes(backends.to_numpy(new_state._array).tobytes(), "little")
        with _lock:
            self._seed, self._offset = value % _UINT64, value >> 64
        return self

    def clone_state(self):
        """A generator at the same position, which moves on its own."""
        return Generator(self.device).set_state(self.get_state())

    def __deepcopy__(self, memo):
        return self.clone_state()

    def __reduce__(self):
        return _restored, (str(self.device), self._seed, self._offset)

    def __repr__(self):
        return f"<minidl.Generator device={self.device} seed={self._seed} offset={self._offset}>"


def _restored(where, seed, offset):
    out = Generator(where)
    out._seed, out._offset = seed, offset
    return out


registry.publish(Generator, "Generator", Tensor, method=False)


def default_of(device):
    """The generator of a device that draws use when they are given none."""
    key = (device.type, device.index or 0)
    found = _defaults.get(key)
    if found is None:
        fresh = Generator(device).manual_seed(default_generator.initial_seed())
        found = _defaults.setdefault(key, fresh)
    return found


default_generator = _defaults["cpu", 0] = Generator()
registry.publish(default_generator, "default_generator", Tensor, method=False)


def chosen(generator, device):
    """``generator``, or the device's default one. Raises ``RuntimeError`` where it is another device's."""
    if generator is None:
        return default_of(device)
    if not isinstance(generator, Generator):
        raise TypeError(f"generator must be a minidl.Generator or None, not {generator.__class__.__name__}")
    if generator.device.type != device.type:
        raise RuntimeError(
            f"Expected a '{device.type}' device type for generator but found '{generator.device.type}'. "
            f"Hint: use Generator(device='{device}')."
        )
    return generator


@function(method=False)
def manual_seed(seed):
    """Seeds the default generators of all devices. Returns the one of the CPU.

    >>> import minidl
    >>> _ = minidl.manual_seed(0)
    >>> minidl.initial_seed()
    0
    """
    for generator in list(_defaults.values()):
        generator.manual_seed(seed)
    return default_generator


@function(method=False)
def seed():
    """Seeds the default generators of all devices from the operating system. Returns the seed."""
    value = default_generator.seed()
    manual_seed(value)
    return value


@function(method=False)
def initial_seed():
    """The seed of the CPU's default generator."""
    return default_generator.initial_seed()


@function(method=False)
def get_rng_state():
    """The position of the CPU's default generator, a uint8 tensor."""
    return default_generator.get_state()


@function(method=False)
def set_rng_state(new_state):
    """Moves the CPU's default generator to a position that ``get_rng_state`` gave."""
    default_generator.set_state(new_state)


def positions():
    """Each device's default generator with its present position: what ``set_state`` takes."""
    return [(generator, generator.get_state()) for generator in list(_defaults.values())]


@contextlib.contextmanager
def fork_rng(devices=None, enabled=True, device_type="cuda"):
    """Inside, draws do not move the default generators of the CPU and of ``devices`` (all, by default), which may be
    numbers of devices of ``device_type``.

    >>> import minidl
    >>> before = minidl.get_rng_state()
    >>> with minidl.random.fork_rng():
    ...     _ = minidl.rand(3)
    >>> bool((minidl.get_rng_state() == before).all())
    True
    """
    if not enabled:
        yield
        return
    named = (
        None
        if devices is None
        else [
            default_of(Device(device_type, each) if isinstance(each, int) else Device(each))
            for each in devices
        ]
    )
    kept = list(_defaults.values()) if named is None else [default_generator, *named]
    states = [(generator, generator.get_state()) for generator in kept]
    try:
        yield
    finally:
        for generator, state in states:
            generator.set_state(state)
