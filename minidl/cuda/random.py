"""``minidl.cuda.random``: seeds and positions of the random number generators of GPUs."""

from minidl.cuda import _gpu
from minidl.device import device as _device
from minidl.ops.generator import default_of

__all__ = [
    "get_rng_state", "get_rng_state_all", "initial_seed", "manual_seed", "manual_seed_all", "seed", "seed_all",
    "set_rng_state", "set_rng_state_all",
]  # fmt: skip


def _generator(device):
    """The default generator of a GPU. Raises ``DeviceError`` where there is none."""
    return default_of(_device("cuda", _gpu.number(device)))


def _all():
    """The generators of all GPUs; none where CUDA is not available."""
    return [_generator(index) for index in range(_gpu.count())]


def get_rng_state(device="cuda"):
    """The position of a GPU's generator, a uint8 tensor. Source: ``torch.cuda.get_rng_state``."""
    return _generator(device).get_state()


def set_rng_state(new_state, device="cuda"):
    """Moves a GPU's generator to a position. Source: ``torch.cuda.set_rng_state``."""
    _generator(device).set_state(new_state)


def get_rng_state_all():
    """The positions of all GPUs' generators. Source: ``torch.cuda.get_rng_state_all``."""
    return [generator.get_state() for generator in _all()]


def set_rng_state_all(new_states):
    """Moves the generators of all GPUs. Source: ``torch.cuda.set_rng_state_all``."""
    for generator, state in zip(_all(), new_states, strict=False):
        generator.set_state(state)


def initial_seed():
    """The seed of the current GPU's generator. Source: ``torch.cuda.initial_seed``."""
    return _generator("cuda").initial_seed()


def manual_seed(seed):
    """Seeds the generator of the current GPU; nothing where there is none. Source: ``torch.cuda.manual_seed``."""
    if _gpu.is_available():
        _generator("cuda").manual_seed(seed)


def manual_seed_all(seed):
    """Seeds the generators of all GPUs; nothing where there is none. Source: ``torch.cuda.manual_seed_all``."""
    for generator in _all():
        generator.manual_seed(seed)


def seed():
    """Seeds the current GPU's generator from the operating system; nothing where there is none.

    Source: ``torch.cuda.seed``.
    """
    if _gpu.is_available():
        _generator("cuda").seed()


def seed_all():
    """Seeds the generators of all GPUs alike, from the operating system. Source: ``torch.cuda.seed_all``."""
    generators = _all()
    if generators:
        chosen = generators[0].seed()
        for generator in generators[1:]:
            generator.manual_seed(chosen)
