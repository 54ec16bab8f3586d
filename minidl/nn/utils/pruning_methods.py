"""Ways to choose the mask of a pruned parameter; ``prune.py`` has the functions that use them."""

import abc
import numbers
from collections.abc import Iterable

from minidl.autograd.modes import no_grad
from minidl.ops.create import ones_like, zeros_like
from minidl.ops.matrix_norms import vector_norm
from minidl.ops.ordering import topk
from minidl.ops.random import rand, rand_like

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
    "RandomStructured", "RandomUnstructured",
]  # fmt: skip


class BasePruningMethod(abc.ABC):
    """A way to choose a mask, and the hook that multiplies with it before forward.

    A subclass sets ``PRUNING_TYPE`` ("unstructured", "structured" with a ``dim``, or "global") and writes
    ``compute_mask(t, default_mask)``, which gives a mask of ``t``'s shape that has the zeros of ``default_mask`` too.

    >>> import minidl
    >>> from minidl.nn.utils import prune
    >>> class EverySecond(prune.BasePruningMethod):
    ...     PRUNING_TYPE = "unstructured"
    ...
    ...     def compute_mask(self, t, default_mask):
    ...         mask = default_mask.clone()
    ...         mask.view(-1)[::2] = 0
    ...         return mask
    >>> EverySecond().prune(minidl.tensor([1.0, 2.0, 3.0]))
    tensor([0., 2., 0.])
    """

    _tensor_name: str

    def __call__(self, module, inputs):
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abc.abstractmethod
    def compute_mask(self, t, default_mask):
        """The new mask for ``t``, where ``default_mask`` is the present one."""

    def apply_mask(self, module):
        """The parameter times its mask."""
        name = self._tensor_name
        if name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        orig = getattr(module, f"{name}_orig")
        return getattr(module, f"{name}_mask").to(orig.dtype) * orig

    @classmethod
    def apply(cls, module, name, *args, importance_scores=None, **kwargs):
        """Prunes ``module``'s parameter ``name`` by this method, on top of what pruned it before. Returns the method.

        ``importance_scores``, of the parameter's shape, stand for its values when entries are chosen.
        """
        before = hook_of(module, name)
        method = cls(*args, **kwargs)
        method._tensor_name = name
        present = getattr(module, name)
        if importance_scores is not None and importance_scores.shape != present.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got "
                f"{importance_scores.shape} vs {present.shape}"
            )
        mask = ones_like(present) if before is None else getattr(module, f"{name}_mask")
        hook = method
        if before is not None:
            old = module._forward_pre_hooks[before]
            hook = PruningContainer(*(old if isinstance(old, PruningContainer) else [old]), method)
        with no_grad():
            scores = present if importance_scores is None else importance_scores
            mask = hook.compute_mask(scores.detach(), mask.detach().clone())
        if before is None:
            del module._parameters[name]
            module.register_parameter(f"{name}_orig", present)
        else:
            del module._forward_pre_hooks[before]
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, hook.apply_mask(module))
        module.register_forward_pre_hook(hook)
        return hook

    def prune(self, t, default_mask=None, importance_scores=None):
        """``t`` times the mask that the method chooses for it or for ``importance_scores``, within ``default_mask``."""
        if importance_scores is not None and importance_scores.shape != t.shape:
            raise AssertionError("importance_scores should have the same shape as tensor t")
        scores = t if importance_scores is None else importance_scores
        mask = ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=mask)

    def remove(self, module):
        """Makes the pruned values the parameter's own and takes mask and original away."""
        name = self._tensor_name
        if name is None:
            raise AssertionError(f"Module {module} has to be pruned before pruning can be removed")
        with no_grad():
            values = self.apply_mask(module)
        orig = module._parameters.pop(f"{name}_orig")
        orig.data = values.data
        del module._buffers[f"{name}_mask"]
        delattr(module, name)
        setattr(module, name, orig)


