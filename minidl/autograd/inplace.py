"""In-place writes: what is refused, and how a write moves the tape."""

from minidl import backends, dtypes
from minidl.autograd import autocast, modes
from minidl.autograd.assign import assigned_edge
from minidl.autograd.boxing import not_a_tensor
from minidl.autograd.tensor import TENSORS, make
from minidl.autograd.views import NO_GRAD, fresh_edge, move_retained, settled_edge


def make_inplace(op, public):
    """``name_(self, ...)``: the op's result written into ``self``."""
    name = op.name + "_"
    public = autocast.uncast(public) if op.name in autocast.LISTED else public

    def inplace(self, *args, **kwargs):
        if self.__class__ not in TENSORS:
            raise not_a_tensor(name, "input", 1, self)
        check_writable(self, name)
        source = self
        if op.keeps_input() or any(getattr(a, "_cell", None) is self._cell for a in args):
            source, args = _snapshot(self, args)
        return write(self, public(source, *args, **kwargs), name)

    inplace.__name__ = inplace.__qualname__ = name
    inplace.__doc__ = f"In-place form of ``{op.name}``: writes the result into the tensor and returns it."
    return inplace


def _snapshot(tensor, args):
    """A copy of what is about to be overwritten, for rules that will read it."""
    wanted = modes.is_grad_enabled() and any(getattr(a, "requires_grad", False) for a in (tensor, *args))
    overlapping = any(getattr(a, "_cell", None) is tensor._cell for a in args)
    if not wanted and not overlapping:
        return tensor, args
    copies = {}

    def copied(value):
        if getattr(value, "_cell", None) is not tensor._cell:
            return value
        if id(value) not in copies:
            copies[id(value)] = make(backends.of(value._array).copy(value._array), fresh_edge(value))
        return copies[id(value)]

    return copied(tensor), tuple(copied(a) for a in args)


def check_writable(tensor, name):
    """PyTorch's refusals of in-place writes, each with a hint."""
    view = tensor._view
    if (
        view is not None
        and view[3] == NO_GRAD
        and modes.is_grad_enabled()
        and fresh_edge(view[0]) is not None
    ):
        raise RuntimeError(
            "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this "
            "use case is ambiguous and error-prone, it is forbidden. Hint: create the view outside no_grad, or write "
            "under it."
        )
    if not (modes.is_grad_enabled() and tensor.requires_grad):
        if tensor.is_inference() and not modes.is_inference_mode_enabled():
            raise RuntimeError(
                "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get "
                "a normal tensor before doing inplace update."
            )
        return
    _refuse_several(view)
    if tensor.is_leaf:
        raise RuntimeError(
            f"a leaf Variable that requires grad is being used in an in-place operation ({name}). "
            "Hint: write under minidl.no_grad(), or use the out-of-place form."
        )
    root = tensor._view[0] if tensor._view is not None else None
    if root is not None and root.is_leaf and root.requires_grad:
        raise RuntimeError(
            f"a view of a leaf Variable that requires grad is being used in an in-place operation ({name}). "
            "Hint: write under minidl.no_grad(), or use the out-of-place form."
        )


def _refuse_several(view):
    """Raises for one of several views that a function returned at once."""
    if view is not None and view[3] is not None and view[3] != NO_GRAD:
        raise RuntimeError(
            f"{view[3]} is a view and is being modified inplace. This view is the output of a function that returns "
            "multiple views. Such functions do not allow the output views to be modified inplace. "
            "You should replace the inplace operation by an out-of-place one."
        )


_PRODUCTS = frozenset({"addmm_", "addmv_", "baddbmm_"})  # which say in their own words that shapes differ


def write(tensor, result, name, constant=False):
    """Writes ``result`` into ``tensor``'s storage and moves the tape accordingly. Returns ``tensor``.

    ``constant``: all elements are equal, so elements that share a location may be written too.
    """
    check_writable(tensor, name)
    if tensor._view is not None and result._edge is not None and modes.is_grad_enabled():
        _refuse_several(tensor._view)
    array, value = tensor._array, result._array
    if value.shape != array.shape:
        if name in _PRODUCTS:
            raise RuntimeError(
                f"Bad in-place call: input tensor size {list(array.shape)} and output tensor size "
                f"{list(value.shape)} should match"
            )
        raise RuntimeError(
            f"output with shape {list(array.shape)} doesn't match the broadcast shape {list(value.shape)}"
        )
    if name == "float_power_" and value.dtype != array.dtype:
        raise RuntimeError(
            f"the base given to {name} has dtype {dtypes.scalar_name(array.dtype)} but the operation's result requires "
            f"dtype {dtypes.scalar_name(value.dtype)}"
        )
    if not can_cast(value.dtype, array.dtype):
        raise RuntimeError(
            f"result type {dtypes.scalar_name(value.dtype)} can't be cast to the desired output type "
            f"{dtypes.scalar_name(array.dtype)}. Hint: use the out-of-place form of {name}."
        )
    if not constant:
        refuse_expanded(array)
    backends.of(array).assign(array, value)
    written(tensor, result)
    return tensor


def refuse_expanded(array):
    """Raises where several elements share one location, as after expand()."""
    if (
        0 in array.strides
        and array.size
        and any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True))
    ):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def can_cast(source, target):
    """Whether an in-place result of dtype ``source`` may be written into ``target``: a category never narrows."""
    return dtypes.category(source) <= dtypes.category(target)


def bump(tensor):
    """Marks the storage as written."""
    cell = tensor._cell
    list.__setitem__(cell, 0, list.__getitem__(cell, 0) + 1)


def written(tensor, result):
    """Tells the tape that ``tensor``'s storage now holds ``result``'s value."""
    edge = fresh_edge(result) if modes.is_grad_enabled() else None
    old = settled_edge(tensor)
    root_edge = None if tensor._view is None else fresh_edge(tensor._view[0])
    bump(tensor)
    if not modes.is_grad_enabled() or (edge is None and old is None and root_edge is None):
        return
    if tensor._view is None:
        tensor._edge = edge
        move_retained(old, edge)
        return
    root, steps, _, kind = tensor._view
    root._edge = assigned_edge(root._array, root_edge, edge, steps)
    move_retained(root_edge, root._edge)
    tensor._view = (root, steps, -1, kind)  # stale on purpose: its edge is derived from the new root
    fresh_edge(tensor)
