"""``Kit``: what a workload is built with; the same numbers for every library, dtype and device."""

import numpy as np

from minidl import dtypes
from minidl.bench.errors import BadInput

_DRAWN = 2**24  # numbers drawn for one tensor; a larger one repeats them

DTYPES = ("float32", "float64", "float16", "bfloat16")


def itemsize(dtype):
    """Bytes of an element of the dtype called ``dtype``. Raises ``BadInput`` for a name that is none of a workload's.

    >>> from minidl.bench.kit import itemsize
    >>> itemsize("float32")
    4
    """
    if dtype not in DTYPES:
        raise BadInput(f"dtype {dtype!r} is unknown here; use one of {', '.join(DTYPES)}")
    return {"float64": 8, "float32": 4}.get(dtype, 2)


class Kit:
    """Makes the tensors of a workload in one library: ``lib`` is minidl, torch, numpy or cupy.

    Values come from a generator of its own, rounded to ``dtype``; ``compute`` (default: ``dtype``) is the dtype that
    they are held in, so that a float64 run has the very numbers of the run that it judges. ``gradient`` says whether
    leaves want gradients; they are collected in ``leaves``.

    >>> import minidl, numpy
    >>> from minidl.bench.kit import Kit
    >>> ours, theirs = Kit(minidl).normal(2, 3), Kit(numpy).normal(2, 3)
    >>> bool((ours.numpy() == theirs).all())
    True
    """

    def __init__(self, lib, dtype="float32", device="cpu", gradient=False, compute=None, seed=0):
        itemsize(dtype)
        self.lib = lib
        self.name = lib.__name__
        self.arrays = self.name in ("numpy", "cupy")
        self.dtype, self.compute, self.device = dtype, compute or dtype, device
        self.gradient = gradient
        self.leaves = []
        self._rng = np.random.default_rng(seed)

    def normal(self, *shape, scale=1.0):
        """A tensor of normally distributed numbers that wants no gradient."""
        count = int(np.prod(shape, dtype=np.int64))
        drawn = self._rng.standard_normal(min(count, _DRAWN), dtype=np.float32)
        return self._put(np.float32(scale) * drawn, shape)

    def leaf(self, *shape, scale=1.0, channels_last=False):
        """The same as a leaf, whose gradient is part of the backward modes."""
        made = self.normal(*shape, scale=scale)
        if channels_last:
            made = made.contiguous(memory_format=self.lib.channels_last)
        if self.gradient and not self.arrays:
            made.requires_grad_(True)
            self.leaves.append(made)
        return made

    def positive(self, *shape):
        """Numbers between 0.5 and 1.5."""
        return self._put(self._rng.random(shape, dtype=np.float32) + np.float32(0.5), shape)

    def integers(self, high, *shape):
        """An int64 tensor of numbers in 0 .. high - 1."""
        return self._move(self._rng.integers(0, high, shape))

    def module(self, module, channels_last=False):
        """A layer or network in the kit's dtype, on its device, with parameters drawn from the kit's generator.

        The same for both libraries, because they share the order and the shapes of the parameters. Matrices are
        scaled by 1 / sqrt(fan in); vectors stay as they are initialised where that is a constant, else small.
        """
        module = module.to(self._dtype(self.compute))
        if self.device != "cpu":
            module = module.to(self.device)
        with self.lib.no_grad():
            for name, parameter in module.named_parameters():
                parameter.requires_grad_(False)
                parameter.copy_(self._initial(name, tuple(parameter.shape)))
                parameter.requires_grad_(self.gradient)
        if channels_last:
            module = module.to(memory_format=self.lib.channels_last)
        if self.gradient:
            self.leaves.extend(module.parameters())
        return module

    def _initial(self, name, shape):
        if len(shape) == 1:
            shift = 1.0 if name.rpartition(".")[2].startswith("weight") else 0.0  # a norm's weight is near 1
            return self._put(shift + 0.1 * self._rng.standard_normal(shape, dtype=np.float32), shape)
        fan = int(np.prod(shape[1:]))
        return self.normal(*shape, scale=fan**-0.5)

    def _dtype(self, name):
        return getattr(self.lib, name)

    def _put(self, values, shape):
        """A tensor of ``shape`` filled with ``values`` in turn."""
        values = np.asarray(values, dtype=np.float32)  # NumPy's scalars have no place to be cast in
        if self.dtype == "float16":
            values = values.astype(np.float16).astype(np.float32)
        elif self.dtype == "bfloat16":
            values = values.astype(dtypes.named("bfloat16").numpy).astype(np.float32)
        moved = self._move(np.resize(values, shape) if values.size else values.reshape(shape))
        if self.arrays:
            return moved.astype(self.compute)
        return moved if self.compute == "float32" else moved.to(self._dtype(self.compute))

    def _move(self, array):
        if self.arrays:
            return self.lib.asarray(array)
        tensor = self.lib.tensor(array)
        return tensor if self.device == "cpu" else tensor.to(self.device)