class PruningContainer(BasePruningMethod):
    """Methods that pruned one parameter after the other; the last one chooses among what the others left."""

    def __init__(self, *args):
        self._pruning_methods = ()
        for method in args[0] if len(args) == 1 and isinstance(args[0], Iterable) else args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method):
        """Adds a method for the same parameter. Raises ``TypeError`` or ``ValueError`` for another one."""
        if not isinstance(method, BasePruningMethod) and method is not None:
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if self._pruning_methods and method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)
        self._tensor_name = method._tensor_name

    def __len__(self):
        return len(self._pruning_methods)

    def __iter__(self):
        return iter(self._pruning_methods)

    def __getitem__(self, idx):
        return self._pruning_methods[idx]

    def compute_mask(self, t, default_mask):
        """The mask of the last method, which sees only the entries or slices that are not pruned yet."""
        method = self._pruning_methods[-1]
        if method.PRUNING_TYPE == "unstructured":
            left = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim = _dim_of(t, method.dim)
            alive = default_mask.sum(dim=[d for d in range(t.dim()) if d != dim]) != 0
            left = (slice(None),) * dim + (alive.nonzero().reshape(-1),)
        elif method.PRUNING_TYPE == "global":
            left = (slice(None),) * t.dim()
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask = default_mask.clone()
        mask[left] = method.compute_mask(t[left], default_mask=default_mask[left]).to(mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing: gives a parameter its mask and its other names."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t, default_mask):
        return default_mask


class RandomUnstructured(BasePruningMethod):
    """``amount`` entries at random."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount):
        _check_amount(amount)
        self.amount = amount

    def _sizes(self, t):
        return rand_like(t)

    def compute_mask(self, t, default_mask):
        count = _count(self.amount, t.numel())
        mask = default_mask.clone()
        if count:
            smallest = topk(self._sizes(t).reshape(-1), count, largest=False)[1]
            flat = mask.reshape(-1)
            flat[smallest] = 0
            mask = flat.reshape(mask.shape)
        return mask


class L1Unstructured(RandomUnstructured):
    """The ``amount`` entries of smallest absolute value."""

    def _sizes(self, t):
        return t.abs()


class RandomStructured(BasePruningMethod):
    """``amount`` slices along ``dim`` at random."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount, dim=-1):
        _check_amount(amount)
        self.amount, self.dim = amount, dim

    def _sizes(self, t, dim):
        return rand(t.shape[dim], device=t.device)

    def compute_mask(self, t, default_mask):
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{t.shape} with {t.dim()} dims"
            )
        dim = _dim_of(t, self.dim)
        count = _count(self.amount, t.shape[dim])
        if not count:
            return default_mask
        kept = zeros_like(t)
        largest = topk(self._sizes(t, dim), t.shape[dim] - count)[1]
        kept[(slice(None),) * dim + (largest,)] = 1
        return kept.to(default_mask.dtype) * default_mask


class LnStructured(RandomStructured):
    """The ``amount`` slices along ``dim`` of smallest L``n``-norm."""

    def __init__(self, amount, n, dim=-1):
        super().__init__(amount, dim)
        self.n = n

    def _sizes(self, t, dim):
        return vector_norm(t, self.n, dim=[d for d in range(t.dim()) if d != dim])


class CustomFromMask(BasePruningMethod):
    """The entries where ``mask`` is 0."""

    PRUNING_TYPE = "global"

    def __init__(self, mask):
        self.mask = mask

    def compute_mask(self, t, default_mask):
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(default_mask.dtype)


def hook_of(module, name):
    """The key of the forward pre-hook that prunes a parameter, or None."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return key
    return None


def _dim_of(t, dim):
    if not -t.dim() <= dim < t.dim():
        raise IndexError(f"Invalid index {dim} for tensor of size {t.shape}")
    return dim % t.dim()


def _check_amount(amount):
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    integral = isinstance(amount, numbers.Integral)
    if (integral and amount < 0) or (not integral and not 0 <= amount <= 1):
        raise ValueError(
            f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer"
        )


def _count(amount, size):
    """How many of ``size`` an amount means."""
    if not isinstance(amount, numbers.Integral):
        return round(amount * size)
    if amount > size:
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={size}")
    return int(amount)
