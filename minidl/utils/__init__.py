"""Utilities: ``data`` loads data sets in batches, ``checkpoint`` trades time for memory, ``dlpack`` shares memory;
seeds and positions of all generators."""

from minidl.utils import benchmark, checkpoint, data, dlpack, hooks
from minidl.utils.seeding import all_rng_states, restore_rng_states, set_seed
from minidl.utils.swapping import swap_tensors

__all__ = [
    "all_rng_states", "benchmark", "checkpoint", "data", "dlpack", "hooks", "restore_rng_states", "set_seed",
    "swap_tensors",
]  # fmt: skip
