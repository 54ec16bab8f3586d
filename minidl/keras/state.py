"""``State``: a tensor that keeps what a metric or an optimizer counts."""

from minidl import backends, dtypes, zeros
from minidl.autograd.inplace import bump
from minidl.autograd.modes import no_grad
from minidl.autograd.tensor import Tensor, make
from minidl.keras.settings import named_dtype
from minidl.keras.tensors import to_tensor

__all__ = ["State"]


class State(Tensor):
    """A tensor of a metric's or optimizer's state: it is overwritten in place and follows the device of what comes."""

    name = path = "variable"

    def assign(self, value):
        """Overwrites the values."""
        with no_grad():
            value = to_tensor(value)
            self.follow(value)
            self.copy_(value.expand(self.shape) if value.shape != self.shape else value)
        return self

    def assign_add(self, value):
        """Adds ``value``."""
        if not isinstance(value, (int, float)):
            value = to_tensor(value)
            self.follow(value)
            value = value._array
        space = backends.of(self._array)
        if not isinstance(value, (int, float)) and value.dtype != self._array.dtype:
            value = space.astype(value, self._array.dtype)
        space.assign(self._array, space.add(self._array, value))
        bump(self)
        return self

    def assign_sub(self, value):
        """Subtracts ``value``."""
        return self.assign_add(-to_tensor(value))

    def follow(self, value):
        """Moves to the device of a tensor."""
        if value.device != self.device:
            self._array = backends.transfer(self._array, value.device)

    @property
    def value(self):
        """The tensor: itself."""
        return self

    __hash__ = object.__hash__


def make_state(shape=(), initializer=None, dtype=None, name=None, path=None):
    """A state of zeros (float64 unless a dtype is named), or of an initializer's values."""
    kind = dtypes.float64 if dtype is None else named_dtype(dtype)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    made = initializer(shape, kind) if callable(initializer) else zeros(shape, dtype=kind)
    state = make(made._array, None, State)
    state.name = name or "variable"
    state.path = path or state.name
    return state
