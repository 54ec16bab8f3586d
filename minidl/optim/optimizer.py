"""``Optimizer``: parameter groups, their options and their state."""

import warnings
from collections import defaultdict
from collections.abc import Iterable
from copy import deepcopy

from minidl import backends, dtypes
from minidl.autograd.convert import to_array
from minidl.autograd.modes import enable_grad
from minidl.autograd.tensor import Tensor, make
from minidl.device import CPU
from minidl.optim.hooks import (
    HookRegistration,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
    replaced,
    with_hooks,
)

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

required = object()  # the default of an option that every group must give


class Optimizer(HookRegistration):
    """Base class of optimizers: holds parameters in groups with options of their own, and a state a parameter.

    ``params`` is an iterable of tensors, of ``(name, tensor)`` pairs, or of dicts: groups, each with
    ``params`` and the options that differ from ``defaults``. Subclasses define ``_update(group)`` (all
    parameters of a group at once) or ``step``. Raises ``ValueError`` for an empty list, a repeated parameter
    or one that is no leaf, ``TypeError`` for what is no tensor. Source: PyTorch's ``torch.optim.Optimizer``.
    """

    _opt_called = False  # whether step() ran since the first scheduler began to watch
    _opt_watched = False
    _host_state = (
        "step",
    )  # state that stays on the host, in float32 or float64, whatever its parameter's dtype

    def __init__(self, params, defaults):
        self.defaults = defaults
        self._init_hooks()
        self.state = defaultdict(dict)
        self.param_groups = []
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{params.__class__.__name__}. Hint: put it into a list."
            )
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # --- groups -------------------------------------------------------------------------------------------------

    def add_param_group(self, param_group):
        """Adds a group: a dict with ``params`` and any options. Raises as the constructor does."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        group = param_group  # the caller's own dict, as in PyTorch: its options can be changed later
        group["params"], names = _tensors_and_names(group["params"])
        if names is not None:
            group["param_names"] = names
        for param in group["params"]:
            _check_param(param, self.defaults)
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(
                    f"parameter group didn't specify a value of required optimization parameter {name}"
                )
            group.setdefault(name, default)
        _check_repeats(group["params"])
        if self.param_groups:
            self._check_against_others(group)
        self.param_groups.append(group)

    def _check_against_others(self, group):
        named = "param_names" in self.param_groups[0]
        if named != ("param_names" in group):
            with_or_without = "without names" if named else "with names"
            raise ValueError(
                "all optimizer param groups should be with/without names. cannot add param group "
                f"{with_or_without} to the optimizer"
            )
        held = {param for other in self.param_groups for param in other["params"]}
        if not held.isdisjoint(group["params"]):
            raise ValueError("some parameters appear in more than one parameter group")

    # --- stepping -----------------------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = with_hooks(cls.step)

    def step(self, closure=None):
        """Updates every parameter that has a gradient. ``closure``, which recomputes the loss, runs first."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._update(group)
        return loss

    def _update(self, group):
        raise NotImplementedError(f"{type(self).__name__} defines neither step() nor _update()")

    def zero_grad(self, set_to_none=True):
        """Drops the gradients of all parameters, or fills them with zeros where they lie."""
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is None:
                    continue
                if set_to_none:
                    param.grad = None
                elif param.grad.grad_fn is not None:
                    param.grad.detach_().zero_()
                else:
                    param.grad.requires_grad_(False).zero_()

    # --- state --------------------------------------------------------------------------------------------------

    def state_dict(self):
        """``{"state": {number: {...}}, "param_groups": [...]}``, parameters numbered in order, as PyTorch's."""
        for hook in list(self._state_dict_pre_hooks.values()):
            hook(self)
        numbers = {}
        groups = []
        for group in self.param_groups:
            for param in group["params"]:
                numbers.setdefault(param, len(numbers))
            packed = {name: value for name, value in group.items() if name != "params"}
            groups.append({**packed, "params": [numbers[param] for param in group["params"]]})
        state = {numbers.get(key, key): value for key, value in self.state.items()}
        return replaced(self._state_dict_post_hooks, self, {"state": state, "param_groups": groups})

    def load_state_dict(self, state_dict):
        """Takes options and state from what ``state_dict`` gave (PyTorch's too, once its tensors are arrays).

        State tensors take the dtype and device of their parameter, but for ``step`` and other numbers that
        are kept on the host. Raises ``ValueError`` where the groups do not match.
        """
        state_dict = replaced(self._load_state_dict_pre_hooks, self, dict(state_dict))
        groups = deepcopy(state_dict["param_groups"])
        if len(groups) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(groups, self.param_groups, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's "
                "group"
            )
        params = {}
        for saved, own in zip(groups, self.param_groups, strict=True):
            params.update(zip(saved["params"], own["params"], strict=True))
            saved["params"] = own["params"]
        state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            param = params.get(key)
            state[key if param is None else param] = (
                deepcopy(value) if param is None else _state_of(param, value, self._host_state)
            )
        self.state = state
        self.param_groups = [{**own, **saved} for own, saved in zip(self.param_groups, groups, strict=True)]
        for hook in list(self._load_state_dict_post_hooks.values()):
            hook(self)

    def __getstate__(self):
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._init_hooks()

    def __repr__(self):
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines += ["\n" if i else "", f"Parameter Group {i}\n"]
            lines += [f"    {name}: {group[name]}\n" for name in sorted(group) if name != "params"]
        return lines[0] + "\n" + "".join(lines[1:]) + ")"


