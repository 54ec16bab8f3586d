"""What a layer's ``call`` and ``build`` take: read once a class."""

import inspect

_KINDS = (
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.KEYWORD_ONLY,
)
_NO_TENSORS = {"training", "mask"}


class Signature:
    """Parameter names of a function, and whether it takes ``training`` and ``mask``."""

    def __init__(self, function):
        parameters = list(inspect.signature(function).parameters.values())
        if parameters and parameters[0].name == "self":
            parameters = parameters[1:]
        self.names = [p.name for p in parameters if p.kind in _KINDS]
        self.required = [p.name for p in parameters if p.kind in _KINDS and p.default is p.empty]
        self.open = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.star = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.training = "training" in self.names
        self.mask = "mask" in self.names
        self.masks = [n for n in self.names if n.endswith("_mask") and n[:-5] in self.names]
        self.default_training = next(
            (p.default for p in parameters if p.name == "training" and p.default is not p.empty), None
        )

    def named(self, args, kwargs):
        """The arguments by name, in order."""
        found = dict(zip(self.names, args))
        found.update(kwargs)
        return found


def shape_arguments(signature, call, args, kwargs, shapes):
    """The arguments of ``build`` or ``compute_output_shape``: by ``<name>_shape`` where they are named so, else the
    shape, or structure of shapes, of the call's first argument."""
    wanted = [name for name in signature.names if name.endswith("_shape") or name == "shape"]
    if len(wanted) <= 1 or not signature.names:
        first = args[0] if args else next(iter(kwargs.values()), None)
        return [shapes(first)], {}
    named = call.named(args, kwargs)
    found = {}
    for name in wanted:
        value = named.get(name.removesuffix("_shape"))
        if value is not None:
            found[name] = shapes(value)
        elif name in signature.required:
            found[name] = None
    return [], found
