"""``_foreach_*``: an op for each tensor of a list, by the names that optimizers of others call.

``_foreach_add(tensors, other)`` gives a tuple of ``tensor.add(other)``; ``other`` is a number or a tensor for all,
or a list with one for each. A name with ``_`` behind writes into the tensors and gives the list back. Each is as many
calls as there are tensors. Raises ``RuntimeError`` for lists of different lengths and for an empty one.
Source: ``torch``.

>>> import minidl
>>> minidl._foreach_add([minidl.ones(1), minidl.zeros(2)], 2)
(tensor([3.]), tensor([2., 2.]))
"""

from minidl.autograd import Tensor, registry
from minidl.autograd.modes import no_grad

_ONE = [
    "abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor", "frac", "lgamma",
    "log", "log10", "log1p", "log2", "neg", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt",
    "tan", "tanh", "trunc",
]  # fmt: skip
_MORE = ["add", "sub", "mul", "div", "addcmul", "addcdiv", "lerp", "clamp_max", "clamp_min", "pow"]
_EXTREMA = {"maximum": "clamp_min", "minimum": "clamp_max"}


def _spread(tensors, argument):
    """An argument for each tensor: those of a list, or the same for all."""
    if not isinstance(argument, (list, tuple)):
        return (argument,) * len(tensors)
    if len(argument) != len(tensors):
        if argument and isinstance(argument[0], Tensor):
            raise RuntimeError(
                f"Tensor lists must have the same number of tensors, got {len(tensors)} and {len(argument)}"
            )
        raise RuntimeError("Tensor list must have same number of elements as scalar list.")
    return argument


def _calls(name, tensors, arguments):
    """The positional arguments of each call."""
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got {tensors.__class__.__name__}, "
            "but expected a list or tuple of Tensors first"
        )
    if not tensors:
        raise RuntimeError("Tensor list must have at least one tensor.")
    return zip(tensors, *(_spread(tensors, argument) for argument in arguments), strict=True)


def _make(name, call, writes):
    def each(self, *arguments, **options):
        done = [call(*arguments, **options) for arguments in _calls(public, self, arguments)]
        return self if writes else tuple(done)

    public = f"_foreach_{name}"
    each.__name__ = each.__qualname__ = public
    each.__doc__ = f"``{name}`` for each tensor of a list. Source: ``torch.{public}``."
    registry.FACES["torch"][public] = each


def _method(name, words=None):
    """Calls the method ``name``, its last argument by the word that the method knows it by."""
    if words is None:
        return lambda tensor, *arguments, **options: getattr(tensor, name)(*arguments, **options)

    def call(tensor, *arguments, **options):
        named = dict(zip(words, arguments[2:], strict=False))
        return getattr(tensor, name)(*arguments[:2], **named, **options)

    return call


def _extremum(name, clamp):
    def call(tensor, other):
        if isinstance(other, Tensor):
            return registry.FACES["torch"][name](tensor, other)
        return getattr(tensor, clamp)(other)

    def write(tensor, other):
        with no_grad():
            return tensor.copy_(call(tensor, other))

    return call, write


for _name in (*_ONE, *_MORE):
    _words = ("value",) if _name.startswith("addc") else None
    _make(_name, _method(_name, _words), False)
    _make(_name + "_", _method(_name + "_", _words), True)
for _name, _clamp in _EXTREMA.items():
    _call, _write = _extremum(_name, _clamp)
    _make(_name, _call, False)
    _make(_name + "_", _write, True)
for _name in ("clone", "max", "mm", "norm"):
    _make(_name, _method(_name), False)
for _name in ("zero_", "copy_"):
    _make(_name, _method(_name), True)
