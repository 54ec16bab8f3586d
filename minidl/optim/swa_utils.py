"""Averages of weights along training, and the schedule that goes with them."""

import copy
import math
from itertools import chain

from minidl.autograd.modes import no_grad
from minidl.nn.module import Module
from minidl.nn.norm import _BatchNorm
from minidl.ops.create import tensor
from minidl.optim.lr_scheduler.base import LRScheduler, per_group

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]  # fmt: skip


def _check_decay(decay):
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_avg_fn(decay=0.999):
    """The function (average, current, count) -> decay * average + (1 - decay) * current, for ``AveragedModel``.

    Raises ``ValueError`` for a decay outside [0, 1]. Source: ``torch.optim.swa_utils.get_ema_avg_fn``.

    >>> import minidl
    >>> average = minidl.optim.swa_utils.get_ema_avg_fn(0.75)
    >>> average(minidl.tensor([1.0]), minidl.tensor([3.0]), 1)
    tensor([1.5000])
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param, current_param, num_averaged):
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn():
    """The function (average, current, count) -> average + (current - average) / (count + 1): the mean of all so far.

    >>> import minidl
    >>> average = minidl.optim.swa_utils.get_swa_avg_fn()
    >>> average(minidl.tensor([1.0]), minidl.tensor([4.0]), 2)
    tensor([2.])
    """

    @no_grad()
    def swa_update(averaged_param, current_param, num_averaged):
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay=0.999):
    """What ``get_ema_avg_fn`` gives, for lists of tensors: (averages, currents, count), written into the averages.

    Raises ``ValueError`` for a decay outside [0, 1].

    >>> import minidl
    >>> update, average = minidl.optim.swa_utils.get_ema_multi_avg_fn(0.75), minidl.tensor([1.0])
    >>> update([average], [minidl.tensor([3.0])], 1)
    >>> average
    tensor([1.5000])
    """
    _check_decay(decay)
    average = get_ema_avg_fn(decay)

    @no_grad()
    def ema_update(ema_param_list, current_param_list, _):
        for held, current in zip(ema_param_list, current_param_list, strict=True):
            if held.is_floating_point():
                held.lerp_(current, 1 - decay)
            else:
                held.copy_(average(held, current, None))

    return ema_update


def get_swa_multi_avg_fn():
    """What ``get_swa_avg_fn`` gives, for lists of tensors: (averages, currents, count), written into the averages.

    >>> import minidl
    >>> update, average = minidl.optim.swa_utils.get_swa_multi_avg_fn(), minidl.tensor([1.0])
    >>> update([average], [minidl.tensor([4.0])], 2)
    >>> average
    tensor([2.])
    """
    average = get_swa_avg_fn()

    @no_grad()
    def swa_update(averaged_param_list, current_param_list, num_averaged):
        for held, current in zip(averaged_param_list, current_param_list, strict=True):
            if held.is_floating_point():
                held.lerp_(current, 1 / (int(num_averaged) + 1))
            else:
                held.copy_(average(held, current, num_averaged))

    return swa_update


class AveragedModel(Module):
    """A copy of ``model`` whose parameters are an average of its parameters along training.

    ``update_parameters(model)`` takes the parameters of now into the average: the mean of all so far, or what
    ``avg_fn(average, current, count)`` returns for each, or ``multi_avg_fn(averages, currents, count)`` writes.
    Buffers are copied, or with ``use_buffers`` averaged as well. Calling it calls the copy, ``module``; the buffer
    ``n_averaged`` counts the updates. Raises ``AssertionError`` for both functions. Source: P. Izmailov et al.,
    "Averaging weights leads to wider optima and better generalization", UAI 2018;
    ``torch.optim.swa_utils.AveragedModel``.

    >>> import minidl
    >>> model = minidl.nn.Linear(1, 1, bias=False)
    >>> average = minidl.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = minidl.nn.init.constant_(model.weight, value)
    ...     average.update_parameters(model)
    >>> average(minidl.ones(1, 1)).item()
    3.0
    """

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args, **kwargs):
        """What the averaged copy gives."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model):
        """Takes the parameters of ``model`` into the average."""
        averages, currents = self._pairs(model)
        if int(self.n_averaged) == 0:
            for average, current in zip(averages, currents, strict=True):
                average.copy_(current)
        elif self.multi_avg_fn is not None:
            self._update_together(averages, currents)
        else:
            function = get_swa_avg_fn() if self.avg_fn is None else self.avg_fn
            for average, current in zip(averages, currents, strict=True):
                average.copy_(function(average, current, self.n_averaged.to(average.device)))
        if not self.use_buffers:
            for held, current in zip(self.module.buffers(), model.buffers(), strict=True):
                held.copy_(current.detach().to(held.device))
        self.n_averaged += 1

    def _pairs(self, model):
        """The tensors to average, detached, and those of ``model`` on the same devices."""
        averages, currents = self.parameters(), model.parameters()
        if self.use_buffers:
            averages = chain(self.module.parameters(), self.module.buffers())
            currents = chain(model.parameters(), model.buffers())
        pairs = list(zip(averages, currents, strict=False))
        return (
            [average.detach() for average, _ in pairs],
            [current.detach().to(average.device) for average, current in pairs],
        )

    def _update_together(self, averages, currents):
        """``multi_avg_fn`` on the tensors of each device and dtype."""
        kinds = {}
        for average, current in zip(averages, currents, strict=True):
            lists = kinds.setdefault((str(average.device), average.dtype), ([], []))
            lists[0].append(average)
            lists[1].append(current)
        for held, now in kinds.values():
            self.multi_avg_fn(held, now, self.n_averaged.to(held[0].device))


@no_grad()
def update_bn(loader, model, device=None):
    """Sets the running statistics of every batch normalization in ``model`` to those of the data in ``loader``.

    Each batch is a tensor, or a list or tuple whose first element is; it is moved to ``device`` where one is given.
    For averaged weights, whose activations no training step has seen. Source: ``torch.optim.swa_utils.update_bn``.

    >>> import minidl
    >>> norm = minidl.nn.BatchNorm1d(1)
    >>> minidl.optim.swa_utils.update_bn([minidl.tensor([[1.0], [3.0]]), minidl.tensor([[5.0], [7.0]])], norm)
    >>> norm.running_mean
    tensor([4.])
    """
    momenta = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    if not momenta:
        return
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None
    was_training = model.training
    model.train()
    for batch in loader:
        input = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(input if device is None else input.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """lr goes from where it is to ``swa_lr`` (a number or one a group) in ``anneal_epochs``, and stays there.

    It goes by half a cosine, or in a line (``anneal_strategy`` "cos", "linear"). Raises ``ValueError`` for options out
    of range. Source: ``torch.optim.swa_utils.SWALR``.

    >>> import minidl
    >>> optimizer = minidl.optim.SGD([minidl.nn.Parameter(minidl.ones(1))], lr=1.0)
    >>> scheduler = minidl.optim.swa_utils.SWALR(optimizer, 0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        for group, rate in zip(optimizer.param_groups, per_group("swa_lr", optimizer, swa_lr), strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t):
        """The part of the way that is gone at time ``t`` in [0, 1]."""
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self):
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = (self.anneal_func(self._time(n)) for n in (step - 1, step))
        rates = []
        for group in self.optimizer.param_groups:
            goal = group["swa_lr"]
            start = goal if before == 1 else (group["lr"] - before * goal) / (1 - before)
            rates.append(goal * now + start * (1 - now))
        return rates

    def _time(self, step):
        return max(0, min(1, step / max(1, self.anneal_epochs)))
