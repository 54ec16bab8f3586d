"""The base class of learning-rate schedulers."""

import warnings

from minidl.autograd.modes import no_grad
from minidl.autograd.tensor import Tensor
from minidl.optim.optimizer import Optimizer

__all__ = ["LRScheduler"]

EPOCH_DEPRECATION = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. "
    "Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, "
    "the closed form is "
    "used instead of the new chainable form, where available."
)
_CALL_ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you "
    "should call them in "
    "the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result "
    "in PyTorch "
    "skipping the first value of the learning rate schedule. See more details at "
    "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)


def check_optimizer(optimizer):
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def rates_of(optimizer):
    """The learning rate of each group; a tensor's as a copy."""
    return [_copied(group["lr"]) for group in optimizer.param_groups]


def _copied(rate):
    return rate.detach().clone() if isinstance(rate, Tensor) else rate


def set_rate(group, rate):
    if isinstance(group["lr"], Tensor):
        with no_grad():
            group["lr"].fill_(float(rate))
    else:
        group["lr"] = rate


def per_group(name, optimizer, value):
    """``value``, or the values where it is a list of one a group. Raises ``ValueError`` for another length."""
    groups = optimizer.param_groups
    if not isinstance(value, (list, tuple)):
        return [_copied(value) for _ in groups]
    if len(value) != len(groups):
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
            f"param_groups has {len(groups)}."
        )
    return [_copied(item) for item in value]


class LRScheduler:
    """Base class: a subclass's ``get_lr`` gives the rate of each group at ``last_epoch``.

    ``last_epoch=-1`` starts anew, from each group's ``lr``; another value resumes, and demands ``initial_lr``
    in each group (``KeyError`` otherwise). Raises ``TypeError`` where ``optimizer`` is none. Source:
    ``torch.optim.lr_scheduler.LRScheduler``.
    """

    _is_initial = False
    _get_lr_called_within_step = False

    def __init__(self, optimizer, last_epoch=-1):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                    "last_epoch >= 0. "
                    "Hint: load the optimizer's state first, or start with last_epoch=-1."
                )
        self.base_lrs = [_copied(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        if not optimizer._opt_watched:
            optimizer._opt_watched, optimizer._opt_called = True, False
        self._initial_step()

    def _initial_step(self):
        """The step that sets the first rates."""
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self):
        """The rate of each group at ``last_epoch``, from the rate before; called by ``step``."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr()")

    def get_last_lr(self):
        """The rates that the last step set."""
        return self._last_lr

    def step(self, epoch=None):
        """Goes to the next epoch (or, deprecated, to ``epoch``) and sets the rates."""
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(_CALL_ORDER, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch=None):
        """Sets the rates of the next epoch, or of ``epoch``, in the closed form where there is one."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._get_lr_called_within_step = True
        try:
            closed = epoch is not None and hasattr(self, "_get_closed_form_lr")
            rates = self._get_closed_form_lr() if closed else self.get_lr()
        finally:
            self._get_lr_called_within_step = False
        self._set_rates(rates)

    def _set_rates(self, rates):
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_rate(group, rate)
        self._last_lr = rates_of(self.optimizer)

    def _warn_outside_step(self):
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                stacklevel=3,
            )

    def _scaled(self, factor):
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def state_dict(self):
        """All of the scheduler but its optimizer."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict):
        """Takes what ``state_dict`` gave. The rates themselves belong to the optimizer's state."""
        vars(self).update(state_dict)


class _LRScheduler(LRScheduler):
    """The base class under the name that it once had, for schedules that are written on it."""
