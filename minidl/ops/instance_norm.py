"""Normalisation of each channel of each sample."""

import math

from minidl import dtypes
from minidl.autograd import function, modes
from minidl.autograd.size import Size
from minidl.ops.moments import var_mean
from minidl.ops.norm import batch_norm, group_norm


def _check(input, use_input_stats, running, affine):
    if use_input_stats and math.prod(input.shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {Size(input.shape)}"
        )
    if not input.is_floating_point():
        kind = dtypes.scalar_name(input.dtype.numpy)
        raise NotImplementedError(f"\"batch_norm\" not implemented for '{kind}'. Hint: use .float().")
    if (running["running_mean"] is None) != (running["running_var"] is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")
    if not use_input_stats and running["running_mean"] is None:
        raise RuntimeError(
            "Expected running_mean and running_var to be defined when use_input_stats is false"
        )
    samples, channels = input.shape[:2]
    for name, vector in {**running, **affine}.items():
        if vector is not None and tuple(vector.shape) != (channels,):
            raise RuntimeError(
                f"{name} should contain {samples * channels} elements not {samples * vector.numel()}"
            )


def _update(input, running_mean, running_var, momentum):
    """Moves the running statistics to the means over the batch of those of each sample, the variance unbiased."""
    with modes.no_grad():
        variance, center = var_mean(input.flatten(2), 2, correction=1)
        for running, found in ((running_mean, center), (running_var, variance)):
            running.mul_(1 - momentum).add_(found.mean(0).to(running.dtype), alpha=momentum)


@function(
    faces=("functional",), method=False, tensors="input running_mean running_var weight bias", shown="View"
)
def instance_norm(
    input,
    running_mean=None,
    running_var=None,
    weight=None,
    bias=None,
    use_input_stats=True,
    momentum=0.1,
    eps=1e-05,
):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, mean and variance over the positions of a channel of a sample.

    Shapes: input (N, C, *), running_mean, running_var, weight, bias (C,) or None, output as input. With
    ``use_input_stats``, running statistics that are given move in place to
    (1 - momentum) running + momentum statistic, averaged over the batch, the variance unbiased; without, they are used.

    Raises ``ValueError`` for a single position with ``use_input_stats``, ``RuntimeError`` for vectors of another
    length, or where running statistics are missing without ``use_input_stats``.
    Source: D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance normalization", 2016; ``torch.nn.functional.instance_norm``.

    >>> import minidl
    >>> minidl.nn.functional.instance_norm(minidl.tensor([[[1.0, 3.0], [5.0, 9.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    running = {"running_mean": running_mean, "running_var": running_var}
    _check(input, use_input_stats, running, {"weight": weight, "bias": bias})
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if not input.numel():
        return input.clone()
    if running_mean is not None:
        _update(input, running_mean, running_var, momentum)
    return group_norm(input, input.shape[1], weight, bias, eps)
