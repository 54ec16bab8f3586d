"""Parametrizations: a tensor of a module that is computed from others wherever the module reads it."""

import contextlib
import copy

from minidl.autograd.modes import no_grad
from minidl.autograd.tensor import Tensor
from minidl.nn.containers import ModuleDict, ModuleList
from minidl.nn.parameter import Parameter

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]  # fmt: skip

_SEQUENCE = "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got"
_MAY_NOT = "Registering a parametrization may not change the {0}"
_cache, _cache_depth = {}, 0


@contextlib.contextmanager
def cached():
    """Within it every parametrized tensor is computed once, however often it is read.

    The values are forgotten where the outermost block ends. Change no parameter within it.
    Source: ``torch.nn.utils.parametrize.cached``.

    >>> import minidl
    >>> layer = minidl.nn.utils.parametrizations.weight_norm(minidl.nn.Linear(2, 2))
    >>> with minidl.nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    global _cache_depth
    _cache_depth += 1
    try:
        yield
    finally:
        _cache_depth -= 1
        if not _cache_depth:
            _cache.clear()


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, in order, and the parameters or buffers that they compute it from.

    These are ``original``, or ``original0``, ``original1``, ... where the first parametrization takes several.
    Source: ``torch.nn.utils.parametrize.ParametrizationList``.

    Args:
        modules: the parametrizations: the first takes the originals, each other one the result before it.
        original: the tensor; ``right_inverse`` of the parametrizations, the last first, makes the originals from it.
        unsafe: whether the result may have another dtype or shape.
    """

    def __init__(self, modules, original, unsafe=False):
        modules = list(modules)
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        dtype, shape = original.dtype, original.shape
        with no_grad():
            found = original
            for module in reversed(modules):
                with contextlib.suppress(NotImplementedError):
                    found = module.right_inverse(found) if hasattr(module, "right_inverse") else found
        self.is_tensor = isinstance(found, Tensor)
        self.ntensors = 1 if self.is_tensor else len(_sequence(found))
        if self.is_tensor:
            _same_dtype(original, found)
            with no_grad():
                original.set_(found)  # the very parameter that optimizers hold
            _own(self, "original", original)
        else:
            for i, part in enumerate(found):
                if isinstance(original, Parameter):
                    part = Parameter(part, original.requires_grad)
                _own(self, f"original{i}", part.requires_grad_(original.requires_grad))
        if not unsafe:
            result = self()
            _demand_tensor("A parametrization", result)
            refusal = f"{_MAY_NOT} of the tensor, unless `unsafe` flag is enabled."
            _alike(refusal, "unparametrized {0}", "parametrized {0}", (dtype, shape), result)

    def originals(self):
        """What the first parametrization takes."""
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value):
        """Gives the originals the values from which ``value`` is computed.

        Raises ``RuntimeError`` where a parametrization has no ``right_inverse``, ``ValueError`` where it gives
        something else than there are originals.
        """
        with no_grad():
            for module in reversed(self):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement right_inverse."
                    )
                value = module.right_inverse(value)
            if self.is_tensor:
                _demand_tensor("`right_inverse`", value, "should")
                _same_dtype(self.original, value)
            elif len(_sequence(value)) != self.ntensors:
                raise ValueError(
                    "'right_inverse' must return a sequence of tensors of length "
                    f"{self.ntensors}. Got a sequence of length {len(value)}."
                )
            for original, part in zip(self.originals(), [value] if self.is_tensor else value, strict=True):
                original.set_(part)

    def forward(self):
        """The tensor that the module sees."""
        first, *others = self
        result = first(*self.originals())
        for module in others:
            result = module(result)
        return result


