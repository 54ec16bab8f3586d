"""Schedules that depend on the epoch alone."""

import bisect
import math
import types
from collections import Counter

from minidl.optim.lr_scheduler.base import LRScheduler, check_optimizer, rates_of

__all__ = [
    "ConstantLR", "CosineAnnealingLR", "ExponentialLR", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR",
    "PolynomialLR", "StepLR",
]  # fmt: skip


class _FunctionLR(LRScheduler):
    """A schedule of functions of the epoch, one for all groups or a list of one each."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        check_optimizer(optimizer)
        groups = len(optimizer.param_groups)
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(self.lr_lambdas)}")
        self._check_functions()
        super().__init__(optimizer, last_epoch)

    def _check_functions(self):
        pass

    def state_dict(self):
        """All of the scheduler but its optimizer; of its functions only the attributes of callable objects."""
        state = super().state_dict()
        del state["lr_lambdas"]
        state["lr_lambdas"] = [
            None if isinstance(fn, types.FunctionType) else dict(vars(fn)) for fn in self.lr_lambdas
        ]
        return state

    def load_state_dict(self, state_dict):
        """Takes what ``state_dict`` gave; callable objects take their attributes."""
        vars(self).update({name: value for name, value in state_dict.items() if name != "lr_lambdas"})
        for fn, state in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if state is not None:
                vars(fn).update(state)


class LambdaLR(_FunctionLR):
    """lr = initial_lr * lr_lambda(epoch), one function for all groups or a list of one each.

    Raises ``ValueError`` where the list has another length. Callable objects are saved by ``state_dict``,
    functions are not. Source: ``torch.optim.lr_scheduler.LambdaLR``.

    >>> import minidl
    >>> optimizer = minidl.optim.SGD([minidl.nn.Parameter(minidl.ones(1))], lr=1.0)
    >>> scheduler = minidl.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def get_lr(self):
        self._warn_outside_step()
        return [base * fn(self.last_epoch) for base, fn in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class MultiplicativeLR(_FunctionLR):
    """lr *= lr_lambda(epoch) every epoch, one function for all groups or a list of one each.

    Raises ``ValueError`` where the list has another length, ``TypeError`` for what cannot be called. Callable objects
    are saved by ``state_dict``, functions are not. Source: ``torch.optim.lr_scheduler.MultiplicativeLR``.

    >>> import minidl
    >>> optimizer = minidl.optim.SGD([minidl.nn.Parameter(minidl.ones(1))], lr=1.0)
    >>> scheduler = minidl.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.5)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def _check_functions(self):
        for fn in self.lr_lambdas:
            if not callable(fn):
                raise TypeError(f"lr_lambda should be a function, but got {type(fn).__name__}")

    def get_lr(self):
        self._warn_outside_step()
        rates = rates_of(self.optimizer)
        if self._is_initial:
            return rates
        return [rate * fn(self.last_epoch) for rate, fn in zip(rates, self.lr_lambdas, strict=True)]


class StepLR(LRScheduler):
    """lr *= gamma every ``step_size`` epochs. Source: ``torch.optim.lr_scheduler.StepLR``.

    >>> import minidl
    >>> optimizer = minidl.optim.SGD([minidl.nn.Parameter(minidl.ones(1))], lr=0.5)
    >>> scheduler = minidl.optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.1)
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        self._warn_outside_step()
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return rates_of(self.optimizer)
        return self._scaled(self.gamma)

    def _get_closed_form_lr(self):
        return [base * self.gamma ** (self.last_epoch // self.step_size) for base in self.base_lrs]


class MultiStepLR(LRScheduler):
    """lr *= gamma at each epoch of ``milestones`` (more than once where one is repeated).

    Source: ``torch.optim.lr_scheduler.MultiStepLR``.

    >>> import minidl
    >>> optimizer = minidl.optim.SGD([minidl.nn.Parameter(minidl.ones(1))], lr=0.5)
    >>> scheduler = minidl.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[30, 80])
    """

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        self._warn_outside_step()
        if self.last_epoch not in self.milestones:
            return rates_of(self.optimizer)
        return self._scaled(self.gamma ** self.milestones[self.last_epoch])

    def _get_closed_form_lr(self):
        passed = bisect.bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [base * self.gamma**passed for base in self.base_lrs]


class ExponentialLR(LRScheduler):
    """lr *= gamma every epoch. Source: ``torch.optim.lr_scheduler.ExponentialLR``.

    >>> import minidl
    >>> optimizer = minidl.optim.SGD([minidl.nn.Parameter(minidl.ones(1))], lr=0.5)
    >>> scheduler = minidl.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    """

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        self._warn_outside_step()
        return rates_of(self.optimizer) if self._is_initial else self._scaled(self.gamma)

    def _get_closed_form_lr(self):
        return [base * self.gamma**self.last_epoch for base in self.base_lrs]


class ConstantLR(LRScheduler):
    """lr = initial_lr * factor for ``total_iters`` epochs, then initial_lr.

    Raises ``ValueError`` for a factor outside [0, 1]. Source: ``torch.optim.lr_scheduler.ConstantLR``.

    >>> import minidl
    >>> optimizer = minidl.optim.SGD([minidl.nn.Parameter(minidl.ones(1))], lr=0.5)
    >>> scheduler = minidl.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=4)
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer, factor=1.0 / 3, total_iters=5, last_epoch=-1):
        if factor > 1.0 or factor < 0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        self._warn_outside_step()
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        if self.last_epoch == self.total_iters:
            return self._scaled(1.0 / self.factor)
        return rates_of(self.optimizer)

    def _get_closed_form_lr(self):
        factor = 1 if self.last_epoch >= self.total_iters else self.factor
        return [base * factor for base in self.base_lrs]


class LinearLR(LRScheduler):
    """lr = initial_lr * a factor that goes from ``start_factor`` to ``end_factor`` in ``total_iters`` equal steps.

    Raises ``ValueError`` for a start_factor outside (0, 1] or an end_factor outside [0, 1].
    Source: ``torch.optim.lr_scheduler.LinearLR``.

    >>> import minidl
    >>> optimizer = minidl.optim.SGD([minidl.nn.Parameter(minidl.ones(1))], lr=0.5)
    >>> scheduler = minidl.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=4)
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer, start_factor=1.0 / 3, end_factor=1.0, total_iters=5, last_epoch=-1):
        if not 0 < start_factor <= 1.0:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal to 1, "
                f"got {start_factor}."
            )
        if not 0 <= end_factor <= 1.0:
            raise ValueError(
                f"Ending multiplicative factor expected to be between 0 and 1, got {end_factor}."
            )
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        self._warn_outside_step()
        if self.last_epoch == 0:
            return self._scaled(self.start_factor)
        if self._is_initial or self.last_epoch > self.total_iters:
            return rates_of(self.optimizer)
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return self._scaled(1.0 + rise / before)

    def _get_closed_form_lr(self):
        done = min(self.total_iters, self.last_epoch) / self.total_iters
        return [
            base * (self.start_factor + (self.end_factor - self.start_factor) * done)
            for base in self.base_lrs
        ]


