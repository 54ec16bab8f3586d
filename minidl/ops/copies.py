"""Views as copies: PyTorch's ``*_copy`` functions, whose results share no memory with their input."""

import inspect

from minidl.autograd import Tensor, function
from minidl.autograd.node import named
from minidl.ops.diagonals import diagonal
from minidl.ops.formats import clone
from minidl.ops.joining import select, split, unbind
from minidl.ops.shapes import expand, permute, squeeze, t, transpose, unsqueeze, view
from minidl.ops.splitting import split_with_sizes
from minidl.ops.strided import as_strided, unfold


def _copied(result):
    return tuple(clone(part) for part in result) if isinstance(result, tuple) else clone(result)


def _copy_of(name, view_of, example):
    signature, label = inspect.signature(view_of), f"{name.title().replace('_', '')}Backward0_copy"

    def forward(input, *args, **kwargs):
        return named(_copied(view_of(input, *args, **kwargs)), label)

    forward.__name__ = forward.__qualname__ = f"{name}_copy"
    first, *rest = signature.parameters.values()
    forward.__signature__ = signature.replace(parameters=[first.replace(name="input"), *rest])
    forward.__doc__ = f"""``{name}`` as a copy; arguments and errors are those of the view.
    Source: ``torch.{name}_copy``.

    >>> import minidl
    >>> minidl.{name}_copy(minidl.zeros(2, 3){example[0]}){example[1]}
    """
    return function(method=False, tensors="input")(forward)


def _sized(view_of):
    """A view whose sizes are one argument."""

    def of_sizes(input, size):
        return view_of(input, size)

    return of_sizes


def _alias(input):
    return input.view_as(input)


def _slice(input, dim=0, start=None, end=None, step=1):
    places = [slice(None)] * input.ndim
    places[dim] = slice(start, end, step)
    return input[tuple(places)]


def _permuted(input, dims):
    return permute(input, dims)


def _expanded(input, size, *, implicit=False):
    return expand(input, size)


def _squeezed(input, dim=None):
    return squeeze(input) if dim is None else squeeze(input, dim)


def _shape(*sizes):
    return f".shape\n    torch.Size({list(sizes)})"


alias_copy = _copy_of("alias", _alias, ("", _shape(2, 3)))
as_strided_copy = _copy_of("as_strided", as_strided, (", (2,), (1,)", _shape(2)))
detach_copy = _copy_of("detach", Tensor.detach, ("", _shape(2, 3)))
diagonal_copy = _copy_of("diagonal", diagonal, ("", _shape(2)))
expand_copy = _copy_of("expand", _expanded, (", (4, 2, 3)", _shape(4, 2, 3)))
permute_copy = _copy_of("permute", _permuted, (", (1, 0)", _shape(3, 2)))
select_copy = _copy_of("select", select, (", 0, 1", _shape(3)))
slice_copy = _copy_of("slice", _slice, (", 1, 0, 2", _shape(2, 2)))
split_copy = _copy_of("split", split, (", 1", "[0].shape\n    torch.Size([1, 3])"))
split_with_sizes_copy = _copy_of(
    "split_with_sizes", split_with_sizes, (", [1, 1]", "[0].shape\n    torch.Size([1, 3])")
)
squeeze_copy = _copy_of("squeeze", _squeezed, ("", _shape(2, 3)))
t_copy = _copy_of("t", t, ("", _shape(3, 2)))
transpose_copy = _copy_of("transpose", transpose, (", 0, 1", _shape(3, 2)))
unbind_copy = _copy_of("unbind", unbind, ("", "[0].shape\n    torch.Size([3])"))
unfold_copy = _copy_of("unfold", unfold, (", 1, 2, 1", _shape(2, 2, 2)))
unsqueeze_copy = _copy_of("unsqueeze", unsqueeze, (", 0", _shape(1, 2, 3)))
view_copy = _copy_of("view", _sized(view), (", (6,)", _shape(6)))
