"""Weight normalisation: a parameter as a length times a direction."""

from minidl.nn.parameter import Parameter
from minidl.ops.matrix_norms import vector_norm

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]


class WeightNorm:
    """The hook that ``weight_norm`` puts before a module's forward: it computes ``weight`` from g and v."""

    def __init__(self, name, dim):
        self.name, self.dim = name, -1 if dim is None else dim

    def norm(self, v):
        """The length of each slice of ``v`` along ``dim``, in a shape that broadcasts with it; -1: of all of it."""
        if self.dim == -1:
            return vector_norm(v)
        if not -v.dim() <= self.dim < v.dim():
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-v.dim()}, {v.dim() - 1}], but got {self.dim})"
            )
        others = [d for d in range(v.dim()) if d != self.dim % v.dim()]
        return vector_norm(v, dim=others, keepdim=True) if others else v.abs()

    def compute_weight(self, module):
        """g v / |v|."""
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return v * (g / self.norm(v))

    def remove(self, module):
        """Makes the weight a parameter again, with its present value."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        delattr(module, f"{self.name}_g")
        delattr(module, f"{self.name}_v")
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module))


def hook_of(module, kind, name):
    """The key of a module's forward pre-hook of class ``kind`` for the parameter ``name``, or None."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, kind) and hook.name == name:
            return key
    return None


def weight_norm(module, name="weight", dim=0):
    """Replaces a parameter w by its length g and its direction v: ``w = g v / |v|``. Returns the module.

    The lengths are those of the slices along ``dim``, or of the whole parameter for None. The module has ``name_g``
    and ``name_v`` as parameters in the place of ``name``, which is computed before every forward. Raises
    ``RuntimeError`` where the parameter is normalised already, ``AttributeError`` where there is none of this name.
    Source: T. Salimans, D. Kingma, "Weight normalization" (2016), arXiv:1602.07868; ``torch.nn.utils.weight_norm``.

    >>> import minidl
    >>> layer = minidl.nn.utils.weight_norm(minidl.nn.Linear(20, 40))
    >>> layer.weight_g.shape, layer.weight_v.shape
    (torch.Size([40, 1]), torch.Size([40, 20]))
    """
    if hook_of(module, WeightNorm, name) is not None:
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook = WeightNorm(name, dim)
    weight = getattr(module, name)
    g = Parameter(hook.norm(weight).data)
    del module._parameters[name]
    module.register_parameter(f"{name}_g", g)
    module.register_parameter(f"{name}_v", Parameter(weight.data))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module, name="weight"):
    """Undoes ``weight_norm``: the parameter keeps its present value. Returns the module.

    Raises ``ValueError`` where it is not normalised. Source: ``torch.nn.utils.remove_weight_norm``.

    >>> import minidl
    >>> layer = minidl.nn.utils.weight_norm(minidl.nn.Linear(2, 1))
    >>> sorted(minidl.nn.utils.remove_weight_norm(layer).state_dict())
    ['bias', 'weight']
    """
    key = hook_of(module, WeightNorm, name)
    if key is None:
        raise ValueError(f"weight_norm of '{name}' not found in {module}")
    module._forward_pre_hooks.pop(key).remove(module)
    return module
