"""Optimizer steps: one launch for all tensors of a call, which reads a table of them in device memory.

A plan keeps that table, the options and the step counts on the device between calls with the same parameters, and
copies only what has changed. In a captured step nothing changes from the host's side: the kernels count steps
themselves, and a learning rate is changed by writing to the plan's options.
"""

from collections import OrderedDict

import numpy as np

from minidl.backends.device_calls import stream

_FLOATS = frozenset("feEd")
_ADDRESSES, _ROW = 5, 8  # words of a row: csrc/cuda/optim.h
_MOST_PLANS = 64
_plans = OrderedDict()  # by device and addresses of the parameters, the least recently used first


class _Plan:
    """What the device holds for one list of parameters."""

    def __init__(self):
        self.arrays = self.table = None  # addresses, sizes and fresh ones that the table was written for
        self.options = self.device_options = None
        self.steps = self.clocks = None


def sgd_step(
    xp, ext, params, grads, momentum_buffers, fresh, lr, momentum, dampening, nesterov, weight_decay, maximize
):  # fmt: skip
    columns = (params, grads) if momentum_buffers is None else (params, grads, momentum_buffers)
    plan = _planned(xp, ext, columns, fresh, (lr, momentum, dampening, weight_decay))
    if plan is None:
        return NotImplemented
    dtype = params[0].dtype.char
    ext.sgd_step(dtype, *_at(plan), nesterov, maximize, stream(xp))
    return None


def adam_step(
    xp, ext, params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps,
    lr, beta1, beta2, eps, weight_decay, decoupled, maximize,
):  # fmt: skip
    columns = (params, grads, exp_avgs, exp_avg_sqs)
    if max_exp_avg_sqs is not None:
        columns = (*columns, max_exp_avg_sqs)
    plan = _planned(xp, ext, columns, None, (lr, beta1, beta2, eps, weight_decay))
    if plan is None:
        return NotImplemented
    done = [float(step) for step in steps]
    if plan.steps != done:
        plan.clocks = _written(xp, plan.clocks, np.array([[step, 0, 0] for step in done]))
    dtype = params[0].dtype.char
    ext.adam_step(dtype, *_at(plan), plan.clocks.data.ptr, decoupled, maximize, stream(xp))
    for step in steps:
        step += 1  # in place: arrays of one element
    plan.steps = [float(step) for step in steps]
    return None


def _at(plan):
    return plan.table.data.ptr, len(plan.table) - 1, plan.chunks, plan.device_options.data.ptr


def _planned(xp, ext, columns, fresh, options):
    """The plan of a call, up to date on the device; None for arrays that the kernels do not serve."""
    layouts = [[(array.data.ptr, array.strides, array.shape) for array in column] for column in columns]
    dtype = columns[0][0].dtype
    if dtype.char not in _FLOATS or not _alike(columns, layouts, dtype):
        return None
    key = xp, xp.cuda.runtime.getDevice(), len(columns), tuple(layout[0] for layout in layouts[0])
    plan = _plans.get(key)
    if plan is None:
        plan = _plans[key] = _Plan()
        if len(_plans) > _MOST_PLANS:
            _plans.popitem(last=False)
    else:
        _plans.move_to_end(key)
    arrays = [[layout[0] for layout in column] for column in layouts], [p.size for p in columns[0]], fresh
    if plan.arrays != arrays:
        rows, plan.chunks = _rows(*arrays, ext.optim_chunk)
        plan.table, plan.arrays = _written(xp, plan.table, rows), arrays
    if plan.options != options:
        plan.device_options = _written(xp, plan.device_options, np.array(options))
        plan.options = options
    return plan


def _alike(columns, layouts, dtype):
    """Whether the arrays of each tensor are dense, in one order and of one dtype."""
    for column in columns:
        for array in column:
            if array.dtype != dtype:
                return False
    for rows in zip(*layouts, strict=True):
        _, strides, shape = rows[0]
        if any(row[1] != strides or row[2] != shape for row in rows):
            return False
        step = dtype.itemsize
        for stride, size in sorted(zip(strides, shape, strict=True)):
            if size == 1:
                continue
            if stride != step and size != 0:
                return False
            step *= size
    return True


def _rows(addresses, sizes, fresh, chunk):
    """The table of csrc/cuda/optim.h, and the number of its chunks."""
    table = np.zeros((len(sizes) + 1, _ROW), np.uint64)
    for n, column in enumerate(addresses):
        table[:-1, n] = column
    chunks = [-(-size // chunk) for size in sizes]
    table[:-1, _ADDRESSES] = sizes
    table[1:, _ADDRESSES + 1] = np.cumsum(chunks)
    if fresh is not None:
        table[:-1, _ADDRESSES + 2] = fresh
    return table, sum(chunks)


def _written(xp, array, values):
    """``values`` on the device, in the memory of ``array`` where that fits: a captured step reads there."""
    if array is None or array.shape != values.shape:
        return xp.asarray(values)
    array.set(values)
    return array