def register_parametrization(module, tensor_name, parametrization, *, unsafe=False):
    """Replaces a parameter or buffer by what a module computes from it. Returns ``module``.

    ``module.tensor_name`` is from now on ``parametrization(original)``, computed at each reading;
    ``module.parametrizations.tensor_name.original`` is the parameter that is trained. Where the parametrization has
    a method ``right_inverse``, the original is what that gives for the present value (several tensors become
    ``original0``, ``original1``, ... and the arguments of its ``forward``), and the tensor can be assigned to. A
    second parametrization of the same tensor takes the result of the first.

    Args:
        unsafe: whether dtype and shape may change.

    Raises ``ValueError`` where there is no such tensor, or where a result is no tensor or, without ``unsafe``, of
    another dtype or shape. Source: ``torch.nn.utils.parametrize.register_parametrization``.

    >>> import minidl
    >>> class Symmetric(minidl.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).mT
    >>> layer = minidl.nn.Linear(3, 3)
    >>> _ = minidl.nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
    >>> minidl.equal(layer.weight, layer.weight.T)
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        chain = module.parametrizations[tensor_name]
        if not unsafe:
            _check_next(getattr(module, tensor_name), parametrization)
        chain.append(parametrization)
        chain.unsafe |= unsafe
    elif tensor_name in module._parameters or tensor_name in module._buffers:
        original = getattr(module, tensor_name)
        chain = ParametrizationList(
            [parametrization], original, unsafe
        )  # before the module changes: it may refuse
        delattr(module, tensor_name)
        if not is_parametrized(module):
            module.__class__ = _parametrized(type(module))
            module.parametrizations = ModuleDict()
        setattr(type(module), tensor_name, _computed(tensor_name))
        module.parametrizations[tensor_name] = chain
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def is_parametrized(module, tensor_name=None):
    """Whether a module has a parametrized tensor, or that of this name. Source: PyTorch's function of this name."""
    found = module._modules.get("parametrizations")
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module, tensor_name, leave_parametrized=True):
    """Makes a parametrized tensor a parameter or buffer again. Returns ``module``.

    Args:
        leave_parametrized: whether it keeps the value that was computed; if not, it has the original's.

    Raises ``ValueError`` where it is not parametrized, or has several originals and none is to be left.
    Source: ``torch.nn.utils.parametrize.remove_parametrizations``.

    >>> import minidl
    >>> layer = minidl.nn.utils.parametrizations.weight_norm(minidl.nn.Linear(2, 2))
    >>> minidl.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    Linear(in_features=2, out_features=2, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    chain = module.parametrizations[tensor_name]
    if not (chain.is_tensor or leave_parametrized):
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    if chain.is_tensor:
        tensor = chain.original
        if leave_parametrized:
            with no_grad():
                tensor.set_(chain())
    else:
        value = chain()
        tensor = Parameter(value.detach()) if value.requires_grad else value
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if not len(module.parametrizations):
        del module.parametrizations
        module.__class__ = type(module).__base__
    _own(module, tensor_name, tensor)
    return module


def type_before_parametrizations(module):
    """The class that a module had before it was parametrized. Source: PyTorch's function of this name.

    >>> import minidl
    >>> layer = minidl.nn.utils.parametrizations.orthogonal(minidl.nn.Linear(2, 2))
    >>> minidl.nn.utils.parametrize.type_before_parametrizations(layer).__name__
    'Linear'
    """
    return type(module).__base__ if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module, to_module, tensor_name=None):
    """Parametrizes ``to_module`` as ``from_module`` is, with its values; of all tensors or one. Returns ``to_module``.

    Source: PyTorch's function of this name.
    """
    names = from_module.parametrizations if tensor_name is None else [tensor_name]
    for name in list(names):
        if not hasattr(to_module, name):
            _own(to_module, name, from_module.parametrizations[name].original)
        chain = from_module.parametrizations[name]
        for parametrization in chain:
            register_parametrization(to_module, name, parametrization, unsafe=chain.unsafe)
        with no_grad():
            for mine, theirs in zip(
                to_module.parametrizations[name].originals(), chain.originals(), strict=True
            ):
                mine.set_(theirs.clone())
    return to_module


def _parametrized(kind):
    """A class for one module, of which parametrized tensors are properties."""

    def refuse(self):
        raise RuntimeError(
            "Serialization of parametrized modules is only supported through state_dict(). Hint: save "
            "module.state_dict() and load it into a module that was parametrized in the same way."
        )

    def deepcopy(self, memo):
        twin = self.__new__(type(self))
        memo[id(self)] = twin
        state = copy.deepcopy(self.__dict__, memo)
        twin.__class__ = _parametrized(
            kind
        )  # its own properties, so that removing one leaves this module alone
        twin.__setstate__(state)
        for name in twin.parametrizations:
            setattr(type(twin), name, _computed(name))
        return twin

    return type(f"Parametrized{kind.__name__}", (kind,), {"__getstate__": refuse, "__deepcopy__": deepcopy})


def _computed(name):
    def read(module):
        if not _cache_depth:
            return module.parametrizations[name]()
        key = id(module), name
        if key not in _cache:
            _cache[key] = module.parametrizations[name]()
        return _cache[key]

    def write(module, value):
        module.parametrizations[name].right_inverse(value)

    return property(read, write)


def _own(module, name, tensor):
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _check_next(present, parametrization):
    """Whether a parametrization may follow others: it keeps what the module has."""
    result = parametrization(present)
    _demand_tensor("A parametrization", result)
    _alike(
        f"{_MAY_NOT} of the tensor, unless the `unsafe` flag is enabled.",
        "module.weight.{0}", "parametrization(module.weight).{0}", (present.dtype, present.shape), result,
    )  # fmt: skip
    if not hasattr(parametrization, "right_inverse"):
        return
    with contextlib.suppress(NotImplementedError):
        back = parametrization.right_inverse(result)
        if not isinstance(back, Tensor):
            raise ValueError(
                f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}"
            )
        _alike(
            "The tensor returned by parametrization.right_inverse must have the same {0} as module.weight, unless the "
            "`unsafe` flag is enabled.",
            "module.weight.{0}", "returned {0}", (present.dtype, present.shape), back,
        )  # fmt: skip


def _alike(text, before, after, wanted, tensor):
    for what, old in zip(("dtype", "shape"), wanted, strict=True):
        new = getattr(tensor, what)
        if new != old:
            raise ValueError(f"{text}\n{before}: {old}\n{after}: {new}".replace("{0}", what))


def _same_dtype(original, found):
    if found.dtype != original.dtype:
        raise ValueError(
            f"When `right_inverse` outputs one tensor, it may not change the dtype.\noriginal.dtype: {original.dtype}\n"
            f"right_inverse(original).dtype: {found.dtype}"
        )


def _demand_tensor(what, value, must="must"):
    if not isinstance(value, Tensor):
        raise ValueError(f"{what} {must} return a tensor. Got {type(value).__name__}.")


def _sequence(value):
    """The tensors that a ``right_inverse`` gives."""
    if not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
        raise ValueError(f"{_SEQUENCE} {type(value).__name__}.")
    for i, part in enumerate(value):
        if not isinstance(part, Tensor):
            raise ValueError(f"{_SEQUENCE} element {i} of the sequence with type {type(part).__name__}.")
    return value