class PolynomialLR(LRScheduler):
    """lr = initial_lr * (1 - epoch / total_iters)^power, and 0 from ``total_iters`` on.

    Source: ``torch.optim.lr_scheduler.PolynomialLR``.

    >>> import minidl
    >>> optimizer = minidl.optim.SGD([minidl.nn.Parameter(minidl.ones(1))], lr=1.0)
    >>> scheduler = minidl.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.75]
    """

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1):
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        self._warn_outside_step()
        if self._is_initial or self.last_epoch > self.total_iters:
            return rates_of(self.optimizer)
        left, before = (1.0 - epoch / self.total_iters for epoch in (self.last_epoch, self.last_epoch - 1))
        return self._scaled((left / before) ** self.power)

    def _get_closed_form_lr(self):
        left = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [base * left**self.power for base in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (initial_lr - eta_min) (1 + cos(pi epoch / T_max)) / 2, without the restarts of its source.

    Source: I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017;
    ``torch.optim.lr_scheduler.CosineAnnealingLR``.

    >>> import minidl
    >>> optimizer = minidl.optim.SGD([minidl.nn.Parameter(minidl.ones(1))], lr=0.5)
    >>> scheduler = minidl.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    """

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        self._warn_outside_step()
        if self._is_initial:
            return rates_of(self.optimizer)
        if self._step_count == 1 and self.last_epoch > 0:
            return self._get_closed_form_lr()
        return [
            self._next(base, group["lr"])
            for base, group in zip(self.base_lrs, self.optimizer.param_groups, strict=True)
        ]

    def _next(self, base, rate):
        """The rate after ``rate``: a ratio of cosines, but for where the one below is 0."""
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            return rate + (base - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        now, before = (
            1 + math.cos(math.pi * epoch / self.T_max) for epoch in (self.last_epoch, self.last_epoch - 1)
        )
        return now / before * (rate - self.eta_min) + self.eta_min

    def _get_closed_form_lr(self):
        height = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]