Optimizer.step = with_hooks(Optimizer.step)


def _tensors_and_names(params):
    """A group's parameters as a list, and their names where they came as (name, tensor) pairs."""
    if isinstance(params, Tensor):
        return [params], None
    if isinstance(params, (set, frozenset)):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of tensors "
            "in sets will "
            "change between runs. Please use a list instead."
        )
    if not isinstance(params, Iterable):
        raise TypeError(
            f"optimizer can only optimize Tensors, but one of the params is {type(params).__name__}"
        )
    params = list(params)
    named = [isinstance(param, tuple) for param in params]
    if any(named) and not all(named):
        raise ValueError("all optimizer params should be with/without names. Some param names are missing")
    if not any(named):
        return params, None
    return [tensor for _, tensor in params], [name for name, _ in params]


def _check_param(param, defaults):
    if not isinstance(param, Tensor):
        raise TypeError(
            f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}"
        )
    if not (param.is_leaf or param.retains_grad):
        raise ValueError(
            "can't optimize a non-leaf Tensor. Hint: optimize the leaf that it was computed from, or its "
            ".detach()."
        )


def _check_repeats(params):
    if len(set(params)) != len(params):
        warnings.warn(
            "optimizer contains a parameter group with duplicate parameters; in future, this will cause an "
            "error",
            stacklevel=4,
        )


def batches(rows):
    """Rows of arrays, a parameter each, as columns: a list of columns for every device and dtype among them."""
    kinds = {(row[0].__class__, row[0].dtype) for row in rows}
    for kind in kinds:
        same = rows if len(kinds) == 1 else [row for row in rows if (row[0].__class__, row[0].dtype) == kind]
        yield [list(column) for column in zip(*same, strict=True)]


def check_implementation(foreach, fused, differentiable, capturable=False):
    """Options that choose between PyTorch's implementations. Here one call updates all parameters, whatever they say.

    Raises ``RuntimeError`` for combinations that PyTorch refuses, ``NotImplementedError`` for what only PyTorch has.
    """
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if differentiable:
        raise NotImplementedError(
            "differentiable=True is not supported: a step is not recorded on the tape. Hint: for gradients "
            "through an update, "
            "write it out with ops, param - lr * grad."
        )
    if capturable:
        raise NotImplementedError(
            "capturable=True is not supported: step counts live on the host. Hint: leave it False."
        )


def _state_of(param, value, on_host):
    """A parameter's loaded state: tensors, in lists too, take its device and dtype; those ``on_host`` stay there."""
    if isinstance(value, dict):
        return {
            name: _host_value(item) if name in on_host else _state_of(param, item, on_host)
            for name, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return type(value)(_state_of(param, item, on_host) for item in value)
    if not isinstance(value, Tensor) and not hasattr(value, "__array__"):
        return deepcopy(value)
    array = to_array(value, copy=True)
    dtype = param._array.dtype if param.is_floating_point() else array.dtype
    array = backends.transfer(backends.of(array).astype(array, dtype), param.device)
    return make(array, None)


def _host_value(value):
    array = to_array(value, where=CPU, copy=True)
    return make(array if array.dtype == dtypes.FLOAT64 else array.astype(dtypes.FLOAT32), None)
