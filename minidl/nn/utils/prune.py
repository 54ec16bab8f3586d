"""Pruning: parameters times a mask of zeros and ones, chosen by size, at random or by hand.

``prune`` functions rename a parameter ``name`` to ``name_orig``, keep its mask as the buffer ``name_mask``, and compute
``name = name_orig * name_mask`` before every forward. Pruning again prunes what is left. ``amount`` is a number of
entries (or, structured, of slices along ``dim``), or a fraction of them. Source: ``torch.nn.utils.prune``.
"""

from collections.abc import Iterable

from minidl.nn.utils.pruning_methods import (
    BasePruningMethod,
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    PruningContainer,
    RandomStructured,
    RandomUnstructured,
    hook_of,
)
from minidl.ops.create import ones_like
from minidl.ops.joining import cat

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
    "RandomStructured", "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned",
    "l1_unstructured", "ln_structured", "random_structured", "random_unstructured", "remove",
]  # fmt: skip


def identity(module, name):
    """Gives a parameter a mask of ones. Returns the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module, name, amount):
    """Prunes ``amount`` entries at random. Returns the module."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module, name, amount, importance_scores=None):
    """Prunes the ``amount`` entries of smallest absolute value, or of smallest score. Returns the module.

    Raises ``TypeError`` or ``ValueError`` for an amount that is none, ``AttributeError`` for no such parameter.

    >>> import minidl
    >>> layer = minidl.nn.utils.prune.l1_unstructured(minidl.nn.Linear(4, 3), "weight", amount=0.5)
    >>> layer.weight_mask.sum()
    tensor(6.)
    >>> list(layer.state_dict())
    ['bias', 'weight_orig', 'weight_mask']
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module, name, amount, dim):
    """Prunes ``amount`` slices along ``dim`` at random. Returns the module."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module, name, amount, n, dim, importance_scores=None):
    """Prunes the ``amount`` slices along ``dim`` of smallest L``n``-norm. Returns the module."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module, name, mask):
    """Prunes the entries where ``mask`` is 0. Returns the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters, pruning_method, importance_scores=None, **kwargs):
    """Prunes several parameters together, by one method over all their entries.

    ``parameters`` are pairs of module and name; ``importance_scores`` a dict from such pairs to scores; ``kwargs`` go
    to the method. Raises ``TypeError`` for a method that is not unstructured.

    >>> import minidl
    >>> from minidl.nn.utils import prune
    >>> first, second = minidl.nn.Linear(2, 2), minidl.nn.Linear(2, 4)
    >>> prune.global_unstructured([(first, "weight"), (second, "weight")], prune.L1Unstructured, amount=3)
    >>> int(first.weight_mask.sum() + second.weight_mask.sum())
    9
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    importance_scores = {} if importance_scores is None else importance_scores
    if not isinstance(importance_scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    parameters = list(parameters)
    values = [getattr(module, name).detach() for module, name in parameters]
    scores = [importance_scores.get(pair, value) for pair, value in zip(parameters, values, strict=True)]
    masks = [getattr(module, f"{name}_mask", None) for module, name in parameters]
    masks = [ones_like(value) if mask is None else mask for value, mask in zip(values, masks, strict=True)]
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of '
            f"type {method.PRUNING_TYPE}"
        )
    flat = (cat([each.reshape(-1) for each in each_of]) for each_of in (scores, masks))
    mask = PruningContainer(method).compute_mask(*flat)
    parts = mask.split([value.numel() for value in values])
    for (module, name), part, value in zip(parameters, parts, values, strict=True):
        custom_from_mask(module, name, mask=part.reshape(value.shape))


def remove(module, name):
    """Makes pruning permanent: the parameter is ``name`` again, with its zeros. Returns the module.

    Raises ``ValueError`` where the parameter is not pruned.
    """
    key = hook_of(module, name)
    if key is None:
        raise ValueError(
            f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
        )
    module._forward_pre_hooks.pop(key).remove(module)
    return module


def is_pruned(module):
    """Whether a parameter of the module, or of one below it, is pruned.

    >>> import minidl
    >>> minidl.nn.utils.prune.is_pruned(minidl.nn.Linear(1, 1))
    False
    """
    return any(
        isinstance(hook, BasePruningMethod)
        for each in module.modules()
        for hook in each._forward_pre_hooks.values()
    )
